"""`wfc explain CODE`: the page of a rule, with its examples, or of an error of the runtime."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from wfc import runtime_errors
from wfc.analyse.checks import rules
from wfc.analyse.modules import suggest
from wfc.diagnostics import Rule
from wfc.render.pages import markdown, markdown_pages, page

__all__ = ["explain"]


@click.command()
@click.argument("code", required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown"]),
    default="text",
    show_default=True,
    help="How the page is printed.",
)
@click.option(
    "--write",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write all pages and their index as Markdown into this folder instead.",
)
def explain(code: str | None, form: str, folder: Path | None) -> None:
    """Explain a finding of the build, by code or name, such as WF701, or an error of the runtime,
    by its code, such as hook-conflict; without a code, list all of them."""
    table = rules()
    troubles = runtime_errors.troubles()
    if folder is not None:
        if code is not None or form != "text":
            raise click.UsageError("--write writes every page as Markdown: leave the rest out")
        _write(folder, markdown_pages(table))
    elif code is None:
        width = max(len(rule.name) for rule in table.values())
        for rule in table.values():
            title = " ".join(rule.page.strip().split("\n\n")[0].split())
            click.echo(f"{rule.code}  {rule.name:<{width}} {title}")
        width = max(map(len, troubles))
        for one in troubles.values():
            click.echo(f"{one.code:<{width}}  {one.title}")
    elif (trouble := _trouble(code)) is not None:
        shown = runtime_errors.text if form == "text" else runtime_errors.markdown
        click.echo(shown(trouble), nl=False)
    else:
        render = page if form == "text" else markdown
        click.echo(render(_find(table, code)), nl=False)


def _trouble(code: str) -> runtime_errors.Trouble | None:
    """The page of an error's code or class, in any case, unless it is that of a rule."""
    wanted = "-".join(code.split()).lower()
    troubles = runtime_errors.troubles()
    named = {one.raised.lower(): one for one in troubles.values() if one.raised}
    return troubles.get(wanted) or named.get(wanted)


def _find(table: Mapping[str, Rule], code: str) -> Rule:
    """The rule of a code or a name, in any case; the letters WF may be missing."""
    named = {rule.name: rule for rule in table.values()}
    wanted = "-".join(code.split())
    for key in (wanted.upper(), f"WF{wanted}"):
        if key in table:
            return table[key]
    if wanted.lower() in named:
        return named[wanted.lower()]
    others = [*named, *runtime_errors.troubles()]
    close = suggest(wanted.upper(), table) or suggest(wanted.lower(), others)
    hint = f"did you mean {close}? " if close else ""
    raise click.UsageError(f"there is no code {code}; {hint}`wfc explain` lists them all")


def _write(folder: Path, files: Mapping[str, str]) -> None:
    """Write the files, and take away pages of rules that are no more."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("WF*.md"):
        if old.name not in files:
            old.unlink()
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8", newline="\n")
