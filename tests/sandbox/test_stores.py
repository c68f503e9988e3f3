"""Stores to attributes ask whose the object is, also where the question can be left out."""

from __future__ import annotations

import dis
from fractions import Fraction
from typing import Any

import pytest

from tests.sandbox.snippets import space_of
from workflow.errors import SandboxError
from workflow.sandbox import guards
from workflow.sandbox.compiling import compile_module

HEAD = """
from fractions import Fraction
from contextlib import suppress, nullcontext
class Own:
    pass
"""

# Each function gets an object of its own class and one of the library; it may not reach the store.
REBOUND = {
    "assignment": "own.a = 1\n    own = lib\n    own.mark = 1",
    "unpacking": "own.a = 1\n    own, _ = lib, 1\n    own.mark = 1",
    "starred": "own.a = 1\n    (*own,) = [lib]\n    own.mark = 1",
    "walrus": "own.a = 1\n    (own := lib)\n    own.mark = 1",
    "walrus in a comprehension": "own.a = 1\n    [own := lib for _ in [1]]\n    own.mark = 1",
    "walrus in the value": "own.a = own.mark = (own := lib)",
    "for": "own.a = 1\n    for own in [lib]:\n        own.mark = 1",
    "after for": "own.a = 1\n    for own in [lib]: pass\n    own.mark = 1",
    "with": "own.a = 1\n    with nullcontext(lib) as own:\n        own.mark = 1",
    "import": "own.a = 1\n    from fractions import Fraction as own\n    own.mark = 1",
    "case": "own.a = 1\n    match lib:\n        case own: own.mark = 1",
    "case star": "own.a = 1\n    match [lib]:\n        case [*own]: own.mark = 1",
    "case rest": "own.a = 1\n    match {1: lib}:\n        case {**own}: own.mark = 1",
    "function": "own.a = 1\n    def own(): pass\n    own = lib\n    own.mark = 1",
    "except": ("own.a = 1\n    try: 1 / 0\n    except ZeroDivisionError as own: own.mark = 1"),
    "nonlocal": (
        "own.a = 1\n    def other():\n        nonlocal own\n        own = lib\n"
        "    other()\n    own.mark = 1"
    ),
    "deleted": "own.a = 1\n    del own\n    own = lib\n    own.mark = 1",
    "augmented": "own.a = 1\n    own += lib\n    own.mark = 1",
    "left out": "if not lib: own.a = 1\n    lib.mark = 1",
    "left out, the other": "if not lib:\n        lib.a = 1\n    lib.mark = 1",
    "no round": "for _ in []: lib.a = 1\n    lib.mark = 1",
    "for target": "for lib.a in []: pass\n    lib.mark = 1",
    "caught": "try: lib.a = 1\n    except Exception: pass\n    lib.mark = 1",
    "caught, in the handler": "try: lib.a = 1\n    except Exception: lib.mark = 1",
    "caught, at last": "try: lib.a = 1\n    finally: lib.mark = 1",
    "suppressed": "with suppress(Exception): lib.a = 1\n    lib.mark = 1",
    "suppressed, unpacking": ("with suppress(Exception): lib.a, own.b = 1,\n    lib.mark = 1"),
    "another function": ("own.a = 1\n    def other(own):\n        own.mark = 1\n    other(lib)"),
    "a lambda's comprehension": "own.a = 1\n    (lambda own: [0 for own.mark in [1]])(lib)",
    "a method of one's own": (
        "class C:\n        def m(self):\n            self.mark = 1\n    C().m()\n    C.m(lib)"
    ),
    "a class met before": "own.mark = 1\n    Own.mark = 1\n    own = lib\n    own.mark = 1",
    "annotated without a value": "lib.a: int\n    lib.mark = 1",
    "deleting": "del lib.numerator",
    "augmented store": "lib.numerator += 1",
}


@pytest.mark.parametrize("library", ["Fraction", "Fraction(1, 2)"])
@pytest.mark.parametrize("name", REBOUND)
def test_no_store_reaches_the_library(name: str, library: str) -> None:
    """Whatever a variable stood for before, a store to an object of the library is refused."""
    adding = "class Adding(Own):\n    def __iadd__(self, other): return other\n"
    space = space_of(f"{HEAD}{adding}def f(own, lib):\n    {REBOUND[name]}\n")
    before = set(vars(Fraction))
    make = f"f(Adding(), {library})"
    with pytest.raises(SandboxError, match="cannot be set"):
        exec(make, space)
    assert set(vars(Fraction)) == before


def _stores_asked(body: str) -> int:
    code = compile_module(f"def f(self, other):\n    {body}\n", "a.py")
    names: list[Any] = [const for const in code.co_consts if hasattr(const, "co_names")]
    return sum(step.argval == "$write" for step in dis.get_instructions(names[0]))


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        ("self.a = 1; self.b = 2; self.c += 1; self.d: int = 3", 1),
        ("self.a = self.b = 1", 1),
        ("self.a, (self.b, other.c) = 1, (2, 3)", 2),
        ("self.a = 1\n    for _ in other:\n        self.b = 1", 1),
        ("if other: self.a = 1\n    self.b = 1", 2),
        ("self.a = 1; self = other; self.b = 1", 2),
    ],
)
def test_a_parameter_is_asked_about_once(body: str, asked: int) -> None:
    """What follows a store to the same object needs no question."""
    assert _stores_asked(body) == asked


def test_classes_met_are_forgotten_when_there_are_many() -> None:
    """A run that goes on making classes does not keep them all."""
    owned: set[type] = set()
    write = guards.remembering(owned)
    make = space_of("def make():\n    class C: pass\n    return C()\n")["make"]
    for _ in range(1000):
        write(make())
    assert 0 < len(owned) <= 256
    with pytest.raises(SandboxError):
        write(Fraction)
    assert Fraction not in owned
