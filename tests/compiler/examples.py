"""The examples of the rule tests as data, for `mutants.py`: projects, and what is asserted."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from itertools import chain
from typing import Any

from tests.compiler import test_catalogue_flow as of_flow
from tests.compiler import test_catalogue_names as of_names
from tests.compiler import test_missing_await as of_await
from tests.compiler import test_rule_edges as of_edges
from tests.compiler.test_golden import CASES, HERE
from wfc.analyse.checks import rules

__all__ = ["Example", "Level", "examples"]


class Level(Enum):
    """How much of the findings the tests of an example assert."""

    CODES = auto()
    LINES = auto()
    WHOLE = auto()


@dataclass(frozen=True)
class Example:
    """A project; `code` is the rule it is for, `codes` what the tests expect, if that is known."""

    code: str
    files: Mapping[str, str]
    level: Level = Level.CODES
    codes: tuple[str, ...] = ()


def examples() -> Iterator[Example]:
    """All examples, those of the rules themselves first."""
    return chain(_rules(), _flow(), _names(), _others(), _edges(), _golden())


def _one(code: str, text: str, level: Level = Level.CODES) -> Example:
    return Example(code, {"flows.py": text}, level)


def _parameters(test: Any) -> list[Any]:
    """What a test is parametrised with, without the marks of pytest."""
    (mark,) = [m for m in test.pytestmark if m.name == "parametrize"]
    return [getattr(value, "values", value) for value in mark.args[1]]


def _rules() -> Iterator[Example]:
    for code, rule in rules().items():
        for side, codes in ((rule.bad, (code,)), (rule.good, ())):
            files = {"flows.py": side} if isinstance(side, str) else side
            yield Example(code, files, Level.WHOLE, codes)


def _flow() -> Iterator[Example]:
    def whole(text: str) -> str:
        return of_flow.PREFIX + text.replace("async def main(", of_flow.DEFINED, 1)

    for code, _, bad, good in of_flow.MISTAKES:
        yield _one(code, whole(bad))
        yield _one(code, whole(good))
    for _, _, text in of_flow.NO_MISTAKE:
        yield _one("", whole(text))
    if sys.version_info >= (3, 12):
        for text, _ in _parameters(of_flow.test_syntax_of_a_later_python):
            files = {"pyproject.toml": of_flow.RANGE, "flows.py": text + of_flow.SMALL}
            yield Example("WF810", files)


def _names() -> Iterator[Example]:
    module = of_names.module
    for code, bad, good in of_names.CATALOGUE:
        yield _one(code, module(bad))
        yield _one(code, module(good))
    for table in (of_names.EMULATED, of_names.FORMS, of_names.SHADOWED):
        for text in table.values():
            yield _one("", module(text))
    yield Example("WF302", {"flows.py": of_names.FLOOD}, Level.LINES)
    for body, _ in _parameters(of_names.test_passthrough_lets_in_what_it_names):
        yield Example("WF702", {"pyproject.toml": of_names.PASSING, "flows.py": module(body)})


def _others() -> Iterator[Example]:
    for body in (*of_await.FORGOTTEN.values(), *of_await.FINE.values()):
        yield _one("WF506", of_await.START + textwrap.indent(body, "    ") + "\n")


def _edges() -> Iterator[Example]:
    for text in of_edges.EDGES.values():
        files = of_edges.files_of(text)
        codes = tuple(sorted({code for _, _, code in of_edges.expected_of(files)}))
        yield Example(codes[0] if codes else "", files, Level.WHOLE, codes)


def _golden() -> Iterator[Example]:
    folders = [HERE / "cases" / name for name in CASES]
    for case in [*folders, *sorted((HERE / "errors").iterdir())]:
        files = {
            path.relative_to(case).as_posix(): path.read_text("utf-8")
            for path in sorted(case.rglob("*"))
            if path.is_file() and not path.relative_to(case).parts[0].startswith("expected")
        }
        shown = (case / "expected.txt").exists()
        yield Example("", files, Level.WHOLE if shown else Level.CODES)
