"""The `wfc` command. Each command is a module of this package and is imported when it is
called."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import click

from wfc import __version__

__all__ = ["main"]


class _Entry(NamedTuple):
    """Where a command is, and its line in the help, so that the help need not import it."""

    place: str
    help: str


COMMANDS: Mapping[str, _Entry] = {
    "answer": _Entry("wfc.cli.answer:answer", "Answer the pending action of a run."),
    "backup": _Entry("wfc.cli.backup:backup", "Copy the database of the local world."),
    "build": _Entry("wfc.cli.build:build", "Compile the workflows of a project."),
    "cancel": _Entry("wfc.cli.cancel:cancel", "Ask runs to stop."),
    "check": _Entry("wfc.cli.check:check", "Say what a build means for the open runs."),
    "explain": _Entry("wfc.cli.explain:explain", "Explain the code of a finding."),
    "graph": _Entry("wfc.cli.graph:graph", "Draw the flow of a workflow."),
    "health": _Entry("wfc.cli.health:health", "Say whether world and workers are there."),
    "inspect": _Entry("wfc.cli.inspect:inspect", "Show runs, steps, events, hooks and waits."),
    "prune": _Entry("wfc.cli.prune:prune", "Delete old runs, and code without runs."),
    "resume": _Entry("wfc.cli.resume:resume", "Let a parked run go on."),
    "run": _Entry("wfc.cli.run:run", "Run one workflow here and print its result."),
    "start": _Entry("wfc.cli.start:start", "Start a run for the workers."),
    "transform": _Entry("wfc.cli.transform:transform", "Print what one file is compiled to."),
    "world": _Entry("wfc.cli.world:world", "Set up PostgreSQL."),
    "worker": _Entry("wfc.cli.worker:worker", "Run a worker process."),
}


# What writing to a full disk, or to a terminal that is gone, gives.
_UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


class _Nowhere(io.TextIOBase):
    """Takes text and forgets it."""

    def write(self, text: str) -> int:
        return len(text)


class _Lazy(click.Group):
    """A group whose commands come from the table above."""

    def main(self, *args: Any, **options: Any) -> Any:
        for stream in ("stdout", "stderr"):
            if getattr(sys, stream) is None:  # closed, as in `wfc worker >&-`
                setattr(sys, stream, _Nowhere())
        return super().main(*args, **options)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("\ninterrupted", err=True)
            raise SystemExit(130) from None
        except OSError as error:
            if error.errno not in _UNWRITABLE or error.filename is not None:
                raise
            sys.stdout = _Nowhere()  # what is left cannot be written either
            click.echo(f"Error: the output cannot be written: {error.strerror}", err=True)
            raise SystemExit(2) from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].place.partition(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            close = get_close_matches(args[0], COMMANDS, 1)
            hint = f"did you mean {close[0]}?" if close else "there are " + ", ".join(COMMANDS)
            ctx.fail(f"there is no command {args[0]}; {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].help) for name in sorted(COMMANDS)])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="wfc")
def main() -> None:
    """Durable workflows in plain async Python: compile, run and look at them."""
    from workflow.policy.variables import misspelt

    if misspelt(os.environ):
        from workflow.engine.settings import slips

        for slip in slips(os.environ):
            click.echo(f"note: {slip}", err=True)
