"""The public way to build a project: `build(root)` for one build, `Builder` to build on.

An integration with a framework derives from `Builder` and overrides what differs: which files are
compiled, what is generated from them, what happens after a rebuild. See docs/builders.md.
"""

from __future__ import annotations

import gc
import json
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Self

from wfc.diagnostics import Diagnostic, Severity, Silenced
from wfc.discover import InputFile, survey
from wfc.emit import record, writer
from wfc.emit.cache import TextCache
from wfc.project import NotingProject, Project, ProjectError, load_project

if TYPE_CHECKING:
    from wfc.compiler import Compilation, Findings
    from wfc.model import Module
    from workflow.sandbox.bundle import Bundle

# The pipeline is imported where it is used: a build with nothing to do is done without it.

__all__ = ["BuildResult", "Builder", "Rebuild", "build"]


def _nothing() -> None:
    return None


@dataclass(frozen=True, eq=False)
class BuildResult:
    """What a build found and made.

    `bundle` and `compilation` are None and `files` empty when there was an error or nothing to
    build. `files` maps paths in the generated folder to texts; `stale` lists those that differed on
    disk before. `compilation` is worked out when first asked for where nothing had changed since
    the last build; that raises `ProjectError` if files cannot be read any more.
    """

    project: Project
    diagnostics: tuple[Diagnostic, ...]
    compiled: Callable[[], Compilation | None] = _nothing
    manifest: Mapping[str, Any] = field(default_factory=dict[str, Any])
    files: Mapping[str, str] = field(default_factory=dict[str, str])
    stale: tuple[str, ...] = ()
    silenced: tuple[Silenced, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether there was no error."""
        return not any(d.severity is Severity.ERROR for d in self.diagnostics)

    @cached_property
    def compilation(self) -> Compilation | None:
        """The analysed project, with the texts of its bundle."""
        return self.compiled()

    @property
    def bundle(self) -> Bundle | None:
        """The bundle, as workers run it."""
        return None if self.compilation is None else self.compilation.bundle


@dataclass(frozen=True, eq=False)
class Rebuild:
    """A build because files changed: their paths below the project's folder, what came of it, and
    how many seconds it took.

    `changed` is empty for the one that makes up for changes before the watcher was ready.
    """

    changed: frozenset[str]
    result: BuildResult | ProjectError
    seconds: float


def build(
    root: Path | str = ".",
    *,
    dirs: Iterable[str] | None = None,
    write: bool = True,
    cache: bool = True,
) -> BuildResult:
    """Build the project at `root` once and write its generated folder.

    `dirs` are the folders searched for directives, relative to `root` (default: the setting of that
    name, else everything). `write=False` writes nothing and only says in `stale` what would change.
    `cache=False` neither reads nor fills `.workflow-cache/`. Raises `ProjectError` for wrong
    settings and for files of others in the way; mistakes in workflow code are diagnostics.
    """
    return Builder(dirs=dirs, working_dir=root, write=write, cache=cache).build()


class Builder:
    """Builds one project, once or again and again; derive from it to integrate a framework.

    `dirs`, `write` and `cache` are those of `wfc.build`, `working_dir` is its `root`. With
    `watch=True`, `build()` returns after the first build and goes on in a thread of its own:
    whenever a file changes it builds again and calls `rebuilt`, until `close()`. A builder keeps
    what it parsed, so a rebuild reads again only what changed. One thread at a time may build.
    `progress` is called with a few words whenever a build begins something that may take long.

    The methods `create_…` are given a compilation without errors and return files by path in the
    generated folder. `build` writes them all, the manifest last.
    """

    def __init__(
        self,
        *,
        dirs: Iterable[str] | None = None,
        working_dir: Path | str = ".",
        watch: bool = False,
        write: bool = True,
        cache: bool = True,
        progress: Callable[[str], None] | None = None,
    ) -> None:
        self.dirs = None if dirs is None else tuple(dirs)
        self.working_dir = Path(working_dir).absolute()
        self.watch = watch
        self.write = write
        self.cache = cache
        self.progress = progress
        self._parsed = _Parsed()
        self._store = TextCache(self.working_dir / ".workflow-cache" if cache else None)
        self._stop = threading.Event()
        self._watching: threading.Thread | None = None
        self._generated = "generated"
        self._last: BuildResult | ProjectError | None = None

    def get_project(self) -> Project:
        """The settings to build with; they are read anew for every build. Raises `ProjectError`."""
        return load_project(self.working_dir, self.dirs)

    def get_input_files(self, project: Project) -> Sequence[InputFile]:
        """The files to compile. By default those in the project's `dirs` that mention a directive.

        What these import is found by itself. Raises `ProjectError` for files that cannot be read.
        """
        return survey(project, self.progress).files

    def create_workflows_bundle(self, compilation: Compilation) -> Mapping[str, str]:
        """`flow.py`, and below `workflows/` the code of the bundle as text.

        The runtime reads the texts where the manifest says; add files, but keep these.
        """
        from wfc.emit.handlers import handlers

        program = compilation.program
        texts = {f"workflows/{m.path}": compilation.texts[m.name] for m in program.bundled}
        return {"flow.py": handlers(program)["flow.py"], **texts}

    def create_steps_bundle(self, compilation: Compilation) -> Mapping[str, str]:
        """`step.py`: imports the modules that hold steps and registers them by id.

        The runtime takes the registry from it; add files, but keep this one.
        """
        from wfc.emit.handlers import handlers

        return {"step.py": handlers(compilation.program)["step.py"]}

    def create_webhook_bundle(self, compilation: Compilation) -> Mapping[str, str]:
        """`webhook.py`, which takes what the outside sends to runs."""
        from wfc.emit.handlers import handlers

        return {"webhook.py": handlers(compilation.program)["webhook.py"]}

    def create_app(self, compilation: Compilation) -> Mapping[str, str]:
        """`app.py`: the three handlers as one ASGI application."""
        from wfc.emit.handlers import handlers

        return {"app.py": handlers(compilation.program)["app.py"]}

    def create_client(self, compilation: Compilation) -> Mapping[str, str]:
        """Below `client/`: modules to start workflows with, without importing their steps."""
        from wfc.compiler import client_files

        return client_files(compilation, self._store)

    def create_manifest(
        self, compilation: Compilation, files: Mapping[str, str]
    ) -> Mapping[str, Any]:
        """The data of `manifest.json`, with the hash of each of `files`. Add keys of your own
        under a name that is yours; the runtime passes over what it does not know."""
        from wfc.compiler import manifest_of

        return manifest_of(compilation, files)

    def build(self) -> BuildResult:
        """Build once, and with `watch=True` go on whenever a file changes.

        Raises `ProjectError` as `wfc.build` does; nothing is watched then.
        """
        result = self.build_once()
        if self.watch and self._watching is None:
            self._watching = threading.Thread(
                target=self._watch, name="workflow-watch", daemon=True
            )
            self._watching.start()
        return result

    def build_once(self) -> BuildResult:
        """Build once, whatever `watch` says. Raises `ProjectError`."""
        with _no_collection():
            self._last = self._build()
        return self._last

    def _build(self) -> BuildResult:
        self._parsed.forget_unused()
        self._store.forget_unused()
        project = self.get_project()
        self._generated = project.generated
        # What a derived builder does may depend on anything, and a check looks at everything.
        self._store.generated = project.root / project.generated if self.write else None
        if type(self) is Builder and self.write and self.cache:
            return self._build_what_changed(project)
        compilation, findings = self._compile(project, self.get_input_files(project))
        return self._result(project, compilation, findings)

    def _build_what_changed(self, project: Project) -> BuildResult:
        found = survey(project, self.progress)
        folder = self.working_dir / ".workflow-cache"
        key = record.key_of(project, found.digest)
        done = record.load(folder, project, key)
        if done is not None:
            return BuildResult(
                project,
                done.diagnostics,
                lambda: self._compile(project, found.files)[0],
                json.loads(done.files["manifest.json"]),
                done.files,
                silenced=done.silenced,
            )
        noting = NotingProject.of(project)
        compilation, findings = self._compile(noting, found.files)
        result = self._result(project, compilation, findings)
        if compilation is not None:
            program = compilation.program
            read = {m.path: m.sha256 for m in (*program.modules.values(), *program.shadows)}
            done = record.Done(result.diagnostics, result.silenced, result.files)
            record.save(folder, noting, key, read, done)
        return result

    def _compile(
        self, project: Project, files: Sequence[InputFile]
    ) -> tuple[Compilation | None, Findings]:
        from wfc.compiler import compile_program, load_program

        if self.progress is not None:
            self.progress(f"compiling {len(files)} file{'' if len(files) == 1 else 's'}")
        program = load_program(project, files, parse=self._parsed)
        return compile_program(project, program, self._store)

    def _result(
        self, project: Project, compilation: Compilation | None, findings: Findings
    ) -> BuildResult:
        if compilation is None:
            result = BuildResult(project, findings.diagnostics)
        else:
            result = self._emit(project, compilation, findings.diagnostics)
        return replace(result, silenced=findings.silenced)

    def rebuilds(self, stop: threading.Event | None = None) -> Iterator[Rebuild]:
        """Wait for files of the project to change, build, and yield what came of it; again and
        again, until `stop` is set.

        A build that fails leaves the generated files of the last good one as they are. Raises
        `ProjectError` when files cannot be watched at all.
        """
        from wfc.watch import changes

        for changed in changes(self.working_dir, lambda: self._generated, stop or self._stop):
            before, began = self._last, perf_counter()
            result = self._try()
            if changed or not _same(before, result):
                yield Rebuild(changed, result, perf_counter() - began)

    def rebuilt(self, rebuild: Rebuild) -> None:
        """Called in the watching thread after each rebuild; does nothing unless overridden."""

    def close(self) -> None:
        """Stop watching. Waits for a build under way; calling it again does nothing."""
        self._stop.set()
        if self._watching is not None and self._watching is not threading.current_thread():
            self._watching.join()
            self._watching = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _emit(
        self, project: Project, compilation: Compilation, diagnostics: tuple[Diagnostic, ...]
    ) -> BuildResult:
        from wfc.emit.manifest import to_text

        files = {
            **self.create_workflows_bundle(compilation),
            **self.create_client(compilation),
            **self.create_steps_bundle(compilation),
            **self.create_webhook_bundle(compilation),
            **self.create_app(compilation),
        }
        manifest = self.create_manifest(compilation, files)
        files["manifest.json"] = to_text(manifest)
        generated = project.root / project.generated
        changed = (writer.write if self.write else writer.stale)(generated, files)
        return BuildResult(
            project, diagnostics, lambda: compilation, manifest, files, tuple(changed)
        )

    def _watch(self) -> None:
        for rebuild in self.rebuilds():
            self.rebuilt(rebuild)

    def _try(self) -> BuildResult | ProjectError:
        try:
            return self.build_once()
        except ProjectError as error:
            self._last = error
            return error


@contextmanager
def _no_collection() -> Generator[None]:
    """Syntax trees are a million small objects that all stay until the end of the build: looking
    for cycles among them again and again doubles the time of a large one."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _same(before: BuildResult | ProjectError | None, after: BuildResult | ProjectError) -> bool:
    if isinstance(before, BuildResult) and isinstance(after, BuildResult):
        return before.files == after.files and before.diagnostics == after.diagnostics
    return type(before) is type(after) and str(before) == str(after)


class _Parsed:
    """`parse` with a memory of the last build, by name, path and bytes."""

    def __init__(self) -> None:
        self._before: dict[tuple[str, str], tuple[bytes, Module]] = {}
        self._now: dict[tuple[str, str], tuple[bytes, Module]] = {}

    def __call__(self, name: str, path: str, data: bytes) -> Module:
        known = self._now.get((name, path)) or self._before.get((name, path))
        if known is None or known[0] != data:
            from wfc.parse.source import parse

            known = (data, parse(name, path, data))
        self._now[name, path] = known
        return known[1]

    def forget_unused(self) -> None:
        """Keep what this build used for the next one."""
        self._before, self._now = self._now, {}
