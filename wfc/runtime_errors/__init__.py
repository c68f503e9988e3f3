"""The pages of the runtime's errors: what happened, why, and what to do.

The texts are the Markdown files beside this one, a section for each code; `names.md` holds pages
of situations that have a name of their own. They are part of the package, so `wfc explain` has
them in production, where neither the compiler's dependencies nor docs/ are installed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import workflow
from workflow import errors

__all__ = ["Trouble", "absent", "markdown", "text", "troubles"]

_FOLDER = Path(__file__).parent
_FILES = {
    "workflows": "Raised in workflow bodies and steps.",
    "applications": "Raised to applications.",
    "core": "About the log or the storage.",
    "names": "",
}


@dataclass(frozen=True)
class Trouble:
    """One page. `raised` is the name of the exception; situations have neither that nor `where`."""

    code: str
    where: str
    raised: str
    title: str
    body: str

    @property
    def head(self) -> str:
        """Where it comes from, in one or two sentences, or nothing."""
        if not self.raised:
            return ""
        home = "workflow" if self.raised in workflow.__all__ else "workflow.errors"
        return f"{self.where} `from {home} import {self.raised}`"


@cache
def troubles() -> Mapping[str, Trouble]:
    """Every page by its code, in the order of the files."""
    classes = {
        thing.code: name
        for name, thing in vars(errors).items()
        if isinstance(thing, type) and issubclass(thing, errors.WorkflowError)
    }
    found = {}
    for file, where in _FILES.items():
        _, *sections = re.split(r"^## ", _read(file), flags=re.M)
        for section in sections:
            code, title, body = section.split("\n", 2)
            raised = "" if file == "names" else classes[code]
            found[code] = Trouble(code, where, raised, title, body.strip())
    return found


def absent() -> str:
    """Errors that others have and this runtime has not, as Markdown."""
    return _read("absent").strip()


def text(trouble: Trouble) -> str:
    """The page for a terminal, ending with a newline."""
    lines = []
    code = False
    for line in trouble.body.split("\n"):
        if line.startswith("```"):
            code = not code
        else:
            lines.append(f"    {line}".rstrip() if code else _unlinked(line))
    body = "\n".join(lines)
    head = f"{trouble.code}  {trouble.raised}".rstrip()
    parts = [head, f"{trouble.title}\n{trouble.head}".rstrip(), body]
    return "\n\n".join(parts) + "\n"


def markdown(trouble: Trouble) -> str:
    """The page as Markdown, ending with a newline."""
    parts = [
        f"# {trouble.code}",
        *([f"*{trouble.head}*"] if trouble.head else []),
        trouble.title,
        trouble.body,
        "[All findings and errors](README.md)",
    ]
    return "\n\n".join(parts) + "\n"


def _unlinked(line: str) -> str:
    """A line without links: their targets are named."""

    def plain(link: re.Match[str]) -> str:
        label, target = link.groups()
        name = target.partition("#")[0].removesuffix(".md")
        if name.startswith("../"):
            page = f"docs/{name[3:]}.md"
            return page if page == f"docs/{label}" else f"{label} ({page})"
        return label if label == name else f"{label} (`wfc explain {name}`)"

    return re.sub(r"\[([^]]+)\]\(([^)]+)\)", plain, line)


def _read(name: str) -> str:
    return (_FOLDER / f"{name}.md").read_text("utf-8")
