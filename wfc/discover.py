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
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wfc.project import Project, ProjectError, skipped

__all__ = [
    "RESUMES",
    "InputFile",
    "Survey",
    "discover",
    "enclosing",
    "mentions",
    "read_input",
    "survey",
]

# A superset of what counts as a directive, so that `useStep` alone in a file is seen as well.
_MENTIONS = re.compile(rb"use[\s_-]*(?:step|workflow)", re.IGNORECASE)
RESUMES = re.compile(rb"\bresume_hook\b|\.resume\(")
"""Where a file resumes a hook, as far as its text shows."""

_OWN_SETTINGS = re.compile(rb"^[ \t]*\[[ \t]*tool[ \t]*\.[ \t]*workflow[ \t]*[\].]", re.MULTILINE)
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_TOLD = 500  # files between two words about the progress
_HUGE = 8 << 20  # bytes; nobody writes such a file by hand, and parsing it takes minutes


@dataclass(frozen=True)
class InputFile:
    """A file to compile: `path` is POSIX and relative to the project's root, `data` its bytes."""

    path: str
    data: bytes


@dataclass(frozen=True)
class Survey:
    """The files to compile, and a hash over all that the search of a project says to a build.

    That is these files and whether any file resumes a hook. A change of another file changes
    nothing, unless something imports it, and then the build has noted that.
    """

    files: tuple[InputFile, ...]
    digest: str


def discover(project: Project) -> tuple[InputFile, ...]:
    """Every Python file of the project that mentions a directive, by path.

    A folder with settings of its own (`[tool.workflow]` in its `pyproject.toml`) is another
    project and is left to itself, unless `dirs` names it. Links to folders are not followed.
    Raises `ProjectError` for files that cannot be read, all of them in one message.
    """
    return survey(project).files


def survey(project: Project, progress: Callable[[str], None] | None = None) -> Survey:
    """What `discover` gives, and a hash over it. Raises `ProjectError`.

    `progress` is told now and then how many files were looked at.
    """
    found: dict[str, InputFile] = {}
    digest = hashlib.sha256()
    resumes = False
    unreadable: list[str] = []
    for number, path in enumerate(sorted(set(_python_files(project))), 1):
        if progress is not None and not number % _TOLD:
            progress(f"looked at {number:,} files")
        try:
            file, data = _searched(project, path)
        except (FileNotFoundError, NotADirectoryError):
            continue  # removed since the folder was listed
        except OSError as error:
            unreadable.append(f"{_shown(path)} cannot be read: {error.strerror}")
            continue
        resumes = resumes or (b"resume" in data and RESUMES.search(data) is not None)
        if file is not None:
            found[path] = file
            digest.update(os.fsencode(path) + b"\0" + hashlib.sha256(data).digest())
    if unreadable:
        raise ProjectError(_all(unreadable))
    digest.update(b"resumes" if resumes else b"")
    return Survey(tuple(found.values()), digest.hexdigest())


def read_input(project: Project, path: str) -> InputFile:
    """One file of the project by its POSIX path. Raises `ProjectError` if it cannot be read."""
    try:
        return InputFile(path, project.file(path).read_bytes())
    except OSError as error:
        raise ProjectError(f"{_shown(path)} cannot be read: {error.strerror}") from error


def mentions(project: Project, pattern: re.Pattern[bytes]) -> bool:
    """Whether any Python file of the project matches; files that cannot be read do not."""
    for path in _python_files(project):
        try:
            if pattern.search(project.file(path).read_bytes()):
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


def _searched(project: Project, path: str) -> tuple[InputFile | None, bytes]:
    """The file if it mentions a directive, and its bytes; none of a huge file."""
    place = project.file(path) if project.packages else f"{project.root}/{path}"
    with open(place, "rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        if size > _HUGE:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
                if not _MENTIONS.search(view):
                    return None, b"resume_hook" if RESUMES.search(view) else b""
            raise ProjectError(
                f"{_shown(path)} mentions a directive and has {size >> 20} MB; that is too much to "
                "compile: move its workflows and steps into a file of their own"
            )
        data = file.read()
    if not _mentions(data):
        return None, data
    if _shown(path) != path:
        raise ProjectError(
            f"{_shown(path)} mentions a directive, and its name is not UTF-8, so no id can be "
            "made from it: rename it"
        )
    return InputFile(path, data), data


def _mentions(data: bytes) -> bool:
    if data[:2] in _UTF16:  # not Python, but meant as such: reading it says how to save it
        data = data.replace(b"\0", b"")
    # Searching for plain bytes is thirty times faster than the pattern, and mostly says no.
    lowered = data.lower()
    return (b"step" in lowered or b"workflow" in lowered) and _MENTIONS.search(data) is not None


def _shown(path: str) -> str:
    # Names that are not UTF-8 come with surrogates in them, which cannot be printed.
    return path.encode(errors="surrogateescape").decode(errors="backslashreplace")


def _python_files(project: Project) -> Iterator[str]:
    # A package of a workspace may lie inside of the project: its files are those of the package.
    apart = frozenset(os.path.realpath(p) for one in project.packages for p in one.places)
    leave = apart | {str(project.root / project.generated)}
    for folder in project.dirs:
        start = "" if folder == "." else folder + "/"
        yield from _below(str(project.root), start, leave, is_start=True)
    for package in project.packages:
        if package.is_module:
            yield package.path
        for place in package.places if not package.is_module else ():
            for path in _below(str(place), "", leave, is_start=True):
                yield f"{package.path}/{path}"


def _below(
    root: str, folder: str, leave: Container[str], *, is_start: bool = False
) -> Iterator[str]:
    """The Python files in `folder`, which is "" or ends with a slash, by their paths below `root`;
    without what is in `leave`."""
    try:
        with os.scandir(f"{root}/{folder}") as listing:
            entries = list(listing)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise ProjectError(_all([f"{_shown(folder)} cannot be read: {error.strerror}"])) from error
    if not is_start and _is_foreign(entries):
        return
    for entry in entries:
        path = folder + entry.name
        if skipped(entry.name) or f"{root}/{path}" in leave:
            continue
        if entry.name.endswith(".py") and _is_file(entry):
            yield path
        elif entry.is_dir(follow_symlinks=False):
            yield from _below(root, path + "/", leave)


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
