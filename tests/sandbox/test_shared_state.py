"""Nothing that runs share can be changed, and nothing of a live run can be copied out of it."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import pytest

from tests.sandbox.snippets import run_snippet
from workflow.authoring.children import Run
from workflow.authoring.hooks import Hook, Webhook
from workflow.errors import BundleError, SandboxError
from workflow.sandbox import facades, guards
from workflow.sandbox.facades.copies import deep_copy, shallow_copy
from workflow.sandbox.names import FORBIDDEN

_MUTABLE = (dict, list, set, bytearray)


def _names(cls: type) -> set[str]:
    return {
        name for base in (*inspect.getmro(type(cls)), *inspect.getmro(cls)) for name in vars(base)
    } - FORBIDDEN


@pytest.mark.parametrize("module", sorted(facades.names()))
def test_no_facade_gives_out_a_container_to_write_to(module: str) -> None:
    """No member, and no readable attribute of a member, is a dict, list or set all runs share."""
    members = {key: value for key, value in vars(facades.get(module)).items() if key[0].isalpha()}
    found = [key for key, value in members.items() if isinstance(value, _MUTABLE)]
    for key, cls in members.items():
        if not isinstance(cls, type):
            continue
        for name in _names(cls):
            try:
                first, second = guards.read(cls, name, None), guards.read(cls, name, None)
            except SandboxError:
                continue
            if isinstance(first, _MUTABLE) and first is second:
                found.append(f"{key}.{name}")
    assert found == []


@pytest.mark.parametrize("module", sorted(facades.names()))
def test_no_subclass_gives_out_a_container_to_write_to(module: str) -> None:
    """A class of the workflow reads no shared container of its bases either."""
    found = []
    for key in sorted(facades.names()[module]):
        source = f"from {module} import {key} as Base\nclass Sub(Base): pass\nresult = Sub\n"
        try:
            cls: Any = run_snippet(source)
        except (AttributeError, BundleError, SandboxError, TypeError):
            continue  # not a class, or not one to inherit from
        for name in _names(cls):
            try:
                value = guards.read(cls, name, None)
            except SandboxError:
                continue
            if isinstance(value, _MUTABLE) and any(
                value is getattr(base, name, None) for base in cls.__mro__[1:]
            ):
                found.append(f"{key}.{name}")
    assert found == []


@pytest.mark.parametrize(
    ("kind", "parts"), [(Hook, 5), (Webhook, 5), (Run, 2)], ids=["Hook", "Webhook", "Run"]
)
@pytest.mark.parametrize("duplicate", [shallow_copy, deep_copy])
def test_hooks_refuse_to_be_copied(kind: Any, parts: int, duplicate: Any) -> None:
    """Neither a hook or child nor what holds one can be copied."""
    hook = kind(*[None] * parts)
    with pytest.raises(SandboxError, match=f"{kind.__name__} objects cannot be copied"):
        duplicate(hook)
    with pytest.raises(SandboxError, match=f"{kind.__name__} objects cannot be copied"):
        deep_copy({"held": [hook]})
    assert copy.copy(hook) is not hook
