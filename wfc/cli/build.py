"""`wfc build`. Exit status 0: built, and nothing to mend; 1: findings, nothing to build (neither
workflows nor steps), stale files with --check, changes with --diff; 2: wrong use. Warnings count
with --strict only."""

from __future__ import annotations

from pathlib import Path

import click

from wfc.builder import Builder, BuildResult
from wfc.cli.findings import COLORS, FORMATS, Printer
from wfc.cli.status import Status
from wfc.diagnostics import Severity
from wfc.discover import enclosing
from wfc.project import ProjectError

__all__ = ["build"]


@click.command()
@click.option("--root", default=".", show_default=True, help="The folder of the project.")
@click.option("--check", is_flag=True, help="Write nothing; fail if the generated files are stale.")
@click.option("--fix", is_flag=True, help="First make the safe edits that findings offer.")
@click.option("--diff", is_flag=True, help="Only print what --fix would change; 1 if anything.")
@click.option("--strict", is_flag=True, help="Fail for warnings, too.")
@click.option(
    "--output-format",
    type=click.Choice(FORMATS),
    default="full",
    show_default=True,
    help="How findings are printed; text is full.",
)
@click.option(
    "--color",
    type=click.Choice(COLORS),
    default="auto",
    show_default=True,
    help="auto: on a terminal, unless NO_COLOR is set.",
)
@click.option("--no-cache", is_flag=True, help="Neither read nor fill .workflow-cache/.")
@click.option("--watch", is_flag=True, help="Build again whenever a file changes, until Ctrl-C.")
def build(
    root: str,
    check: bool,
    fix: bool,
    diff: bool,
    strict: bool,
    output_format: str,
    color: str,
    no_cache: bool,
    watch: bool,
) -> None:
    """Compile the workflows of a project into its generated/ folder."""
    _refuse_contradictions(check, fix, diff, watch, output_format)
    printer = Printer(output_format, color, Path(root))
    if (around := enclosing(Path(root))) is not None:
        click.echo(
            f"note: this builds {Path(root).resolve()} alone, which lies in the project {around}. "
            "Ids of workflows begin at the folder of the build; `wfc build` there builds it all.",
            err=True,
        )
    written = True
    try:
        if watch:
            return _watch(Builder(working_dir=root, cache=not no_cache), printer)
        if diff:
            from wfc.cli.fixing import show_diff

            raise SystemExit(1 if show_diff(Path(root)) else 0)
        if fix:
            from wfc.cli.fixing import fix as fix_project

            written = fix_project(Path(root))
        with Status("wfc build") as status:
            result = Builder(
                working_dir=root, write=not check, cache=not no_cache, progress=status.say
            ).build()
    except ProjectError as error:
        printer.failure(error)
        raise SystemExit(2) from None
    printer.result(result, check)
    if not written or _fails(result, check, strict):
        raise SystemExit(1)
    return None


def _refuse_contradictions(
    check: bool, fix: bool, diff: bool, watch: bool, output_format: str
) -> None:
    if watch and check:
        raise click.UsageError("--watch writes and --check does not: choose one")
    if fix and check:
        raise click.UsageError("--fix writes and --check does not: choose one")
    if diff and (fix or watch):
        raise click.UsageError("--diff only shows what --fix would write: choose one")
    if fix and watch:
        raise click.UsageError("--fix changes files once: run it before --watch")
    if diff and output_format not in ("full", "text"):
        raise click.UsageError(f"--diff prints a diff and no findings as {output_format}")


def _fails(result: BuildResult, check: bool, strict: bool) -> bool:
    warned = any(d.severity is Severity.WARNING for d in result.diagnostics)
    return not result.files or (check and bool(result.stale)) or (strict and warned)


def _watch(builder: Builder, printer: Printer) -> None:
    from wfc.cli.watching import watch

    watch(builder, printer.result)
