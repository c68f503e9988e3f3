"""Values of classes that changed after they were recorded: defaults, or a reason with a path."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
from pydantic import BaseModel

from workflow.codec import Codec
from workflow.errors import SerializationError


class Before:
    """The classes when the values were recorded."""

    @dataclass
    class Data:
        a: int

    class Model(BaseModel):
        a: int

    class Pair(NamedTuple):
        a: int

    class Colour(enum.Enum):
        RED = 1
        GREEN = 2

    class Right(enum.Flag):
        READ = 1
        WRITE = 2


class After:
    """Each has lost something that was recorded, and has something without a default."""

    @dataclass
    class Data:
        b: int

    class Model(BaseModel):
        b: int

    class Pair(NamedTuple):
        b: int

    class Colour(enum.Enum):
        RED = 1

    class Right(enum.Flag):
        READ = 1


class Longer:
    """Each has a field more."""

    @dataclass
    class Data:
        a: int
        b: int

    class Model(BaseModel):
        a: int
        b: int

    class Pair(NamedTuple):
        a: int
        b: int


VALUES: dict[str, Any] = {
    "Data": Before.Data(1),
    "Model": Before.Model(a=1),
    "Pair": Before.Pair(1),
    "Colour": Before.Colour.GREEN,
    "Right": Before.Right.WRITE,
}


def classes(of: type) -> dict[str, type]:
    return {name: kind for name, kind in vars(of).items() if name in VALUES}


def refused(name: str, now: type, *, inside: bool) -> SerializationError:
    value = {"all": [0, VALUES[name]]} if inside else VALUES[name]
    data = Codec(classes(Before)).encode(value)
    with pytest.raises(SerializationError) as refusal:
        Codec(classes(now)).decode(data, path="args")
    return refusal.value


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("name", VALUES)
def test_what_is_lost_is_refused_with_its_path(name: str, inside: bool) -> None:
    """The path leads to the field, or to the value whose member is not there; it is said once."""
    error = refused(name, After, inside=inside)
    field = "" if name in ("Colour", "Right") else ".a"
    assert error.path == ("args.all[1]" if inside else "args") + field
    assert str(error).startswith(f"{error.path}: the ")
    assert "until no open run has such a value." in error.advice
    assert str(error) == f"{error.fact}. {error.advice}"
    assert "\n" not in str(error)


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("name", ["Data", "Model", "Pair"])
def test_a_field_without_a_default_names_its_class_and_itself(name: str, inside: bool) -> None:
    """All kinds of classes are told in the same words."""
    error = refused(name, Longer, inside=inside)
    path = "args.all[1]" if inside else "args"
    assert error.fact == f"{path}: Longer.{name} has a field 'b' that the recorded value lacks"
    assert error.advice == "Give the field a default."


def test_a_class_that_is_gone_is_named() -> None:
    """By the id it was recorded under, also at the top of a value."""
    data = Codec(classes(Before)).encode(VALUES["Data"])
    with pytest.raises(SerializationError, match=r"^args: the class 'Data' is not known here\. It"):
        Codec({}).decode(data, path="args")


@pytest.mark.parametrize("boundary", [enum.STRICT, enum.CONFORM])
def test_a_flag_that_is_lost_is_not_left_out(boundary: enum.FlagBoundary) -> None:
    """Also where Python leaves out what a Flag does not have, alone and beside one it has."""

    class Right(enum.Flag, boundary=boundary):
        READ = 1

    for value in (Before.Right.WRITE, Before.Right.READ | Before.Right.WRITE):
        data = Codec(classes(Before)).encode(value)
        with pytest.raises(SerializationError, match="has no member"):
            Codec({"Right": Right}).decode(data)
    assert Codec({"Right": Right}).decode(Codec(classes(Before)).encode(Before.Right.READ)) == (
        Right.READ
    )
