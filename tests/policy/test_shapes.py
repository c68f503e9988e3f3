"""Types told as data, and made again from that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Optional, TypeVar, Union

import pytest
from pydantic import TypeAdapter

from workflow.policy.shapes import shape_of, type_of
from workflow.sets import Set


@dataclass
class Point:
    x: int


IDS: dict[type, str] = {Point: "class//x.py//Point"}
CLASSES = {name: kind for kind, name in IDS.items()}


def id_of(kind: type) -> str | None:
    return IDS.get(kind)


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        (int, "int"),
        (Decimal, "Decimal"),
        (None, "None"),
        (Any, "Any"),
        (Point, "class//x.py//Point"),
        (list[Point], ["list", "class//x.py//Point"]),
        (dict[str, list[datetime]], ["dict", "str", ["list", "datetime"]]),
        (tuple[int, ...], ["tuple", "int", "..."]),
        (Point | None, ["union", "class//x.py//Point", "None"]),
        (Literal["a", "b"], ["literal", "a", "b"]),
    ],
)
def test_types_of_known_parts(kind: Any, shape: Any) -> None:
    """A type is told by the names of its parts, and the same type is made of them."""
    assert shape_of(kind, id_of) == shape
    made = type_of(shape, CLASSES.get)
    wanted: Any = type(None) if kind is None else kind
    assert made == wanted or set(made.__args__) == set(wanted.__args__)


def test_other_spellings_of_the_same() -> None:
    """`Optional`, `Union` and the sets of workflow code are told as what they are."""
    optional, either = Optional[int], Union[int, str]  # noqa: UP007, UP045 - people write them
    assert shape_of(optional, id_of) == ["union", "int", "None"]
    assert shape_of(either, id_of) == ["union", "int", "str"]
    assert shape_of(Set, id_of) == "set"


class Nameless:
    pass


def nested() -> Any:
    kind: Any = int
    for _ in range(200):
        kind = list[kind]
    return kind


@pytest.mark.parametrize(
    "kind",
    [
        Nameless,
        list[Nameless],
        Annotated[int, "positive"],
        TypeAdapter(int),
        Literal[1],
        TypeVar("T"),
        5,
        [],
        "int",
        type[int],
        nested(),
    ],
)
def test_what_cannot_be_told(kind: Any) -> None:
    """A part without a name, or with more to it than a name: nothing is recorded of the type."""
    assert shape_of(kind, id_of) is None


@pytest.mark.parametrize(
    "shape", ["class//gone.py//X", ["list", "class//gone.py//X"], ["odd", "int"], 5]
)
def test_what_is_not_known_here(shape: Any) -> None:
    """A class that this process does not have, or a shape of a later version, checks nothing."""
    assert type_of(shape, CLASSES.get) is None
