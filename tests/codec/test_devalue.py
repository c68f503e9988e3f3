"""The format is the one of the npm package devalue, both ways.

The recordings in `devalue/` were made with the real package (see `record.mjs` there), so these
tests need no Node.
"""

from __future__ import annotations

import json
import math
import re
from array import array
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.codec.samples import CLASSES, ID, Point
from workflow.codec import Codec
from workflow.web import URLSearchParams

RECORDINGS = Path(__file__).parent / "devalue"
THEIRS: dict[str, str] = json.loads((RECORDINGS / "theirs.json").read_text())

_shared = {"n": 1}
_cycle: list[Any] = []
_cycle.extend([_cycle, "end"])

EXPECTED: dict[str, Any] = {
    "undefined": None,
    "null": None,
    "minus infinity": -math.inf,
    "text": 'a "quoted" \u2028 <tag> 😀',
    "half character": "\ud800x",
    "numbers": [0, -1, 1.5, 2**53, 1e21],
    "big integer": 2**70,
    "object": {"a": 1, "b": [True, False, None, None]},
    "shared object": [{"n": 1}, {"n": 1}],
    "holes": [1, None, 3],
    "sparse array": [None] * 50 + ["x"],
    "date": datetime(2026, 7, 1, 10, 0, 0, 123000, tzinfo=UTC),
    "set": {1, "a"},
    "map": {1: "one", "two": {"n": 2}},
    "regular expression": re.compile("a+[b-z]", re.IGNORECASE),
    "url": "https://example.com/a?b=1",
    "search params": URLSearchParams([("a", "1 2"), ("b", "~*é"), ("a", "3")]),
    "bytes": b"\x00\x01\xff",
    "part of a buffer": b"\x01\x02",
    "floats": array("d", [1.5, -2]),
    "small integers": array("h", [1, -2]),
    "big integers": array("q", [1, -2]),
    "buffer": b"\x07\x08",
    "object without prototype": {"a": 1},
    "boxed number": 3,
}

OURS: dict[str, Any] = {
    "plain": {"a": 1, "b": [True, None, "x", 1.5], "c": "x"},
    "special numbers": [math.nan, math.inf, -math.inf, -0.0],
    "big integer": [2**53 - 1, 2**53, -(2**70)],
    "text": 'é"\\\n\u2028😀',
    "half character": "\ud800x",
    "shared": [_shared, _shared],
    "cycle": _cycle,
    "map": {1: "one", "two": 2},
    "set": {3, 1, 2},
    "bytes": b"\x00\xff",
    "floats": array("d", [1.5]),
    "search params": URLSearchParams([("a", "1 2"), ("b", "~*é")]),
    "date": datetime(2026, 7, 1, 10, 0, 0, 123000, tzinfo=UTC),
    "date with microseconds": datetime(2026, 7, 1, 10, 0, 0, 123456, tzinfo=UTC),
    "tuple": (1, (2, "x")),
    "frozenset": frozenset({"b", "a"}),
    "decimal": Decimal("1.50"),
    "uuid": ID,
    "instance": Point(1.5),
    "error": ValueError("wrong", 1),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_reads_what_devalue_writes(name: str) -> None:
    """A text written by the npm package reads as the nearest Python value."""
    found = Codec().decode(b"devl" + THEIRS[name].encode())
    assert found == EXPECTED[name]
    assert type(found) is type(EXPECTED[name])


def test_reads_special_numbers_and_cycles() -> None:
    """Values that equality cannot check: NaN, minus zero, shared objects and cycles."""
    read = {name: Codec().decode(b"devl" + text.encode()) for name, text in THEIRS.items()}
    assert math.isnan(read["not a number"])
    assert math.copysign(1, read["minus zero"][0]) == -1
    assert read["shared object"][0] is read["shared object"][1]
    assert read["cyclic array"][0] is read["cyclic array"]
    assert read["cyclic object"]["self"] is read["cyclic object"]


def test_every_recording_is_checked() -> None:
    """No recorded text is left without an expectation."""
    others = {"not a number", "minus zero", "cyclic array", "cyclic object"}
    assert set(THEIRS) == set(EXPECTED) | others
    read = json.loads((RECORDINGS / "read.json").read_text())
    assert set(read) == set(OURS) == set(json.loads((RECORDINGS / "ours.json").read_text()))


@pytest.mark.parametrize("name", OURS)
def test_writes_what_devalue_reads(name: str) -> None:
    """The codec writes exactly the texts that the npm package was recorded to read."""
    recorded = json.loads((RECORDINGS / "ours.json").read_text())
    assert Codec(CLASSES).encode(OURS[name]) == b"devl" + recorded[name].encode()
