"""What is left to Python when the types are known does what the guards do."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.snippets import run_snippet, space_of
from workflow.errors import SandboxError

HEAD = """
import abc, fractions, textwrap, typing
class Own:
    _mine = 1
    def all(self):
        self._own = 2
        self._own += 1
        return self._mine + self._own + self._made()
    def _made(self): return 4
"""


@pytest.mark.parametrize(
    "bases", ["Own", "Own, abc.ABC", "Own, typing.Generic[T]", "Own, Exception", "Own, dict"]
)
def test_private_attributes_of_own_classes(bases: str) -> None:
    """They are read, the second time without a guard."""
    source = f"{HEAD}T = typing.TypeVar('T')\nclass C({bases}): pass\n"
    space = space_of(f"{source}def main():\n    c = C()\n    return [c.all(), c.all()]\n")
    assert space["main"]() == [8, 8]
    cls: Any = space["C"]
    assert cls in cls.all.__globals__["$plain"]


@pytest.mark.parametrize(
    ("base", "make", "name"),
    [
        ("fractions.Fraction", "C(1, 2)", "_numerator"),
        ("textwrap.TextWrapper", "C()", "_split"),
        ("Own, fractions.Fraction", "C(1, 2)", "_denominator"),
    ],
)
def test_private_attributes_of_libraries_are_refused(base: str, make: str, name: str) -> None:
    """Also on a subclass, and after an attribute of its own was read."""
    source = f"""{HEAD}
class C({base}):
    def _ours(self): return 1
def main(library):
    c = {make}
    c._ours(); c._ours()
    return c.{name} if library else c._ours()
"""
    space = space_of(source)
    assert space["main"](False) == 1
    for _ in range(2):
        with pytest.raises(SandboxError, match="private"):
            space["main"](True)


def test_a_class_that_loses_an_attribute_does_not_show_that_of_a_library() -> None:
    """What the workflow's class hid stays hidden when it is deleted."""
    source = f"""{HEAD}
class C(fractions.Fraction):
    _div = 7
def main():
    c = C(1, 2)
    assert c._div == 7
    del C._div
    return c._div
"""
    with pytest.raises(SandboxError, match="private"):
        space_of(source)["main"]()


OPERATIONS: list[tuple[str, Any]] = [
    ("a, b = {'x': 1, 'y': 2, 'z': 3}.keys(), ['y']\n    r = list(a - b)", ["x", "z"]),
    ("a, b = {'x': 1}.keys(), {'b': 1, 'a': 2}.keys()\n    r = list(a | b)", ["x", "b", "a"]),
    ("a, b = {'c', 'b', 'a'}, {'c', 'a'}\n    r = list(a & b)", ["c", "a"]),
    (
        "a, b = {'c', 'b', 'a'}, {'d', 'a'}\n    c = a\n    a ^= b\n    r = [list(a), c is a]",
        [["c", "b", "d"], True],
    ),
    ("a, b = {'c': 1, 'b': 2}.keys(), {'d', 'b'}\n    a -= b\n    r = list(a)", ["c"]),
    ("a, b = 7, 3\n    r = [a - b, a % b, a | b, a & b, a ^ b]", [4, 1, 7, 3, 4]),
    ("a, b = 7, 3\n    a -= b; a %= b; a |= b; a &= b; a ^= b\n    r = a", 0),
    ("a, b = '%s!', 'x'\n    r = a % b\n    a %= b\n    r += a", "x!x!"),
    (
        "a, b = {'x': 1}, {'y': 2}\n    c = a\n    a |= b\n    r = [a, c is a]",
        [{"x": 1, "y": 2}, True],
    ),
]


@pytest.mark.parametrize(("body", "expected"), OPERATIONS)
def test_operators_of_variables(body: str, expected: Any) -> None:
    """They give what they give everywhere, sets in order."""
    assert run_snippet(f"def main():\n    {body}\n    return r\n") == expected


def test_formatting_shows_no_address() -> None:
    """`%` of a variable that is text is formatting."""
    source = "def f(): pass\ndef main():\n    a, b = '%s', f\n    c = a\n    c %= b\n"
    text = run_snippet(f"{source}    return a % b + c\n")
    assert "function" in text
    assert "0x" not in text


# Each puts something with an address in its text where a number might be expected.
NOT_NUMBERS = {
    "a global beside a comprehension": """
i = f
def main():
    [0 for i in range(2)]
    return f"{i}"
""",
    "a default": """
i = f
def main(text=f"{i}"):
    for i in range(2): pass
    return text
""",
    "a decorator": """
i = f
def said(text): return lambda function: lambda: text
@said(f"{i}")
def main():
    for i in range(2): pass
""",
    "a global beside an inner function": """
i = f
def main():
    def inner():
        for i in range(2): pass
    return f"{i}"
""",
    "a global that a loop sets": """
def main():
    global i
    for i in range(2): pass
    change()
    return f"{i}"
def change():
    global i
    i = f
""",
    "a variable that an inner function sets": """
def main():
    def change():
        nonlocal i
        i = f
    for i in range(2): pass
    change()
    return f"{i}"
""",
    "a parameter of an inner function": """
def main():
    for i in range(2): pass
    def inner(i): return f"{i}"
    return inner(f)
""",
    "another loop": "def main():\n    for i in range(2): pass\n    for i in [f]: return f'{i}'\n",
    "a walrus": "def main():\n    for i in range(2): (i := f)\n    return f'{i}'\n",
    "a class body": """
def main():
    for i in range(2): pass
    class C:
        i = f
        text = f"{i}"
    return C.text
""",
    "another range": """
def range(n): return [f]
def main():
    for i in range(2): return f"{i}"
""",
    "another len": "len = list\ndef main(): return f'{len([f])}'\n",
    "another len below": "def main(len=list): return f'{len([f])}'\n",
    "another len of a class": """
def main():
    class C:
        len = list
        text = f"{len([f])}"
    return C.text
""",
    "an operand": "def main():\n    for i in range(2): return f'{[f] * (i + 1)}'\n",
}


@pytest.mark.parametrize("body", NOT_NUMBERS.values(), ids=NOT_NUMBERS.keys())
def test_what_may_be_no_number_is_asked_for(body: str) -> None:
    """Fields are native for numbers out of `range` and `len`, not for what only has the name."""
    text = run_snippet(f"def f(): pass\n{body}")
    assert "<function f>" in text
    assert " 0x" not in text


def test_fields_of_numbers_are_native() -> None:
    """Numbers out of `range`, `len` and arithmetic are formatted without a guard."""
    source = """
def main(xs):
    for i in range(3):
        text = f"{i} {i % 2:>3} {-i * 2 + len(xs):05.1f} {len(xs)} {chr(i + 65)}"
    return text
"""
    main = space_of(source)["main"]
    assert main([1]) == "2   0 -03.0 1 C"
    guards = {"$shown", "$late", "$field", "$exact"}
    assert not guards & set(main.__code__.co_names)
