"""docs/configuration.md names everything that can be set, docs/findings.md what is printed."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

import click

from wfc import project
from wfc.cli import COMMANDS, main
from wfc.cli.findings import FORMATS
from wfc.diagnostics import Diagnostic, Edit, Note, Severity, Span
from wfc.render import json as json_format
from workflow.api import with_workflow

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "configuration.md").read_text("utf-8")


def test_every_environment_variable_is_documented() -> None:
    """Variables in the code and on the page are the same."""
    code = "".join(
        path.read_text("utf-8")
        for folder in ("runtime", "wfc")
        for path in (ROOT / folder).rglob("*.py")
    )
    used = set(re.findall(r"WORKFLOW_[A-Z_]+[A-Z]", code))
    assert "WORKFLOW_TARGET_WORLD" in used
    assert set(re.findall(r"WORKFLOW_[A-Z_]+[A-Z]", PAGE)) == used


def test_every_setting_argument_and_command_is_documented() -> None:
    """Settings of `[tool.workflow]`, arguments of with_workflow and commands are on the page."""
    settings = project._KNOWN
    arguments = inspect.signature(with_workflow).parameters.keys() - {"app"}
    for name in settings | arguments:
        assert f"| `{name}` |" in PAGE, name
    context = click.Context(main)
    for name in COMMANDS:
        command = main.get_command(context, name)
        assert command is not None
        inner = command.commands.items() if isinstance(command, click.Group) else [("", command)]
        for second, one in inner:
            start = f"| `wfc {name} {second}".rstrip()
            (row,) = [r for r in PAGE.splitlines() if r.startswith((start + "`", start + " "))]
            options = [o for p in one.params if isinstance(p, click.Option) for o in p.opts]
            for option in options:
                assert not option.startswith("--") or option in row, (name, option)


def test_every_format_and_every_key_of_json_is_documented() -> None:
    """docs/findings.md has a row for each output format and names each key of the JSON object."""
    page = (ROOT / "docs" / "findings.md").read_text("utf-8")
    for form in set(FORMATS) - {"text"}:
        assert f"| `{form}` |" in page, form
    span = Span(1, 1, 1, 2)
    edits, notes = (Edit(span, ""),), (Note("a.py", 1, ""),)
    d = Diagnostic("X", "x", Severity.ERROR, "a.py", span, "", "", "", notes, edits)

    def keys(value: object) -> set[str]:
        match value:
            case dict():
                return set(value).union(*map(keys, value.values()))
            case list():
                return set().union(*map(keys, value))
        return set()

    found = keys(json.loads(json_format.render_all([d])))
    assert {"version", "findings", "end_column", "text"} <= found
    assert not {key for key in found if f"`{key}`" not in page}
