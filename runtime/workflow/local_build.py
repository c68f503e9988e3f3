"""What a process without an application learns from the build in its folder: ids and classes.

A script that starts runs has neither a registry nor client modules. The manifest says which
functions are workflows, and which classes may be recorded.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import Any

import msgspec

from workflow.classes import register_class
from workflow.errors import WorkflowNotRegisteredError
from workflow.policy.names import full_id

__all__ = ["id_of_name", "is_step", "know_classes", "workflow_id"]

_lock = threading.Lock()
_read: dict[str, tuple[tuple[int, int], Any]] = {}


def workflow_id(function: Any) -> str | None:
    """The id of a workflow function of the build, None when there is none or it is not in it."""
    return _find("workflows", function)


def is_step(function: Any) -> bool:
    """Whether a function is a step of the build here."""
    return _find("steps", function) is not None


def _find(kind: str, function: Any) -> str | None:
    manifest = _manifest()
    wanted = (_module(function, manifest), getattr(function, "__qualname__", None))
    for found, entry in manifest.get(kind, {}).items():
        if (entry["module"], entry["qualname"]) == wanted:
            return str(found)
    return None


def id_of_name(name: str) -> str:
    """The id of the workflow that a text names: an id as it stands, a short name if the build here
    has exactly one of that name. Raises WorkflowNotRegisteredError: nobody would work on a run of
    anything else."""
    if name.startswith("workflow//"):
        return name
    manifest = _manifest()
    known = manifest.get("workflows", {})
    if not known:
        raise WorkflowNotRegisteredError(
            f"{name!r} is not the id of a workflow. Without a build here, start() takes the whole "
            'id, such as "workflow//shop/orders.py//place"'
        )
    return full_id(name, known, manifest.get("steps", {}))


def know_classes() -> None:
    """Make the classes of the build known to `ClientCodec`; those that client modules have named
    stay as they are. Without a build this does nothing."""
    manifest = _manifest()
    script = _script(manifest)
    for class_id, entry in manifest.get("classes", {}).items():
        module = "__main__" if entry["path"] == script else entry["module"]
        register_class(class_id, module, entry["qualname"], replace=False)


def _folder() -> Path:
    return Path(os.environ.get("WORKFLOW_GENERATED") or "generated").resolve()


def _manifest() -> dict[str, Any]:
    """The manifest of the build, read again when it has changed; {} where there is none."""
    path = _folder() / "manifest.json"
    try:
        stat = path.stat()
        state = (stat.st_mtime_ns, stat.st_size)
        with _lock:
            known = _read.get(str(path))
            if known is None or known[0] != state:
                known = _read[str(path)] = (state, msgspec.json.decode(path.read_bytes()))
    except (OSError, msgspec.DecodeError):
        return {}
    return known[1] if isinstance(known[1], dict) else {}


def _module(function: Any, manifest: dict[str, Any]) -> str | None:
    """The import name of the module of a function, also of the script that Python was given."""
    name: str | None = getattr(function, "__module__", None)
    script = _script(manifest) if name == "__main__" else None
    modules = {e["path"]: e["module"] for e in manifest.get("workflows", {}).values()}
    return modules.get(script, name) if script is not None else name


def _script(manifest: dict[str, Any]) -> str | None:
    """The file that Python was started with, relative to the project's folder."""
    file = getattr(sys.modules.get("__main__"), "__file__", None)
    if not file or "root" not in manifest:
        return None
    root = (_folder() / manifest["root"]).resolve()
    try:
        return Path(file).resolve().relative_to(root).as_posix()
    except ValueError:
        return None
