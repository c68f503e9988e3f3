"""Results that cannot be recorded, seen in what is returned where no annotation says it."""

from __future__ import annotations

from pathlib import Path

import pytest

import wfc
from tests.compiler.projects import write_project
from wfc.diagnostics import Diagnostic

TEXT = """\
import sqlite3
import threading
from dataclasses import dataclass
from workflow import step_options


class Plain:
    def __init__(self, a):
        self.a = a


@dataclass
class Order:
    id: str


@dataclass
class Guarded:
    lock: threading.Lock


def jsoned(function):
    return function


{decorator}async def work(x: str):
    "use {kind}"
    {body}


async def main(x: str):
    "use workflow"
    await {name}(x)
"""


def found(
    root: Path, body: str, kind: str = "workflow", decorator: str = ""
) -> tuple[Diagnostic, ...]:
    name = "work" if kind == "step" else "print"
    text = TEXT.format(body=body, kind=kind, decorator=decorator, name=name)
    text = text.replace("await print(x)", "print(x)")
    result = wfc.build(write_project(root, text), write=False, cache=False)
    return tuple(d for d in result.diagnostics if d.code == "WF902")


@pytest.mark.parametrize("kind", ["workflow", "step"])
@pytest.mark.parametrize(
    ("value", "part", "words"),
    [
        ("(i for i in [1, 2])", "(i for i in [1, 2])", "it is a generator, which is gone"),
        ("Plain(x)", "Plain(x)", "it is Plain, a class that says nothing about its data"),
        ('{1: object(), "f": 2}', "object()", "it is object, which holds nothing"),
        ('[{"f": (1, lambda: 1)}]', "lambda: 1", "it is a lambda, which is code"),
        ("None if x else map(str, [1])", "map(str, [1])", "it is map, an iterator"),
        ("Guarded(None)", "Guarded(None)", "its lock is"),
    ],
)
def test_what_is_returned_is_looked_at(
    tmp_path: Path, kind: str, value: str, part: str, words: str
) -> None:
    """Generators, lambdas, plain classes and object(), also inside of lists and dictionaries."""
    (one,) = found(tmp_path, f"return {value}", kind)
    assert words in one.message
    start, end = one.span.column - 1, one.span.end_column - 1
    assert one.source_line[start:end] == part


@pytest.mark.parametrize(
    "body",
    [
        "return Order(x)",
        'return [Order(x), {"a": x}, (1, 2.5, None)]',
        "return [i for i in (1, 2)]",
        "return sum(i for i in (1, 2))",
        "Plain = list; return Plain(x)",
        "def inner(): return lambda: 1\n    return inner()()",
        "return sorted([1], key=lambda i: -i)",
        "return Order",
    ],
)
def test_data_is_left_alone(tmp_path: Path, body: str) -> None:
    """What can be recorded, and what is not the result, gives no finding."""
    assert not found(tmp_path, body)


def test_a_decorator_may_change_the_result(tmp_path: Path) -> None:
    """A step with a decorator of the project returns what that makes of the value."""
    assert not found(tmp_path, "return Plain(x)", "step", "@jsoned\n")
    assert found(tmp_path, "return Plain(x)", "step", "@step_options(max_retries=1)\n")
