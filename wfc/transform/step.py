"""Step mode: steps run from the user's own modules, so what is made for them is a
registration."""

from __future__ import annotations

import json
from collections.abc import Iterable

from wfc.analyse.nested_options import nested_options
from wfc.model import Form, Kind, Marked

__all__ = ["class_registration", "registrations"]


def registrations(marked: Iterable[Marked]) -> list[str]:
    """The lines that register workflows and steps with their ids, steps first."""
    return [_registration(m) for m in sorted(marked, key=lambda m: (m.kind is Kind.WORKFLOW, m.id))]


def _registration(m: Marked) -> str:
    if m.form is Form.NESTED:
        # Nothing in the module holds such a function: the runtime makes it from its code.
        options = "".join(f", {name}={value!r}" for name, value in nested_options(m).items())
        return f"registry.nested({_text(m.id)}, {m.module.name}, {_text(m.qualname)}{options})"
    return f"registry.{m.kind.value}({_text(m.id)}, {m.module.name}.{m.qualname})"


def class_registration(id_: str, module: str, name: str) -> str:
    """The line that registers a class whose instances may be recorded."""
    return f"registry.cls({_text(id_)}, {module}.{name})"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
