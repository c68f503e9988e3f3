"""`hash()` for workflow code: the same number in every process.

Python salts the hashes of text, bytes and what holds them anew at every start, and those of plain
objects are addresses. Here text gets a digest, what is made of parts gets the hash of their hashes,
and what has no more than an address is refused. As with Python's own, values that are equal have
equal hashes. Dictionaries and sets still go by Python's numbers; they do not give them out.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from hashlib import blake2b
from types import FunctionType
from typing import Any
from uuid import UUID

from workflow.codec import stand_in_models
from workflow.errors import SandboxError
from workflow.replay.loop import DetFuture, DetTask
from workflow.sandbox.ownership import owns

__all__ = ["hash_of"]

_builtin = hash
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_ZERO = datetime.timedelta(0)
_NONE = 0xFCA86420  # what it is from Python 3.12 on; before, it was an address


def _digest(data: bytes) -> int:
    return _builtin(int.from_bytes(blake2b(data, digest_size=8).digest(), "big", signed=True))


def _of_text(value: str) -> int:
    return _digest(str.encode(value, "utf-8", "surrogatepass"))


def _of_bytes(value: bytes) -> int:
    return _digest(b"bytes:" + bytes(value))


def _of_float(value: float) -> int:
    # What is no number hashes by its address.
    return float.__hash__(value) if value == value else 0


def _of_decimal(value: Decimal) -> int:
    return 0 if Decimal.is_qnan(value) else Decimal.__hash__(value)


def _of_complex(value: complex) -> int:
    return complex.__hash__(value) if value == value else 0


def _of_tuple(value: tuple[Any, ...]) -> int:
    return _builtin(tuple(hash_of(item) for item in tuple.__iter__(value)))


def _of_set(value: frozenset[Any]) -> int:
    return _builtin(frozenset(hash_of(item) for item in frozenset.__iter__(value)))


def _of_range(value: range) -> int:
    # Ranges are equal when they give the same numbers.
    return _of_tuple((len(value), *value[:1], *(value[-1:] if len(value) > 1 else ())))


def _of_date(value: datetime.date) -> int:
    return _builtin((1, value.year, value.month, value.day))


def _of_datetime(value: datetime.datetime) -> int:
    value = value.replace(fold=0)
    if value.utcoffset() is None:
        value, kind = value.replace(tzinfo=datetime.UTC), 2
    else:
        kind = 3
    return _builtin((kind, value - _EPOCH))


def _of_time(value: datetime.time) -> int:
    value = value.replace(fold=0)
    since = datetime.timedelta(
        hours=value.hour,
        minutes=value.minute,
        seconds=value.second,
        microseconds=value.microsecond,
    )
    offset = value.utcoffset()
    return _builtin((4, offset is None, since - (offset or _ZERO)))


def _of_enum(value: Enum) -> int:
    return hash_of(value._name_)


def _of_stand_in(value: Any) -> int:
    return _of_tuple((type(value).__name__, *vars(value).values()))


def _of_uuid(value: UUID) -> int:
    return hash_of(value.int)


def _of_fraction(value: Fraction) -> int:
    return Fraction.__hash__(Fraction(int(value.numerator), int(value.denominator)))


_KNOWN: dict[Any, Callable[[Any], int]] = {
    int.__hash__: int.__hash__,
    float.__hash__: _of_float,
    complex.__hash__: _of_complex,
    Decimal.__hash__: _of_decimal,
    Fraction.__hash__: _of_fraction,
    UUID.__hash__: _of_uuid,
    str.__hash__: _of_text,
    bytes.__hash__: _of_bytes,
    tuple.__hash__: _of_tuple,
    frozenset.__hash__: _of_set,
    range.__hash__: _of_range,
    datetime.date.__hash__: _of_date,
    datetime.datetime.__hash__: _of_datetime,
    datetime.time.__hash__: _of_time,
    datetime.timedelta.__hash__: datetime.timedelta.__hash__,
    Enum.__hash__: _of_enum,
    stand_in_models.model_hash: _of_stand_in,
    DetFuture.__hash__: DetFuture.__hash__,  # by the order of creation
    DetTask.__hash__: DetTask.__hash__,
}
"""How a value is hashed, by the `__hash__` its class has."""


def hash_of(value: Any, /) -> int:
    """`hash(value)`, equal in every process.

    Raises TypeError for what has no hash, `SandboxError` for what has only its address.
    """
    if value is None:
        return _NONE
    cls = type(value)
    special = cls.__hash__
    known = _KNOWN.get(special)
    if known is not None:
        return known(value)
    if special is None:
        raise TypeError(f"unhashable type: {cls.__name__!r}")
    if type(special) is FunctionType and owns(special):
        return _builtin(value)  # what the workflow wrote itself, which comes here for its parts
    fields = _fields_behind(cls, special)
    if fields is not None:
        return _of_tuple(tuple(getattr(value, name) for name in fields))
    raise SandboxError(
        f"hash() of {cls.__name__!r} objects is not the same in every process; give the class a "
        "`__hash__` that goes by its values"
    )


def _fields_behind(cls: type, special: Any) -> list[str] | None:
    """The fields that a `__hash__` written by `dataclass` goes by."""
    for base in cls.__mro__:
        if base.__dict__.get("__hash__") is special:
            if not owns(base) or "__dataclass_fields__" not in base.__dict__:
                return None
            return [
                field.name
                for field in dataclasses.fields(base)
                if (field.compare if field.hash is None else field.hash)
            ]
    return None
