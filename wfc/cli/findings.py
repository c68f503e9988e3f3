"""How `wfc build` prints what it found: for people, or in a format for programs.

In the formats for programs stdout holds nothing but the format, also when a setting is wrong;
counts and sentences go to stderr.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from wfc.builder import BuildResult
from wfc.diagnostics import Diagnostic
from wfc.project import ProjectError
from wfc.render.text import summary

__all__ = ["COLORS", "FORMATS", "Printer", "put"]

FORMATS = ("full", "concise", "json", "github", "sarif", "text")
COLORS = ("auto", "always", "never")

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


@dataclass(frozen=True)
class Printer:
    """Prints the results of builds of the project at `root` in one of `FORMATS`.

    `color` is one of `COLORS`; `auto` is colour on a terminal, unless NO_COLOR is set.
    """

    form: str
    color: str
    root: Path

    @property
    def is_full(self) -> bool:
        """Whether people read it; `text` is an older name of `full`."""
        return self.form in ("full", "text")

    def result(self, result: BuildResult, check: bool = False) -> None:
        """Print everything about one build; `check` says that nothing was to be written."""
        empty = result.ok and not result.files
        stale = [f"{result.project.generated}/{path}" for path in result.stale] if check else []
        text = _EMPTY.format(root=result.project.root.name) if empty else ""
        error = text.partition("\n")[0] or None
        put(self._findings(result, stale, error), color=self._paints() if self.is_full else False)
        if found := summary(result.diagnostics):
            before = "\n" if self.is_full else ""
            put(f"{before}{found}\n", err=not self.is_full)
            put(_hint(result.diagnostics), err=not self.is_full)
        put(text, err=True)
        if stale:
            put("These generated files are stale; run `wfc build`:\n", err=True)
            put("".join(f"  {path}\n" for path in stale), err=True)
        elif result.files and self.is_full:
            put(_removed(result), err=True)
            put(_built(result, check))

    def failure(self, error: ProjectError) -> None:
        """Print why there was nothing to look at."""
        put(f"wfc build: {error}\n", err=True)
        match self.form:
            case "json":
                from wfc.render import json

                put(json.render_all((), error=str(error)))
            case "sarif":
                from wfc.analyse.checks import rules
                from wfc.render import sarif

                put(sarif.render_all((), rules=rules(), error=str(error)))
            case "github":
                from wfc.render import github

                put(github.failure(str(error)))

    def _findings(self, result: BuildResult, stale: Sequence[str], error: str | None) -> str:
        found = result.diagnostics
        match self.form:
            case "json":
                from wfc.render import json

                return json.render_all(found, stale=stale, error=error)
            case "sarif":
                from wfc.analyse.checks import rules
                from wfc.render import sarif

                return sarif.render_all(
                    found,
                    rules=rules(),
                    silenced=result.silenced,
                    error=error,
                    prefix=self._prefix(),
                )
            case "github":
                from wfc.render import github

                failure = github.failure(error) if error else ""
                stales = github.stale(stale, self._prefix())
                return github.render_all(found, self._prefix()) + stales + failure
            case "concise":
                from wfc.render import concise

                return concise.render_all(found, self._prefix())
        from wfc.render import text

        return text.render_all(found, color=self._paints())

    def _prefix(self) -> str:
        """What leads from here to the project: editors and code scanning look from here."""
        root, here = self.root.resolve(), Path.cwd()
        if root == here or not root.is_relative_to(here):
            return ""
        return root.relative_to(here).as_posix() + "/"

    def _paints(self) -> bool:
        if self.color != "auto":
            return self.color == "always"
        plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        return sys.stdout.isatty() and not plain


def put(text: str, *, err: bool = False, color: bool = False) -> None:
    """Print text as it is; what the encoding of the stream does not have is printed escaped."""
    encoding = getattr(sys.stderr if err else sys.stdout, "encoding", None) or "utf-8"
    shown = text.encode(encoding, "backslashreplace").decode(encoding)
    click.echo(shown, nl=False, err=err, color=color or None)


def _hint(diagnostics: Sequence[Diagnostic]) -> str:
    count = sum(bool(d.edits) for d in diagnostics)
    if not count:
        return ""
    which = "it" if len(diagnostics) == 1 else f"{count} of them"
    return f"`wfc build --fix` mends {which}; `wfc build --diff` shows how.\n"


def _built(result: BuildResult, check: bool) -> str:
    workflows = result.manifest["workflows"]
    width = max((len(w["qualname"]) for w in workflows.values()), default=0)
    lines = [
        f"  {entry['qualname']:<{width}}  {_calls(entry)}  {entry['path']}:{entry['line']}"
        for entry in workflows.values()
    ]
    counts = (
        f"{_count(len(workflows), 'workflow')}, {_count(len(result.manifest['steps']), 'step')}"
    )
    verb = "checked" if check else "built"
    short = result.manifest["bundle"][:8]
    lines.append(f"{verb} {counts} -> {result.project.generated}/ (bundle {short})")
    return "".join(f"{line}\n" for line in lines)


def _calls(workflow: Mapping[str, Any]) -> str:
    """How many steps a workflow uses, and in how many places `fetch`, which is a step of ours."""
    steps = _count(len(workflow["steps"]), "step")
    fetches = sum(node["kind"] == "fetch" for node in workflow["graph"]["nodes"])
    return steps + (f", {fetches} fetch{'' if fetches == 1 else 'es'}" if fetches else "")


def _removed(result: BuildResult) -> str:
    """Which files of an earlier build are gone: perhaps a builder of somebody's own made them."""
    gone = [path for path in result.stale if path not in result.files]
    folder = result.project.generated
    return "".join(f"removed {folder}/{path}: this build does not make it\n" for path in gone)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
