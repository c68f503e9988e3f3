"""`wfc build --fix`: the safe edits of findings, made and checked until there are none left.

Nothing is written while trying: edited files lie over those on disk in memory. A file that would
not parse afterwards, or would have findings that it did not have, stays as it was.
"""

from __future__ import annotations

import difflib
import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from wfc.compiler import check_program, load_program
from wfc.diagnostics import Diagnostic, Severity
from wfc.edits import EditError, apply_edits, compatible
from wfc.emit.cache import TextCache
from wfc.model import Module
from wfc.parse.source import parse
from wfc.project import Project

__all__ = ["Fixes", "find_fixes"]

_ROUNDS = 10  # an edit may make room for another; ten on top of each other is a mistake of ours


@dataclass(frozen=True)
class Fixes:
    """What can be mended. Paths are relative to the project.

    `before` and `after` have the bytes of each file that changes, `mended` counts by path the
    findings whose edits were made, `refused` says of files with edits why they stay as they are,
    and `left` are the findings there are afterwards.
    """

    project: Project
    before: Mapping[str, bytes]
    after: Mapping[str, bytes]
    mended: Mapping[str, int]
    refused: Mapping[str, str]
    left: tuple[Diagnostic, ...]

    def diff(self) -> bytes:
        """All changes as a unified diff in the encodings of the files; empty if there are none."""
        return b"".join(
            line for path in sorted(self.after) for line in _diff(path, self.before, self.after)
        )

    def write(self) -> Mapping[str, str]:
        """Write each file whole or not at all, with the permissions it has.

        Returns why files could not be written, by path: somebody changed them meanwhile, or the
        system says no.
        """
        failed: dict[str, str] = {}
        for path, data in sorted(self.after.items()):
            target = (self.project.root / path).resolve()
            try:
                if target.read_bytes() != self.before[path]:
                    failed[path] = "it was changed meanwhile"
                else:
                    _replace(target, data)
            except OSError as error:
                failed[path] = error.strerror or type(error).__name__
        return failed


@dataclass(frozen=True)
class _State:
    """The project with some files edited: what the rules say and which functions are marked."""

    found: tuple[Diagnostic, ...]
    marked: frozenset[str]
    data: Mapping[str, bytes]  # of every file that was read


class _Trial:
    """Checks a project with other bytes for some of its files, and parses each text once."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._parsed: dict[tuple[str, str, bytes], Module] = {}

    def state(self, edited: Mapping[str, bytes]) -> _State:
        read: dict[str, bytes] = {}

        def look(name: str, path: str, data: bytes) -> Module:
            data = read[path] = edited.get(path, data)
            if (name, path, data) not in self._parsed:
                self._parsed[name, path, data] = parse(name, path, data)
            return self._parsed[name, path, data]

        program = load_program(self.project, parse=look)
        _, findings = check_program(program, TextCache(None))
        marked = frozenset(m.id for m in program.marked)
        return _State(findings.diagnostics, marked, read)


def find_fixes(project: Project) -> Fixes:
    """Try the edits of all findings, in rounds, until nothing changes; nothing is written."""
    trial = _Trial(project)
    start = trial.state({})
    refused: dict[str, str] = {}
    while True:
        edited, mended, end, misfits = _rounds(trial, start, refused)
        refused |= misfits
        worse = _worse(start, end, edited)
        if not worse:
            break
        refused |= worse
    before = {path: start.data[path] for path in edited}
    return Fixes(project, before, edited, mended, refused, end.found)


def _rounds(
    trial: _Trial, state: _State, refused: Mapping[str, str]
) -> tuple[dict[str, bytes], Counter[str], _State, dict[str, str]]:
    """Edit all files but the refused ones until no finding has edits."""
    edited: dict[str, bytes] = {}
    misfits: dict[str, str] = {}
    mended: Counter[str] = Counter()
    for _ in range(_ROUNDS):
        skipped = refused.keys() | misfits.keys()
        chosen = [d for path in _paths(state, skipped) for d in compatible(_of(state, path))]
        fresh: dict[str, bytes] = {}
        for path in dict.fromkeys(d.path for d in chosen):
            edits = [edit for d in chosen if d.path == path for edit in d.edits]
            try:
                fresh[path] = apply_edits(state.data[path], edits)
            except EditError as error:
                misfits[path] = str(error)
        changed = {path: data for path, data in fresh.items() if data != state.data[path]}
        if not changed:
            break
        mended.update(d.path for d in chosen if d.path in changed)
        edited |= changed
        state = trial.state(edited)
    return edited, mended, state, misfits


def _paths(state: _State, skipped: set[str]) -> list[str]:
    paths = dict.fromkeys(d.path for d in state.found if d.edits)
    return [path for path in paths if path not in skipped and path in state.data]


def _of(state: _State, path: str) -> list[Diagnostic]:
    return [d for d in state.found if d.path == path]


def _worse(start: _State, end: _State, edited: Mapping[str, bytes]) -> dict[str, str]:
    """Why edited files have to stay as they were, by path.

    A directive that was mended makes its function one that is checked, so what is then found in
    workflow code was there before; only findings about directives themselves count.
    """
    more = _counts(end) - _counts(start)
    if end.marked - start.marked:
        more = Counter({key: n for key, n in more.items() if key[1].startswith("WF0")})
    found: dict[str, str] = {}
    for path, code in more:
        first = next(d for d in reversed(_of(end, path)) if d.code == code)
        why = f"the edits would lead to {code} {first.name} in line {first.span.line}"
        if path in edited:
            found.setdefault(path, why)
        else:  # which of them did it is not known
            found |= {other: f"{why} of {path}" for other in edited if other not in found}
    return found


def _counts(state: _State) -> Counter[tuple[str, str]]:
    return Counter((d.path, d.code) for d in state.found if d.severity is not Severity.INFO)


def _diff(path: str, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> Iterator[bytes]:
    name = path.encode()
    for line in difflib.diff_bytes(
        difflib.unified_diff, _lines(before[path]), _lines(after[path]), name, name
    ):
        yield line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n"


def _lines(data: bytes) -> list[bytes]:
    return re.findall(rb"[^\n]*\n|[^\n]+\Z", data)


def _replace(target: Path, data: bytes) -> None:
    """Raises OSError; then the file is as it was."""
    mode = target.stat().st_mode
    if not os.access(target, os.W_OK):
        raise PermissionError(13, "Permission denied")
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with open(handle, "wb") as file:
            file.write(data)
        os.chmod(name, mode & 0o7777)
        os.replace(name, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
