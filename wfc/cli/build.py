"""`wfc build`: exit status 0 built, 1 errors found or stale with --check, 2 wrong use."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import click

from wfc.compiler import BuildResult
from wfc.compiler import build as build_project
from wfc.project import ProjectError
from wfc.render.text import summary

__all__ = ["build"]

_EMPTY = """\
No workflows found in {root}.
Mark a function as a workflow, and the functions that do its work as steps:

    async def send_mail(email: str) -> None:
        "use step"
        ...

    async def sign_up(email: str) -> None:
        "use workflow"
        await send_mail(email)
"""


@click.command()
@click.option("--root", default=".", show_default=True, help="The folder of the project.")
@click.option("--check", is_flag=True, help="Write nothing; fail if the generated files are stale.")
@click.option(
    "--output-format",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="How findings are printed.",
)
@click.option("--no-cache", is_flag=True, help="Neither read nor fill .workflow-cache/.")
def build(root: str, check: bool, output_format: str, no_cache: bool) -> None:
    """Compile the workflows of a project into its generated/ folder."""
    try:
        result = build_project(Path(root), write=not check, cache=not no_cache)
    except ProjectError as error:
        click.echo(f"wfc build: {error}", err=True)
        raise SystemExit(2) from None
    _report(result, output_format)
    if not result.ok:
        raise SystemExit(1)
    if result.bundle is None:
        click.echo(_EMPTY.format(root=Path(root).resolve().name or root), err=True, nl=False)
        raise SystemExit(1)
    if check and result.stale:
        _report_stale(result, output_format)
        raise SystemExit(1)
    if output_format == "text":
        _report_built(result, check)


def _report(result: BuildResult, output_format: str) -> None:
    render = import_module(f"wfc.render.{output_format}").render_all
    text = render(result.diagnostics)
    click.echo(text, nl=False)
    if text and output_format == "text":
        click.echo(f"\n{summary(result.diagnostics)}")


def _report_stale(result: BuildResult, output_format: str) -> None:
    if output_format == "github":
        from wfc.render.github import stale

        click.echo(stale(f"{result.project.generated}/{p}" for p in result.stale), nl=False)
    click.echo("These generated files are stale; run `wfc build`:", err=True)
    for path in result.stale:
        click.echo(f"  {result.project.generated}/{path}", err=True)


def _report_built(result: BuildResult, check: bool) -> None:
    assert result.bundle is not None
    workflows = result.manifest["workflows"]
    width = max((len(w["qualname"]) for w in workflows.values()), default=0)
    for entry in workflows.values():
        where = f"{entry['path']}:{entry['line']}"
        click.echo(
            f"  {entry['qualname']:<{width}}  {_count(len(entry['steps']), 'step')}  {where}"
        )
    counts = (
        f"{_count(len(workflows), 'workflow')}, {_count(len(result.manifest['steps']), 'step')}"
    )
    verb = "checked" if check else "built"
    short = result.bundle.hash[:8]
    click.echo(f"{verb} {counts} -> {result.project.generated}/ (bundle {short})")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
