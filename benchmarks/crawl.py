"""Send real code through the compiler: every function of every file as if it were a workflow.

    python -m benchmarks.crawl --stdlib                    the standard library of this Python
    python -m benchmarks.crawl FOLDER [FOLDER ...]         unpacked packages
    python -m benchmarks.crawl --async --samples 5 FOLDER  only async functions, with examples
    python -m benchmarks.crawl --no-rules FOLDER           discovery and analysis alone, 3x faster

Prints what crashed, which strings were taken for directives, how many findings each rule made, and
how long it took. Exit status 1 when anything crashed. A file is analysed on its own; with `--whole`
a folder is one project, so that helpers in other files are followed as well.
"""

from __future__ import annotations

import argparse
import ast
import keyword
import random
import sys
import sysconfig
import textwrap
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from wfc.analyse import checks
from wfc.analyse.program import analyse
from wfc.analyse.scopes import annotation_uses, uses
from wfc.diagnostics import Diagnostic
from wfc.emit.cache import TextCache
from wfc.model import Function, Kind, Module, Place, Program, Sighting, Spelling
from wfc.parse.source import parse
from wfc.transform.texts import client_text, stub_text, workflow_text

__all__ = ["Report", "crawl", "stdlib"]

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass
class Report:
    """What a crawl found. `crashes` and `directives` begin with the path of the file."""

    files: int = 0
    broken: list[str] = field(default_factory=list[str])
    functions: int = 0
    crashes: list[str] = field(default_factory=list[str])
    directives: list[str] = field(default_factory=list[str])
    findings: Counter[str] = field(default_factory=Counter[str])
    samples: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    seconds: float = 0.0


def stdlib() -> list[Path]:
    """The Python files of the standard library of this interpreter, its tests included."""
    root = Path(sysconfig.get_path("stdlib"))
    return sorted(p for p in root.rglob("*.py") if "site-packages" not in p.parts)


def crawl(
    files: Iterable[tuple[str, Path]],
    *,
    only_async: bool = False,
    transform: bool = False,
    whole: bool = False,
    rules: bool = True,
) -> Report:
    """Analyse files, given as (path in the project, file), and run all rules over them.

    `only_async` takes no `def`; `transform` also makes workflow mode, client mode and stubs of
    everything; `whole` treats all files as one project; without `rules` it stops at the analysis.
    """
    report = Report()
    began = time.perf_counter()
    modules: dict[str, Module] = {}
    for path, file in files:
        report.files += 1
        module = _guarded(report, path, lambda path=path, file=file: _read(path, file))
        if module is None:
            continue
        if module.error is not None:
            report.broken.append(f"{path}:{module.error.line}: {module.error.message}")
            continue
        report.directives += (
            f"{path}:{s.statement.lineno}: {s.text!r} as {s.spelling.name} {s.place.name}"
            for s in module.sightings
        )
        marked = _guarded(report, path, lambda m=module: _all_workflows(m, only_async))
        if marked is None:
            continue
        report.functions += len(marked.sightings)
        if whole:
            modules[marked.name] = marked
        elif marked.sightings:
            one = {marked.name: marked}
            _guarded(report, path, lambda one=one: _analyse(report, one, transform, rules))
    if modules:
        _guarded(report, "all files", lambda: _analyse(report, modules, transform, rules))
    report.seconds = time.perf_counter() - began
    return report


def _guarded(report: Report, path: str, work):  # type: ignore[no-untyped-def]
    try:
        return work()
    except Exception as error:
        trace = traceback.extract_tb(error.__traceback__)
        place = " < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in reversed(trace[-4:]))
        report.crashes.append(f"{path}: {type(error).__name__}: {error} ({place})")
        return None


def _read(path: str, file: Path) -> Module:
    name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    module = parse(name, path, file.read_bytes())
    for statement in module.tree.body:
        uses(statement)
    for node in ast.walk(module.tree):
        if isinstance(node, _FUNCTIONS):
            annotation_uses(node)
    return module


def _all_workflows(module: Module, only_async: bool) -> Module:
    """The module with every method once more at top level, and a directive in each `async def`.

    Nested functions stay where they are and are looked at with the function around them.
    """
    copies = "\n\n".join(_copies(module, only_async))
    longer = parse(module.name, module.path, f"{module.text}\n\n{copies}\n".encode())
    if longer.error is not None:  # a text that cannot stand at another depth, say
        longer = module
    found = [
        s for s in longer.tree.body if isinstance(s, ast.AsyncFunctionDef) and not _is_overload(s)
    ]
    return replace(longer, sightings=tuple(map(_sighting, found)), ignores=())


def _copies(module: Module, only_async: bool) -> Iterator[str]:
    taken = set(module.bindings)
    for node in _functions(module.tree.body, in_class=False):
        is_async = isinstance(node, ast.AsyncFunctionDef)
        if _is_overload(node) or (only_async and not is_async):
            continue
        text = _segment(module, node)
        # A method may be called what a function may not.
        name = base = node.name.strip("_") or "method"
        number = 1
        while name in taken or keyword.iskeyword(name):
            name, number = f"{base}_{number}", number + 1
        head, _, rest = text.partition(node.name)
        copy = f"{'' if is_async else 'async '}{head}{name}{rest}"
        try:
            ast.parse(copy)
        except SyntaxError:
            continue  # continued lines or strings that reach to the left
        taken.add(name)
        yield copy


def _functions(body: list[ast.stmt], *, in_class: bool) -> Iterator[Function]:
    """Methods, and functions of the module that are no workflows yet."""
    for statement in body:
        match statement:
            case ast.ClassDef():
                yield from _functions(statement.body, in_class=True)
            case ast.FunctionDef():
                yield statement
            case ast.AsyncFunctionDef() if in_class:
                yield statement


def _is_overload(function: Function) -> bool:
    return any("overload" in ast.dump(d) for d in function.decorator_list)


def _segment(module: Module, node: Function) -> str:
    lines = module.lines[node.lineno - 1 : node.end_lineno]
    return textwrap.dedent("\n".join(lines)).strip("\n")


def _sighting(function: Function) -> Sighting:
    statement = function.body[0]
    place, exact = Place.FUNCTION, Spelling.EXACT
    return Sighting(Kind.WORKFLOW, exact, place, "use workflow", statement, function, ())


def _analyse(report: Report, modules: dict[str, Module], transform: bool, rules: bool) -> None:
    folders = {name[:i] for name in modules for i, c in enumerate(name) if c == "."}
    program = analyse(
        modules.values(),
        find=modules.get,
        is_folder=lambda name: name in folders and name not in modules,
        accepts=lambda module, key: False,
    )
    for found in checks.run(program) if rules else ():
        report.findings[found.code] += 1
        report.samples.setdefault(found.code, []).append(_line(modules, found))
    if transform:
        _transform(program)


def _transform(program: Program) -> None:
    store = TextCache(None)
    for module in program.bundled:
        text, _ = workflow_text(program, module, store)
        ast.parse(text)
        for made in (client_text, stub_text):
            ast.parse(made(program, module, store))


def _line(modules: dict[str, Module], found: Diagnostic) -> str:
    module = next((m for m in modules.values() if m.path == found.path), None)
    line = found.span.line
    source = module.lines[line - 1].strip() if module and line <= len(module.lines) else ""
    return f"{found.path}:{line}: {source}\n        {found.message}"


def _in_folder(folder: Path) -> Iterator[tuple[str, Path]]:
    for file in sorted(folder.rglob("*.py")):
        yield file.relative_to(folder).as_posix(), file


def main() -> int:
    """Crawl what the command line names, print the report, and return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--stdlib", action="store_true", help="the standard library as well")
    parser.add_argument("--async", dest="only_async", action="store_true", help="no plain `def`")
    parser.add_argument("--transform", action="store_true", help="make all texts as well")
    parser.add_argument("--whole", action="store_true", help="each folder is one project")
    parser.add_argument("--no-rules", action="store_true", help="analyse only")
    parser.add_argument("--samples", type=int, default=0, help="examples of each rule, at random")
    parser.add_argument("--rule", help="examples of this rule only")
    arguments = parser.parse_args()
    status = 0
    sources = [(str(folder), list(_in_folder(folder))) for folder in arguments.folders]
    if arguments.stdlib:
        root = Path(sysconfig.get_path("stdlib"))
        files = [(p.relative_to(root).as_posix(), p) for p in stdlib()]
        sources.append(("the standard library", files))
    for name, files in sources:
        report = crawl(
            files,
            only_async=arguments.only_async,
            transform=arguments.transform,
            whole=arguments.whole,
            rules=not arguments.no_rules,
        )
        _print(name, report, arguments.samples, arguments.rule)
        status |= bool(report.crashes)
    return status


def _print(name: str, report: Report, samples: int, rule: str | None) -> None:
    print(
        f"{name}: {report.files} files, {report.functions} functions, {report.seconds:.1f} s, "
        f"{len(report.broken)} that are not Python, {len(report.crashes)} crashes, "
        f"{len(report.directives)} directives"
    )
    for line in report.crashes + report.directives:
        print(f"  {line}")
    for code, count in sorted(report.findings.items()):
        print(f"  {code}  {count}")
        known = report.samples[code] if rule in (None, code) else []
        chosen = random.Random(code).sample(known, min(samples, len(known)))
        print("".join(f"      {line}\n" for line in chosen), end="")


if __name__ == "__main__":
    sys.exit(main())
