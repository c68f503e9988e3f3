"""The only module that writes files: into `generated/`, and never over others'.

Each file is replaced at once and the manifest comes last. A lock on the folder keeps a second
build from writing at the same time, and a server from reading meanwhile. Should a build be killed,
the hashes in the manifest tell the server that the files do not belong together.

The manifest lists what was made. In a folder where nothing shows that we made it, a file in the way
belongs to somebody else and stays as it is. In a folder with other files of ours it is a damaged
one, say with the marks of a merge conflict in it, and is made again.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from wfc.project import ProjectError

__all__ = ["stale", "write"]

_MANIFEST = "manifest.json"
_MARK = b"# Made by wfc"
_OUR_FOLDERS = ("workflows/", "client/")
_TEMPORARY = ".wfc-"


def stale(generated: Path, files: Mapping[str, str]) -> list[str]:
    """Paths in the generated folder that differ from what a build makes, are missing or are left
    over from an earlier build; sorted, relative to the folder."""
    changed = [path for path, text in files.items() if _read(generated / path) != text.encode()]
    return sorted({*changed, *_left_over(generated, files)})


def write(generated: Path, files: Mapping[str, str]) -> list[str]:
    """Write what differs and remove what an earlier build made and this one does not.

    Returns the paths changed. Raises `ProjectError`, before anything is written, when a file to be
    written is somebody else's; and when the folder cannot be written.
    """
    if generated.exists() and not generated.is_dir():
        raise ProjectError(
            f"{generated.name} is a file, and the build writes a folder of that name: move it, or "
            "choose another one: [tool.workflow] generated in pyproject.toml"
        )
    try:
        with _locked(generated):
            return _write(generated, files)
    except OSError as error:
        where = _place(generated, error)
        raise ProjectError(f"{where} cannot be written: {error.strerror}") from error


def _place(generated: Path, error: OSError) -> str:
    """What could not be written; of a temporary file, its folder."""
    if error.filename is None:
        return f"{generated.name}/"
    path = Path(os.fsdecode(error.filename))
    return str(path.parent) if path.name.startswith(_TEMPORARY) else str(path)


@contextmanager
def _locked(generated: Path) -> Iterator[None]:
    """Be the only one who writes into the folder; it is made if it is missing."""
    generated.mkdir(parents=True, exist_ok=True)
    try:
        import fcntl
    except ImportError:
        yield
        return
    handle = os.open(generated, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems have no locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _write(generated: Path, files: Mapping[str, str]) -> list[str]:
    earlier = _earlier(generated)
    changed = [path for path, text in files.items() if _read(generated / path) != text.encode()]
    for path in changed:
        others = files.keys() - {path}
        if not _is_ours(generated, path, earlier) and not _made_here(generated, others):
            raise ProjectError(
                f"{generated.name}/{path} was not made by wfc and is in the way; move it, or "
                "choose another folder: [tool.workflow] generated in pyproject.toml"
            )
    left_over = _left_over(generated, files)  # before the new manifest is in place
    for folder in {(generated / path).parent for path in changed}:
        for file in folder.glob(f"{_TEMPORARY}*"):
            file.unlink()  # of a build that was killed
    for path in sorted(changed, key=lambda p: (p == _MANIFEST, p)):
        _replace(generated / path, files[path].encode())
    for path in left_over:
        (generated / path).unlink()
        _remove_empty_folders(generated, PurePosixPath(path).parent)
    return sorted({*changed, *left_over})


def _left_over(generated: Path, files: Mapping[str, str]) -> list[str]:
    return [
        path
        for path in sorted(_earlier(generated) - files.keys())
        if _stays_inside(path) and (generated / path).is_file()
    ]


def _earlier(generated: Path) -> set[str]:
    """The files the last build made."""
    try:
        listed = json.loads((generated / _MANIFEST).read_bytes())["files"]
        return {*listed, _MANIFEST}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def _stays_inside(path: str) -> bool:
    pure = PurePosixPath(path)
    return not pure.is_absolute() and ".." not in pure.parts


def _is_ours(generated: Path, path: str, earlier: set[str]) -> bool:
    data = _read(generated / path)
    if data is None or path in earlier or path.startswith(_OUR_FOLDERS):
        return True
    return data.startswith(_MARK) or (path == _MANIFEST and b'"wfc":' in data)


def _made_here(generated: Path, paths: Iterable[str]) -> bool:
    """Whether one of these files of the folder says that we made it."""
    return any((_read(generated / path) or b"").startswith(_MARK) for path in paths)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _replace(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=_TEMPORARY)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _remove_empty_folders(generated: Path, folder: PurePosixPath) -> None:
    while folder.parts and not any((generated / folder).iterdir()):
        (generated / folder).rmdir()
        folder = folder.parent
