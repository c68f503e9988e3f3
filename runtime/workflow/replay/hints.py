"""The likely cause of a divergence, from where log and code part.

A hint is a guess, said as one: the log position and the two sides are the facts. It compares the
decision the code asked for with the one recorded at its place, and looks whether each of them turns
up further on in the other's future.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from workflow.codec import Codec
from workflow.errors import SerializationError
from workflow.events import FACTS, Event, NewEvent
from workflow.policy.arguments import CAPTURED
from workflow.policy.names import short_name

__all__ = ["likely_cause"]

_ENDS = frozenset({"run_completed", "run_failed", "run_cancelled"})
_ANOTHER = "has another value"
_NOUNS = {
    "step_created": "the step",
    "wait_created": "a sleep or time-out",
    "hook_requested": "the hook",
    "hook_disposed": "the end of the hook",
    "child_created": "the child",
    "attr_set": "set_attributes()",
    "run_completed": "the end of the workflow",
    "run_failed": "the error that ends the workflow",
    "run_cancelled": "the end after a cancel request",
}


def likely_cause(
    asked: NewEvent | None,
    recorded: Event,
    *,
    still_asked: Iterable[NewEvent] = (),
    rest: Sequence[Event] = (),
    codec: Codec,
) -> str:
    """One sentence on how the code may have been changed.

    `asked` is the decision at issue, None when the code has asked for nothing; `still_asked` are
    the decisions it made after it in the same go, `rest` is the log after `recorded`.
    """
    if asked is None:
        return (
            f"{_noun(recorded)} was called here: the call was removed, something is awaited before "
            "it, or a condition or loop in front of it now goes the other way"
        )
    if recorded.type in FACTS:
        return f"{_added(asked)}: the recorded run did not make this call here"
    if _same_call(asked, recorded):
        if _exactly(recorded, still_asked) and _exactly(asked, rest):
            return f"the order of the calls of {_noun(asked)} was changed"
        return _changed(asked, recorded, codec)
    comes_later = _exactly(asked, rest)
    elsewhere = comes_later or _among(recorded, still_asked)
    both_steps = asked.type == recorded.type == "step_created"
    if both_steps and asked.payload == recorded.payload and not elsewhere:
        return (
            f"the step {short_name(recorded.name)!r} may have been renamed or moved to another "
            f"file: {short_name(asked.name)!r} is called with the same arguments. The id of a "
            "step is its file and its name"
        )
    both_children = asked.type == recorded.type == "child_created"
    if both_children and asked.payload == recorded.payload and not elsewhere:
        return (
            f"the workflow {short_name(recorded.name)!r} may have been renamed or moved to another "
            f"file, or another one is started: {short_name(asked.name)!r} is started with the same "
            "arguments. The id of a workflow is its file and its name"
        )
    if asked.type == recorded.type == "hook_requested" and not elsewhere:
        return f"the token of the hook was changed from {recorded.name!r} to {asked.name!r}"
    if _among(recorded, still_asked):
        if comes_later:
            return f"the order was changed: {_noun(recorded)} was called before {_noun(asked)}"
        return f"{_added(asked)} in front of {_noun(recorded)}"
    if asked.type in _ENDS and recorded.type in _ENDS:
        return f"the workflow ends in another way: {_noun(asked)} instead of {_noun(recorded)}"
    if asked.type in _ENDS:
        return (
            f"the workflow ends too early: {_noun(recorded)} was called here, and the call was "
            "removed, or a condition or loop in front of it now goes the other way"
        )
    if comes_later:
        return (
            f"the order was changed, or {_noun(recorded)} was removed: {_noun(asked)} comes later "
            "in the log"
        )
    if recorded.type in _ENDS:
        return f"{_added(asked)}: the recorded run had nothing more to do here"
    return f"{_added(asked)} in front of {_noun(recorded)}, or in its place"


def _noun(event: NewEvent) -> str:
    noun = _NOUNS.get(event.type, event.type)
    if event.type in ("step_created", "hook_requested", "hook_disposed", "child_created"):
        return f"{noun} {short_name(event.name)!r}"
    return noun


def _added(event: NewEvent) -> str:
    return f"{_noun(event)} was added"


def _same_call(one: NewEvent, other: NewEvent) -> bool:
    return one.type == other.type and one.name == other.name


def _among(event: NewEvent, others: Iterable[NewEvent]) -> bool:
    return any(_same_call(event, other) for other in others)


def _exactly(event: NewEvent, others: Iterable[NewEvent]) -> bool:
    """Whether one of them is the same call with the same values."""
    return any(
        _same_call(event, other) and (event.payload, event.meta) == (other.payload, other.meta)
        for other in others
    )


def _changed(asked: NewEvent, recorded: Event, codec: Codec) -> str:
    """The same call, and still something about it differs."""
    if asked.ref != recorded.ref:
        return (
            "the call is the same and its id is not: calls are counted or stamped differently, by "
            "another version of the runtime, or the log was changed"
        )
    match asked.type:
        case "step_created":
            return _changed_arguments(asked, recorded, codec, "the step")
        case "child_created" if asked.payload == recorded.payload:
            return "the attributes or the delay of the child were changed"
        case "child_created":
            return _changed_arguments(asked, recorded, codec, "the child")
        case "wait_created":
            return "the duration of the sleep or time-out was changed, or what it is computed from"
        case "hook_requested":
            return "the metadata or the options of the hook were changed"
        case "attr_set":
            return "other attributes are set than were recorded"
        case "run_completed":
            return "the workflow returns another value than was recorded"
        case "run_failed":
            return "the workflow fails with another error than was recorded, or on another line"
        case _:
            return "what the call passes on was changed"


def _changed_arguments(asked: NewEvent, recorded: Event, codec: Codec, what: str) -> str:
    try:
        now = _by_name(codec, asked.payload)
        then = _by_name(codec, recorded.payload)
    except (SerializationError, KeyboardInterrupt, SystemExit, GeneratorExit):
        # The last three out of a `__workflow_deserialize__`: a hint is not worth a worker.
        return f"the arguments of {what} were changed"
    differing = [name for name in {**then, **now} if then.get(name) != now.get(name)]
    differing.sort(key=lambda name: name in then and name in now)  # new and old names first
    changes = [_argument(name, name in then, name in now) for name in differing]
    if not changes:
        return f"the arguments of {what} were changed"
    said = ", ".join(changes)
    if changes[-1].endswith(_ANOTHER):
        said += "; the value may come from changed code, a clock or an unordered set"
    return said


def _by_name(codec: Codec, payload: bytes | None) -> dict[str, bytes]:
    # As bytes: comparing values would run code of the user's, and showing them could tell secrets.
    arguments: dict[str, Any] = codec.decode(payload or b"")
    encode: Callable[[Any], bytes] = codec.encode
    found = {name: encode(value) for name, value in arguments.items() if name != CAPTURED}
    for name, value in arguments.get(CAPTURED, {}).items():
        found[f"{CAPTURED} {name}"] = encode(value)
    return found


def _argument(name: str, then: bool, now: bool) -> str:
    kind = "argument"
    if name.startswith(f"{CAPTURED} "):
        kind, name = "captured variable", name.removeprefix(f"{CAPTURED} ")
    if not then:
        return f"the {kind} {name!r} is new"
    if not now:
        return f"the {kind} {name!r} is not passed any more"
    return f"the {kind} {name!r} {_ANOTHER}"
