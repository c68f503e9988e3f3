"""Arguments are recorded by parameter name.

Reordering parameters or switching between positional and keyword calls then leaves recorded calls
readable. `*args` is recorded under `"*args"`, `**options` under `"**options"`: names that no
parameter can have. What a nested step uses of the function around it is recorded under `""`, as a
mapping by variable name; a call that captures nothing has no such entry.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from workflow.errors import WorkflowNotRegisteredError

__all__ = [
    "CAPTURED",
    "captured_of",
    "is_default",
    "passed",
    "record",
    "refuse_coroutine",
    "refuse_inherited",
    "spread",
    "with_captured",
]

CAPTURED = ""
"""The name captured variables are recorded under."""

# By the function itself: functions of different parameters may share a code object.
_SIGNATURES: WeakKeyDictionary[Any, inspect.Signature] = WeakKeyDictionary()


class _Written:
    """An annotation that was not evaluated: shown as it is written, without quotes."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def _shown(signature: inspect.Signature) -> inspect.Signature:
    """A signature whose text is the same with and without postponed evaluation."""

    def plain(annotation: Any) -> Any:
        return _Written(annotation) if isinstance(annotation, str) else annotation

    parameters = [
        each.replace(annotation=plain(each.annotation)) for each in signature.parameters.values()
    ]
    returned = plain(signature.return_annotation)
    return signature.replace(parameters=parameters, return_annotation=returned)


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    found = _SIGNATURES.get(function)
    if found is None:
        found = _SIGNATURES[function] = inspect.signature(function)
    return found


def record(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """Bind a call to `function`'s parameters and return the arguments by name, defaults included.

    Raises TypeError, as the call itself would, when they do not fit.
    """
    signature = _signature(function)
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError as error:
        name = getattr(function, "__qualname__", repr(function))
        raise TypeError(
            f"{name}{_shown(signature)}: {error}{_strangers(signature, kwargs)}"
        ) from None
    bound.apply_defaults()
    recorded: dict[str, Any] = {}
    for name, parameter in signature.parameters.items():
        if parameter.kind is parameter.VAR_POSITIONAL:
            recorded["*" + name] = bound.arguments[name]
        elif parameter.kind is parameter.VAR_KEYWORD:
            recorded["**" + name] = bound.arguments[name]
        else:
            recorded[name] = bound.arguments[name]
    return recorded


def _strangers(signature: inspect.Signature, kwargs: Mapping[str, Any]) -> str:
    """Names that no parameter has: Python tells of what is missing, which a wrong name leaves."""
    kinds = {parameter.kind for parameter in signature.parameters.values()}
    unknown = [repr(name) for name in kwargs if name not in signature.parameters]
    if not unknown or inspect.Parameter.VAR_KEYWORD in kinds:
        return ""
    return f"; no parameter is called {' or '.join(unknown)}"


def refuse_coroutine(workflow: object) -> None:
    """Raises TypeError for `start(flow(…))`: the workflow was called instead of handed over."""
    if inspect.iscoroutine(workflow):
        name = workflow.__name__
        workflow.close()  # or Python warns as well that nobody awaited it
        raise TypeError(
            f"start() takes a workflow and then its arguments: start({name}, ...), not "
            f"start({name}(...))"
        )


def refuse_inherited(workflow: Any) -> None:
    """Raises WorkflowNotRegisteredError for a class method that was reached through a subclass.

    A run knows its workflow by the id of the function, so it would get the class that defines it.
    """
    if not inspect.ismethod(workflow) or not isinstance(workflow.__self__, type):
        return
    name, defined = workflow.__func__.__name__, workflow.__func__.__qualname__.rpartition(".")[0]
    asked = workflow.__self__.__qualname__
    if asked != defined:
        raise WorkflowNotRegisteredError(
            f"{asked}.{name} is the workflow {defined}.{name}, whose runs have {defined} as their "
            f"class. Start {defined}.{name} and say by an argument what is to be different, or "
            f"define {name} in {asked} as well"
        )


def passed(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> frozenset[str]:
    """The parameters that a call gives a value to, in contrast to those left to their defaults.

    Raises TypeError when the call does not fit.
    """
    return frozenset(_signature(function).bind(*args, **kwargs).arguments)


def is_default(function: Callable[..., Any], name: str, value: Any) -> bool:
    """Whether a recorded argument is what the parameter has when nobody passes anything."""
    parameter = _signature(function).parameters.get(name)
    if parameter is None or type(parameter.default) is not type(value):
        return False
    try:
        return bool(parameter.default == value)
    except Exception:  # comparing is the values' own code
        return False


def spread(
    function: Callable[..., Any], recorded: Mapping[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """Turn recorded arguments back into positional and keyword arguments for `function`.

    A parameter that is not in the record takes its default. Raises TypeError for a recorded
    argument that the function no longer accepts, or a required one that was not recorded.
    """
    signature = _signature(function)
    left = dict(recorded)
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    missing: list[str] = []
    positional = True
    for name, parameter in signature.parameters.items():
        if parameter.kind is parameter.VAR_POSITIONAL:
            args.extend(left.pop("*" + name, ()))
            positional = False
        elif parameter.kind is parameter.VAR_KEYWORD:
            kwargs.update(left.pop("**" + name, {}))
        elif name not in left:
            if parameter.default is parameter.empty:
                missing.append(name)
            # Later parameters must go by keyword, or they would take this one's place.
            positional = False
        elif positional and parameter.kind is not parameter.KEYWORD_ONLY:
            args.append(left.pop(name))
        else:
            kwargs[name] = left.pop(name)
    if missing or left:
        name = getattr(function, "__qualname__", repr(function))
        problems = [f"needs {item!r}, which was not recorded" for item in missing]
        problems += [f"does not accept the recorded {item!r}" for item in sorted(left)]
        raise TypeError(f"{name}{_shown(signature)} {'; '.join(problems)}")
    return args, kwargs


def with_captured(arguments: dict[str, Any], captured: Mapping[str, Any] | None) -> dict[str, Any]:
    """The whole record of a call: its arguments, and what it captured if that is anything.

    Captured variables are sorted by name, so that equal calls have equal records.
    """
    if not captured:
        return arguments
    return {**arguments, CAPTURED: {name: captured[name] for name in sorted(captured)}}


def captured_of(recorded: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split a recorded call into its arguments and its captured variables."""
    arguments = dict(recorded)
    return arguments, arguments.pop(CAPTURED, {})
