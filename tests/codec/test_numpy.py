"""Arrays and scalars of numpy keep their kind of numbers, their shape and their bytes."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from workflow.codec import Codec
from workflow.errors import SerializationError

np = pytest.importorskip("numpy")

CODEC = Codec()
VALUES: list[Any] = [
    np.arange(6).reshape(2, 3), np.array(3), np.zeros((0, 3)), np.zeros((2, 0), "u1"),
    np.array(["a", "bç😀"]), np.array([b"x", b""]), np.array([1 + 2j, 3]), np.array([True, False]),
    np.array(["2026-01-01", "NaT"], "M8[us]"), np.array([1, 2], "m8[25s]"),
    np.arange(3, dtype=">i4"), np.arange(4.0).reshape(2, 2).T, np.arange(10)[::3],
    np.array([1.5, -0.0, np.inf, np.nan], "f2"), np.array([1, 2**63], "u8"),
    np.float32(1.5), np.float64(0.1), np.float16(1), np.int64(-3), np.uint8(255), np.bool_(True),
    np.complex64(1j), np.datetime64("2026-01-01"), np.timedelta64(5, "s"), np.str_("x"),
    np.str_(""), np.bytes_(b""), np.bytes_(b"ab"),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=lambda v: f"{type(v).__name__} {v.dtype}")
def test_values_of_numpy_come_back(value: Any) -> None:
    """Type, dtype, shape and contents are the same, and so are the bytes of a second writing."""
    data = CODEC.encode({"v": value})
    found = CODEC.decode(data)["v"]
    assert type(found) is type(value)
    assert (found.dtype, found.shape) == (value.dtype, value.shape)
    assert found.tobytes() == value.tobytes()
    assert CODEC.encode({"v": found}) == data


def test_an_array_is_an_object() -> None:
    """One array in two places stays one, and can be written to; equal ones stay two."""
    one = np.arange(3)
    first, second, third = CODEC.decode(CODEC.encode([one, one, one.copy()]))
    first[0] = 9
    assert second[0] == 9
    assert third[0] == 0


@pytest.mark.parametrize(
    "value",
    [
        np.array([object()]),
        np.array([(1, 2)], dtype=[("a", "i4"), ("b", "i4")]),
        np.longdouble(1),
        np.ma.array([1]),
    ],
    ids=["objects", "records", "long double", "subclass"],
)
def test_what_numpy_has_beyond_plain_arrays_is_refused(value: Any) -> None:
    """Arrays of objects, records, long doubles and subclasses get advice, with the path."""
    with pytest.raises(SerializationError, match=r"Convert it first: value\.tolist\(\)") as caught:
        CODEC.encode({"rows": [value]})
    assert caught.value.path == "value.rows[0]"


@pytest.mark.parametrize(
    "parts",
    [
        ["<i8", [3], 2],
        ["<i8", [-1, -1], 16],
        ["<i8", [10**30], 8],
        ["<i8", 5, 8],
        ["<i8", [1] * 100, 8],
        ["|O", [1], 8],
        ["O", [1], 8],
        ["<U1", [2], 8],
        ["<U999999999", [2], 8],
        ["i4,i4", [1], 8],
        ["<M8[parsecs]", [1], 8],
        [7, [1], 8],
    ],
)
def test_malformed_arrays_are_refused(parts: list[Any]) -> None:
    """A shape that does not fit, a kind of data that is not ours, impossible characters."""
    kind, shape, length = parts
    data = CODEC.encode([kind, shape, b"\xff" * length])
    entries = json.loads(data[4:])
    shifted = [_moved(entry) for entry in entries]
    text = json.dumps([["numpy", 1], *shifted])
    with pytest.raises(SerializationError, match="cannot be rebuilt"):
        CODEC.decode(b"devl" + text.encode())


def _moved(entry: Any) -> Any:
    """An entry one place further on: what it refers to has moved too."""
    if isinstance(entry, list):
        return [e + 1 if isinstance(e, int) else e for e in entry]
    return entry


def test_without_numpy_the_error_says_so() -> None:
    """A process that lacks numpy names the reason and reads all other values."""
    data = CODEC.encode([np.arange(2)]).hex()
    code = (
        "import sys\n"
        "sys.modules['numpy'] = None\n"
        "from workflow.codec import Codec\n"
        "assert Codec().decode(Codec().encode({1: [2]})) == {1: [2]}\n"
        f"Codec().decode(bytes.fromhex('{data}'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "numpy is not installed here" in done.stderr
