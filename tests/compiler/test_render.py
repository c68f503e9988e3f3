"""Findings as text: the caret stands under what is meant, in lines of any length and script."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

import wfc
from tests.compiler.projects import write_project
from wfc.cli import main
from wfc.diagnostics import Diagnostic, Severity, Span
from wfc.render.text import render


def frame(line: str, marked: str) -> tuple[str, str]:
    """The source line and the line under it, for a finding at `marked`."""
    column = line.index(marked) + 1
    span = Span(3, column, 3, column + len(marked))
    shown = render(Diagnostic("X", "x", Severity.ERROR, "a.py", span, line, "Why.", "What."))
    _, source, under, *_ = shown.split("\n")
    return source.removeprefix("    3 | "), under.removeprefix("      | ")


@pytest.mark.parametrize(
    ("before", "cells"),
    [
        ("x = ", 4),
        ("'日本' + ", 9),
        ("'e\u0301' + ", 6),
        ("'👩\u200d👩\u200d👧' + ", 7),
        ("'👍🏽' + ", 7),
        ("'❤\ufe0f' + ", 6),
    ],
)
def test_caret_counts_columns_of_a_terminal(before: str, cells: int) -> None:
    """Wide characters take two columns, combining ones none, joined emoji as much as one."""
    assert frame(before + "open()", "open") == (before + "open()", " " * cells + "^^^^")


@pytest.mark.parametrize("before", [0, 50, 500])
@pytest.mark.parametrize("after", [0, 500])
def test_long_line_is_shown_around_the_caret(before: int, after: int) -> None:
    """Of a line that does not fit, the part around the place is shown, with the caret under it."""
    source, under = frame("a" * before + "open" + "b" * after, "open")
    assert len(source) <= 164
    assert source[under.index("^") : under.index("^") + 4] == "open"
    assert under.strip() == "^^^^"


def test_file_in_another_encoding_is_not_a_syntax_error(tmp_path: Path) -> None:
    """The finding names the byte and its line, and asks for UTF-8, not for other syntax."""
    (tmp_path / "flows.py").write_bytes(b'"use workflow"\n# caf\xe9\n')
    (found,) = wfc.build(tmp_path, write=False, cache=False).diagnostics
    assert (found.code, found.span.line) == ("WF012", 2)
    assert "byte 0xe9 in line 2 is not UTF-8" in found.message
    assert found.fix.startswith("Save the file as UTF-8")


def test_declared_encoding_is_read(tmp_path: Path) -> None:
    """A file that names its encoding builds."""
    (tmp_path / "flows.py").write_bytes(
        b'# -*- coding: latin-1 -*-\nasync def main() -> str:\n    "use workflow"\n'
        b'    return "caf\xe9"\n'
    )
    result = wfc.build(tmp_path, write=False, cache=False)
    assert result.ok
    assert "café" in result.files["workflows/flows.py"]


def test_empty_project_and_stale_files_are_named(tmp_path: Path) -> None:
    """The folder has its name even where it was given as `.`, and stale files are annotations."""
    runner = CliRunner()
    root = write_project(tmp_path / "shop", "x = 1\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        assert "No workflows found in shop." in runner.invoke(main, ["build"]).output
    write_project(root, 'async def run() -> None:\n    "use workflow"\n')
    found = runner.invoke(main, ["build", "--root", str(root), "--check", "--output-format=github"])
    assert found.exit_code == 1
    assert "::error file=generated/flow.py,title=stale::" in found.output
