"""Streams as recorded values."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from workflow import Readable, Writable
from workflow.codec import Codec
from workflow.codec.streams import noticed
from workflow.engine.intake import Intake
from workflow.errors import SerializationError


async def counting() -> AsyncIterator[int]:
    yield 1


def test_both_ends_come_back() -> None:
    """With run, name, index and writer, under the tags that web streams have in devalue."""
    codec = Codec()
    readable = Readable[int]("wrun_1", "strm_1", -3, "host:1:ab")
    writable = Writable[int]("wrun_1", "notes")
    data = codec.encode({"in": readable, "out": writable, "again": readable})
    found = codec.decode(data)
    assert found == {"in": readable, "out": writable, "again": readable}
    assert found["in"] is found["again"]
    assert (type(found["in"]), type(found["out"])) == (Readable, Writable)
    assert (found["in"].start, found["in"].writer) == (-3, "host:1:ab")
    assert found["in"] != Readable("wrun_1", "strm_1")
    assert found["out"] != Readable("wrun_1", "notes")
    tags = [entry[0] for entry in json.loads(data[4:]) if isinstance(entry, list)]
    assert tags == ["ReadableStream", "WritableStream"]


def test_iterables_are_taken_over() -> None:
    """Each once, wherever they are; a Readable that was made of one becomes the stream when the
    value is recorded, and not before."""
    intake = Intake("wrun_1", "ann", 0)
    numbers, more = counting(), counting()
    held = Readable.of(more)
    given = [numbers, {"a": held}, numbers, held, {numbers}, ValueError(held), Readable.of(more)]
    data = Codec().encode(given, adopt=intake.adopt)
    assert [each.values for each in intake.streams] == [numbers, more]
    found = Codec().decode(data)
    names = [each.name for each in intake.streams]
    assert [each.name for each in found[4]] == names[:1]
    assert (found[5].args[0].name, found[6].name) == (names[1], names[1])
    assert held.waiting() is more
    intake.settle()
    assert [each.name for each in (found[0], found[1]["a"], found[2], found[3])] == names * 2
    assert (held.run_id, held.name, held.waiting()) == ("wrun_1", names[1], None)
    assert len({Readable.of(counting()), Readable.of(counting())}) == 2


def test_iterables_that_nobody_takes_over() -> None:
    """The path to it, and where it would be taken."""
    with pytest.raises(SerializationError, match=r"args\.numbers: .* Return it from a step"):
        Codec().encode({"numbers": counting()}, path="args")
    with pytest.raises(SerializationError, match="Return it from a step"):
        Codec().encode(Readable.of(counting()))
    with pytest.raises(TypeError, match="asynchronous iterable"):
        Readable.of([1, 2])  # type: ignore[arg-type]


def test_payloads_from_outside_hold_no_streams() -> None:
    """Neither written nor read: nobody outside chooses which stream a step reads."""
    codec = Codec()
    ends: list[Any] = [Readable("wrun_1", "strm_1"), Writable("wrun_1", "notes"), counting()]
    for end in ends:
        with pytest.raises(SerializationError, match="hook's payload"):
            codec.encode(end, references=False)
    data = codec.encode([Readable("wrun_1", "strm_1")])
    with pytest.raises(SerializationError, match="hook's payload"):
        codec.decode(data, references=False)


@pytest.mark.parametrize(
    "body",
    ['"text"', "{}", '{"runId":2}', '{"runId":2,"name":3,"startIndex":2}', '{"runId":2,"name":4}'],
)
def test_malformed_references(body: str) -> None:
    """They are errors of the value, like all malformed bytes."""
    data = f'devl[["ReadableStream",1],{body},"wrun_1","strm_1",7]'.encode()
    with pytest.raises(SerializationError, match="ReadableStream cannot be rebuilt"):
        Codec().decode(data)


def test_streams_in_a_value_are_noticed() -> None:
    """All that are read inside, and none outside."""
    codec = Codec()
    data = codec.encode([Readable("wrun_1", "strm_1"), {"b": Writable("wrun_1", "notes")}])
    with noticed() as found:
        codec.decode(data)
    codec.decode(data)
    assert [each.name for each in found] == ["strm_1", "notes"]
