"""Findings as text: the caret stands under what is meant, in lines of any length and script."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import wfc
from tests.compiler.projects import write_project
from wfc.cli import main
from wfc.diagnostics import Diagnostic, Note, Severity, Span
from wfc.render import concise, github
from wfc.render.cells import visible
from wfc.render.text import render


def frame(line: str, marked: str) -> tuple[str, str]:
    """The source line and the line under it, for a finding at `marked`."""
    column = line.index(marked) + 1
    span = Span(3, column, 3, column + len(marked))
    shown = render(Diagnostic("X", "x", Severity.ERROR, "a.py", span, line, "Why.", "What."))
    _, source, under, *_ = shown.split("\n")
    return source.removeprefix("    3 | "), under.removeprefix("      | ")


def columns(text: str) -> int:
    """The columns of a terminal that some of the characters of these tests take."""
    return sum({"日": 2, "\u0301": 0, "👩": 2, "👧": 0, "\u200d": 0}.get(c, 1) for c in text) - (
        2 * text.count("\u200d👩")
    )


@pytest.mark.parametrize(
    ("before", "cells"),
    [
        ("x = ", 4),
        ("'日本' + ", 9),
        ("'e\u0301' + ", 6),
        ("'👩\u200d👩\u200d👧' + ", 7),
        ("'👍🏽' + ", 7),
        ("'❤\ufe0f' + ", 6),
        ("'🇩🇪' + ", 7),
        ("'\u1112\u1161\u11ab' + ", 7),
        ("'가' + ", 7),
        ("'ﾊﾟ' + ", 7),
    ],
)
def test_caret_counts_columns_of_a_terminal(before: str, cells: int) -> None:
    """Wide characters take two columns, combining ones none, joined emoji as much as one."""
    assert frame(before + "open()", "open") == (before + "open()", " " * cells + "^^^^")


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("\topen()", "    open()"),
        ("a\topen()", "a   open()"),
        ("日\t\topen()", "日      open()"),
        ("\x0copen()", "␌open()"),
        ("'\x1b[31m\x07\x7f' + open()", "'␛[31m␇␡' + open()"),
        ("'\x9b' + open()", "'<U+009B>' + open()"),
        ("'\u202e\u2066\u200f' + open()", "'<U+202E><U+2066><U+200F>' + open()"),
        ("'a\u200db\u200b\ufeff' + open()", "'a<U+200D>b<U+200B><U+FEFF>' + open()"),
        ("'\u2028\xad\ue000' + open()", "'<U+2028><U+00AD><U+E000>' + open()"),
    ],
)
def test_nothing_that_a_terminal_obeys_is_printed(line: str, shown: str) -> None:
    """Tabs become blanks, control and invisible characters symbols, and the caret stays right."""
    source, under = frame(line, "open")
    assert source == shown
    wide = sum(char == "日" for char in source)
    assert under == " " * (source.index("open") + wide) + "^^^^"


def test_messages_and_paths_are_made_visible_too() -> None:
    """Text of the user that is quoted in a message, a note or a path cannot move the cursor."""
    span = Span(1, 1, 1, 2)
    note = Note("b\x1b[2J.py", 1, "used\x1b[2J\u202e here")
    d = Diagnostic("X", "x", Severity.ERROR, "a\n\x1b[2J.py", span, "", "\x1b\r", "\ud800", (note,))
    for text in (render(d), concise.render_all([d]), github.render_all([d])):
        assert not set(text.replace("\n", "")) & {"\x1b", "\r", "\u202e", "\ud800"}
        assert text.encode("utf-8")
    assert visible("a\tb\nc") == "a b c"


def test_marked_tabs_and_ends_of_lines_have_a_caret() -> None:
    """A marked tab is as wide as it is shown, and a place behind the line has one caret."""
    assert frame("x\t= 1", "\t=") == ("x   = 1", " ^^^^")
    d = Diagnostic("X", "x", Severity.ERROR, "a.py", Span(3, 9, 3, 12), "x = (", "Why.", "What.")
    assert render(d).split("\n")[2] == "      |      ^"


def test_place_over_several_lines_says_to_where() -> None:
    """The first line is marked to its end, and the last line has its number beside."""
    d = Diagnostic("X", "x", Severity.ERROR, "a.py", Span(3, 5, 6, 2), "x = f(", "Why.", "What.")
    assert render(d).split("\n")[1:3] == ["    3 | x = f(", "      |     ^^ to line 6"]


def test_multi_line_call_is_marked_to_its_end(tmp_path: Path) -> None:
    """A finding about an expression over several lines has its true end."""
    text = """\
async def step(a: str) -> None:
    "use step"


async def main(a: str) -> None:
    "use workflow"
    step(
        a,
    )
"""
    (found,) = wfc.build(write_project(tmp_path, text), write=False, cache=False).diagnostics
    assert found.span == Span(7, 5, 9, 6)


def noted(*notes: Note) -> list[str]:
    span = Span(9, 5, 9, 9)
    d = Diagnostic(
        "X", "x", Severity.ERROR, "a.py", span, "    open()", "Why.", "What.", tuple(notes)
    )
    return render(d).split("\n")


def test_notes_of_the_same_file_share_the_frame() -> None:
    """Places of the same file stand in one frame in the order of the file, gaps with a dot row."""
    shown = noted(
        Note("a.py", 10, "and this", Span(10, 1, 10, 2), "f()"),
        Note("a.py", 1, "imported here", Span(1, 1, 1, 10), "import os"),
        Note("a.py", 9, "called here", Span(9, 9, 9, 11), "    open()"),
    )
    assert shown[1:-4] == [
        "    1 | import os",
        "      | --------- imported here",
        "    …",
        "    9 |     open()",
        "      |     ^^^^",
        "      |         -- called here",
        "   10 | f()",
        "      | - and this",
    ]


def test_notes_of_other_files_have_frames_of_their_own() -> None:
    """Places of another file follow the text, those in a row in one frame; without a span it is a
    line."""
    shown = noted(
        Note("b.py", 4, "uses it", Span(4, 1, 4, 5), "main()"),
        Note("b.py", 5, "too", Span(5, 1, 5, 5), "more()"),
        Note("c.py", 7, "the other definition"),
    )
    assert shown[3:] == [
        "Why.",
        "What.",
        "  b.py:4",
        "    4 | main()",
        "      | ---- uses it",
        "    5 | more()",
        "      | ---- too",
        "  c.py:7  the other definition",
        "X, more with `wfc explain X`",
        "",
    ]


def test_color_adds_escapes_and_nothing_else() -> None:
    """With colour the same text is printed, and the carets have the colour of the severity."""
    d = Diagnostic("X", "x", Severity.WARNING, "a.py", Span(1, 1, 1, 2), "f()", "Why.", "What.")
    colored = render(d, color=True)
    assert "\x1b[1;33m^\x1b[0m" in colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == render(d)


@pytest.mark.parametrize("before", [0, 50, 500])
@pytest.mark.parametrize("after", [0, 500])
def test_long_line_is_shown_around_the_caret(before: int, after: int) -> None:
    """Of a line that does not fit, the part around the place is shown, with the caret under it."""
    source, under = frame("a" * before + "open" + "b" * after, "open")
    assert len(source) <= 164
    assert source[under.index("^") : under.index("^") + 4] == "open"
    assert under.strip() == "^^^^"


@given(st.text(max_size=400), st.integers(1, 420), st.integers(0, 300), st.integers(0, 2))
def test_any_line_and_any_place_can_be_shown(
    text: str, column: int, length: int, more_lines: int
) -> None:
    """Whatever the line holds and wherever the place is, every line of the frame is bounded,
    printable, and can be encoded, and the mark does not stand behind what is shown."""
    line = re.sub(r"[\r\n]", "", text)
    span = Span(3, column, 3 + more_lines, column + length)
    d = Diagnostic("X", "x", Severity.ERROR, "a.py", span, line, "Why.", "What.")
    shown = render(d).split("\n")[1:-4]
    for row in shown:
        assert row.encode("utf-8")
        assert len(row) <= 8 + 145 + sum(unicodedata.category(c) in ("Mn", "Me", "Cf") for c in row)
        assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in row)
    assert bool(shown) == bool(line.strip())


@pytest.mark.parametrize("char", ["日", "e\u0301", "👩\u200d👩\u200d👧", "\t", "\u202e"])
def test_long_line_of_odd_characters_is_cut_between_them(char: str) -> None:
    """Columns are counted, not characters, and nothing is cut in half."""
    source, under = frame(char * 300 + "open()" + char * 300 + ".", "open")
    left = len(under) - len(under.lstrip())
    assert under.strip() == "^^^^"
    assert columns(source[: source.index("open")]) == left
    assert columns(source) <= 144
    assert source.startswith("… ")
    assert source.endswith(" …")


def test_mark_wider_than_the_window_ends_with_it() -> None:
    """Where the marked part itself is too long, the carets stop where the line is cut."""
    source, under = frame("x = " + "a" * 500, "a" * 500)
    assert source.endswith("a …")
    assert under == "    " + "^" * (len(source) - len("x = ") - len(" …"))


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
