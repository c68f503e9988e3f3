"""`wfc explain CODE`: the page of a rule, with its examples."""

from __future__ import annotations

from collections.abc import Mapping

import click

from wfc.analyse.checks import rules
from wfc.diagnostics import Rule

__all__ = ["explain", "page"]


@click.command()
@click.argument("code", required=False)
def explain(code: str | None) -> None:
    """Explain the code of a finding, such as WF701; without one, list all codes."""
    table = rules()
    if code is None:
        for rule in table.values():
            click.echo(f"{rule.code}  {rule.name:<24} {rule.page.strip().splitlines()[0]}")
        return
    wanted = code.strip().upper()
    named = {rule.name: rule for rule in table.values()}
    found = table.get(wanted) or named.get(code.strip().lower())
    if found is None:
        raise click.UsageError(f"there is no code {code}; `wfc explain` lists them all")
    click.echo(page(found), nl=False)


def page(rule: Rule) -> str:
    """The page of a rule as text."""
    silence = (
        f"Silence it on one line with `# wfc: ignore[{rule.code}] reason`."
        if rule.silenceable
        else "It cannot be silenced."
    )
    parts = [
        f"{rule.code}  {rule.name} ({rule.severity.value})",
        rule.page.strip(),
        "Instead of\n\n" + _example(rule.bad),
        "write\n\n" + _example(rule.good),
        silence,
    ]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _example(example: str | Mapping[str, str]) -> str:
    if isinstance(example, str):
        return _indented(example)
    return "\n".join(_indented(f"# {path}\n{text}") for path, text in example.items())


def _indented(text: str) -> str:
    return "".join(f"    {line}".rstrip() + "\n" for line in text.rstrip("\n").split("\n"))
