"""The codec: values to bytes and back."""

from __future__ import annotations

import json
import re
import traceback as tracebacks
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from workflow.codec import failures
from workflow.codec.later import Later
from workflow.codec.layers import MAX_VALUE, TAG, plain
from workflow.codec.reader import Reader
from workflow.codec.references import NO_FUNCTIONS, Functions
from workflow.codec.refusals import Refused, join_path
from workflow.codec.streams import Adopt
from workflow.codec.writer import Writer
from workflow.errors import SerializationError

__all__ = ["Codec"]

_SURROGATE = re.compile("[\ud800-\udfff]")
_parse = msgspec.json.Decoder().decode
_MAX_TRACEBACK = 100_000


class Codec:
    """Turns values into bytes and back, making no class and no function but the given ones.

    `classes` maps class ids (`class//path//Name`) to classes. `functions` knows the steps and
    workflows that may be part of values; by default they come back as references. `stand_ins` are
    read in the place of classes with the same ids, and both are written alike. `max_depth` bounds
    nesting, counted in entries: a list in a list is one, a dataclass in a dataclass three.
    `max_size` bounds the bytes of one value, both ways. With `ordered_sets`, sets are read as those
    of workflow code, in the order they were written in; by default as built-in sets. `later` makes
    stand-ins of exceptions that are worth making only if one is read.
    """

    def __init__(
        self,
        classes: Mapping[str, type] | None = None,
        *,
        functions: Functions = NO_FUNCTIONS,
        stand_ins: Mapping[str, type] | None = None,
        later: Mapping[str, Callable[[], type[BaseException]]] | None = None,
        max_depth: int = 200,
        max_size: int = MAX_VALUE,
        ordered_sets: bool = False,
    ) -> None:
        self.functions = functions
        given, instead = dict(classes or {}), dict(stand_ins or {})
        self._classes: dict[str, type] = {**given, **instead}
        # a class with two ids is always written under the same one
        self._ids = {
            table[name]: name for table in (given, instead) for name in sorted(table, reverse=True)
        }
        self._errors = failures.known_classes(self._classes)
        if later:
            self._classes = Later(self._classes, later, self._made)
            self._errors = Later(self._errors, later, self._made)
        self._max_depth = max_depth
        self._max_size = max_size
        self._ordered = ordered_sets

    def _made(self, class_id: str, kind: type) -> None:
        self._classes[class_id] = self._errors[class_id] = kind
        self._ids[kind] = class_id

    def id_of(self, kind: type) -> str | None:
        """The id under which instances of a class are recorded, None when they cannot be."""
        return self._ids.get(kind)

    def class_of(self, class_id: str) -> type | None:
        """The class with this id, None when it is not known here."""
        return self._classes.get(class_id)

    def encode(
        self,
        value: Any,
        *,
        path: str = "value",
        references: bool = True,
        adopt: Adopt | None = None,
    ) -> bytes:
        """Return the bytes of `value`; equal values give equal bytes.

        The order in which a set of workflow code was filled belongs to its value.
        Without `references`, functions and streams are refused: for values that come from outside.
        `adopt` takes asynchronous iterables over, see `workflow.codec.streams`. Raises
        SerializationError naming the field, starting at `path`, that cannot be recorded.
        """
        writer = Writer(
            self._ids,
            self._max_depth,
            functions=self.functions,
            references=references,
            adopt=adopt,
            max_copied=8 * self._max_size,
        )
        try:
            text = writer.text(value)
        except Refused as refused:
            where = join_path(path, refused)
            raise SerializationError(refused.reason, path=where) from refused.__cause__
        except RecursionError:
            raise SerializationError("the value is nested too deeply", path=path) from None
        except RuntimeError as wrong:  # another thread adds to it
            raise SerializationError(f"the value changed meanwhile: {wrong}", path=path) from wrong
        try:
            data = text.encode()
        except UnicodeEncodeError:  # half characters are legal in str and as JSON escapes
            data = _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode()
        if len(data) > self._max_size:
            raise SerializationError(
                f"the value takes {len(data)} bytes, more than the {self._max_size} allowed. "
                "Store large data elsewhere or write it to a stream, and pass a reference.",
                path=path,
            )
        return TAG + data

    def decode(self, data: bytes, *, path: str = "value", references: bool = True) -> Any:
        """Return the value of recorded bytes, compressed ones too.

        Raises SerializationError for anything malformed, DecryptionError for encrypted bytes, which
        the engine opens before. Missing fields take their defaults; a field that its class does not
        have, and a class that is not known, raise with the path from `path` on. Without
        `references`, recorded functions and streams are refused as well.
        """
        if data[:4] != TAG:
            data = plain(data, self._max_size)
            if data[:4] != TAG:
                raise SerializationError("these bytes do not start with a known format tag")
        if len(data) > self._max_size + 4:
            raise SerializationError(f"these bytes are more than the {self._max_size} allowed")
        parsed = _json(data[4:])
        functions = self.functions if references else None
        reader = Reader(
            self._classes,
            self._errors,
            parsed,
            self._max_depth,
            functions,
            self._ordered,
            8 * self._max_size,
        )
        try:
            return reader.value()
        except SerializationError as error:
            if not reader.trail and not error.advice:
                raise
            where = path + "".join(reversed(reader.trail))
            raise SerializationError(
                error.fact, path=where, advice=error.advice
            ) from error.__cause__
        except RecursionError:
            raise SerializationError("the recorded value is nested too deeply") from None

    def encode_error(self, error: BaseException, *, traceback: str | None = None) -> bytes:
        """Return the bytes of an exception; what cannot be recorded of it is left out.

        `traceback` is text for people; by default that of the exception, if it was raised.
        """
        had = None
        try:
            if traceback is None:
                traceback = _traceback_of(error)
            had = getattr(error, "workflow_traceback", None)
            _mark(error, traceback)
            return self.encode(error, path="error")
        except Exception:  # it is too large, or code of its class raises
            return Codec(max_depth=self._max_depth).encode(failures.stand_in(error))
        finally:
            with suppress(Exception):
                _mark(error, had)

    def text_of_error(self, data: bytes) -> str:
        """The traceback in the bytes of an exception, or its name and message; "" for other bytes.

        Nothing is revived for it: no code of the exception's class runs. Raises SerializationError
        for bytes that are not readable.
        """
        return failures.text_in(_json(plain(data, self._max_size)[len(TAG) :]))

    def decode_error(self, data: bytes) -> BaseException:
        """Return the exception of recorded bytes, its text traceback as `workflow_traceback`.

        Raises SerializationError for malformed bytes and for bytes of anything but an exception.
        """
        found = self.decode(data, path="error")
        if not isinstance(found, BaseException):
            raise SerializationError("these bytes hold a value where an error was expected")
        return found


def _json(data: bytes) -> Any:
    try:
        return _parse(data)
    except (ValueError, RecursionError):  # msgspec also refuses half characters
        pass
    try:
        return json.loads(data.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as wrong:
        raise SerializationError(f"these bytes are not readable: {wrong}") from None


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _traceback_of(error: BaseException) -> str | None:
    if error.__traceback__ is None:
        return getattr(error, "workflow_traceback", None)
    try:
        text = "".join(tracebacks.format_exception(error))
    except Exception:  # a __str__ or __repr__ of the user's that fails
        return "".join(tracebacks.format_tb(error.__traceback__))
    return text if len(text) <= _MAX_TRACEBACK else "...\n" + text[-_MAX_TRACEBACK:]


def _mark(error: BaseException, text: str | None) -> None:
    if text is not None:
        failures.set_on(error, "workflow_traceback", text)
    else:
        vars(error).pop("workflow_traceback", None)
