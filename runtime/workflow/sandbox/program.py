"""A bundle made executable: compiled once per process, executed afresh for every run, but for the
types that all runs can share."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from threading import Lock
from types import CodeType
from typing import Any

from workflow.codec.closures import find_code, is_nested
from workflow.codec.references import Known
from workflow.errors import BundleError, WorkflowNotRegisteredError
from workflow.replay.warned import as_warnings
from workflow.sandbox.bundle import Bundle, ModuleSource
from workflow.sandbox.compiling import PolicyError, compile_module, compile_parts, given
from workflow.sandbox.functions import BundledFunctions, by_place
from workflow.sandbox.importer import CompiledModule, Importer, resolve
from workflow.sandbox.ownership import SHARED, share
from workflow.sandbox.sharing import Shared, find_shared
from workflow.sandbox.source_files import filename_for

__all__ = ["Entry", "Instance", "Program"]

Entry = Callable[..., Coroutine[Any, Any, Any]]


class Program:
    """The compiled modules of a bundle.

    `root` is the project root on this machine, if there is one: tracebacks then show the user's own
    files where their lines are still those of the bundle. `passthrough` are the extra modules the
    project's configuration allows. Without `sharing` every instance makes all types afresh, which
    is less work when there is one. Raises `BundleError` when the bundle is not valid workflow code.
    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        root: Path | None = None,
        passthrough: Iterable[str] = (),
        sharing: bool = True,
    ) -> None:
        self.bundle = bundle
        self._root = root
        self._passthrough = frozenset(passthrough)
        self._shared = self._find_shared() if sharing else {}
        self._once: dict[str, CompiledModule] = {}
        self._modules: dict[str, CompiledModule] = {}
        for module in bundle.modules:
            shared = self._shared.get(module.name)
            if shared is None:
                self._modules[module.name] = self._compiled(module)
            else:
                filename = filename_for(module, root)
                with _as_bundle_error(module):
                    first, rest = compile_parts(
                        module.source, filename, shared.names, shared.imports
                    )
                self._once[module.name] = CompiledModule(module.name, first, module.is_package)
                self._modules[module.name] = CompiledModule(module.name, rest, module.is_package)
        self._known = by_place(bundle)
        self._nested = self._nested_stubs()
        self._making = Lock()
        self._given: dict[str, dict[str, Any]] | None = None

    def _compiled(self, module: ModuleSource) -> CompiledModule:
        with _as_bundle_error(module):
            code = compile_module(module.source, filename_for(module, self._root))
        return CompiledModule(module.name, code, module.is_package)

    def _find_shared(self) -> dict[str, Shared]:
        sources = {each.name: (each.source, each.is_package) for each in self.bundle.modules}
        apart = [*self.bundle.workflows.values(), *self.bundle.steps.values()]
        try:
            with as_warnings():
                return find_shared(sources, self._passthrough, apart)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return {}  # compiling the module says what is wrong with it

    def _nested_stubs(self) -> dict[str, CodeType]:
        """The code of the stubs that stand inside of other functions, by the ids of their steps."""
        found: dict[str, CodeType] = {}
        for step_id, (module, qualname) in self.bundle.steps.items():
            if is_nested(qualname):
                code = find_code(self._modules[module].code, qualname)
                if code is None:
                    raise _missing(step_id, module, qualname)
                found[step_id] = code
        return found

    def instantiate(self) -> Instance:
        """An instance with modules of its own, which share with those of others what cannot change.

        Executes nothing of the modules yet, but for what all instances share, the first time.
        """
        with self._making:
            if self._given is None:
                self._given = self._make_shared()
        importer = Importer(self._modules, self._passthrough, self._given)
        return Instance(self.bundle, importer, self._known, self._nested)

    def _make_shared(self) -> dict[str, dict[str, Any]]:
        """What all runs share: by module, what it takes over under which name.

        When making it fails nothing is shared, so that each run meets the error where it stands.
        """
        importer = Importer(self._once, self._passthrough, lasting=True)
        try:
            made = {
                name: {each: importer.namespace(name)[each] for each in self._shared[name].names}
                for name in self._once
            }
        except Exception:
            for module in self.bundle.modules:
                if module.name in self._once:
                    self._modules[module.name] = self._compiled(module)
            self._nested = self._nested_stubs()  # which are known by their code
            return {}
        for name, values in made.items():
            importer.namespace(name)[SHARED] = True
            for value in values.values():
                share(value)
        return {
            name: {given(each): value for each, value in values.items()}
            for name, values in made.items()
        }

    def entry(self, workflow_id: str) -> Entry:
        """The workflow function out of fresh modules, else `WorkflowNotRegisteredError`."""
        return self.instantiate().workflow(workflow_id)

    def classes(self) -> Mapping[str, type]:
        """The bundled classes by id, out of fresh modules. For the classes that belong to a certain
        workflow function ask its `Instance`."""
        return self.instantiate().classes


class Instance:
    """The modules of a bundle with their own globals: what one run executes.

    `functions` tells the codec of the run which of its functions may be recorded.
    """

    def __init__(
        self,
        bundle: Bundle,
        importer: Importer,
        known: Mapping[tuple[str, str], Known],
        nested: Mapping[str, CodeType],
    ) -> None:
        self._bundle = bundle
        self._importer = importer
        self.functions = BundledFunctions(bundle, known, nested, self._find, importer.namespace)

    def workflow(self, workflow_id: str) -> Entry:
        """The workflow function. Executes its module at the first call.

        Raises `WorkflowNotRegisteredError` for an id the bundle does not have; what the module's
        own top level raises passes through.
        """
        place = self._bundle.workflows.get(workflow_id)
        if place is None:
            known = ", ".join(sorted(self._bundle.workflows)) or "none"
            raise WorkflowNotRegisteredError(
                f"the bundle has no workflow {workflow_id!r}; it has: {known}. The workflow was "
                "removed, renamed or moved, this worker has an older build than the one that "
                "started the run, or two projects share one storage of runs"
            )
        function: Entry = self._find(workflow_id, place)
        return function

    @cached_property
    def classes(self) -> Mapping[str, type]:
        """The classes of the bundle by id, as the functions of this instance use them."""
        return {key: self._find(key, place) for key, place in self._bundle.classes.items()}

    def _find(self, key: str, place: tuple[str, str]) -> Any:
        module, qualname = place
        try:
            return resolve(self._importer.namespace(module), qualname)
        except KeyError:
            raise _missing(key, module, qualname) from None


@contextmanager
def _as_bundle_error(module: ModuleSource) -> Iterator[None]:
    try:
        yield
    except PolicyError as error:
        raise BundleError(
            f"module {module.name!r} is not valid workflow code; run `wfc build`\n{error}"
        ) from error


def _missing(key: str, module: str, qualname: str) -> BundleError:
    return BundleError(
        f"{key}: module {module!r} of the bundle defines no {qualname}; run `wfc build`"
    )
