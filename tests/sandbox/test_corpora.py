"""The two corpora: what workflow code may be written in, and what it must not get away with.

An attack counts as refused when `check` finds a problem in it (expected "compile"), or when to
execute it, its `main()` included, raises one of `REFUSALS` (expected "run"). Running to the end is
a leak, whatever came out; so is any other exception, because then nobody meant to refuse it. Those
that run into a limit, fail, or end with nothing gained are in `test_harmless.py`.

An accepted snippet is run in plain Python as well, and has to give the same there.
"""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox import harmless
from tests.sandbox.natively import run_natively
from tests.sandbox.snippets import run_snippet
from workflow.errors import SandboxError
from workflow.sandbox import check

HERE = Path(__file__).parent
REFUSALS = (SandboxError, ImportError, AttributeError, NameError, TypeError, AssertionError)


def corpus(name: str) -> list[Any]:
    """The cases of a corpus as pytest parameters."""
    cases = json.loads((HERE / name).read_text(encoding="utf-8"))
    return [pytest.param(case, id=case["id"]) for case in cases]


@pytest.mark.fault("F41")
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@pytest.mark.parametrize(
    "case", [case for case in corpus("attacks.json") if case.id not in harmless.CASES]
)
def test_an_attack_is_refused(case: dict[str, Any]) -> None:
    """Every attack is refused at the stage it is expected to be."""
    if tuple(case.get("min_python", ())) > sys.version_info[:2]:
        pytest.skip(f"syntax of Python {case['min_python']}")
    problems = check(case["source"], "attack.py")
    if case["expected"] == "compile":
        assert problems
        return
    assert problems == []
    try:
        with pytest.raises((*REFUSALS, ExceptionGroup)) as caught:
            run_snippet(case["source"])
        error = caught.value
        if isinstance(error, ExceptionGroup):
            assert error.subgroup(REFUSALS) is not None
    finally:
        gc.collect()  # coroutines an attack leaves behind complain here and not in the next test


@pytest.mark.parametrize("case", corpus("accept.json"))
def test_ordinary_code_runs(case: dict[str, Any]) -> None:
    """Ordinary orchestration code gives in the sandbox what it gives in Python."""
    if tuple(case["min_python"]) > sys.version_info[:2]:
        pytest.skip(f"syntax of Python {case['min_python']}")
    assert check(case["source"], "case.py") == []
    ours = run_snippet(case["source"])
    if "only_here" in case:  # the reason why Python itself does not give this
        assert ours is True
        return
    native = run_natively(case["source"])
    assert native, "the snippet shows nothing"
    assert (type(ours), repr(ours)) == (type(native), repr(native))


def test_the_corpora_are_large_and_distinct() -> None:
    """At least 1,000 attacks and 400 accepted snippets, none of them twice."""
    for name, least in (("attacks.json", 1000), ("accept.json", 400)):
        cases = json.loads((HERE / name).read_text(encoding="utf-8"))
        assert len({case["id"] for case in cases}) == len(cases) >= least
        assert len({case["source"] for case in cases}) == len(cases)
