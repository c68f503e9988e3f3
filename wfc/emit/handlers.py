"""The four ASGI modules of `generated/`."""

from __future__ import annotations

from collections.abc import Iterable

from wfc.emit.manifest import class_id
from wfc.model import Program
from wfc.transform.step import class_registration, registrations

__all__ = ["handlers"]

_ASGI = """\
# Made by wfc{origin}; do not edit.
from workflow.abi.asgi_v1 import {factory}

app = {factory}(__file__)
"""

_STEP = """\
# Made by wfc{origin}; do not edit.
from workflow.abi.step_v1 import Registry, step_app

{imports}

registry = Registry(__file__)
{registrations}

app = step_app(registry)
"""


def handlers(program: Program) -> dict[str, str]:
    """`flow.py`, `step.py`, `webhook.py` and `app.py`, by path in the generated folder."""
    origin = _origin({m.module.path for m in program.marked})
    made = {
        f"{name}.py": _ASGI.format(origin=origin, factory=f"{factory}_app")
        for name, factory in (("flow", "flow"), ("webhook", "webhook"), ("app", "whole"))
    }
    made["step.py"] = _step(program, origin)
    return made


def _origin(paths: Iterable[str]) -> str:
    listed = sorted(paths)
    return f" from {listed[0]}" if len(listed) == 1 else f" from {len(listed)} files"


def _step(program: Program, origin: str) -> str:
    lines = registrations(program.marked)
    lines += [class_registration(class_id(program, key), *key) for key in sorted(program.classes)]
    names = {m.module.name for m in program.marked} | {key[0] for key in program.classes}
    imports = "\n".join(f"import {name}" for name in sorted(names))
    return _STEP.format(origin=origin, imports=imports, registrations="\n".join(lines))
