"""Exceptions as values.

An exception keeps its class if both sides know it (builtin, ours, or in the manifest), its message,
arguments, attributes, notes and causes. What cannot be recorded of arguments and attributes is
left out rather than losing the failure. Other classes come back as StepFailedError, which names
the original class and is caught as those of its base classes that are known. Classes are looked up
in tables, never imported by name.
"""

from __future__ import annotations

import builtins
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from workflow import errors
from workflow.addresses import without_addresses
from workflow.codec import stand_ins
from workflow.codec.refusals import Refused
from workflow.codec.stand_ins import Sealed
from workflow.errors import StepFailedError

if TYPE_CHECKING:
    from workflow.codec.writer import Writer

__all__ = [
    "NAMED",
    "empty",
    "fill",
    "known_classes",
    "message_of",
    "qualified",
    "set_on",
    "stand_in",
    "text_in",
    "write",
]

_MAX_CAUSES = 20
_MAX_TEXT = 100_000
_OURS = {"__notes__", "workflow_traceback"}


def _table() -> dict[str, type[BaseException]]:
    found: dict[str, type[BaseException]] = {}
    for kind in vars(builtins).values():
        # SystemExit, KeyboardInterrupt and GeneratorExit would act on the process that reads them
        if isinstance(kind, type) and issubclass(kind, (Exception, BaseExceptionGroup)):
            found[f"builtins.{kind.__name__}"] = kind
    for name in errors.__all__:
        found[f"workflow.errors.{name}"] = getattr(errors, name)
    return found


_KNOWN = _table()
_NAMES = {kind: name for name, kind in _KNOWN.items()}
# What catches nearly everything says nothing, and groups cannot be made without their members.
_GENERAL = {
    *(BaseException, Exception, errors.WorkflowError, StepFailedError),
    *(BaseExceptionGroup, ExceptionGroup),
}
_MAX_BASES = 4
NAMED: Collection[type] = _NAMES.keys()
"""The exceptions that every process has, Python's own and ours."""


def known_classes(classes: Mapping[str, type]) -> dict[str, type[BaseException]]:
    """All exception classes by the name they are recorded under."""
    own = {name: kind for name, kind in classes.items() if issubclass(kind, BaseException)}
    return {**_KNOWN, **own}


def qualified(error: BaseException) -> str:
    """The module and qualified name of an exception's class."""
    return f"{type(error).__module__}.{type(error).__qualname__}"


def message_of(error: BaseException) -> str:
    """`str(error)`, also when that fails."""
    try:
        return str(error)[:_MAX_TEXT]
    except Exception:
        return f"<{type(error).__name__} without a readable message>"


# -- writing ---------------------------------------------------------------------------------


def write(writer: Writer, error: BaseException, depth: int) -> int:
    """Write an exception and its causes; an exception may be reached again from its cause."""
    index = writer.start(error, depth)
    name = writer.ids.get(type(error)) or _NAMES.get(type(error)) or qualified(error)
    payload: dict[str, Any] = {
        "name": qualified(error),
        "message": message_of(error),
        "class": name,
    }
    if type(error) not in _NAMES and type(error) not in writer.ids:
        bases = _bases(writer.ids, type(error))
        if bases:
            payload["bases"] = bases
    args, state = _parts(writer, error, depth)
    # Messages of errors that C code raises have the texts of objects in them.
    payload["message"] = without_addresses(payload["message"])
    if type(args) is tuple:
        args = tuple(without_addresses(arg) if type(arg) is str else arg for arg in args)
        writer.keep.append(args)
    # The exception is made from its arguments, so nothing in them may refer back to it.
    written = writer.closed(error, lambda: writer.add(args, depth + 2))
    if state:
        payload["state"] = state
    notes = getattr(error, "__notes__", None)  # anybody may set it to anything
    notes = [each for each in notes if isinstance(each, str)] if isinstance(notes, list) else []
    if notes:
        payload["notes"] = notes
    stack = getattr(error, "workflow_traceback", None)
    if isinstance(stack, str):
        payload["stack"] = stack
    if error.__suppress_context__:
        payload["suppress"] = True
    cause = error.__cause__
    if cause is not None and writer.causes < _MAX_CAUSES and not writer.is_open(cause):
        payload["cause"] = cause
    writer.keep.append(payload)
    writer.causes += 1
    fields = writer.fields(payload, depth + 1).removesuffix("}")
    writer.causes -= 1
    body = writer.own(f'{fields},"args":{written}}}')
    writer.entries[index] = f'["Error",{body}]'
    return index


def _bases(ids: Mapping[type, str], kind: type[BaseException]) -> list[str]:
    """The nearest base classes that readers may know: as those a workflow can catch the error."""
    found: list[type] = []
    names: list[str] = []
    for each in kind.__mro__:
        name = ids.get(each) or _NAMES.get(each)
        if name is None or each in _GENERAL or any(issubclass(f, each) for f in found):
            continue
        found.append(each)
        names.append(name)
    return names[:_MAX_BASES]


def _parts(writer: Writer, error: BaseException, depth: int) -> tuple[Any, dict[str, Any]]:
    """The arguments and attributes of an exception that can be recorded. Found once each."""
    found = writer.failures.get(id(error))
    if found is None:
        # exceptions of the standard library that keep more than their arguments reduce to it
        args: Any = error.args
        if isinstance(error, OSError):
            reduced = OSError.__reduce__(error)  # not that of a class of the user's
            args = reduced[1] if isinstance(reduced, tuple) else args
        if stand_ins.without_args(error) or not _writable(writer, error, args, depth):
            args = None
        state = {
            key: item
            for key, item in vars(error).items()
            if key not in _OURS and not key.startswith("__")
            if _writable(writer, error, item, depth)
        }
        found = writer.failures[id(error)] = (args, state)
        writer.keep.append(found)
    parts: tuple[Any, dict[str, Any]] = found
    return parts


def _writable(writer: Writer, error: BaseException, part: Any, depth: int) -> bool:
    def attempt() -> int:
        trial = type(writer)(writer.ids, writer.max_depth, writer)
        return trial.add(part, depth + 4, root=True)

    try:
        writer.closed(error, attempt)
    except (Refused, RecursionError):
        return False
    return True


def stand_in(error: BaseException) -> StepFailedError:
    """What is recorded of an exception when it is too large or nested too deeply itself."""
    kind = _caught_as(_KNOWN, _bases({}, type(error)))
    return _unknown(qualified(error), without_addresses(message_of(error))[:10_000], kind)


# -- reading ---------------------------------------------------------------------------------


def text_in(parsed: Any) -> str:
    """What people are shown of a recorded exception: its traceback, or else its name and message.

    Reads texts alone, out of parsed JSON: no class is made, so no code of anybody's runs.
    """
    match parsed:
        case [["Error", int(place)], *_] if 0 <= place < len(parsed):
            body = parsed[place]
        case _:
            return ""
    found: dict[str, str] = {}
    for name in ("stack", "name", "message"):
        index = body.get(name) if isinstance(body, dict) else None
        if type(index) is int and 0 <= index < len(parsed) and isinstance(parsed[index], str):
            found[name] = parsed[index]
    return found.get("stack") or f"{found.get('name', '')}: {found.get('message', '')}"


def empty(
    classes: Mapping[str, type[BaseException]], payload: Mapping[str, Any], args: Any
) -> BaseException:
    """Make the exception itself; `fill` adds the rest. Never fails for a known payload shape."""
    name, message = payload.get("name"), payload.get("message")
    if not isinstance(name, str) or not isinstance(message, str):
        raise TypeError("an error has a name and a message")
    kind = classes.get(str(payload.get("class")))
    if kind is None:
        return _unknown(name, message, _caught_as(classes, payload.get("bases")))
    if kind is StepFailedError:
        kind = _caught_as(classes, payload.get("bases"))
    given = isinstance(args, (list, tuple))
    args = tuple(args) if given else (message,)
    try:
        made: BaseException = _bare(kind, *args)
    except Exception:
        return _unknown(name, message, StepFailedError)
    if type(kind) is Sealed:
        stand_ins.hide(made, {"message": message, "args": given})
    return made


def _unknown(name: str, message: str, kind: type[StepFailedError]) -> StepFailedError:
    """What stands for an exception of a class that is not known here. Its text names the class as
    the last line of a traceback does: a message such as `3` says nothing by itself."""
    last = name.rpartition(".")[2]
    made: StepFailedError = _bare(kind, f"{last}: {message}" if message else last)
    set_on(made, "type_name", name)
    return made


def _bare(kind: type[BaseException], *args: Any) -> Any:
    """An exception on which no __init__ of its own was run: its parameters need not be `args`."""
    # Of several, Python takes the one with the most fields of its own.
    base: Any = max(
        (each for each in kind.__mro__ if each.__module__ == "builtins"),
        key=lambda each: each.__basicsize__,
    )
    made = base.__new__(kind, *args)
    base.__init__(made, *args)
    return made


def _caught_as(classes: Mapping[str, type[BaseException]], names: Any) -> type[StepFailedError]:
    """StepFailedError; caught as the named classes as well, as far as those are known."""
    found = [classes.get(each) for each in names if type(each) is str] if names else []
    bases = tuple(kind for kind in found[:_MAX_BASES] if kind is not None and _is_derivable(kind))
    return _derived(bases) if bases else StepFailedError


def _is_derivable(kind: type) -> bool:
    """Whether deriving from a class runs none of its code, and is nothing that it forbids."""
    own = [each for each in kind.__mro__ if each.__module__ != "builtins"]
    return type(kind) is type and not any("__init_subclass__" in vars(each) for each in own)


@lru_cache(256)
def _derived(bases: tuple[type[BaseException], ...]) -> type[StepFailedError]:
    about: dict[str, Any] = {
        "__module__": StepFailedError.__module__,
        "__doc__": StepFailedError.__doc__,
        "__str__": BaseException.__str__,  # that of a KeyError is a repr
    }
    try:
        made = type("StepFailedError", (StepFailedError, *bases), about)
        _bare(made, "")
    except TypeError:  # they do not go together, or one of them needs other arguments
        return StepFailedError
    return made


def fill(error: BaseException, payload: Mapping[str, Any]) -> None:
    """Add attributes, notes, traceback text and cause."""
    state = payload.get("state")
    stands_in = (
        isinstance(error, StepFailedError)
        and payload.get("class") != "workflow.errors.StepFailedError"
    )
    # Whoever catches it by a base class expects the attributes of that.
    if isinstance(state, dict) and not (stands_in and type(error) is StepFailedError):
        for key, item in state.items():
            mine = stands_in and key == "type_name"
            if isinstance(key, str) and not key.startswith("__") and not mine:
                vars(error)[key] = item
    notes = [note for note in payload.get("notes") or () if isinstance(note, str)]
    if notes:
        set_on(error, "__notes__", notes)
    stack = payload.get("stack")
    if isinstance(stack, str):
        set_on(error, "workflow_traceback", stack)
    cause = payload.get("cause")
    if isinstance(cause, BaseException):
        set_on(error, "__cause__", cause)
    set_on(error, "__suppress_context__", payload.get("suppress") is True)


set_on = BaseException.__setattr__  # also of classes that are frozen
