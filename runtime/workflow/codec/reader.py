"""devalue entries to values.

Nothing in the bytes is trusted. Classes come from the given table, tags from the tables here,
every index is checked, nesting is bounded, and whatever still goes wrong while a value is
rebuilt becomes a SerializationError.
"""

from __future__ import annotations

import re
import struct
import sys
from array import array
from base64 import b64decode
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from enum import Enum, Flag
from typing import Any, TypeVar

from workflow.codec import failures, references
from workflow.codec.references import NO_FUNCTIONS, Functions
from workflow.codec.refusals import segment
from workflow.codec.tags import BY_NAME
from workflow.codec.writer import FACTORIES, TYPED_ARRAYS
from workflow.errors import SerializationError
from workflow.sets import FrozenSet, Set, settled
from workflow.web import URLSearchParams

__all__ = ["Reader"]

T = TypeVar("T")

_ABSENT: Any = object()
_OPEN: Any = object()
# undefined and holes have no Python counterpart and read as None
_SENTINELS = {-1: None, -2: None, -3: float("nan"), -4: float("inf"), -5: -float("inf"), -6: -0.0}
_SPARSE = -7
_MAX_SPARSE = 1_000_000
# Hashing a tuple visits everything below it, and shared entries can make that astronomic.
_MAX_KEY_PARTS = 100_000
_SLACK = 8  # entries that a value at the writer's last level may still need
_TYPE_CODES = {name: code for code, name in TYPED_ARRAYS.items()}
_RE_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}
_BIG = re.compile(r"-?[0-9]{1,4300}")


class Reader:
    """Rebuilds one value from parsed JSON.

    `classes` are the only classes it may make, `functions` gives the functions that are named;
    None refuses them. With `ordered`, sets are those of workflow code. After an error, `trail`
    leads from the value that was refused outwards.
    """

    __slots__ = (
        "_classes",
        "_done",
        "_errors",
        "_functions",
        "_max_depth",
        "_ordered",
        "_values",
        "_weights",
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
    ) -> None:
        if type(parsed) is int and parsed < 0:
            parsed = [["Object", parsed]]  # a special value alone, such as -3 for NaN
        if type(parsed) is not list or not parsed:
            raise SerializationError("the recorded bytes hold no value")
        self._classes = classes
        self._errors = errors
        self._functions = functions
        self._ordered = ordered
        self._values: list[Any] = parsed
        self._done: list[Any] = [_ABSENT] * len(parsed)
        self._max_depth = max_depth + _SLACK
        self._weights: dict[int, int] = {}
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
        kind = type(raw)
        if kind is not dict and kind is not list:
            self._done[index] = raw
            return raw
        if depth > self._max_depth:
            raise SerializationError("the recorded value is nested too deeply")
        depth += 1
        if kind is dict:
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

    def _sparse(self, raw: list[Any], index: int, depth: int) -> list[Any]:
        if len(raw) < 2 or len(raw) % 2 or type(raw[1]) is not int or not 0 <= raw[1] < _MAX_SPARSE:
            raise SerializationError("a sparse array is malformed or too long")
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
                made = tag.read(self.value(raw[1], depth))
            else:
                made = _PARTS[name](self, raw, depth)
        except SerializationError:
            raise
        except Exception as wrong:
            if name not in _WHOLE and name not in BY_NAME and name not in _PARTS:
                raise SerializationError(f"unknown type {name[:40]!r}") from None
            raise SerializationError(f"a recorded {name} cannot be rebuilt: {wrong}") from wrong
        self._done[index] = made
        return made

    def _key(self, index: Any, depth: int) -> Any:
        if self._weight(index, depth) > _MAX_KEY_PARTS:
            raise SerializationError("a key or set member has too many parts")
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

    def _fields(self, index: Any, depth: int) -> dict[str, Any]:
        found = self.value(index, depth)
        if type(found) is not dict:
            raise SerializationError("the data of a recorded instance is malformed")
        return found

    def _raw_fields(self, index: Any) -> dict[str, Any]:
        if type(index) is int and 0 <= index < len(self._values):
            raw = self._values[index]
            if type(raw) is dict:
                return raw
        raise SerializationError("the body of a recorded instance is malformed")

    def _error(self, raw: list[Any], index: int, depth: int) -> BaseException:
        body = self._raw_fields(raw[1])
        self._done[index] = _OPEN
        early: dict[str, Any] = {
            n: self.value(body[n], depth) for n in ("name", "message", "class") if n in body
        }
        args = self.value(body["args"], depth + 1) if "args" in body else None
        made = failures.empty(self._errors, early, args)
        self._done[index] = made
        failures.fill(made, self._fields(raw[1], depth))
        return made

    def _class(self, name: Any) -> Any:
        found = self._classes.get(name) if type(name) is str else None
        if found is None:
            raise SerializationError(
                f"the class {str(name)[:200]!r} is not known here. It was recorded by a build "
                "whose manifest named it; it has been renamed, moved or removed since."
            )
        return found

    def _instance(self, raw: list[Any], index: int, depth: int) -> Any:
        body = self._raw_fields(raw[1])
        kind = self._class(self.value(body["classId"], depth))
        revive = getattr(kind, "__workflow_deserialize__", None)
        if revive is not None:
            self._done[index] = _OPEN
            self._done[index] = made = revive(self.value(body["data"], depth + 1))
            return made
        if issubclass(kind, tuple) and hasattr(kind, "_fields"):
            self._done[index] = _OPEN
            state = self._fields(body["data"], depth + 1)
            self._refuse_unknown(kind, state, kind._fields)
            self._done[index] = made = kind(**state)
            return made
        model = hasattr(kind, "__pydantic_fields__") and hasattr(kind, "model_construct")
        if not model and not is_dataclass(kind):
            raise SerializationError(f"the class {kind.__qualname__} cannot be rebuilt from data")
        made = kind.__new__(kind)
        self._done[index] = made
        if model:
            try:
                state = self._fields(body["data"], depth + 1)
            except SerializationError:
                if self.trail[-1:] == [".fields"]:  # ours, around the fields of a model
                    self.trail.pop()
                raise
            known = set(kind.__pydantic_fields__)
            self._refuse_unknown(kind, state["fields"], known)
            if kind.model_config.get("extra") != "allow":
                self._refuse_unknown(kind, state.get("extra") or {}, known)
            _fill_model(made, kind, state, settled if self._ordered else _same)
        else:
            state = self._fields(body["data"], depth + 1)
            self._refuse_unknown(kind, state, {each.name for each in fields(kind)})
            _fill_dataclass(made, kind, state, settled if self._ordered else _same)
        return made

    def _refuse_unknown(
        self, kind: type, recorded: Mapping[str, Any], known: Collection[str]
    ) -> None:
        """Nothing that was recorded is lost in silence."""
        for name in recorded:
            if name not in known:
                self.trail.append(segment(name))
                raise SerializationError(
                    f"the recorded {kind.__qualname__} has a field {name!r} that the class does "
                    "not have here. Give the class this field again, with a default, until no "
                    "open run has such a value."
                )

    def _set(self, raw: list[Any], index: int, depth: int) -> set[Any]:
        self._done[index] = made = Set() if self._ordered else set()
        made.update([self._key(item, depth) for item in raw[1:]])
        return made

    def _frozenset(self, raw: list[Any], depth: int) -> frozenset[Any]:
        members = self.value(raw[1], depth)
        return FrozenSet(members) if self._ordered else frozenset(members)

    # -- made from their parts ---------------------------------------------------------------

    def _enum(self, raw: list[Any], depth: int) -> Any:
        name, member = self.value(raw[1], depth)
        kind = self._class(name)
        if not issubclass(kind, Enum):
            raise SerializationError(f"the class {name!r} is no longer an Enum")
        if issubclass(kind, Flag):
            return kind(member)
        if member not in kind.__members__:
            raise SerializationError(f"the Enum {name!r} has no member {member!r} any more")
        return kind[member]

    def _step(self, raw: list[Any], depth: int) -> Any:
        functions = self._known_functions()
        return references.read_step(functions, self.value(raw[1], depth))

    def _workflow(self, raw: list[Any], depth: int) -> Any:
        functions = self._known_functions()
        return references.read_workflow(functions, self.value(raw[1], depth))

    def _partial(self, raw: list[Any], depth: int) -> Any:
        self._known_functions()
        return references.read_partial(self.value(raw[1], depth))

    def _known_functions(self) -> Functions:
        if self._functions is None:
            raise SerializationError(references.OUTSIDE)
        return self._functions

    def _boxed(self, raw: list[Any], depth: int) -> Any:
        found = self.value(raw[1], depth)
        if isinstance(found, (list, dict)):
            raise SerializationError("a boxed value is not a primitive")
        return found

    def _bytes(self, raw: list[Any], depth: int) -> bytes:
        buffer = self.value(raw[1], depth)
        if not isinstance(buffer, bytes):
            raise SerializationError("a typed array has no buffer")
        if len(raw) <= 2:
            return buffer
        size = 1 if raw[0] not in _TYPE_CODES else array(_TYPE_CODES[raw[0]]).itemsize
        size = 2 if raw[0] == "Float16Array" else size
        start, length = raw[2], raw[3] * size
        if start < 0 or length < 0 or start + length > len(buffer):
            raise SerializationError("a typed array reaches outside its buffer")
        return buffer[start : start + length]

    def _numbers(self, raw: list[Any], depth: int) -> array[Any]:
        data = self._bytes(raw, depth)
        if raw[0] == "Float16Array":
            return array("f", struct.unpack(f"<{len(data) // 2}e", data))
        made: array[Any] = array(_TYPE_CODES[raw[0]])
        made.frombytes(data)
        if sys.byteorder == "big":
            made.byteswap()
        return made

    def _array(self, raw: list[Any], depth: int) -> array[Any]:
        code, items = self.value(raw[1], depth)
        if code in ("u", "w"):
            return array(code, "".join(items))
        return array(code, items)

    def _defaultdict(self, raw: list[Any], depth: int) -> defaultdict[Any, Any]:
        name, items = self.value(raw[1], depth)
        factory = None if name is None else FACTORIES[name]
        return defaultdict(Set if factory is set and self._ordered else factory, items)

    def _deque(self, raw: list[Any], depth: int) -> deque[Any]:
        items, longest = self.value(raw[1], depth)
        return deque(items, longest)


def _same(value: T) -> T:
    return value


def _fill_dataclass(
    made: Any, kind: Any, state: dict[str, Any], arrange: Callable[[Any], Any]
) -> None:
    """Set the fields without running __init__; fields added since take their defaults."""
    for each in fields(kind):
        if each.name in state:
            item = state[each.name]
        elif each.default is not MISSING:
            item = arrange(each.default)
        elif each.default_factory is not MISSING:
            item = arrange(each.default_factory())
        elif each.init:
            raise SerializationError(
                f"{kind.__qualname__} has a field {each.name!r} that the recorded value lacks. "
                "Give the field a default."
            )
        else:
            continue
        object.__setattr__(made, each.name, item)


def _fill_model(made: Any, kind: Any, state: dict[str, Any], arrange: Callable[[Any], Any]) -> None:
    """The same for a pydantic model; validators do not run, the value was valid when written."""
    held = dict(state["fields"])
    for name, info in kind.__pydantic_fields__.items():
        if name not in held:
            if info.is_required():
                raise SerializationError(
                    f"{kind.__qualname__} has a field {name!r} that the recorded value lacks. "
                    "Give the field a default."
                )
            default = info.get_default(call_default_factory=True, validated_data=held)
            held[name] = arrange(default)
    allowed = kind.model_config.get("extra") == "allow"
    private = state.get("private")
    object.__setattr__(made, "__dict__", held)
    object.__setattr__(made, "__pydantic_fields_set__", set(state["set"]))
    object.__setattr__(made, "__pydantic_extra__", (state.get("extra") or {}) if allowed else None)
    if private is None and kind.__private_attributes__:
        private = {}
    object.__setattr__(made, "__pydantic_private__", private)


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


_WHOLE: dict[str, Callable[[Reader, list[Any], int, int], Any]] = {
    "Map": Reader._map,
    "null": Reader._null,
    "Error": Reader._error,
    "Instance": Reader._instance,
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
    "Class": lambda reader, raw, depth: reader._class(reader.value(raw[1], depth)),
    "Enum": Reader._enum,
    "Step": Reader._step,
    "Workflow": Reader._workflow,
    "Partial": Reader._partial,
    "Object": Reader._boxed,
    "array": Reader._array,
    "deque": Reader._deque,
    "defaultdict": Reader._defaultdict,
    "BigInt": lambda reader, raw, depth: _big(raw[1]),
    "Date": lambda reader, raw, depth: _date(raw[1]),
    "RegExp": lambda reader, raw, depth: _regexp(raw),
    "URL": lambda reader, raw, depth: _expect(raw[1], str),
    "URLSearchParams": lambda reader, raw, depth: URLSearchParams(_expect(raw[1], str)),
    "ArrayBuffer": lambda reader, raw, depth: b64decode(_expect(raw[1], str), validate=True),
    **dict.fromkeys(("Uint8Array", "Uint8ClampedArray", "DataView"), Reader._bytes),
    **dict.fromkeys((*_TYPE_CODES, "Float16Array"), Reader._numbers),
}


def _expect(found: Any, kind: type[T]) -> T:
    if type(found) is not kind:
        raise TypeError(f"expected {kind.__name__}, found {type(found).__name__}")
    return found
