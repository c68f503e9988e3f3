"""A built project as one worker process sees it: its registry of live functions and its bundle."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from workflow.engine import builtin_steps
from workflow.engine.registry import Registry
from workflow.errors import BundleError
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
        the folder is missing, incomplete, or older than the sources.
        """
        folder = Path(generated).resolve()
        manifest = _manifest(folder)
        root = (folder / manifest["root"]).resolve()
        _check_current(folder, root, manifest)
        for source_root in manifest.get("source_roots", ["."]):
            path = str((root / source_root).resolve())
            if path not in sys.path:
                sys.path.append(path)
        registry = _registry(folder)
        return cls(
            registry,
            _bundle(folder, manifest),
            root=root,
            passthrough=manifest.get("passthrough", []),
        )


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / "manifest.json"
    try:
        manifest = msgspec.json.decode(path.read_bytes())
    except FileNotFoundError:
        raise BundleError(f"there is no {path}: run `wfc build` in your project first") from None
    except msgspec.DecodeError as error:
        raise BundleError(f"{path} cannot be read ({error}): run `wfc build` again") from None
    if not isinstance(manifest, dict) or manifest.get("format") != 1:
        raise BundleError(
            f"{path} was made by another version of wfc: run `wfc build` with the installed one"
        )
    return manifest


def _check_current(folder: Path, root: Path, manifest: dict[str, Any]) -> None:
    """Compare the sources with the hashes of the build. A deployment without sources passes."""
    stale = []
    for module in manifest["modules"]:
        source = root / module["path"]
        if not source.exists():
            continue
        if hashlib.sha256(source.read_bytes()).hexdigest() != module["source_sha256"]:
            stale.append(module["path"])
    if stale:
        raise BundleError(
            f"{folder.name}/ is older than {', '.join(stale)}: run `wfc build` and start again"
        )


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
    )
    if bundle.hash != manifest["bundle"]:
        raise BundleError(
            f"the files in {folder.name}/ were changed by hand or belong to different builds: "
            "run `wfc build` again"
        )
    return bundle


def _registry(folder: Path) -> Registry:
    """Run `step.py` once per folder and process, and take its registry."""
    path = folder / "step.py"
    name = f"workflow_generated_{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"
    module = sys.modules.get(name)
    if module is None:
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None or not path.exists():
            raise BundleError(f"{path} is missing: run `wfc build` again")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
    registry: Registry = module.registry
    return registry
