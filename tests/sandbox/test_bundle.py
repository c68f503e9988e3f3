"""The bundle's bytes and hash."""

from __future__ import annotations

import hashlib
import json

import pytest

from workflow.errors import BundleError
from workflow.sandbox import Bundle, ModuleSource

A = ModuleSource("a", "a.py", "async def f(): return 'é'\n")
B = ModuleSource("b", "b/__init__.py", "class C: ...\n")
BUNDLE = Bundle((B, A), {"workflow//a.py//f": ("a", "f")}, {"class//b/__init__.py//C": ("b", "C")})


def test_bytes_are_canonical() -> None:
    """The bytes are compact sorted JSON in UTF-8, the hash their SHA-256."""
    expected = {
        "abi": 1,
        "classes": {"class//b/__init__.py//C": ["b", "C"]},
        "modules": [
            {"name": "a", "path": "a.py", "source": A.source},
            {"name": "b", "path": "b/__init__.py", "source": B.source},
        ],
        "workflows": {"workflow//a.py//f": ["a", "f"]},
    }
    text = json.dumps(expected, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert BUNDLE.to_bytes() == text.encode()
    assert BUNDLE.hash == hashlib.sha256(text.encode()).hexdigest()


def test_round_trip() -> None:
    """Reading the bytes gives an equal bundle, whatever order it was made in."""
    assert Bundle.from_bytes(BUNDLE.to_bytes(), hash=BUNDLE.hash) == BUNDLE
    assert Bundle((A, B), BUNDLE.workflows, BUNDLE.classes).hash == BUNDLE.hash


def test_steps_are_in_the_bytes_only_when_there_are_any() -> None:
    """A bundle from before steps were listed keeps its bytes and hash, and can still be read."""
    assert b"steps" not in BUNDLE.to_bytes()
    assert Bundle.from_bytes(BUNDLE.to_bytes()).steps == {}
    place = ("a", "f.<locals>.g")
    more = Bundle(
        BUNDLE.modules, BUNDLE.workflows, BUNDLE.classes, steps={"step//a.py//f/g": place}
    )
    assert json.loads(more.to_bytes())["steps"] == {"step//a.py//f/g": list(place)}
    assert Bundle.from_bytes(more.to_bytes(), hash=more.hash) == more
    assert more.hash != BUNDLE.hash


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xff", "not readable"),
        (b"{", "not readable"),
        (b"[]", "fields of a bundle"),
        (b'{"abi":1}', "fields of a bundle"),
        (b'{"abi":2,"classes":{},"modules":[],"workflows":{}}', "version 2"),
        (b'{"abi":1,"classes":{},"modules":[{"name":"a"}],"workflows":{}}', "malformed"),
        (b'{"abi":1,"classes":{},"modules":[],"workflows":{"w":["a","f"]}}', "not in the bundle"),
        (b'{"abi":1,"classes":{},"modules":[],"workflows":{"w":"af!"}}', "malformed"),
        (b'{"abi":1,"classes":[],"modules":[],"workflows":{}}', "malformed"),
        (b'{"abi":1,"classes":{},"modules":[],"steps":{},"workflows":{}}', "fields of a bundle"),
        (b'{"abi":1,"classes":{},"modules":[],"steps":[1],"workflows":{}}', "malformed"),
        (
            b'{"abi":1,"classes":{},"modules":[],"steps":{"s":["a","f"]},"workflows":{}}',
            "not in the bundle",
        ),
        (b'{"abi":1,"classes":{},"modules":[],"tests":{},"workflows":{}}', "fields of a bundle"),
    ],
)
def test_bad_bytes_are_explained(data: bytes, reason: str) -> None:
    """Bytes that are no bundle of this version raise BundleError with the reason."""
    with pytest.raises(BundleError, match=reason):
        Bundle.from_bytes(data)


def test_damage_is_noticed() -> None:
    """Bytes that do not have the expected hash are refused."""
    with pytest.raises(BundleError, match="changed or damaged"):
        Bundle.from_bytes(BUNDLE.to_bytes() + b" ", hash=BUNDLE.hash)


def test_two_modules_cannot_share_a_name() -> None:
    """A bundle with a module twice is refused."""
    with pytest.raises(BundleError, match="two modules named 'a'"):
        Bundle((A, ModuleSource("a", "x.py", "")))
