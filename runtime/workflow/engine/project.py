"""A built project as one worker process sees it: its registry of live functions and its bundle."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from workflow.engine import builtin_steps
from workflow.engine.registry import Registry
from workflow.errors import BundleError
from workflow.installed import source_of
from workflow.manifest import read_manifest
from workflow.sandbox.bundle import Bundle, ModuleSource

__all__ = ["Project"]


class Project:
    """`registry`: live steps, workflows and classes. `bundle`: the compiled orchestration code.

    `root` is the project's folder, for showing the user's own files in tracebacks.
    """

    def __init__(
        self,
        registry: Registry,
        bundle: Bundle,
        *,
        root: Path | None = None,
        passthrough: Sequence[str] = (),
    ) -> None:
        self.registry = registry
        self.bundle = bundle
        self.root = root
        self.passthrough = tuple(passthrough)
        builtin_steps.register(registry)

    @classmethod
    def load(cls, generated: Path | str) -> Project:
        """Load what `wfc build` made in the folder `generated`.

        Imports the user's modules that hold steps. Raises BundleError, which says `wfc build`, when
        the folder is missing, incomplete, or older than the sources, and which names the line that
        asks for a module that is not installed.
        """
        folder = Path(generated).resolve()
        with _no_build_meanwhile(folder):
            manifest = read_manifest(folder)
            bundle = _bundle(folder, manifest)
            step = _step(folder, manifest)
        root = (folder / manifest["root"]).resolve()
        _check_current(folder, root, manifest)
        for source_root in manifest.get("source_roots", ["."]):
            path = str((root / source_root).resolve())
            if path not in sys.path:
                sys.path.append(path)
        return cls(
            _registry(folder, step, root, manifest),
            bundle,
            root=root,
            passthrough=manifest.get("passthrough", []),
        )


@contextmanager
def _no_build_meanwhile(folder: Path) -> Iterator[None]:
    """Wait for a build that is writing into `folder`, and keep others from it.

    Where there are no such locks, the hashes in the manifest tell of a half-written folder.
    """
    try:
        import fcntl

        handle = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):
        yield
        return
    try:
        with suppress(OSError):  # some network file systems have no locks
            fcntl.flock(handle, fcntl.LOCK_SH)
        yield
    finally:
        os.close(handle)


def _check_current(folder: Path, root: Path, manifest: dict[str, Any]) -> None:
    """Compare the sources with the hashes of the build. A deployment without sources passes."""
    stale, others = [], []
    packages = manifest.get("packages", [])
    for module in manifest["modules"]:
        if _is_of(packages, module["name"]):
            if not _is_as_built(module):
                others.append(module["path"])
            continue
        source = root / module["path"]
        if not source.exists():
            continue
        if hashlib.sha256(source.read_bytes()).hexdigest() != module["source_sha256"]:
            stale.append(module["path"])
    if stale:
        raise BundleError(
            f"{folder.name}/ is older than {', '.join(stale)}: run `wfc build` and start again"
        )
    if others:
        raise BundleError(
            f"{folder.name}/ was built with another version of {', '.join(others)} than the one "
            "that is installed here: install that version, or run `wfc build` with this one"
        )


def _is_of(packages: Sequence[str], module: str) -> bool:
    return any(f"{module}.".startswith(f"{package}.") for package in packages)


def _is_as_built(module: dict[str, Any]) -> bool:
    source = source_of(module["name"], module["path"])
    if source is None:
        return False
    return bool(hashlib.sha256(source.read_bytes()).hexdigest() == module["source_sha256"])


def _bundle(folder: Path, manifest: dict[str, Any]) -> Bundle:
    try:
        modules = tuple(
            ModuleSource(
                name=module["name"],
                path=module["path"],
                source=(folder / module["text"]).read_text(encoding="utf-8"),
            )
            for module in manifest["modules"]
        )
    except FileNotFoundError as error:
        raise BundleError(f"{error.filename} is missing: run `wfc build` again") from None
    bundle = Bundle(
        modules=modules,
        workflows={
            key: (entry["module"], entry["qualname"])
            for key, entry in manifest["workflows"].items()
        },
        classes={
            key: (entry["module"], entry["qualname"])
            for key, entry in manifest["classes"].items()
            if entry["bundled"]
        },
        steps={
            key: (entry["module"], entry["qualname"])
            for key, entry in manifest["steps"].items()
            if entry.get("bundled")
        },
    )
    if bundle.hash != manifest["bundle"]:
        raise _mixed(folder)
    return bundle


def _mixed(folder: Path) -> BundleError:
    return BundleError(
        f"the files in {folder.name}/ were changed by hand or belong to different builds: "
        "run `wfc build` again"
    )


def _step(folder: Path, manifest: dict[str, Any]) -> bytes:
    """The text of `step.py`, if it is the one that belongs to the manifest."""
    path = folder / "step.py"
    try:
        data = path.read_bytes().replace(b"\r\n", b"\n")
    except FileNotFoundError:
        raise BundleError(f"{path} is missing: run `wfc build` again") from None
    expected = manifest.get("files", {}).get("step.py")
    if expected is not None and hashlib.sha256(data).hexdigest() != expected:
        raise _mixed(folder)
    return data


def _registry(folder: Path, step: bytes, root: Path, manifest: dict[str, Any]) -> Registry:
    """Run the text of `step.py` once per folder and process, and take its registry."""
    path = folder / "step.py"
    name = f"workflow_generated_{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"
    module = sys.modules.get(name)
    if module is None:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None  # a name that ends in .py always has a loader
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            # What was read beside the manifest, and not what may be there by now.
            exec(compile(step, path, "exec"), module.__dict__)
        except ModuleNotFoundError as error:
            del sys.modules[name]
            _check_moved(folder, root, manifest, error)
            _check_hidden(root, manifest, error)
            raise _not_found(error) from error
        except AttributeError as error:
            del sys.modules[name]
            _check_hidden(root, manifest, error)
            raise
        except BaseException:
            del sys.modules[name]
            raise
    registry: Registry = module.registry
    return registry


def _check_moved(
    folder: Path, root: Path, manifest: dict[str, Any], error: ModuleNotFoundError
) -> None:
    """Raise for a module that the build was made from, and whose file is not there any more."""
    for module in manifest["modules"]:
        within = f"{module['name']}.".startswith(f"{error.name}.")
        if _is_of(manifest.get("packages", []), module["name"]):
            continue
        if within and not (root / module["path"]).exists():
            raise BundleError(
                f"{folder.name}/ was made from {module['path']}, which is not there any more: if "
                "it was moved or removed, run `wfc build` and start again"
            ) from error


def _check_hidden(root: Path, manifest: dict[str, Any], error: Exception) -> None:
    """Raise for a file of the project whose name another module has taken, such as `calendar`."""
    for kind in ("steps", "workflows", "classes"):
        for key, entry in manifest[kind].items():
            file = root.joinpath(*key.split("//")[1].split("/"))
            package = entry["module"].rpartition(".")[0]
            for name, own in ((package, file.parent), (entry["module"], file)):
                found = getattr(sys.modules.get(name), "__file__", None)
                if found is None or not own.exists():
                    continue
                if not os.path.samefile(Path(found).parent if own.is_dir() else found, own):
                    raise BundleError(
                        f"`{name}` is {found} here, and not {own.relative_to(root)} of the "
                        "project: rename yours and run `wfc build`, or see that its folder comes "
                        "first on sys.path"
                    ) from error


def _not_found(error: ModuleNotFoundError) -> BundleError:
    """Says which line asked for a module that is not there: the last one outside of Python."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "<frozen" not in f.filename]
    last = frames[-1]
    file = Path(last.filename)
    with suppress(ValueError):
        file = file.relative_to(Path.cwd())
    return BundleError(
        f"{file}:{last.lineno} cannot be imported: {error}. Is this the environment of your "
        "project?"
    )
