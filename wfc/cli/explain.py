"""`wfc explain CODE`: the page of a rule, with its examples."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

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
    """Explain the code or name of a finding, such as WF701; without one, list all codes."""
    table = rules()
    if folder is not None:
        if code is not None or form != "text":
            raise click.UsageError("--write writes every page as Markdown: leave the rest out")
        _write(folder, markdown_pages(table))
    elif code is None:
        width = max(len(rule.name) for rule in table.values())
        for rule in table.values():
            title = " ".join(rule.page.strip().split("\n\n")[0].split())
            click.echo(f"{rule.code}  {rule.name:<{width}} {title}")
    else:
        render = page if form == "text" else markdown
        click.echo(render(_find(table, code)), nl=False)


def _find(table: Mapping[str, Rule], code: str) -> Rule:
    """The rule of a code or a name, in any case; the letters WF may be missing."""
    named = {rule.name: rule for rule in table.values()}
    wanted = "-".join(code.split())
    for key in (wanted.upper(), f"WF{wanted}"):
        if key in table:
            return table[key]
    if wanted.lower() in named:
        return named[wanted.lower()]
    close = suggest(wanted.upper(), table) or suggest(wanted.lower(), named)
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
