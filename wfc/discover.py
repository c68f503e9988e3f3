"""Which files to compile: the Python files of a project that mention a directive.

Most files of a project have no directive. They are read, searched for a few bytes, and forgotten;
nothing parses them. Folders that cannot hold the project's own code are not entered.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wfc.project import Project, ProjectError, skipped

__all__ = ["InputFile", "Survey", "discover", "enclosing", "mentions", "read_input", "survey"]

# A superset of what counts as a directive, so that `useStep` alone in a file is seen as well.
_MENTIONS = re.compile(rb"use[\s_-]*(?:step|workflow)", re.IGNORECASE)
_OWN_SETTINGS = re.compile(rb"^[ \t]*\[[ \t]*tool[ \t]*\.[ \t]*workflow[ \t]*[\].]", re.MULTILINE)
_HUGE = 8 << 20  # bytes; nobody writes such a file by hand, and parsing it takes minutes


@dataclass(frozen=True)
class InputFile:
    """A file to compile: `path` is POSIX and relative to the project's root, `data` its bytes."""

    path: str
    data: bytes


@dataclass(frozen=True)
class Survey:
    """The files to compile, and a hash over names and bytes of all files that were searched."""

    files: tuple[InputFile, ...]
    digest: str


def discover(project: Project) -> tuple[InputFile, ...]:
    """Every Python file of the project that mentions a directive, by path.

    A folder with settings of its own (`[tool.workflow]` in its `pyproject.toml`) is another
    project and is left to itself, unless `dirs` names it. Links to folders are not followed.
    Raises `ProjectError` for files that cannot be read, all of them in one message.
    """
    return survey(project).files


def survey(project: Project) -> Survey:
    """What `discover` gives, and the state of everything it looked at. Raises `ProjectError`."""
    found: dict[str, InputFile] = {}
    digest = hashlib.sha256()
    unreadable: list[str] = []
    for path in sorted(set(_python_files(project))):
        try:
            file, seen = _searched(project.root, path)
        except (FileNotFoundError, NotADirectoryError):
            continue  # removed since the folder was listed
        except OSError as error:
            unreadable.append(f"{_shown(path)} cannot be read: {error.strerror}")
            continue
        digest.update(os.fsencode(path) + b"\0" + seen)
        if file is not None:
            found[path] = file
    if unreadable:
        raise ProjectError(_all(unreadable))
    return Survey(tuple(found.values()), digest.hexdigest())


def read_input(project: Project, path: str) -> InputFile:
    """One file of the project by its POSIX path. Raises `ProjectError` if it cannot be read."""
    try:
        return InputFile(path, (project.root / path).read_bytes())
    except OSError as error:
        raise ProjectError(f"{_shown(path)} cannot be read: {error.strerror}") from error


def mentions(project: Project, pattern: re.Pattern[bytes]) -> bool:
    """Whether any Python file of the project matches; files that cannot be read do not."""
    for path in _python_files(project):
        try:
            if pattern.search((project.root / path).read_bytes()):
                return True
        except OSError:
            continue
    return False


def enclosing(root: Path) -> Path | None:
    """The project that the folder `root` lies in, None when there is none or `root` is one itself.

    Commands that are called one folder too deep would build or look for another project there.
    """
    if (root / "pyproject.toml").exists():
        return None
    for folder in root.resolve().parents:
        build = folder / "generated" / "manifest.json"
        if _has_settings(f"{folder}/pyproject.toml") or _is_build(str(build)):
            return folder
    return None


def _all(problems: list[str]) -> str:
    hint = "make them readable, or leave their folder out: [tool.workflow] dirs in pyproject.toml"
    return "; ".join(problems) + f"\n{hint}"


def _searched(root: Path, path: str) -> tuple[InputFile | None, bytes]:
    """The file if it mentions a directive, and the hash of its bytes."""
    with open(f"{root}/{path}", "rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        if size > _HUGE:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
                if not _MENTIONS.search(view):
                    return None, hashlib.sha256(view).digest()
            raise ProjectError(
                f"{_shown(path)} mentions a directive and has {size >> 20} MB; that is too much to "
                "compile: move its workflows and steps into a file of their own"
            )
        data = file.read()
    seen = hashlib.sha256(data).digest()
    if not _mentions(data):
        return None, seen
    if _shown(path) != path:
        raise ProjectError(
            f"{_shown(path)} mentions a directive, and its name is not UTF-8, so no id can be "
            "made from it: rename it"
        )
    return InputFile(path, data), seen


def _mentions(data: bytes) -> bool:
    # Searching for plain bytes is thirty times faster than the pattern, and mostly says no.
    lowered = data.lower()
    return (b"step" in lowered or b"workflow" in lowered) and _MENTIONS.search(data) is not None


def _shown(path: str) -> str:
    # Names that are not UTF-8 come with surrogates in them, which cannot be printed.
    return path.encode(errors="surrogateescape").decode(errors="backslashreplace")


def _python_files(project: Project) -> Iterator[str]:
    for folder in project.dirs:
        start = "" if folder == "." else folder + "/"
        yield from _below(project, start, is_start=True)


def _below(project: Project, folder: str, *, is_start: bool = False) -> Iterator[str]:
    """The Python files in `folder`, which is "" or ends with a slash."""
    try:
        with os.scandir(project.root / folder) as listing:
            entries = list(listing)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise ProjectError(_all([f"{_shown(folder)} cannot be read: {error.strerror}"])) from error
    if not is_start and _is_foreign(entries):
        return
    for entry in entries:
        path = folder + entry.name
        if skipped(entry.name) or path == project.generated:
            continue
        if entry.name.endswith(".py") and _is_file(entry):
            yield path
        elif entry.is_dir(follow_symlinks=False):
            yield from _below(project, path + "/")


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False  # a link that leads back to itself


def _is_foreign(entries: Sequence[os.DirEntry[str]]) -> bool:
    """Whether a folder is a virtual environment, a project of its own, or made by a build."""
    names = {entry.name for entry in entries}
    return (
        "pyvenv.cfg" in names
        or any(e.name == "pyproject.toml" and _has_settings(e.path) for e in entries)
        # A build in a folder below leaves one: what it wrote is compiled already.
        or (
            "step.py" in names
            and any(e.name == "manifest.json" and _is_build(e.path) for e in entries)
        )
    )


def _is_build(manifest: str) -> bool:
    try:
        found = json.loads(Path(manifest).read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(found, dict) and {"format", "wfc", "bundle"} <= found.keys()


def _has_settings(pyproject: str) -> bool:
    try:
        return _OWN_SETTINGS.search(Path(pyproject).read_bytes()) is not None
    except OSError:
        return False
