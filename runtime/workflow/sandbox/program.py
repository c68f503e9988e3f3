"""A bundle made executable: compiled once per process, executed afresh for every run."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from workflow.errors import BundleError, WorkflowNotRegisteredError
from workflow.sandbox.bundle import Bundle
from workflow.sandbox.importer import CompiledModule, Importer, resolve
from workflow.sandbox.policy import PolicyError, compile_module
from workflow.sandbox.source_files import filename_for

__all__ = ["Entry", "Instance", "Program"]

Entry = Callable[..., Coroutine[Any, Any, Any]]


class Program:
    """The compiled modules of a bundle.

    `root` is the project root on this machine, if there is one: tracebacks then show the user's own
    files where their lines are still those of the bundle. `passthrough` are the extra modules the
    project's configuration allows. Raises `BundleError` when the bundle is not valid workflow code.
    """

    def __init__(
        self, bundle: Bundle, *, root: Path | None = None, passthrough: Iterable[str] = ()
    ) -> None:
        self.bundle = bundle
        self._passthrough = frozenset(passthrough)
        self._modules: dict[str, CompiledModule] = {}
        for module in bundle.modules:
            try:
                code = compile_module(module.source, filename_for(module, root))
            except PolicyError as error:
                raise BundleError(
                    f"module {module.name!r} is not valid workflow code; run `wfc build`\n{error}"
                ) from error
            self._modules[module.name] = CompiledModule(module.name, code, module.is_package)

    def instantiate(self) -> Instance:
        """An instance whose modules share nothing with those of others. Executes nothing yet."""
        return Instance(self.bundle, Importer(self._modules, self._passthrough))

    def entry(self, workflow_id: str) -> Entry:
        """The workflow function out of fresh modules, else `WorkflowNotRegisteredError`."""
        return self.instantiate().workflow(workflow_id)

    def classes(self) -> Mapping[str, type]:
        """The bundled classes by id, out of fresh modules. For the classes that belong to a certain
        workflow function ask its `Instance`."""
        return self.instantiate().classes


class Instance:
    """The modules of a bundle with their own globals: what one run executes."""

    def __init__(self, bundle: Bundle, importer: Importer) -> None:
        self._bundle = bundle
        self._importer = importer

    def workflow(self, workflow_id: str) -> Entry:
        """The workflow function. Executes its module at the first call.

        Raises `WorkflowNotRegisteredError` for an id the bundle does not have; what the module's
        own top level raises passes through.
        """
        place = self._bundle.workflows.get(workflow_id)
        if place is None:
            known = ", ".join(sorted(self._bundle.workflows)) or "none"
            raise WorkflowNotRegisteredError(
                f"the bundle has no workflow {workflow_id!r}; it has: {known}"
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
            raise BundleError(
                f"{key}: module {module!r} of the bundle defines no {qualname}; run `wfc build`"
            ) from None
