"""Bytes that nobody should have written."""

from __future__ import annotations

import contextlib
import json
import os
import tracemalloc
import warnings
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.codec.samples import CLASSES, VALUES
from workflow.codec import Codec
from workflow.codec.compression import compressed
from workflow.codec.encryption import opened, run_key, sealed
from workflow.codec.reader import _PARTS, _WHOLE
from workflow.codec.tags import BY_NAME
from workflow.errors import DecryptionError, SerializationError

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


def bombs() -> list[tuple[str, list[Any]]]:
    """A short text each that asks for more than there is memory."""
    many = 20_000
    items = [-1] * many
    bytes_ = ["ArrayBuffer", "A" * 80_000]
    text = "9" * 80_000
    step: list[Any] = [["Step", many + 3], {"id": many + 5}]
    return [
        ("tuples of one list", [*_all("tuple", many), items, 0]),
        ("deques", [*_all("deque", many), [many + 2, many + 3], items, None]),
        ("bytes", [*_all("bytearray", many), bytes_]),
        ("parts of a buffer", [_refs(many), *[["Uint8Array", many + 1, 0, 50_000]] * many, bytes_]),
        ("arrays", [*_all("Float64Array", many), bytes_]),
        ("numbers", [*_all("Decimal", many), text]),
        ("paths", [*_all("Path", many), text]),
        ("ordered", [*_all("OrderedDict", many), {f"k{n}": -1 for n in range(many)}]),
        ("headers", [*_all("Headers", many), [many + 2] * many, [many + 3, many + 3], "x" * 9000]),
        (
            "partials",
            [*_all("Partial", many), {"func": many + 2, "args": many + 4}, *step, items, "x"],
        ),
        ("holes", [_refs(many), *[[-7, 999_999]] * many]),
        ("keys", [["Set", *range(1, many)], *_tree(many)]),
    ]


def _refs(count: int) -> list[int]:
    return list(range(1, count + 1))


def _all(tag: str, count: int) -> list[Any]:
    """Entry 0 lists `count` entries of this tag, which all stand on the entry behind them."""
    return [_refs(count), *[[tag, count + 1]] * count]


def _tree(count: int) -> list[Any]:
    """Tuples around one that takes 90,000 steps to hash."""
    wide, items = count, count + 1
    outer = [["tuple", items + 1 + n] for n in range(count - 1)]
    inner = [[wide, *[-1] * (n % 7)] for n in range(count - 1)]
    return [*outer, ["tuple", items], [-1] * 90_000, *inner]


@pytest.mark.parametrize(("name", "entries"), bombs(), ids=[name for name, _ in bombs()])
def test_shared_entries_cannot_fill_the_memory(name: str, entries: list[Any]) -> None:
    """Many values made from one large entry are refused before they are made."""
    data = b"devl" + json.dumps(entries).encode()
    small = Codec(CLASSES, max_size=3_000_000)  # the bound is in proportion to it
    tracemalloc.start()
    try:
        with pytest.raises(SerializationError, match="takes up too much"):
            small.decode(data)
        assert tracemalloc.get_traced_memory()[1] < 100 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_what_could_not_be_read_is_not_written() -> None:
    """Equal buffers share an entry; together they are bounded when they are written, too."""
    small = Codec(max_size=100_000)
    large = bytes(60_000)
    fits = [bytearray(large) for _ in range(13)]
    assert small.decode(small.encode(fits)) == fits
    with pytest.raises(SerializationError, match="the buffers in this value"):
        small.encode([*fits, memoryview(large)])


def test_compressed_bombs_stop_at_the_limit() -> None:
    """A small compressed value that unpacks to gigabytes is refused, and never unpacked."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    parts = [packer.compress(bytes(1024 * 1024)) for _ in range(300)]
    bomb = b"gzip" + b"".join(parts) + packer.flush()
    assert len(bomb) < 400_000
    tracemalloc.start()
    try:
        with pytest.raises(SerializationError, match="unpacks to more than"):
            CODEC.decode(bomb)
        assert tracemalloc.get_traced_memory()[1] < 200 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_compressed_values_are_always_read() -> None:
    """The layer is taken off wherever it stands; nothing in it is believed."""
    data = CODEC.encode(["text"] * 100 + [b"x" * 1000])
    packed = compressed(data, 100)
    assert packed[:4] == b"gzip"
    assert len(packed) < len(data) / 2
    assert CODEC.decode(packed) == CODEC.decode(data)
    assert compressed(data, len(data)) is data
    assert compressed(b"devl[" + bytes(range(90)), 0)[:4] == b"devl"  # it would only grow
    for wrong, why in [
        (packed[:-9], "cut off"),
        (packed + b"x", "followed by"),
        (b"gzip" + b"\x00" * 20, "cannot be unpacked"),
        (b"gzip", "cut off"),
        (compressed(packed + bytes(1000), 0), "twice"),
    ]:
        with pytest.raises(SerializationError, match=why):
            CODEC.decode(wrong)


@given(st.binary())
def test_layers_around_random_bytes(data: bytes) -> None:
    """Whatever stands behind the tags of the layers is a value or a named error."""
    for start in (b"gzip", b"encr", b"encr\x01abcd\x06wrun_a"):
        read(start + data)
        with contextlib.suppress(SerializationError):
            opened(start + data, [run_key(b"k" * 32, "wrun_a")], "wrun_a")


@given(st.sampled_from(GOOD), st.integers(0, 10_000), st.integers(1, 255))
def test_sealed_bytes_open_unchanged_or_not_at_all(data: bytes, place: int, change: int) -> None:
    """One changed bit anywhere is noticed."""
    key = run_key(b"k" * 32, "wrun_a")
    whole = sealed(data, key, "wrun_a", os.urandom)
    assert opened(whole, [run_key(b"o" * 32, "wrun_a"), key], "wrun_a") == data
    at = place % len(whole)
    damaged = whole[:at] + bytes([whole[at] ^ change]) + whole[at + 1 :]
    if damaged[:4] == b"encr":
        with pytest.raises(DecryptionError):
            opened(damaged, [key], "wrun_a")
