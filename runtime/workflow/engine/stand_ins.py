"""Classes of the step side as a workflow body sees them.

An instance of a class that the bundle does not have can still reach the body: as a step's result or
its error, in a payload, an argument. The live class stays out: its methods would run in the body
unseen, and differ from replay to replay. The body gets a stand-in made by `workflow.codec`, with
the data and without the code. Steps of such objects are calls like those of compiled code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from workflow.authoring.context import body
from workflow.codec.failures import NAMED
from workflow.codec.references import Functions
from workflow.codec.stand_in_kinds import make
from workflow.codec.stand_ins import opaque
from workflow.engine.live_code import plain
from workflow.policy.arguments import record
from workflow.sandbox.ownership import MARK, TOKEN

__all__ = ["StandIns"]

_MARK = {MARK: TOKEN}


class StandIns:
    """The stand-ins of the classes of one registry: made once, as they cannot be changed.

    An exception below one that the bundle has is made for each run that meets it, as the bundle's
    class is of that run.
    """

    def __init__(self, classes: Mapping[str, type], functions: Functions) -> None:
        self._classes = classes
        self._functions = functions
        self._made: dict[str, type] = {}
        self._above: dict[str, tuple[str, ...]] = {}  # the exceptions above an exception, by ids

    def beside(
        self, bundled: Mapping[str, type]
    ) -> tuple[dict[str, type], dict[str, Callable[[], type]]]:
        """Stand-ins for all classes that a run's bundle does not have, by their ids.

        Where the bundle has an exception above, it is a function that makes the stand-in.
        """
        found: dict[str, type] = {}
        later: dict[str, Callable[[], type]] = {}
        for class_id, kind in self._classes.items():
            if class_id in bundled:
                continue
            if any(above in bundled for above in self._ids_above(class_id, kind)):
                later[class_id] = partial(self._below, kind, bundled)
                continue
            made = self._made.get(class_id)
            if made is None:
                made = self._made[class_id] = self._make(kind, {})
            found[class_id] = made
        return found, later

    def _below(self, kind: type, bundled: Mapping[str, type]) -> type:
        return self._make(
            kind, {self._classes[i]: bundled[i] for i in bundled if i in self._classes}
        )

    def _ids_above(self, class_id: str, kind: type) -> tuple[str, ...]:
        found = self._above.get(class_id)
        if found is None:
            above = kind.__mro__[1:] if issubclass(kind, BaseException) else ()
            found = tuple(i for i, each in self._classes.items() if each in above)
            self._above[class_id] = found
        return found

    def _make(self, kind: type, bundled: Mapping[type, type]) -> type:
        members = _stubs(kind, self._functions)
        if not issubclass(kind, BaseException):
            try:
                return make(kind, (), members, _MARK)
            except Exception:
                # One class that cannot be told apart must not keep all runs from going on.
                return opaque(kind, members)
        bases = _caught_by(kind, bundled)
        if any(base in bundled.values() for base in bases):
            members = {**_hidden_by(kind, bundled), **members}
        return make(kind, bases, members, _MARK)


def _caught_by(kind: type, bundled: Mapping[type, type]) -> tuple[type, ...]:
    """The classes by which workflow code can catch an exception, none of them above another."""
    found: dict[type, None] = {}
    queue = list(kind.__bases__)
    for base in queue:  # grows while it is read
        known = bundled.get(base) or (base if base in NAMED else None)
        if known is not None:
            found[known] = None
        else:
            queue.extend(base.__bases__)
    lowest = [e for e in found if not any(o is not e and issubclass(o, e) for o in found)]
    return tuple(lowest) or (Exception,)


def _hidden_by(kind: type, bundled: Mapping[type, type]) -> dict[str, Any]:
    """What an exception overrides of one that the bundle has: that is not what it would do."""
    found: dict[str, Any] = {}
    for base in kind.__mro__:
        if base in bundled or base in NAMED:
            break
        found |= {n: _Overridden() for n in vars(base) if not n.startswith("__")}
    return found


class _Overridden:
    """An attribute that is not there, although a class above has it."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: Any) -> Any:
        subject = owner if instance is None else instance
        return type(subject).__getattr__(subject, self._name)


def _stubs(cls: type, functions: Functions) -> dict[str, Any]:
    stubs: dict[str, Any] = {}
    for base in reversed(cls.__mro__[:-1]):
        for name, member in vars(base).items():
            function = plain(member)
            known = functions.identify(function) if callable(function) else None
            if known is None or known.kind != "step":
                stubs.pop(name, None)  # overridden by what is no step
                continue
            stub = _stub(known.id, function)
            same_kind = isinstance(member, staticmethod | classmethod)
            stubs[name] = type(member)(stub) if same_kind else stub
    return stubs


def _stub(step_id: str, function: Callable[..., Any]) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        run = body("a step of this object", "Call it on the object itself.")
        return await run.call_step(step_id, record(function, args, kwargs))

    return call
