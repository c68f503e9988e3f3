"""The project on disk: settings from `[tool.workflow]`, source roots, and which files to read."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path, PurePosixPath

from workflow.installed import Installed

__all__ = [
    "Lookups",
    "NotingProject",
    "Project",
    "ProjectError",
    "load_project",
    "module_name",
    "skipped",
]

Lookups = set[tuple[str, str]]
"""What was asked about files beside those of the search: ("module", import name), ("folder",
import name) or ("file", path)."""

_SKIPPED = {"__pycache__", "node_modules", "site-packages", "build", "dist"}
_MARKS = (b"\xef\xbb", b"\xff\xfe", b"\xfe\xff")  # how files begin that Windows tools save
_KNOWN = {"dirs", "packages", "passthrough", "generated"}


class ProjectError(Exception):
    """The project cannot be built at all: no such folder, wrong settings, or files that cannot be
    read or written."""


@dataclass(frozen=True)
class Project:
    """Settings of one project. Paths inside are POSIX and relative to `root`, which is absolute.

    `packages` are installed packages that are compiled with it. The paths of their files are made
    of their import names; `file` says where they lie.
    """

    root: Path
    dirs: tuple[str, ...] = (".",)
    source_roots: tuple[str, ...] = (".",)
    passthrough: frozenset[str] = frozenset()
    generated: str = "generated"
    packages: tuple[Installed, ...] = ()

    def file(self, path: str) -> Path:
        """Where the file at a POSIX path of the project is on this machine."""
        for package in self.packages:
            if (found := package.file(path)) is not None:
                return found
        return self.root / path

    def path_of(self, file: Path) -> str | None:
        """The path of a file on this machine; None when it is no file of the project."""
        file = file.resolve()
        for package in self.packages:
            for place in package.places:
                if file.is_relative_to(place.resolve()):
                    inside = file.relative_to(place.resolve())
                    return PurePosixPath(package.path, inside).as_posix()
        return file.relative_to(self.root).as_posix() if file.is_relative_to(self.root) else None

    def locate(self, module: str) -> str | None:
        """The path of a module of this project by its import name; None if there is none."""
        if not module:
            return None  # `from . import x` in a file that is in no package
        parts = module.split(".")
        for package in self.packages:
            if f"{module}.".startswith(f"{package.name}."):
                return self._in_package(package, PurePosixPath(*parts))
        for source_root in reversed(self.source_roots):
            base = PurePosixPath(source_root, *parts)
            for path in (base / "__init__.py", base.with_name(base.name + ".py")):
                if self._is_ours(path) and (self.root / path).is_file():
                    return path.as_posix()
        return None

    def _in_package(self, package: Installed, base: PurePosixPath) -> str | None:
        for path in (f"{base}/__init__.py", f"{base}.py"):
            file = package.file(path)
            if file is not None and file.is_file():
                return path
        return None

    def is_folder(self, module: str) -> bool:
        """Whether a name is a namespace package: a folder of ours without `__init__.py`."""
        for package in self.packages:
            if f"{package.name}.".startswith(f"{module}."):
                return True  # it, or a namespace around it
            if module.startswith(f"{package.name}."):
                below = module[len(package.name) + 1 :].replace(".", "/")
                return any((place / below).is_dir() for place in package.places)
        return any(
            self._is_ours(base := PurePosixPath(source_root, *module.split(".")))
            and (self.root / base).is_dir()
            for source_root in self.source_roots
        )

    def has(self, path: str) -> bool:
        """Whether there is a file at a POSIX path."""
        return (self.root / path).is_file()

    def _is_ours(self, path: PurePosixPath) -> bool:
        return not any(skipped(part) for part in path.parts) and not path.is_relative_to(
            self.generated
        )


@dataclass(frozen=True)
class NotingProject(Project):
    """A project that notes what it is asked."""

    lookups: Lookups = field(default_factory=Lookups)

    @classmethod
    def of(cls, project: Project) -> NotingProject:
        """The same project, with no question asked yet."""
        return cls(**{f.name: getattr(project, f.name) for f in fields(project)})

    def locate(self, module: str) -> str | None:
        """As for any project."""
        self.lookups.add(("module", module))
        return super().locate(module)

    def is_folder(self, module: str) -> bool:
        """As for any project."""
        self.lookups.add(("folder", module))
        return super().is_folder(module)

    def has(self, path: str) -> bool:
        """As for any project."""
        self.lookups.add(("file", path))
        return super().has(path)


def load_project(root: Path, dirs: Iterable[str] | None = None) -> Project:
    """Read the settings of the project at `root`; defaults where there are none.

    `dirs`, unless None, stands for the setting of that name. Raises `ProjectError` when the folder
    does not exist or a setting is wrong.
    """
    if not root.is_dir():
        is_file = root.exists()
        raise ProjectError(
            f"{root} is a file; the project is the folder that holds your code"
            if is_file
            else f"there is no folder {root}"
        )
    roots = (".", "src") if _is_source_root(root / "src") else (".",)
    settings = _settings(root / "pyproject.toml")
    if unknown := sorted(set(settings) - _KNOWN):
        raise ProjectError("\n".join(map(_unknown, unknown)))
    generated = settings.get("generated", "generated")
    if not isinstance(generated, str) or not _inside(generated) or generated in ("", "."):
        raise ProjectError("[tool.workflow] generated must be a folder inside the project")
    folders = tuple(_strings(settings, "dirs") if dirs is None else dirs) or (".",)
    for name in folders:
        if not _inside(name) or not (root / name).is_dir():
            setting = "[tool.workflow] dirs" if dirs is None else "dirs"
            raise ProjectError(f"{setting}: there is no folder {name!r} in the project")
    passthrough = frozenset(_strings(settings, "passthrough"))
    if ours := sorted(name for name in passthrough if name.partition(".")[0] == "workflow"):
        raise ProjectError(
            f"[tool.workflow] passthrough: {ours[0]!r} is the runtime itself; workflow code gets "
            "what it can use of it without this, and calls the rest from steps"
        )
    project = Project(
        root=root.resolve(),
        dirs=tuple(PurePosixPath(name).as_posix() for name in folders),
        source_roots=roots,
        passthrough=passthrough,
        generated=PurePosixPath(generated).as_posix(),
    )
    names = dict.fromkeys(_strings(settings, "packages"))
    if not names:
        return project
    from wfc.packages import find_package

    return replace(project, packages=tuple(find_package(project, name) for name in names))


def _is_source_root(folder: Path) -> bool:
    # `src` with an `__init__.py` is an ordinary package that happens to have that name.
    return folder.is_dir() and not (folder / "__init__.py").exists()


def _unknown(setting: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(setting, _KNOWN, 1)
    hint = f"did you mean {close[0]!r}?" if close else "there are " + ", ".join(sorted(_KNOWN))
    return f"[tool.workflow] has no setting {setting!r}; {hint}"


def _settings(pyproject: Path) -> dict[str, object]:
    if not pyproject.is_file():
        return {}
    try:
        tools = tomllib.loads(pyproject.read_text("utf-8")).get("tool", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        hint = ""
        if pyproject.is_file() and pyproject.read_bytes()[:2] in _MARKS:
            hint = "; it begins with a byte order mark: save it as UTF-8 without one"
        raise ProjectError(f"pyproject.toml cannot be read: {error}{hint}") from error
    table = tools.get("workflow") if isinstance(tools, dict) else {}
    if table is None:
        _refuse_misspelt(tools)
        return {}
    if not isinstance(table, dict):
        raise ProjectError("[tool.workflow] in pyproject.toml must be a table")
    return table


def _refuse_misspelt(tools: dict[str, object]) -> None:
    """Raise for a table with a name much like ours and nothing but our settings in it."""
    for name, table in tools.items():
        is_like = name.lower().startswith(("workflow", "wfc"))
        if is_like and isinstance(table, dict) and table and table.keys() <= _KNOWN:
            raise ProjectError(
                f"pyproject.toml has a table [tool.{name}], which nobody reads: "
                "write [tool.workflow]"
            )


def _strings(settings: dict[str, object], key: str) -> tuple[str, ...]:
    value = settings.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ProjectError(f"[tool.workflow] {key} must be a list of strings")
    return tuple(value)


def _inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def skipped(name: str) -> bool:
    """Whether files in folders of this name never belong to the project."""
    return name in _SKIPPED or (name.startswith(".") and name != ".") or name.endswith(".egg-info")


def module_name(project: Project, path: str) -> str:
    """The import name of a file of the project, by its innermost source root."""
    pure = PurePosixPath(path)
    roots = [r for r in project.source_roots if r == "." or pure.is_relative_to(r)]
    best = max(roots, key=len)
    parts = pure.with_suffix("").relative_to("." if best == "." else best).parts
    if parts[-1] == "__init__" and len(parts) > 1:
        parts = parts[:-1]
    return ".".join(parts)
