"""`wfc` where its output goes nowhere: closed, full, gone, or interrupted."""

from __future__ import annotations

import errno
import sys

import click
import pytest
from click.testing import CliRunner

import wfc.cli
from wfc.cli import main
from workflow.engine import settings


class Full:
    """A file on a disk without room."""

    def __init__(self, number: int) -> None:
        self.number = number

    def write(self, text: str) -> int:
        raise OSError(self.number, "No space left on device")

    def flush(self) -> None:
        """Nothing was written."""


def test_closed_streams_are_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a service manager may start it: Python then has no stdout at all."""
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    with pytest.raises(SystemExit) as ended:
        main(["explain", "WF702"])
    assert ended.value.code == 0


def test_a_full_disk_is_an_error_of_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 2, and what the system says."""
    monkeypatch.setattr(sys, "stdout", Full(errno.ENOSPC))
    with pytest.raises(SystemExit) as ended:
        main(["explain", "WF702"])
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        "Error: the output cannot be written: No space left on device\n"
    )


def test_an_interrupt_has_its_own_status(monkeypatch: pytest.MonkeyPatch) -> None:
    """130, so that nobody takes it for findings."""

    @click.command()
    def slow() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(wfc.cli, "slow", slow, raising=False)
    entries = {**wfc.cli.COMMANDS, "slow": wfc.cli._Entry("wfc.cli:slow", "")}
    monkeypatch.setattr(wfc.cli, "COMMANDS", entries)
    done = CliRunner().invoke(main, ["slow"])
    assert done.exit_code == 130
    assert done.stderr == "\ninterrupted\n"


def test_a_misspelt_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """On stderr, so that what programs read stays as it is."""
    monkeypatch.setattr(settings, "_told", set())
    done = CliRunner().invoke(main, ["explain", "WF702"], env={"WORKFLOW_WORLD": "postgres"})
    assert done.exit_code == 0
    assert done.stderr == (
        "note: the environment variable WORKFLOW_WORLD means nothing here; "
        "did you mean WORKFLOW_TARGET_WORLD?\n"
    )
    assert done.stdout.startswith("WF702")
