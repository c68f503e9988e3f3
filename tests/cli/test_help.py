"""What `--help` says of every command: whole sentences, and something about each option."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from wfc.cli import main


def commands(group: click.Group, words: str = "wfc") -> Iterator[tuple[str, click.Command]]:
    """Every command with the words that call it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield f"{words} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{words} {name}")


ALL = dict(commands(main))


@pytest.mark.parametrize("words", ALL)
def test_every_command_and_option_is_explained(words: str) -> None:
    """No option without a word about it, and no line of a list that ends in the middle."""
    command = ALL[words]
    assert command.help
    if " " in words.removeprefix("wfc "):  # those of `wfc` itself are in a table
        assert not command.get_short_help_str(60).endswith("...")
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, option.name


def test_the_package_can_be_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`python -m wfc` is `wfc`, and calls itself that way."""
    monkeypatch.setattr(sys, "argv", ["wfc", "--help"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("wfc", run_name="__main__")
    assert not ended.value.code
    usage, *rest = capsys.readouterr().out.splitlines()
    assert usage.startswith("Usage: python -m wfc [OPTIONS] COMMAND")
    assert rest == CliRunner().invoke(main, ["--help"]).output.splitlines()[1:]
