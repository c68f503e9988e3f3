"""Dataclasses of workflow code are those of the standard library, made faster."""

from __future__ import annotations

import collections.abc
import dataclasses
import inspect
import typing
from dataclasses import KW_ONLY, InitVar, field
from typing import Any

import pytest

from tests.sandbox.snippets import space_of
from workflow.sandbox.facades import records


def _shapes(dataclass: Any) -> dict[str, Any]:
    """Classes with every option, made by `dataclass`."""
    # Types, not text: annotations of workflow code are evaluated where they stand.
    spaces: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
        "none": ({}, {}, {}),
        "defaults": (
            {"a": int, "b": list[str], "c": str, "d": int},
            {"b": field(default_factory=list), "c": "x", "d": field(default=4, init=False)},
            {},
        ),
        "keywords": (
            {"a": int, "_": KW_ONLY, "e": int | None, "g": typing.Callable[..., None] | None},
            {"e": None, "g": None},
            {"frozen": True, "order": True},
        ),
        "slots": ({"z": InitVar[int], "self": float}, {"z": 3, "self": 1.5}, {"slots": True}),
        "hash": ({"a": int}, {"__doc__": "Its own."}, {"unsafe_hash": True, "repr": False}),
        "own init": ({"a": int}, {"__init__": lambda self, q, *, r=3: None}, {}),
        "own init, open": ({"a": int}, {"__init__": lambda self, *a, **k: None}, {}),
        "no init": ({"a": int}, {"a": 3}, {"init": False, "eq": False, "match_args": False}),
        "maps": (
            {"m": collections.abc.Mapping[str, int]},
            {"m": field(default_factory=dict, kw_only=True)},
            {},
        ),
        "new": ({"a": int}, {"__new__": lambda cls, *a: object.__new__(cls)}, {}),
    }
    return {
        name: dataclass(type("Shape", (), {"__annotations__": dict(types), **members}), **options)
        for name, (types, members, options) in spaces.items()
    }


@pytest.mark.parametrize("name", _shapes(dataclasses.dataclass))
def test_made_as_by_the_standard_library(name: str) -> None:
    """Members, documentation, signature and options are the same."""
    ours, theirs = (_shapes(make)[name] for make in (records.dataclass, dataclasses.dataclass))
    assert vars(ours).keys() == vars(theirs).keys()
    assert ours.__doc__ == theirs.__doc__
    assert str(inspect.signature(ours)) == str(inspect.signature(theirs))
    assert repr(ours.__dataclass_params__) == repr(theirs.__dataclass_params__)
    shown = [repr(dataclasses.fields(cls)) for cls in (ours, theirs)]
    assert shown[0] == shown[1]


def test_the_same_text_is_compiled_once() -> None:
    """Making the classes again finds all their methods compiled."""
    _shapes(records.dataclass)
    before = records._compiled.cache_info()
    _shapes(records.dataclass)
    after = records._compiled.cache_info()
    assert after.misses == before.misses
    assert after.hits > before.hits > 0


def test_classes_of_equal_text_have_nothing_in_common() -> None:
    """Types, defaults and factories are those of each class, though its code is shared."""
    source = """
from dataclasses import dataclass, field, fields
class Part: pass
part = Part()
@dataclass
class Order:
    part: Part = part
    parts: list[Part] = field(default_factory=lambda: [part])
    last: Part = field(default=part, init=False)
def own():
    made = Order()
    places = [made.part is part, made.parts == [part], made.last is part]
    return all(places) and fields(Order)[0].type is Part
"""
    first, second = space_of(source), space_of(source)
    assert first["own"]()
    assert second["own"]()
    one, other = first["Order"], second["Order"]
    assert one.__init__ is not other.__init__
    assert one.__init__.__code__ == other.__init__.__code__
    assert one() != other()


def test_frozen_classes_refuse_stores_of_their_own() -> None:
    """The class a frozen one compares with is itself, not the first of equal text."""
    source = """
from dataclasses import dataclass, FrozenInstanceError
@dataclass(frozen=True)
class Point:
    x: int
def change():
    try:
        Point(1).x = 2
    except FrozenInstanceError:
        return "refused"
"""
    assert [space_of(source)["change"]() for _ in range(2)] == ["refused", "refused"]
