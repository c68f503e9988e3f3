"""A warning in workflow code stays one, whatever the process was started with."""

from __future__ import annotations

import warnings
from typing import Any

from tests.sandbox.snippets import VirtualRun, run_snippet
from workflow.replay import warned
from workflow.sandbox import check

# `re` warns of a nested set, and the compiler of `is` with a literal.
NESTED = "import re\ndef main(): return re.findall('[[a]', 'a[')\n"
LITERAL = "def main(): return (1, 2) is 5\n"


def _filters() -> list[Any]:
    return list(warnings.filters)


def test_a_warning_of_a_library_does_not_raise_in_the_body() -> None:
    """With every warning an error, the body gets its result, and the filters are as before."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("error")
        before = _filters()
        assert run_snippet(NESTED) == ["a", "["]
        assert _filters() == before
    assert [each.category for each in seen] == [FutureWarning]


def test_a_warning_of_the_compiler_is_no_problem() -> None:
    """Source that the compiler warns of is admitted in a process where that would raise."""
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("error")
        assert check(LITERAL, "case.py") == []
        assert run_snippet(LITERAL) is False


def test_filters_that_raise_nothing_are_left_alone() -> None:
    """Without such a filter nothing is exchanged."""
    with warnings.catch_warnings():
        warnings.resetwarnings()
        warnings.simplefilter("ignore")
        assert not warned.begin()


def test_the_last_one_puts_the_filters_back() -> None:
    """Two turns at a time, of two threads, end in any order; filters added in between stay."""
    with warnings.catch_warnings():
        warnings.resetwarnings()
        warnings.simplefilter("error")
        before = _filters()
        assert warned.begin()
        assert warned.begin()
        warnings.filterwarnings("ignore", message="added in between")
        added = warnings.filters[0]
        warned.end()
        assert "error" not in [entry[0] for entry in warnings.filters]
        warned.end()
        assert _filters() == [added, *before]


def test_a_turn_inside_of_another_is_covered() -> None:
    """A loop that is entered inside of another's block exchanges nothing twice."""
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("error")
        before = _filters()
        outer, inner = VirtualRun(), VirtualRun()
        with outer.loop:
            with inner.loop:
                warnings.warn("from the inside", UserWarning, stacklevel=1)
            warnings.warn("from the outside", UserWarning, stacklevel=1)
        assert _filters() == before
