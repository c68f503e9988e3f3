"""The pipeline: discover → parse → analyse → check → transform → load → emit. Start reading here.

Every stage takes and returns the data of `model.py`; `Builder.build` calls them one after the
other. Mistakes of the user are collected as diagnostics and reported together; files are written
only when there is no error.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from wfc import __version__
from wfc.analyse import checks
from wfc.analyse.bare import bare
from wfc.analyse.from_packages import for_users
from wfc.analyse.program import analyse
from wfc.analyse.silence import heed
from wfc.depth import deep_enough
from wfc.diagnostics import Diagnostic, Severity, Silenced
from wfc.discover import RESUMES, InputFile, discover, mentions, read_input
from wfc.emit.cache import TextCache
from wfc.emit.manifest import client_path, make_manifest
from wfc.model import Key, Kind, Module, Program
from wfc.parse.source import parse
from wfc.project import Project, module_name
from wfc.requires_python import oldest_python
from wfc.transform.batch import prepare
from wfc.transform.texts import UnknownSyntaxError, client_text, jobs, stub_text, workflow_text

if TYPE_CHECKING:
    from workflow.sandbox.bundle import Bundle

__all__ = [
    "Compilation",
    "Findings",
    "check_program",
    "client_files",
    "compile_program",
    "load_program",
    "manifest_of",
]

Parse = Callable[[str, str, bytes], Module]
"""Import name, path and bytes of a file → the module. `wfc.parse.source.parse`, or one that
remembers."""

_SHADOWS = ("workflow.py", "workflow/__init__.py")
_HOOKS = ("create_hook", "define_hook")


@dataclass(frozen=True, eq=False)
class Compilation:
    """A project that compiled without an error.

    `texts` has the workflow mode of each module of the bundle by import name; `bundle` is the same
    as one value with a hash, and was loaded once to see whether it can be.
    """

    project: Project
    program: Program
    texts: Mapping[str, str]
    bundle: Bundle


@dataclass(frozen=True)
class Findings:
    """What the rules found, and what of it ignore comments took out."""

    diagnostics: tuple[Diagnostic, ...]
    silenced: tuple[Silenced, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether there is no error."""
        return not any(d.severity is Severity.ERROR for d in self.diagnostics)


@deep_enough
def load_program(
    project: Project, files: Iterable[InputFile] | None = None, *, parse: Parse = parse
) -> Program:
    """Parse `files` (default: what `discover` finds) and analyse them; nothing is checked yet."""
    inputs = discover(project) if files is None else files
    modules = [parse(module_name(project, file.path), file.path, file.data) for file in inputs]
    ours = {m.name: m for m in modules}

    @cache
    def find(name: str) -> Module | None:
        if name in ours or (path := project.locate(name)) is None:
            return ours.get(name)
        return parse(name, path, read_input(project, path).data)

    program = analyse(
        modules,
        find=find,
        is_folder=project.is_folder,
        accepts=_accepts,
        passthrough=project.passthrough,
        shadows=tuple(_shadows(project, parse)),
        resumes_hooks=_resumes_hooks(project, modules),
        oldest_python=oldest_python(project.root / "pyproject.toml"),
        package=_package_around(project),
    )
    return replace(program, installed=_installed(project, program)) if project.packages else program


def _installed(project: Project, program: Program) -> dict[str, str]:
    """The modules that are out of installed packages: path → the name of the package."""
    return {
        module.path: package.name
        for module in program.modules.values()
        for package in project.packages
        if package.file(module.path) is not None
    }


def _package_around(project: Project) -> str:
    """The name of the outermost package that the project's folder is, or is inside of."""
    name = ""
    for folder in (project.root, *project.root.parents):
        if not (folder / "__init__.py").is_file():
            break
        name = folder.name
    return name


def _resumes_hooks(project: Project, modules: Iterable[Module]) -> bool:
    """Whether the project resumes its hooks, as far as its files mention it; true without any.

    The place is often a file without a directive, such as the handler of a request.
    """
    if not any(word in module.text for module in modules for word in _HOOKS):
        return True
    return any(RESUMES.search(m.text.encode()) for m in modules) or mentions(project, RESUMES)


@deep_enough
def check_program(program: Program, store: TextCache) -> tuple[dict[str, str], Findings]:
    """The workflow mode of each module of the bundle, and what there is to say about it all."""
    found = checks.run(program)
    is_fine = not any(d.severity is Severity.ERROR for d in found)
    texts: dict[str, str] = {}
    try:
        prepare(jobs(program, client=is_fine), store)
        for module in program.bundled:
            texts[module.name], problems = workflow_text(program, module, store)
            found += checks.refusals(module, problems, found)
    except UnknownSyntaxError as error:
        found.append(checks.unknown_syntax(program, error.path, error.line))
    left, silenced = heed(checks.rules(), program.modules, found)
    ours = (s for s in silenced if s.diagnostic.path not in program.installed)
    return texts, Findings(tuple(for_users(program.installed, left)), tuple(ours))


@deep_enough
def compile_program(
    project: Project, program: Program, store: TextCache
) -> tuple[Compilation | None, Findings]:
    """Check, transform, and load the result once, as a worker would.

    Gives no compilation when there is an error among the findings, or nothing to compile.
    """
    texts, findings = check_program(program, store)
    if not findings.ok or not program.marked:
        return None, findings
    from wfc.emit.bundle import make_bundle
    from wfc.emit.loading import load_failure

    bundle = make_bundle(program, texts)
    failure = load_failure(bundle, project.passthrough, store)
    if failure is not None:
        why = checks.load_failure(program, failure.path, failure.line, failure.why)
        found = (*findings.diagnostics, *for_users(program.installed, [why]))
        return None, Findings(found, findings.silenced)
    return Compilation(project, program, texts, bundle), findings


@deep_enough
def client_files(compilation: Compilation, store: TextCache) -> dict[str, str]:
    """The client mode of every module that has workflows, with typed stubs beside each, by path
    in the generated folder."""
    program = compilation.program
    modules = {m.module.name: m.module for m in program.of(Kind.WORKFLOW)}.values()
    files = {client_path(module): client_text(program, module, store) for module in modules}
    return files | {f"{client_path(m)}i": stub_text(program, m, store) for m in modules}


@deep_enough
def manifest_of(compilation: Compilation, files: Mapping[str, str]) -> dict[str, Any]:
    """The manifest as JSON data. `files` maps every other file of the build to its text."""
    return make_manifest(
        compilation.program,
        version=__version__,
        bundle_hash=compilation.bundle.hash,
        source_roots=compilation.project.source_roots,
        generated=compilation.project.generated,
        files=files,
    )


def _accepts(module: Module, key: Key) -> bool:
    """Whether the sandbox would take a class of the project as it stands."""
    from workflow.sandbox import compiling

    for index in module.bindings.get(key[1], ()):
        node = module.tree.body[index]
        if isinstance(node, ast.ClassDef) and compiling.check(bare(module, node), module.path):
            return False
    return True


def _shadows(project: Project, parse: Parse) -> Iterator[Module]:
    """Files of the project that hide the runtime."""
    for source_root in project.source_roots:
        for name in _SHADOWS:
            path = name if source_root == "." else f"{source_root}/{name}"
            if project.has(path):
                yield parse("workflow", path, read_input(project, path).data)
