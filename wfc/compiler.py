"""The pipeline: discover → parse → analyse → check → transform → load → emit. Start reading here.

Every stage takes and returns the data of `model.py`. Mistakes of the user are collected as
diagnostics and reported together; files are written only when there is no error.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wfc import __version__
from wfc.analyse import checks
from wfc.analyse.program import analyse
from wfc.diagnostics import Diagnostic, Severity
from wfc.emit import writer
from wfc.emit.cache import TextCache
from wfc.emit.handlers import handlers
from wfc.emit.manifest import client_path, make_manifest, to_text
from wfc.model import Key, Kind, Module, Program
from wfc.parse.source import parse
from wfc.project import Project, discover, load_project, module_name
from wfc.transform.texts import client_text, workflow_text

if TYPE_CHECKING:
    from workflow.sandbox.bundle import Bundle

__all__ = ["BuildResult", "build", "load_program"]

_SHADOWS = ("workflow.py", "workflow/__init__.py")


@dataclass(frozen=True)
class BuildResult:
    """What a build found and made.

    `bundle` is None and `files` empty when there was an error or nothing to build. `files` maps
    paths in the generated folder to texts; `stale` lists those that differed on disk before.
    """

    project: Project
    diagnostics: tuple[Diagnostic, ...]
    bundle: Bundle | None
    manifest: Mapping[str, Any]
    files: Mapping[str, str]
    stale: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether there was no error."""
        return not any(d.severity is Severity.ERROR for d in self.diagnostics)


def build(root: Path | str = ".", *, write: bool = True, cache: bool = True) -> BuildResult:
    """Build the project at `root` and write its generated folder.

    `write=False` writes nothing there and only says in `stale` what would change. `cache=False`
    neither reads nor fills `.workflow-cache/`. Raises `ProjectError` for wrong settings and for
    files of others in the way; mistakes in workflow code are diagnostics.
    """
    project = load_project(Path(root))
    program = load_program(project)
    found = checks.run(program)
    store = TextCache(project.root / ".workflow-cache" if cache else None)
    texts: dict[str, str] = {}
    for module in program.bundled:
        texts[module.name], problems = workflow_text(program, module, store)
        found += checks.refusals(module, problems, found)
    diagnostics = tuple(checks.silence(program.modules, found))
    if _errors(diagnostics) or not program.marked:
        return BuildResult(project, diagnostics, None, {}, {})
    bundle, failure = _loaded(project, program, texts, store)
    if failure is not None:
        return BuildResult(project, (*diagnostics, failure), None, {}, {})
    manifest, files = _emit(project, program, bundle, texts, store)
    generated = project.root / project.generated
    stale = tuple(writer.write(generated, files) if write else writer.stale(generated, files))
    return BuildResult(project, diagnostics, bundle, manifest, files, stale)


def load_program(project: Project) -> Program:
    """Discover, parse and analyse; nothing is checked yet."""
    modules = [parse(module_name(project, path), path, data) for path, data in discover(project)]
    ours = {m.name: m for m in modules}

    @cache
    def find(name: str) -> Module | None:
        if name in ours or (path := project.locate(name)) is None:
            return ours.get(name)
        return parse(name, path, (project.root / path).read_bytes())

    return analyse(
        modules,
        find=find,
        is_folder=project.is_folder,
        accepts=_accepts,
        passthrough=project.passthrough,
        shadows=tuple(_shadows(project)),
    )


def _loaded(
    project: Project, program: Program, texts: Mapping[str, str], store: TextCache
) -> tuple[Bundle, Diagnostic | None]:
    """The bundle, and why a worker could not load it, if it could not."""
    from wfc.emit.bundle import make_bundle
    from wfc.emit.loading import load_failure

    bundle = make_bundle(program, texts)
    failure = load_failure(bundle, project.root, project.passthrough, store)
    if failure is None:
        return bundle, None
    return bundle, checks.load_failure(program.modules, failure.path, failure.line, failure.why)


def _emit(
    project: Project,
    program: Program,
    bundle: Bundle,
    texts: Mapping[str, str],
    store: TextCache,
) -> tuple[dict[str, Any], dict[str, str]]:
    files = {f"workflows/{m.path}": texts[m.name] for m in program.bundled}
    for module in {m.module.name: m.module for m in program.of(Kind.WORKFLOW)}.values():
        files[client_path(module)] = client_text(program, module, store)
    files |= handlers(program)
    manifest = make_manifest(
        program,
        version=__version__,
        bundle_hash=bundle.hash,
        source_roots=project.source_roots,
        generated=project.generated,
        files=files,
    )
    return manifest, {**files, "manifest.json": to_text(manifest)}


def _errors(found: list[Diagnostic] | tuple[Diagnostic, ...]) -> bool:
    return any(d.severity is Severity.ERROR for d in found)


def _accepts(module: Module, key: Key) -> bool:
    from workflow.sandbox import policy

    for index in module.bindings.get(key[1], ()):
        node = module.tree.body[index]
        if isinstance(node, ast.ClassDef):
            text = ast.get_source_segment(module.text, node) or ""
            if policy.check(text, module.path):
                return False
    return True


def _shadows(project: Project) -> list[Module]:
    found = []
    for source_root in project.source_roots:
        for name in _SHADOWS:
            path = name if source_root == "." else f"{source_root}/{name}"
            if (project.root / path).is_file():
                found.append(parse("workflow", path, (project.root / path).read_bytes()))
    return found
