"""Bytes that nobody should have written."""

from __future__ import annotations

import contextlib
import json
import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.codec.samples import CLASSES, VALUES
from workflow.codec import Codec
from workflow.codec.reader import _PARTS, _WHOLE
from workflow.codec.tags import BY_NAME
from workflow.errors import SerializationError

CODEC = Codec(CLASSES)
GOOD = [CODEC.encode(value) for value in VALUES] + [CODEC.encode_error(ValueError("x", 1))]
TAGS = sorted({*BY_NAME, *_PARTS, *_WHOLE})


def read(data: bytes) -> None:
    """Decode; anything but a value or a SerializationError fails the test."""
    with warnings.catch_warnings(), contextlib.suppress(SerializationError):
        warnings.simplefilter("ignore")  # of regular expressions
        CODEC.decode(data)


@given(st.binary() | st.binary().map(lambda data: b"devl" + data))
def test_random_bytes(data: bytes) -> None:
    """Random bytes give SerializationError and nothing else."""
    read(data)


@given(st.sampled_from(GOOD), st.data())
def test_changed_bytes(data: bytes, draw: st.DataObject) -> None:
    """So do good bytes with pieces replaced, cut out or doubled."""
    start = draw.draw(st.integers(4, len(data)))
    end = draw.draw(st.integers(start, min(len(data), start + 9)))
    piece = draw.draw(st.sampled_from([b"", data[start:end] * 2, b"-1", b"0", b"1", b"[]", b'"x"']))
    read(data[:start] + piece + data[end:])


json_values = st.recursive(
    st.integers(-8, 6) | st.sampled_from([*TAGS, *CLASSES, "x", "1", None, True, 1.5, 10**30]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["classId", "data", "fields", "set", "name", "message", "class", "args"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
tagged = st.tuples(st.sampled_from(TAGS), json_values, json_values).map(list)


@given(st.lists(json_values | tagged, min_size=1, max_size=6))
def test_well_formed_nonsense(entries: list[Any]) -> None:
    """Entries of the right form that make no sense give SerializationError or some value."""
    read(b"devl" + json.dumps(entries).encode())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not readable"),
        ("[NaN]", "not readable"),
        ("[" * 100_000, "not readable"),
        ("[]", "no value"),
        ("{}", "no value"),
        ("-7", "special value"),
        ("-9", "special value"),
        ("[[5]]", "entry 5 does not exist"),
        ("[[true]]", "not a number"),
        ('[["tuple",1],[0]]', "part of itself"),
        ('[["os.system",1],"ls"]', "unknown type"),
        ('[["BigInt","' + "9" * 5000 + '"]]', "big integer"),
        ("[[-7,1000000000000]]", "sparse"),
        ('[["Fraction",1],[2,3],1,0]', "cannot be rebuilt"),
        ('[["ZoneInfo",1],"../../etc/passwd"]', "cannot be rebuilt"),
        ('[["Instance",1],{"classId":2,"data":3},"class//x.py//Evil",{}]', "not known here"),
        ('[["Class",1],"builtins.eval"]', "not known here"),
        ('[["Set",1],[]]', "cannot be rebuilt"),
        ('[["Uint8Array",1,3,9],["ArrayBuffer","AAA="]]', "outside its buffer"),
        ('[["ArrayBuffer","***"]]', "cannot be rebuilt"),
        ('[["Date","yesterday"]]', "cannot be rebuilt"),
    ],
)
def test_malformed_records_are_named(text: str, reason: str) -> None:
    """Each kind of damage is a SerializationError that says what is wrong."""
    with pytest.raises(SerializationError, match=reason):
        CODEC.decode(b"devl" + text.encode())


def test_foreign_tag() -> None:
    """Bytes of another format are refused at their first four bytes."""
    with pytest.raises(SerializationError, match="format tag"):
        CODEC.decode(b"\x80\x04K\x01.")


def test_depth_and_size_are_bounded() -> None:
    """Deep and long records are refused before they cost anything."""
    deep = json.dumps([[n + 1] for n in range(5000)] + [1])
    with pytest.raises(SerializationError, match="too deeply"):
        CODEC.decode(b"devl" + deep.encode())
    with pytest.raises(SerializationError, match="more than the 10 allowed"):
        Codec(max_size=10).decode(b'devl["0123456789"]')


def test_keys_cannot_be_made_astronomic() -> None:
    """A tuple that doubles at every level is not hashed."""
    entries: list[Any] = [["Set", 1]]
    for n in range(60):
        entries += [["tuple", 2 * n + 2], [2 * n + 3, 2 * n + 3]]
    with pytest.raises(SerializationError, match="too many parts"):
        CODEC.decode(b"devl" + json.dumps([*entries, 1]).encode())
