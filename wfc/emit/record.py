"""What the last build was made from and what came of it, so that a build with nothing to do can
say so.

The record lies in `.workflow-cache/` and is believed only as far as it can be checked: every file
that the build read, or looked for in vain, is looked at again, and every file that it wrote has to
be there with the same bytes. A record that is damaged, of another version, or wrong in any point is
as good as none. It is JSON and nothing of it is written anywhere else: whoever can change it can at
most keep what is in the generated folder already, and change which warnings are printed.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from wfc.diagnostics import Diagnostic, Edit, Note, Severity, Silenced, Span
from wfc.emit.files import cache_text, read_bytes
from wfc.emit.tool import fingerprint
from wfc.project import NotingProject, Project

__all__ = ["Done", "finding", "key_of", "load", "save"]

_NAME = "last-build.json"
_FORMAT = 1


@dataclass(frozen=True)
class Done:
    """What a build that needs not be repeated found and made."""

    diagnostics: tuple[Diagnostic, ...]
    silenced: tuple[Silenced, ...]
    files: Mapping[str, str]


def key_of(project: Project, survey: str) -> str:
    """Stands for the compiler, the Python it runs on, the settings and the files to compile.

    `survey` is the digest of `discover.survey`. Made before the build, whose files may change
    while it lasts.
    """
    settings = (
        project.dirs,
        project.source_roots,
        sorted(project.passthrough),
        project.generated,
        [(package.name, *map(str, package.places)) for package in project.packages],
        (project.root / "__init__.py").is_file(),
    )
    pyproject = read_bytes(project.root / "pyproject.toml")
    return _sha256(repr((fingerprint(), sys.version, settings, pyproject, survey)).encode())


def load(folder: Path, project: Project, key: str) -> Done | None:
    """The last build, if a new one would be the same."""
    try:
        kept = json.loads((folder / _NAME).read_bytes())
        if kept["format"] != _FORMAT or kept["key"] != key:
            return None
        if not all(_is_same(project, *lookup) for lookup in kept["lookups"]):
            return None
        files = _outputs(project.root / project.generated, kept["outputs"])
        if files is None:
            return None
        return Done(
            diagnostics=tuple(map(finding, kept["diagnostics"])),
            silenced=tuple(
                Silenced(finding(one), _text(reason)) for one, reason in kept["silenced"]
            ),
            files=files,
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def save(
    folder: Path, project: NotingProject, key: str, read: Mapping[str, str], done: Done
) -> None:
    """Remember a build without errors, unless files changed since it read them.

    `project` has noted what the build asked about files beside those of the search; `read` has the
    hashes of all files it read, by path.
    """
    if project.passthrough:
        return  # other packages have a say in whether the bundle can be loaded
    lookups = [(*asked, _answer(project, *asked)) for asked in sorted(project.lookups)]
    if any(read.get(path, seen) != seen for path, seen in _files_in(lookups)):
        return
    kept = {
        "format": _FORMAT,
        "key": key,
        "lookups": lookups,
        "outputs": {path: _sha256(text.encode()) for path, text in done.files.items()},
        "diagnostics": [asdict(d) for d in done.diagnostics],
        "silenced": [(asdict(s.diagnostic), s.reason) for s in done.silenced],
    }
    cache_text(folder, _NAME, json.dumps(kept))


def _answer(project: Project, kind: str, name: str) -> str:
    """What the project says to a question now: which file a module is, and what is in it."""
    match kind:
        case "module":
            path = project.locate(name)
            return "" if path is None else f"{path} {_hash_of(project.file(path))}"
        case "folder":
            return str(project.is_folder(name))
        case "file":
            return _hash_of(project.root / name)
    raise ValueError(kind)


def _files_in(lookups: Iterable[tuple[str, str, str]]) -> Iterator[tuple[str, str]]:
    """The files that answers speak of, with their hashes."""
    for kind, name, answer in lookups:
        if kind == "module" and answer:
            path, _, seen = answer.rpartition(" ")
            yield path, seen
        elif kind == "file" and answer:
            yield name, answer


def _is_same(project: Project, kind: str, name: str, answer: str) -> bool:
    return _answer(project, kind, name) == answer


def _outputs(generated: Path, hashes: Mapping[str, str]) -> dict[str, str] | None:
    """The generated files, unless one differs."""
    files: dict[str, str] = {}
    for path, wanted in hashes.items():
        data = read_bytes(generated / path)
        if data is None or _sha256(data) != wanted:
            return None
        files[path] = data.decode()
    listed = json.loads(files["manifest.json"])["files"]
    return files if {*listed, "manifest.json"} == files.keys() else None


def _hash_of(path: Path) -> str:
    data = read_bytes(path)
    return "" if data is None else _sha256(data)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# -- findings out of JSON, with every type checked ------------------------------------------------


def finding(data: Mapping[str, Any]) -> Diagnostic:
    """A finding out of the data that `dataclasses.asdict` makes of it. Raises `ValueError`,
    `TypeError` or `KeyError` for other data."""
    return Diagnostic(
        **{name: _text(data[name]) for name in _TEXTS},
        severity=Severity(data["severity"]),
        span=_span(data["span"]),
        notes=tuple(map(_note, data["notes"])),
        edits=tuple(Edit(_span(e["span"]), _text(e["text"])) for e in data["edits"]),
    )


_TEXTS = ("code", "name", "path", "source_line", "message", "fix")


def _note(data: Mapping[str, Any]) -> Note:
    span = None if data["span"] is None else _span(data["span"])
    path, text, line = (_text(data[name]) for name in ("path", "text", "source_line"))
    return Note(path, int(data["line"]), text, span, line)


def _span(data: Mapping[str, Any]) -> Span:
    names: Iterable[str] = ("line", "column", "end_line", "end_column")
    return Span(*(int(data[name]) for name in names))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value
