"""Fields of f-strings show the same text everywhere, wherever the f-string stands."""

from __future__ import annotations

import pytest

from tests.sandbox.snippets import run_snippet, space_of
from workflow.errors import SandboxError
from workflow.sandbox.compiling import compile_module

HEAD = """
from datetime import date
from decimal import Decimal
class Named(str):
    def __format__(self, spec): return "named"
class Number(int):
    def __format__(self, spec): return "number"
def f(): pass
def get(x): return x
async def later(x): return x
"""

# The function `f` shows its address unless something sees to it.
PLACES = {
    "name": "def main():\n    x = f\n    return f'{x}'",
    "name, with a width": "def main():\n    x = [f]\n    return f'{x!s:20}'",
    "call": "def main(): return f'{get([f])}'",
    "nested": "def main(): return f'{get([f\"{get(1)}\", f])} {get(f)}'",
    "in a list": "def main(): return [f'{get(x)} {x}' for x in [f, 1]]",
    "in a generator": "def main(): return list(f'{get(x)}' for x in [f])",
    "in a dict": "def main(): return {f'{get(x)}': f'{x}' for x in [f]}",
    "in a lambda": "def main(): return (lambda x: f'{get(x)} {x}')(f)",
    "in a class": "def main():\n    class C:\n        a = f'{get(f)} {f}'\n    return C.a",
    "default": "def main(a=f'{get(f)}'): return a",
    "module": "x = f'{get(f)} {f}'\ndef main(): return x",
    "awaited": "async def main(): return f'{await later(f)} {await later([f])!r}'",
    "yielded": "def made():\n    x = f'{(yield)}'\n    yield x\ndef main():\n"
    "    g = made(); next(g); return g.send(f)",
    "walrus": "def main(): return f'{(x := get(f))} {x}'",
    "debugging": "def main(): return f'{get([f])=} {f=}'",
}


@pytest.mark.parametrize("name", PLACES)
def test_no_address_is_shown(name: str) -> None:
    """Each place an f-string can stand in gives texts without addresses."""
    text = str(run_snippet(f"{HEAD}{PLACES[name]}\n"))
    assert "function f" in text
    assert "0x" not in text


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("get(3.14159):.2f", "3.14"),
        ("get(1234567):,}|{get('a'):>3", "1,234,567|  a"),
        ("get(12345):n", "12345"),
        ("get(12345):{get('>7n')}", "  12345"),
        ("get(0.5):n", "0.5"),
        ("get(True)}{get(None)}{get(b'x')", "TrueNoneb'x'"),
        ("get(Decimal('1.50')):.1f", "1.5"),
        ("get(date(2024, 2, 3)):%d.%m.", "03.02."),
        ("get(Named('x'))}{get(Named('x')):>9", "namednamed"),
        ("get(Number(1))}{get(Number(1)):>9", "numbernumber"),
        ("get('x')!r:>5", "  'x'"),
        ("get([1]):", "[1]"),
    ],
)
def test_formats_are_those_of_python(field: str, text: str) -> None:
    """A specification says what it always does."""
    source = f'{HEAD}def main(x="{{"):\n    return f"{{{field}}}"\n'
    assert run_snippet(source) == text


def test_a_format_that_asks_the_machine_is_refused_as_before() -> None:
    """A field is no way around what `strftime` refuses: it would ask the machine for its zone."""
    source = f"{HEAD}def main():\n    return f'{{get(date(2024, 2, 3)):%s}}'\n"
    with pytest.raises(SandboxError, match="depends on the machine"):
        run_snippet(source)


@pytest.mark.parametrize(("spec", "guard"), [("n", "$field"), (">{x}", "$field"), (".2f", "$late")])
def test_numbers_are_not_shown_as_the_locale_has_it(spec: str, guard: str) -> None:
    """Only a specification that cannot end with `n` is left to Python."""
    code = compile_module(f"f'{{x:{spec}}}'\n", "a.py")
    assert {"$field", "$late"} & set(code.co_names) == {guard}


def test_what_a_field_uses_is_not_left_in_modules_and_classes() -> None:
    """Only functions have the variable that holds a value while its text is made."""
    space = space_of(f"{HEAD}x = f'{{get(1)}}'\nclass C:\n    y = f'{{get(2)}}'\n")
    assert "$value" not in {**space, **vars(space["C"])}
