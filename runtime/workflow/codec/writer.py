"""Values to devalue entries.

The format is a flat JSON array: entry 0 is the value, and every value inside another is written
as the number of its own entry. Two rules decide what shares an entry. Objects with an identity
(lists, dicts, sets, instances) share one only when they are the same object, which also makes
cycles possible. Everything else shares one when its text is the same; the interpreter's own
sharing of equal constants therefore never shows, and equal values give equal bytes.
"""

from __future__ import annotations

import dataclasses
import enum
from array import array
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from json.encoder import encode_basestring as quote
from typing import Any, TypeVar

import msgspec

from workflow.codec import (
    buffers,
    failures,
    instances,
    members,
    references,
    stand_in_models,
    streams,
    urls,
)
from workflow.codec.buffers import MAX_COPIED
from workflow.codec.references import NO_FUNCTIONS, Functions
from workflow.codec.refusals import Refused, advice_for, failed_code
from workflow.codec.stand_in_models import ModelParts
from workflow.codec.stand_ins import Sealed
from workflow.codec.tags import BY_TYPE, Tag
from workflow.sets import FrozenSet, Set
from workflow.web import URLSearchParams

__all__ = ["FACTORIES", "Writer"]

T = TypeVar("T")

_SAFE = 2**53 - 1  # the integers JavaScript's numbers hold exactly
_SPECIAL = {"nan": -3, "inf": -4, "-inf": -5}
_NEGATIVE_ZERO = -6
_LONG = 200  # characters

FACTORIES: dict[str, Any] = {
    kind.__name__: kind for kind in (bool, dict, float, int, list, set, str, tuple)
}


class Writer:
    """Collects the entries of one value.

    `ids` names the classes whose instances may be recorded, `functions` knows the functions;
    `max_depth` bounds how many entries are nested in one another. Without `references` functions
    are refused. A writer for a part takes all but the entries from the one `above`.
    """

    __slots__ = (
        "_alone",
        "_copied",
        "_max_copied",
        "_open",
        "_seen",
        "_texts",
        "_weights",
        "adopt",
        "causes",
        "entries",
        "failures",
        "functions",
        "ids",
        "keep",
        "max_depth",
        "references",
    )

    def __init__(
        self,
        ids: Mapping[type, str],
        max_depth: int,
        above: Writer | None = None,
        *,
        functions: Functions = NO_FUNCTIONS,
        references: bool = True,
        adopt: streams.Adopt | None = None,
        max_copied: int = MAX_COPIED,
    ) -> None:
        self.ids = ids
        self.max_depth = max_depth
        self.functions: Functions = above.functions if above else functions
        self.references: bool = above.references if above else references
        self.adopt: streams.Adopt | None = above.adopt if above else adopt
        self.entries: list[str] = []
        self._texts: dict[str, int] = {}
        self._copied = 0
        self._max_copied = max_copied
        self._seen: dict[int, int] = {}
        self._weights: dict[int, int] = {}
        # an id in _seen or _alone must not be given to a new object
        self.keep: list[Any] = above.keep if above else []
        # values whose parts are being written and that cannot be rebuilt around themselves
        self._open: set[int] = set(above._open) if above else set()
        self._alone: dict[int, str] = above._alone if above else {}
        self.causes = 0  # how many errors the one being written has led to
        self.failures: dict[int, Any] = above.failures if above else {}

    def text(self, value: Any) -> str:
        """The whole JSON text for `value`. Raises Refused."""
        index = self.add(value, 0, root=True)
        return str(index) if index < 0 else f"[{','.join(self.entries)}]"

    def add(self, value: Any, depth: int, *, root: bool = False) -> int:
        """Write one value and return its entry's number, or a negative sentinel."""
        kind = type(value)
        if kind is str:
            text = quote(value) if len(value) < _LONG else _quoted(value)
        elif kind is int:
            text = _integer(value)
        elif value is None:
            text = "null"
        elif kind is bool:
            text = "true" if value else "false"
        elif kind is dict:
            return self._dict(value, depth)
        elif kind is list:
            return self._list(value, depth)
        elif kind is float:
            text = repr(value)
            if text in _SPECIAL:
                return _SPECIAL[text]
            if text == "-0.0":
                return _NEGATIVE_ZERO
        else:
            return self._other(value, kind, depth, root)
        index = self._texts.get(text)
        if index is None:
            index = self._texts[text] = len(self.entries)
            self.entries.append(text)
        return index

    # -- objects with an identity ------------------------------------------------------------

    def start(self, value: Any, depth: int) -> int:
        """Reserve the entry of an object with an identity. Raises Refused beyond the depth."""
        if depth >= self.max_depth:
            raise Refused(f"it is nested more than {self.max_depth} entries deep, or endless")
        index = self._seen[id(value)] = len(self.entries)
        self.keep.append(value)
        self.entries.append("")
        return index

    def charge(self, size: int) -> None:
        """Count what reading copies or hashes; see `Reader.charge`. Raises Refused."""
        self._copied += size
        if self._copied > self._max_copied:
            raise Refused(
                f"the buffers in this value, or the parts of its keys, are more than "
                f"{self._max_copied} together. "
                "Store large data elsewhere or write it to a stream, and pass a reference."
            )

    def _list(self, value: list[Any], depth: int) -> int:
        index = self._seen.get(id(value))
        if index is None:
            index = self.start(value, depth)
            self.entries[index] = f"[{self.items(value, depth)}]"
        return index

    def items(self, values: Iterable[Any], depth: int) -> str:
        parts: list[str] = []
        add = self.add
        try:
            for value in values:
                parts.append(str(add(value, depth + 1)))
        except Refused as refused:
            refused.at(len(parts))
            raise
        return ",".join(parts)

    def _dict(self, value: dict[Any, Any], depth: int) -> int:
        index = self._seen.get(id(value))
        if index is None:
            index = self.start(value, depth)
            for key in value:
                # devalue refuses __proto__ in objects, but not in maps
                if type(key) is not str or key == "__proto__":
                    self.entries[index] = self.map(value, depth)
                    break
            else:
                self.entries[index] = self.fields(value, depth)
        return index

    def fields(self, value: Mapping[str, Any], depth: int) -> str:
        """The text of an object whose keys are all plain text."""
        parts: list[str] = []
        add = self.add
        key = ""
        try:
            for key, item in value.items():
                parts.append(f"{quote(key)}:{add(item, depth + 1)}")
        except Refused as refused:
            refused.at(key)
            raise
        return f"{{{','.join(parts)}}}"

    def map(self, value: Mapping[Any, Any], depth: int) -> str:
        parts = ['"Map"']
        for key, item in value.items():
            try:
                parts.append(str(self.add(key, depth + 1)))
                parts.append(str(self.add(item, depth + 1)))
            except Refused as refused:
                refused.at(key)
                raise
        keys = [int(part) for part in parts[1::2]]
        self.charge(members.check(self.entries, self._weights, keys, "keys of this dictionary"))
        return f"[{','.join(parts)}]"

    def set(self, value: Any, depth: int) -> str:
        if hasattr(value, "__order__"):  # of workflow code, where the order is part of the value
            items = [self.add(item, depth + 1) for item in value]
        else:
            keyed = [(self._text_alone(item, depth), item) for item in value]
            keyed.sort(key=lambda pair: pair[0])
            items = [self.add(item, depth + 1) for _, item in keyed]
        self.charge(members.check(self.entries, self._weights, items, "members of this set"))
        return f'["Set"{"".join(f",{item}" for item in items)}]'

    def _text_alone(self, value: Any, depth: int) -> str:
        """What `value` would be written as by itself: the order of sets."""
        kind = type(value)
        if kind is str:
            return quote(value)
        found = self._alone.get(id(value))
        if found is None:
            inner = Writer(self.ids, self.max_depth, self)
            index = inner.add(value, depth + 1, root=True)
            found = str(index) if index < 0 else ",".join(inner.entries)
            self._alone[id(value)] = found
        return found

    # -- everything with a tag ---------------------------------------------------------------

    def _other(self, value: Any, kind: type, depth: int, root: bool) -> int:
        if id(value) in self._open:
            raise Refused(f"a {kind.__name__} that contains itself cannot be recorded")
        index = self._seen.get(id(value))
        if index is not None:
            return index
        if depth >= self.max_depth:
            raise Refused(f"it is nested more than {self.max_depth} entries deep, or endless")
        try:
            shared = _SHARED.get(kind)
            if shared is not None:
                index = self.start(value, depth)
                self.entries[index] = self.closed(value, lambda: shared(self, value, depth))
                return index
            if kind.__name__ == "ndarray" and buffers.is_numpy(kind):
                index = self.start(value, depth)
                self.entries[index] = buffers.write_numpy(self, value, depth)
                return index
            if kind in self.ids and not isinstance(value, (enum.Enum, tuple)):
                return self._instance(value, kind, depth)
            if isinstance(value, BaseException):
                return failures.write(self, value, depth)
            if type(kind) is not type and instances.generic_of(kind) in self.ids:
                return self._instance(value, kind, depth)
            # no identity: the parts come first, so a root has to hold entry 0 free
            if root:
                self.entries.append("")
            text = self.closed(value, lambda: self._by_content(value, kind, depth))
            index = self._texts.get(text)
            if root:
                index = 0
                self.entries[0] = text
            elif index is None:
                index = len(self.entries)
                self.entries.append(text)
            self._texts[text] = self._seen[id(value)] = index
            self.keep.append(value)
            return index
        except (Refused, RecursionError):
            raise
        except Exception as wrong:  # code of the value's class, such as a property
            raise Refused(failed_code(kind, wrong)) from wrong

    def is_open(self, value: Any) -> bool:
        """Whether a part of `value` is being written that cannot refer back to it."""
        return id(value) in self._open

    def closed(self, value: Any, write: Callable[[], T]) -> T:
        """Run `write` while meeting `value` again is refused: it cannot be rebuilt in a circle."""
        self._open.add(id(value))
        try:
            return write()
        finally:
            self._open.discard(id(value))

    def _by_content(self, value: Any, kind: type, depth: int) -> str:
        if kind is tuple:
            items = f"[{self.items(value, depth + 1)}]"
            return f'["tuple",{self.cons(items)}]'
        if kind is frozenset or kind is FrozenSet:
            return f'["frozenset",{self.cons(self.set(value, depth + 1))}]'
        if kind is bytes:
            return f'["Uint8Array",{buffers.write_buffer(self, value)}]'
        if kind is memoryview:
            self.charge(value.nbytes)
            return f'["memoryview",{self.add(bytes(value), depth + 1)}]'
        if kind is URLSearchParams:
            return f'["URLSearchParams",{quote(str(value))}]'
        if kind is datetime and value.tzinfo is UTC and value.microsecond % 1000 == 0:
            return f'["Date","{value.isoformat(timespec="milliseconds")[:-6]}Z"]'
        tag = BY_TYPE.get(kind)
        if tag is not None:
            return f'["{tag.name}",{self.payload(_reduced(tag, value), depth + 1)}]'
        if kind in self.ids:
            return self._immutable_instance(value, self.ids[kind], depth)
        if isinstance(value, type) and value in self.ids:
            return f'["Class",{self.add(self.ids[value], depth + 1)}]'
        if buffers.is_numpy(kind):
            return buffers.write_numpy(self, value, depth)
        if urls.is_url(kind):
            return urls.write(self, value, depth)
        text = references.write(self, value, depth)
        if text is None:
            text = streams.write(self, value, depth)
        if text is not None:
            return text
        raise Refused(advice_for(value))

    def payload(self, part: Any, depth: int) -> int:
        """Write a part of ours: tuples become arrays, dicts objects, shared by their text."""
        kind = type(part)
        if kind is tuple:
            items = ",".join(str(self.payload(item, depth + 1)) for item in part)
            return self.cons(f"[{items}]")
        if kind is dict:
            pairs = (f"{quote(key)}:{self.payload(item, depth + 1)}" for key, item in part.items())
            return self.cons(f"{{{','.join(pairs)}}}")
        return self.add(part, depth)

    def cons(self, text: str) -> int:
        index = self._texts.get(text)
        if index is None:
            index = self._texts[text] = len(self.entries)
            self.entries.append(text)
        return index

    # -- instances of registered classes -----------------------------------------------------

    def _immutable_instance(self, value: Any, name: str, depth: int) -> str:
        if isinstance(value, enum.Enum):
            member = value.value if isinstance(value, enum.Flag) else value.name
            return f'["Enum",{self.payload((name, member), depth + 1)}]'
        if not hasattr(value, "_fields"):
            raise Refused(f"{name} is a tuple without field names. Use typing.NamedTuple.")
        data = self.cons(self.fields(value._asdict(), depth + 1))
        body = self.cons(f'{{"classId":{self.add(name, depth)},"data":{data}}}')
        return f'["Instance",{body}]'

    def _instance(self, value: Any, kind: type, depth: int) -> int:
        origin = kind if kind in self.ids else instances.generic_of(kind)
        name = self.ids[origin]
        reduce = getattr(kind, "__workflow_serialize__", None)
        if reduce is None and isinstance(value, BaseException):
            return failures.write(self, value, depth)
        index = self.start(value, depth)
        if reduce is not None:
            try:
                given = reduce(value)
            except Exception as wrong:
                raise Refused(f"{name}.__workflow_serialize__ failed: {wrong}") from wrong
            self.keep.append(given)
            data = self.closed(value, lambda: self.add(given, depth + 2))
        elif type(kind) is Sealed and kind.__about__.form == "model":
            data = self._model(stand_in_models.parts_of_model(value), depth + 1)
        elif hasattr(kind, "__pydantic_fields__") and hasattr(kind, "model_construct"):
            data = self._model(instances.parts_of_model(value, kind), depth + 1)
        elif dataclasses.is_dataclass(kind):
            names = (each.name for each in dataclasses.fields(kind))
            state = {each: getattr(value, each) for each in names if hasattr(value, each)}
            data = self.own(self.fields(state, depth + 1))
        else:
            raise Refused(
                f"{kind.__module__}.{kind.__qualname__} says nothing about its data. Make it a "
                "dataclass, or give it __workflow_serialize__ and __workflow_deserialize__."
            )
        given_types = "" if origin is kind else f',"types":{self._types(kind, depth)}'
        if type(kind) is Sealed and (types := stand_in_models.types_of(value)) is not None:
            given_types = f',"types":{self.payload(types, depth + 1)}'
        body = self.own(f'{{"classId":{self.add(name, depth)},"data":{data}{given_types}}}')
        self.entries[index] = f'["Instance",{body}]'
        return index

    def _types(self, kind: type, depth: int) -> int:
        """What a generic model was made of, `int` in `Box[int]`."""
        parts: list[Any] = []
        for each in instances.types_of(kind):
            if each not in self.ids and instances.PLAIN_TYPES.get(each.__name__) is not each:
                raise Refused(
                    f"{kind.__qualname__} is made of a type that is not in the build's manifest. "
                    f"Give it a name of its own: class Named({kind.__qualname__}): ..."
                )
            parts.append(each if each in self.ids else each.__name__)
        return self.payload(tuple(parts), depth + 1)

    def _model(self, model: ModelParts, depth: int) -> int:
        parts = [f'"fields":{self.own(self.fields(model.fields, depth + 1))}']
        parts.append(f'"set":{self.payload(model.given, depth)}')
        for name, more in (("extra", model.extra), ("private", model.private)):
            if more:
                parts.append(f'"{name}":{self.own(self.fields(more, depth + 1))}')
        return self.own(f"{{{','.join(parts)}}}")

    def own(self, text: str) -> int:
        """Add an entry that nothing else may share."""
        self.entries.append(text)
        return len(self.entries) - 1


def _quoted(value: str) -> str:
    """As `quote`, several times as fast for long text; half characters are left to the latter."""
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        return quote(value)


def _integer(value: int) -> str:
    if -_SAFE <= value <= _SAFE:
        return repr(value)
    try:
        return f'["BigInt","{value}"]'
    except ValueError:  # the interpreter's limit on digits
        raise Refused(
            "an integer of more than 4300 digits cannot be recorded. Pass it as bytes."
        ) from None


def _reduced(tag: Tag, value: Any) -> Any:
    try:
        return tag.write(value)
    except Refused:
        raise
    except Exception as wrong:
        raise Refused(f"this {tag.name} cannot be written: {wrong}") from wrong


# -- mutable values of the standard library --------------------------------------------------


def _bytearray(writer: Writer, value: bytearray, depth: int) -> str:
    writer.charge(len(value))
    return f'["bytearray",{writer.add(bytes(value), depth + 1)}]'


def _deque(writer: Writer, value: deque[Any], depth: int) -> str:
    items = writer.own(f"[{writer.items(value, depth + 2)}]")
    where = writer.own(f"[{items},{writer.add(value.maxlen, depth)}]")
    return f'["deque",{where}]'


def _mapping(writer: Writer, value: Mapping[Any, Any], depth: int) -> str:
    return f'["{type(value).__name__}",{writer.own(writer.map(value, depth + 1))}]'


def _defaultdict(writer: Writer, value: defaultdict[Any, Any], depth: int) -> str:
    factory = value.default_factory
    name = None if factory is None else getattr(factory, "__name__", "")
    if name is not None and factory is not Set and FACTORIES.get(name) is not factory:
        raise Refused(
            "a defaultdict whose factory is not a builtin type cannot be recorded. "
            "Convert it first: dict(value)."
        )
    where = writer.own(writer.map(value, depth + 2))
    both = writer.own(f"[{writer.add(name, depth)},{where}]")
    return f'["defaultdict",{both}]'


_SHARED: dict[type, Callable[[Writer, Any, int], str]] = {
    set: lambda writer, value, depth: writer.set(value, depth),
    Set: lambda writer, value, depth: writer.set(value, depth),
    bytearray: _bytearray,
    array: buffers.write_array,
    deque: _deque,
    OrderedDict: _mapping,
    Counter: _mapping,
    defaultdict: _defaultdict,
}
