"""devalue entries to values.

Nothing in the bytes is trusted. Classes come from the given table, tags from the tables here,
every index is checked, nesting is bounded, and whatever still goes wrong while a value is
rebuilt becomes a SerializationError.
"""

from __future__ import annotations

import re
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from workflow.codec import buffers, failures, instances, references, streams, temporal, urls
from workflow.codec.buffers import MAX_COPIED
from workflow.codec.members import MAX_PARTS
from workflow.codec.references import NO_FUNCTIONS, Functions
from workflow.codec.refusals import segment
from workflow.codec.tags import BY_NAME
from workflow.codec.writer import FACTORIES
from workflow.errors import SerializationError
from workflow.paths import BodyPath
from workflow.sets import FrozenSet, Set
from workflow.web import FormData, Headers, URLSearchParams

__all__ = ["Reader"]

T = TypeVar("T")

_ABSENT: Any = object()
_OPEN: Any = object()
# undefined and holes have no Python counterpart and read as None
_SENTINELS = {-1: None, -2: None, -3: float("nan"), -4: float("inf"), -5: -float("inf"), -6: -0.0}
_SPARSE = -7
_MAX_SPARSE = 1_000_000
_SLACK = 8  # entries that a value at the writer's last level may still need
_RE_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}
_BIG = re.compile(r"-?[0-9]{1,4300}")


class Reader:
    """Rebuilds one value from parsed JSON.

    `classes` are the only classes it may make, `functions` gives the functions that are named;
    None refuses them. With `ordered`, sets and paths are those of workflow code. After an error,
    `trail` leads from the value that was refused outwards.
    """

    __slots__ = (
        "_copied",
        "_done",
        "_errors",
        "_functions",
        "_max_copied",
        "_max_depth",
        "_values",
        "_weights",
        "classes",
        "ordered",
        "trail",
    )

    def __init__(
        self,
        classes: Mapping[str, type],
        errors: Mapping[str, type[BaseException]],
        parsed: Any,
        max_depth: int,
        functions: Functions | None = NO_FUNCTIONS,
        ordered: bool = False,
        max_copied: int = MAX_COPIED,
    ) -> None:
        if type(parsed) is int and parsed < 0:
            parsed = [["Object", parsed]]  # a special value alone, such as -3 for NaN
        if type(parsed) is not list or not parsed:
            raise SerializationError("the recorded bytes hold no value")
        self.classes = classes
        self._errors = errors
        self._functions = functions
        self.ordered = ordered
        self._values: list[Any] = parsed
        # What has no parts is there from the start.
        self._done: list[Any] = [
            _ABSENT if type(raw) is dict or type(raw) is list else raw for raw in parsed
        ]
        self._max_depth = max_depth + _SLACK
        self._weights: dict[int, int] = {}
        self._copied = 0
        self._max_copied = max_copied
        self.trail: list[str] = []

    def value(self, index: Any = 0, depth: int = 0) -> Any:
        """The value of an entry, rebuilt once however often it is referred to."""
        if type(index) is not int:
            raise SerializationError("an entry is referred to by something that is not a number")
        if index < 0:
            if index not in _SENTINELS:
                raise SerializationError(f"unknown special value {index}")
            return _SENTINELS[index]
        if index >= len(self._values):
            raise SerializationError(f"entry {index} does not exist")
        done = self._done[index]
        if done is not _ABSENT:
            if done is _OPEN:
                raise SerializationError(f"entry {index} is part of itself")
            return done
        raw = self._values[index]
        if depth > self._max_depth:
            raise SerializationError("the recorded value is nested too deeply")
        depth += 1
        if type(raw) is dict:
            return self._object(raw, index, depth)
        if raw and type(raw[0]) is str:
            return self._tagged(raw, index, depth)
        if raw and raw[0] == _SPARSE:
            return self._sparse(raw, index, depth)
        items: list[Any] = []
        self._done[index] = items
        try:
            for item in raw:
                items.append(self.value(item, depth))
        except SerializationError:
            self.trail.append(segment(len(items)))
            raise
        return items

    def _object(self, raw: dict[str, Any], index: int, depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        self._done[index] = made
        key = ""
        try:
            for key, item in raw.items():
                made[key] = self.value(item, depth)
        except SerializationError:
            self.trail.append(segment(key))
            raise
        return made

    def _sparse(self, raw: list[Any], index: int, depth: int) -> list[Any]:
        if len(raw) < 2 or len(raw) % 2 or type(raw[1]) is not int or not 0 <= raw[1] < _MAX_SPARSE:
            raise SerializationError("a sparse array is malformed or too long")
        self.charge(8 * raw[1])
        items: list[Any] = [None] * raw[1]
        self._done[index] = items
        for at in range(2, len(raw), 2):
            if type(raw[at]) is not int or not 0 <= raw[at] < len(items):
                raise SerializationError("a sparse array has an item outside of itself")
            items[raw[at]] = self.value(raw[at + 1], depth)
        return items

    def _tagged(self, raw: list[Any], index: int, depth: int) -> Any:
        name = raw[0]
        try:
            whole = _WHOLE.get(name)
            if whole is not None:  # registers itself before its parts, so cycles work
                return whole(self, raw, index, depth)
            self._done[index] = _OPEN
            tag = BY_NAME.get(name)
            if tag is not None:
                payload = self.value(raw[1], depth)
                self.charge(len(payload) if type(payload) is str else _size(payload))
                made = tag.read(payload)
                if self.ordered and name == "Path":
                    made = BodyPath(made)
            else:
                made = _PARTS[name](self, raw, depth)
                if isinstance(made, _COPIES):
                    self.charge(_size(made, 0))
        except SerializationError:
            raise
        except Exception as wrong:
            if name not in _WHOLE and name not in BY_NAME and name not in _PARTS:
                raise SerializationError(f"unknown type {name[:40]!r}") from None
            raise SerializationError(f"a recorded {name} cannot be rebuilt: {wrong}") from wrong
        self._done[index] = made
        return made

    def begin(self, index: int) -> None:
        """From here on, to meet the entry again is an error: its value is made from its parts."""
        self._done[index] = _OPEN

    def made(self, index: int, value: T) -> T:
        """The value of an entry is there, even if its parts are not yet."""
        self._done[index] = value
        return value

    def charge(self, size: int) -> None:
        """Count bytes that are about to be copied out of an entry, which others may share.

        Raises SerializationError when it is more than any value that was written takes.
        """
        self._copied += size
        if self._copied > self._max_copied:
            raise SerializationError("the recorded value takes up too much when it is rebuilt")

    def _key(self, index: Any, depth: int) -> Any:
        weight = self._weight(index, depth)
        if weight > MAX_PARTS:
            raise SerializationError("a key or set member has too many parts")
        if weight > 1:
            self.charge(weight)  # hashing takes time as copying does
        return self.value(index, depth)

    def _weight(self, index: Any, depth: int) -> int:
        """How many values hashing an entry would visit, shared ones counted each time."""
        if type(index) is not int or not 0 <= index < len(self._values):
            return 1
        raw = self._values[index]
        if type(raw) is not list and type(raw) is not dict:
            return 1
        known = self._weights.get(index)
        if known is None:
            if depth > self._max_depth:
                raise SerializationError("the recorded value is nested too deeply")
            self._weights[index] = 1  # for circles
            parts = raw.values() if type(raw) is dict else raw
            known = min(1 + sum(self._weight(part, depth + 1) for part in parts), 2**60)
            self._weights[index] = known
        return known

    # -- may contain itself ------------------------------------------------------------------

    def _map(self, raw: list[Any], index: int, depth: int) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        self._done[index] = made
        for at in range(1, len(raw), 2):
            key = self._key(raw[at], depth)
            try:
                made[key] = self.value(raw[at + 1], depth)
            except SerializationError:
                self.trail.append(segment(key))
                raise
        return made

    def _null(self, raw: list[Any], index: int, depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        self._done[index] = made
        for at in range(1, len(raw), 2):
            if type(raw[at]) is not str:
                raise SerializationError("an object has a key that is not text")
            made[raw[at]] = self.value(raw[at + 1], depth)
        return made

    def fields_of(self, index: Any, depth: int) -> dict[str, Any]:
        found = self.value(index, depth)
        if type(found) is not dict:
            raise SerializationError("the data of a recorded instance is malformed")
        return found

    def body_of(self, index: Any) -> dict[str, Any]:
        if type(index) is int and 0 <= index < len(self._values):
            raw = self._values[index]
            if type(raw) is dict:
                return raw
        raise SerializationError("the body of a recorded instance is malformed")

    def _error(self, raw: list[Any], index: int, depth: int) -> BaseException:
        body = self.body_of(raw[1])
        self._done[index] = _OPEN
        early: dict[str, Any] = {
            n: self.value(body[n], depth)
            for n in ("name", "message", "class", "bases")
            if n in body
        }
        args = self.value(body["args"], depth + 1) if "args" in body else None
        made = failures.empty(self._errors, early, args)
        self._done[index] = made
        rest = self.fields_of(raw[1], depth)
        self.charge(_size([args, rest.get("notes"), rest.get("state")], 1))
        failures.fill(made, rest)
        return made

    def _set(self, raw: list[Any], index: int, depth: int) -> set[Any]:
        self._done[index] = made = Set() if self.ordered else set()
        made.update([self._key(item, depth) for item in raw[1:]])
        return made

    def _frozenset(self, raw: list[Any], depth: int) -> frozenset[Any]:
        members = self.value(raw[1], depth)
        return FrozenSet(members) if self.ordered else frozenset(members)

    # -- made from their parts ---------------------------------------------------------------

    def _step(self, raw: list[Any], depth: int) -> Any:
        functions = self._known_functions()
        body = self.value(raw[1], depth)
        self.charge(_size(body))
        return references.read_step(functions, body)

    def _workflow(self, raw: list[Any], depth: int) -> Any:
        functions = self._known_functions()
        return references.read_workflow(functions, self.value(raw[1], depth))

    def _partial(self, raw: list[Any], depth: int) -> Any:
        self._known_functions()
        body = self.value(raw[1], depth)
        self.charge(_size(body))
        return references.read_partial(body)

    def _stream(self, raw: list[Any], depth: int) -> Any:
        if self._functions is None:
            raise SerializationError(streams.OUTSIDE)
        return streams.read(raw[0], self.value(raw[1], depth))

    def _known_functions(self) -> Functions:
        if self._functions is None:
            raise SerializationError(references.OUTSIDE)
        return self._functions

    def _boxed(self, raw: list[Any], depth: int) -> Any:
        found = self.value(raw[1], depth)
        if isinstance(found, (list, dict)):
            raise SerializationError("a boxed value is not a primitive")
        return found

    def _defaultdict(self, raw: list[Any], depth: int) -> defaultdict[Any, Any]:
        name, items = self.value(raw[1], depth)
        factory = None if name is None else FACTORIES[name]
        return defaultdict(Set if factory is set and self.ordered else factory, items)

    def _deque(self, raw: list[Any], depth: int) -> deque[Any]:
        items, longest = self.value(raw[1], depth)
        return deque(items, longest)


# What is made by copying the parts of another entry.
_COPIES = (tuple, frozenset, bytearray, memoryview, deque, OrderedDict, Counter, defaultdict)


def _size(value: Any, deep: int = 2) -> int:
    """Roughly the bytes that a copy of the value takes, of its parts down to `deep` levels."""
    match value:
        case str() | bytes() | bytearray() | memoryview():
            return len(value)
        case dict():
            return 64 * len(value) + (
                sum(_size(v, deep - 1) for v in value.values()) if deep else 0
            )
        case list():
            return 8 * len(value) + (sum(_size(v, deep - 1) for v in value) if deep else 0)
        case tuple() | frozenset() | deque() | Headers() | FormData():
            return 8 * len(value)
        case _:
            return 0


def _big(text: Any) -> int:
    if type(text) is not str or not _BIG.fullmatch(text):
        raise SerializationError("a big integer is malformed")
    return int(text)


def _regexp(raw: list[Any]) -> re.Pattern[str]:
    flags = 0
    for letter in raw[2] if len(raw) > 2 else "":
        flags |= _RE_FLAGS.get(letter, 0)
    return re.compile(raw[1], flags)


def _date(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("it has no time zone")
    return found


def _payload(read: Callable[[Any], Any]) -> Callable[[Reader, list[Any], int], Any]:
    """Reads a tag whose payload stands in it, and is no entry."""
    return lambda reader, raw, depth: read(raw[1])


_WHOLE: dict[str, Callable[[Reader, list[Any], int, int], Any]] = {
    "Map": Reader._map,
    "null": Reader._null,
    "Error": Reader._error,
    "Instance": instances.read_instance,
    "Set": Reader._set,
}
_PARTS: dict[str, Callable[[Reader, list[Any], int], Any]] = {
    "tuple": lambda reader, raw, depth: tuple(_expect(reader.value(raw[1], depth), list)),
    "frozenset": Reader._frozenset,
    "bytearray": lambda reader, raw, depth: bytearray(_expect(reader.value(raw[1], depth), bytes)),
    "memoryview": lambda reader, raw, depth: memoryview(
        _expect(reader.value(raw[1], depth), bytes)
    ),
    "OrderedDict": lambda reader, raw, depth: OrderedDict(reader.value(raw[1], depth)),
    "Counter": lambda reader, raw, depth: Counter(_expect(reader.value(raw[1], depth), dict)),
    "Class": lambda reader, raw, depth: instances.find_class(
        reader.classes, reader.value(raw[1], depth)
    ),
    "Enum": instances.read_enum,
    "Step": Reader._step,
    "Workflow": Reader._workflow,
    "Partial": Reader._partial,
    streams.READABLE: Reader._stream,
    streams.WRITABLE: Reader._stream,
    "Object": Reader._boxed,
    "array": buffers.read_array,
    "deque": Reader._deque,
    "defaultdict": Reader._defaultdict,
    "BigInt": lambda reader, raw, depth: _big(raw[1]),
    "Date": lambda reader, raw, depth: _date(raw[1]),
    "RegExp": lambda reader, raw, depth: _regexp(raw),
    "URL": lambda reader, raw, depth: _expect(raw[1], str),
    "URLSearchParams": lambda reader, raw, depth: URLSearchParams(_expect(raw[1], str)),
    "ArrayBuffer": lambda reader, raw, depth: buffers.read_buffer(raw),
    **dict.fromkeys(("Uint8Array", "Uint8ClampedArray", "DataView"), buffers.read_bytes),
    **dict.fromkeys((*buffers.TYPED_ARRAYS.values(), "Float16Array"), buffers.read_numbers),
    "numpy": buffers.read_numpy,
    "pydantic.Url": urls.read,
    **{name: _payload(read) for name, read in temporal.READ.items()},
}


def _expect(found: Any, kind: type[T]) -> T:
    if type(found) is not kind:
        raise TypeError(f"expected {kind.__name__}, found {type(found).__name__}")
    return found
