"""The line that says what a command is at: on terminals only, and gone in the end."""

from __future__ import annotations

import io
import threading
from pathlib import Path

import pytest

import wfc
from tests.compiler.projects import write_project
from wfc.builder import Builder
from wfc.cli.status import Status

PATIENCE = 60.0  # seconds; only ever used up by a broken test


class Terminal(io.StringIO):
    """Takes what is written to a terminal, and knows when it has been."""

    def __init__(self, *, is_terminal: bool = True) -> None:
        super().__init__()
        self.written = threading.Event()
        self.is_terminal = is_terminal

    def isatty(self) -> bool:
        return self.is_terminal

    def flush(self) -> None:
        self.written.set()


def test_the_words_are_shown_and_erased(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line is no longer than the terminal, and nothing of it stays."""
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "20")
    with Status("wfc build", after=0.0) as status:
        status.say("looked at 12,000 files")
        assert terminal.written.wait(PATIENCE)
    shown, after = terminal.getvalue().split("\r\x1b[K")[-2:]
    assert shown == "wfc build: looked a"
    assert after == ""


@pytest.mark.parametrize(("is_terminal", "term"), [(False, "xterm"), (True, "dumb")])
def test_nothing_is_written_elsewhere(
    is_terminal: bool, term: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither into files and pipes nor to a terminal that cannot erase."""
    terminal = Terminal(is_terminal=is_terminal)
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", term)
    with Status("wfc build", after=0.0) as status:
        status.say("compiling 2 files")
        assert status._thread is None
    assert terminal.getvalue() == ""


def test_a_build_says_what_it_is_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many files were looked at, every so often, and how many are compiled."""
    monkeypatch.setattr("wfc.discover._TOLD", 2)
    flow = 'async def main() -> None:\n    "use workflow"\n'
    files = {f"plain_{n}.py": "" for n in range(4)}
    said: list[str] = []
    builder = Builder(
        working_dir=write_project(tmp_path, {"flows.py": flow, **files}), progress=said.append
    )
    result = builder.build()
    assert isinstance(result, wfc.BuildResult)
    assert said == ["looked at 2 files", "looked at 4 files", "compiling 1 file"]
