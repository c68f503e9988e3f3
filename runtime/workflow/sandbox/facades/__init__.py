"""The modules workflow code can import: frozen, with listed members.

`names()` answers from tables and is cheap: the compiler asks it for every import. `get()` builds a
facade the first time it is wanted and keeps it for the process: facades are immutable.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from workflow.errors import SandboxError
from workflow.sandbox.facades.facade import Facade, pick
from workflow.sandbox.facades.models import PYDANTIC, pydantic_replaced
from workflow.sandbox.facades.pure import ADVICE, NAMES_ONLY, PURE, REFUSED

__all__ = ["NAMES_ONLY", "Facade", "advice", "get", "member_advice", "names"]

_ABI = "workflow.abi.flow_v1"
_OURS = ("workflow", "workflow.errors", _ABI)
_API = frozenset({"Run", "start", "with_options"})  # of workflow.api: what a body may do


def _emulations() -> dict[str, Callable[[], dict[str, Any]]]:
    from workflow.sandbox.facades import aio, chance, clock, contexts, speech

    return {
        "asyncio": aio.asyncio_members,
        "contextvars": contexts.contextvars_members,
        "datetime": clock.datetime_members,
        "logging": speech.logging_members,
        "random": chance.random_members,
        "time": clock.time_members,
        "uuid": chance.uuid_members,
    }


@cache
def names() -> Mapping[str, frozenset[str]]:
    """Every module workflow code can import, with the names it finds there."""
    listed = dict(PURE)
    listed |= {module: frozenset(members()) for module, members in _emulations().items()}
    listed |= {module: frozenset(_public(module)) for module in _OURS}
    listed["pydantic"] = PYDANTIC
    listed["typing_extensions"] = PURE["typing"] | {"override"}
    listed["urllib"] = frozenset({"parse"})
    listed["collections"] |= {"abc"}
    listed["workflow"] |= {"api", "errors"}
    listed["workflow.api"] = _API
    return dict(sorted(listed.items()))


def advice(module: str) -> str:
    """What to do about an import that workflow code cannot have."""
    hint = REFUSED.get(module.partition(".")[0])
    return hint or "move the code that needs it into a step, or list it under `passthrough`"


def member_advice(module: str, member: str) -> str | None:
    """What to do instead of using a member that the facade of `module` leaves out, if known."""
    return _advice_on(module).get(member)


def get(module: str, passthrough: Iterable[str] = ()) -> Facade | None:
    """The facade of `module`; None when workflow code has no such module.

    `passthrough` are modules of the project's configuration: all functions and classes in their
    `__all__` are given out as they are, on the project's own responsibility.
    """
    if module in passthrough:
        return _passed_through(module)
    return _built(module)


@cache
def _built(module: str) -> Facade | None:
    if module in PURE:
        return _pure(module)
    if module in _OURS:
        from workflow.sandbox.facades.ours import replaced

        ours = _importable(module) | replaced(module, _public(module))
        if module == "workflow":
            ours["errors"] = _built("workflow.errors")
            ours["api"] = _built("workflow.api")
        return Facade(module, ours)
    if module == "workflow.api":
        # The same names for the same things, as they are in a body.
        children = importlib.import_module("workflow.authoring.children")
        return Facade(module, pick(children, _API))
    if module == "pydantic":
        stand_ins = pydantic_replaced()
        native = pick(importlib.import_module(module), PYDANTIC - stand_ins.keys())
        return Facade(module, native | stand_ins, ADVICE.get(module))
    if module == "typing_extensions":
        return _backport()
    if module == "urllib":
        return Facade(module, {"parse": _built("urllib.parse")})
    members = _emulations().get(module)
    if members is None:
        return None
    return Facade(module, members(), _advice_on(module))


def _advice_on(module: str) -> Mapping[str, str]:
    if module == "asyncio":
        from workflow.sandbox.facades import aio

        return aio.ADVICE
    return ADVICE.get(module, {})


def _pure(module: str) -> Facade:
    from workflow.sandbox.facades.definitions import REPLACED

    replaced = {
        name: value for name, value in REPLACED.get(module, {}).items() if name in PURE[module]
    }
    members = pick(importlib.import_module(module), PURE[module] - replaced.keys()) | replaced
    if module == "collections":
        members["abc"] = _built("collections.abc")
    return Facade(module, members, ADVICE.get(module))


def _backport() -> Facade:
    """What of `typing_extensions` is also in `typing`, from there: other packages bring it, and
    it may be another version on the next worker."""
    from workflow.sandbox.facades.definitions import REPLACED, backported

    return Facade(
        "typing_extensions",
        {
            **pick(importlib.import_module("typing"), PURE["typing"] - REPLACED["typing"].keys()),
            **REPLACED["typing"],
            **backported(),
        },
        ADVICE.get("typing"),
    )


def _public(module: str) -> list[str]:
    loaded = importlib.import_module(module)
    exported: list[str] = list(loaded.__all__)
    return exported


def _importable(module: str) -> dict[str, Any]:
    loaded = importlib.import_module(module)
    return {
        name: value
        for name in _public(module)
        if not inspect.ismodule(value := getattr(loaded, name))
    }


@cache
def _passed_through(module: str) -> Facade:
    loaded = importlib.import_module(module)
    if not hasattr(loaded, "__all__"):
        raise SandboxError(
            f"the passthrough module {module!r} has no __all__: nobody says which of its names are "
            "meant for others; wrap what you need in a step"
        )
    members = {
        name: value
        for name, value in _importable(module).items()
        if inspect.isroutine(value) or inspect.isclass(value)
    }
    return Facade(module, members)
