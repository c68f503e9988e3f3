"""docs/faults.md, generated: what goes wrong, what follows, and the tests that show it.

    python -m tests.faults.page          write the page
    python -m tests.faults.page --check  only say what is wrong with it

A test shows a fault by the mark `@pytest.mark.fault("F7", …)`, wherever it stands below `tests/`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.faults.catalogue import SECTIONS
from tests.marks import marked

__all__ = ["PAGE", "problems", "text"]

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "faults.md"
HEAD = """\
# Faults

<!-- Written by `python -m tests.faults.page`. -->

What goes wrong around durable runs, what follows, and the tests that do it to real processes, a
real SQLite and a real PostgreSQL. The promises behind it are in [reliability.md](reliability.md).
The numbers are names of rows, here and in the tests; they say nothing about importance. Tests are
named as `file::test`, below `tests/`.
"""


def problems(tests: dict[str, list[str]]) -> list[str]:
    """What keeps the page from being complete."""
    listed = [name for rows in SECTIONS.values() for name in rows]
    return [
        *(f"{name}: a test shows it, and the catalogue lacks it" for name in tests.keys() - listed),
        *(f"{name}: no test shows it" for name in listed if name not in tests),
    ]


def text(tests: dict[str, list[str]]) -> str:
    """The page."""
    said = HEAD
    for section, rows in SECTIONS.items():
        said += (
            f"\n## {section}\n\n| | what goes wrong | what follows | tests |\n|---|---|---|---|\n"
        )
        for name, (fault, outcome, *left_out) in rows.items():
            shown = "<br>".join(f"`{test}`" for test in tests.get(name, ()))
            shown += "".join(f"<br>Not covered: {what}." for what in left_out)
            said += f"| {name} | {fault}. | {outcome} | {shown} |\n"
    return said


def main(arguments: list[str]) -> int:
    """Write the page, or check that it is what would be written."""
    tests = marked("fault")
    wrong = problems(tests)
    page = text(tests)
    if "--check" not in arguments:
        PAGE.write_text(page, "utf-8")
    elif PAGE.read_text("utf-8") != page:
        wrong.append("docs/faults.md is not current; run `python -m tests.faults.page`")
    print("\n".join(wrong))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
