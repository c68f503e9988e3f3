"""docs/conformance.md, generated: which scenario is shown by which test, and on which worlds.

    python -m tests.scenarios.page          run the tests the page names, and write the page
    python -m tests.scenarios.page --check  only say whether the page has all scenarios and tests

A test shows a scenario by the mark `@pytest.mark.scenario("name", …)`, wherever it stands below
`tests/`. What does not apply is in `catalogue.py`, with the reason.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.marks import marked
from tests.scenarios.catalogue import SECTIONS

__all__ = ["PAGE", "Results", "problems", "rows"]

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "conformance.md"
HEAD = """\
# Scenarios

<!-- Written by `python -m tests.scenarios.page`, which runs the tests it names. -->

What implementations of directive-based workflows are commonly tested with, and the tests here that
show the behaviour. Those of `scenarios/` go through `wfc build` and a server of their own on each
world. "Not yet" is a promise of nothing; "does not apply" and "differs" have their reasons.

| result | scenarios |
|---|---|
"""
WORLDS = ("memory", "local", "postgres")


def problems(tests: dict[str, list[str]]) -> list[str]:
    """What keeps the page from being complete."""
    listed = {name: reason for rows in SECTIONS.values() for name, reason in rows.items()}
    return [
        *(f"{name}: a test shows it, and the catalogue lacks it" for name in tests.keys() - listed),
        *(
            f"{name}: has neither a test nor a reason"
            for name, reason in listed.items()
            if name not in tests and not reason
        ),
    ]


class Results:
    """Collects how tests went, and on which worlds."""

    def __init__(self) -> None:
        self.passed: dict[str, set[str]] = defaultdict(set)
        self.failed: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Called by pytest for each phase of each test."""
        node, _, parameters = report.nodeid.removeprefix("tests/").partition("[")
        if report.failed:
            self.failed.add(node)
        elif report.when == "call" and report.passed:
            self.passed[node] |= {w for w in WORLDS if w in parameters.rstrip("]").split("-")}


def rows(tests: dict[str, list[str]], results: Results | None) -> Iterator[tuple[str, str, str]]:
    """Section, scenario, and what the page says about it."""
    for section, names in SECTIONS.items():
        for name, reason in names.items():
            said = [reason] if reason else []
            for test in tests.get(name, ()):
                if results is None:
                    said.append(f"`{test}`")
                    continue
                if test in results.failed or test not in results.passed:
                    said.append(f"FAILS: `{test}`")
                    continue
                worlds = [world for world in WORLDS if world in results.passed[test]]
                said.append(f"passes{' on ' + ', '.join(worlds) if worlds else ''}: `{test}`")
            yield section, name, "; ".join(said)


def main(arguments: list[str]) -> int:
    """Write the page, or check that it can be written."""
    tests = marked("scenario")
    wrong = problems(tests)
    if wrong or "--check" in arguments:
        print("\n".join(wrong))
        return int(bool(wrong))
    results = Results()
    nodes = sorted({f"tests/{test}" for names in tests.values() for test in names})
    pytest.main([*nodes, "-q", "-p", "no:cacheprovider"], plugins=[results])
    text, before, counts = "", "", defaultdict[str, int](int)
    for section, name, said in rows(tests, results):
        if section != before:
            text += f"\n## {section}\n\n| scenario | result |\n|---|---|\n"
            before = section
        text += f"| {name} | {said} |\n"
        counts[said.partition(":")[0].partition(" on ")[0].partition(",")[0]] += 1
    summary = "".join(f"| {kind} | {count} |\n" for kind, count in sorted(counts.items()))
    PAGE.write_text(HEAD + summary + text, "utf-8")
    return int(bool(results.failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
