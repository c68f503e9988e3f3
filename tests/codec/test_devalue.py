"""The format is the one of the npm package devalue, both ways.

The recordings in `devalue/` were made with the real package (see `record.mjs` there), so these
tests need no Node.
"""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import subprocess
from array import array
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.codec.samples import CLASSES, ID, VALUES, Point
from workflow.codec import Codec, temporal
from workflow.codec.reader import _PARTS, _WHOLE
from workflow.codec.tags import BY_NAME
from workflow.errors import SerializationError
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
    "instant": datetime(2026, 7, 1, 10, 0, 0, 123456, tzinfo=UTC),
    "zoned date and time": datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Vienna")),
    "date and time of an offset": datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=2))),
    "plain date and time": datetime(2026, 7, 1, 10, 0, 0, 100000),
    "plain date": date(2026, 7, 1),
    "plain time": time(10, 0, 0, 123456),
    "duration": -timedelta(days=9, hours=3, minutes=4, seconds=5, milliseconds=6),
    "duration of months": "P1Y2M",
    "day of a year": "07-01",
    "month of a year": "2026-07",
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
    assert getattr(found, "fold", None) == getattr(EXPECTED[name], "fold", None)


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("Instant", "2026-07-01T10:00:00"),
        ("Instant", "+012026-07-01T10:00:00Z"),
        ("ZonedDateTime", "2026-07-01T12:00:00+02:00"),
        ("ZonedDateTime", "2026-07-01T12:00:00+02:00[../../etc/passwd]"),
        ("ZonedDateTime", "2026-07-01T12:00:00+02:00[Europe/Nowhere]"),
        ("PlainDateTime", "2026-07-01T10:00:00Z"),
        ("PlainDate", ""),
        ("PlainTime", 7),
        ("Duration", "P"),
        ("Duration", "P" + "9" * 150 + "D"),
        ("PlainMonthDay", "7" * 1000),
    ],
)
def test_a_malformed_time_is_a_named_error(tag: str, text: object) -> None:
    """What is no text of Temporal, or no time that Python has, is refused with the tag's name."""
    data = json.dumps([[f"Temporal.{tag}", text]]).encode()
    with pytest.raises(SerializationError, match=f"recorded Temporal.{tag} cannot be rebuilt"):
        Codec().decode(b"devl" + data)


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


# What devalue knows itself; every other tag is a custom type for it.
SHARED = {
    "ArrayBuffer", "BigInt", "BigInt64Array", "BigUint64Array", "DataView", "Date", "Float16Array",
    "Float32Array", "Float64Array", "Int16Array", "Int32Array", "Int8Array", "Map", "Object",
    "RegExp", "Set", "URL", "URLSearchParams", "Uint16Array", "Uint32Array", "Uint8Array",
    "Uint8ClampedArray", "null", *temporal.READ,
}  # fmt: skip


def test_every_value_passes_through_the_real_package() -> None:
    """devalue reads each value that the codec writes, writes it again, and it is the same value.

    Runs where Node is installed and the package lies in `devalue/node_modules` here, or where
    WORKFLOW_TEST_DEVALUE says.
    """
    place = os.environ.get("WORKFLOW_TEST_DEVALUE") or RECORDINGS / "node_modules" / "devalue"
    node = shutil.which("node")
    if node is None or not (Path(place) / "src" / "index.js").exists():
        pytest.skip("needs Node and the npm package devalue")
    codec = Codec(CLASSES)
    # JavaScript has one type of number: 1.0 comes back as 1
    values = [value for value in VALUES if not (isinstance(value, float) and value.is_integer())]
    texts = [codec.encode([value, {"again": value}])[4:].decode() for value in values]
    tags = sorted({*BY_NAME, *_PARTS, *_WHOLE} - SHARED)
    done = subprocess.run(
        [node, str(RECORDINGS / "through.mjs"), str(place), json.dumps(tags)],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=True,
    )
    back = json.loads(done.stdout)
    assert len(back) == len(values)
    for value, text in zip(values, back, strict=True):
        found = codec.decode(b"devl" + text.encode())
        assert found == [value, {"again": value}]
        assert type(found[0]) is type(value)
