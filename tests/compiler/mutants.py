"""Wrong versions of the rules, and whether the examples of the tests notice them.

    python -m tests.compiler.mutants [--jobs N] [--every N] [FILE ...]

For each file of the rules, and of what they share, every `Mutant` of `mutate.py` is put in its
place in a child process, and the rules are run over the examples of the tests. A mutant is killed
when something that a test asserts is different. What survives is printed.
"""

from __future__ import annotations

import argparse
import ast
import gc
import importlib
import os
import re
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType

from tests.compiler.equivalent import EQUIVALENT, EVERYWHERE
from tests.compiler.examples import Example, Level, examples
from tests.compiler.mutate import mutants
from wfc.analyse.checks import rules
from wfc.compiler import compile_program, load_program
from wfc.diagnostics import Diagnostic
from wfc.emit.cache import TextCache
from wfc.model import Program
from wfc.project import Project, load_project

__all__ = ["Outcome", "files", "run"]

_RULES = "wfc.analyse.checks"
_SHARED = (
    "awaiting", "bans", "boundary", "externals", "functions", "modules", "silence",
    "statements", "type_tables", "type_values", "types", "unawaited",
)  # fmt: skip
_WHOLE_BUILD = {"not_in_sandbox", "not_loadable", "unused_ignore", "silence", "statements"}
"""What speaks outside of `check`: only a build shows it."""
_SECONDS = 20


@dataclass(frozen=True)
class Outcome:
    """What became of the mutants of one file."""

    name: str
    killed: int
    survivors: tuple[tuple[int, str], ...]
    equivalent: int


@dataclass(frozen=True, eq=False)
class _Built:
    example: Example
    project: Project
    program: Program
    codes: frozenset[str]


def files() -> tuple[str, ...]:
    """The import names of the files that are mutated."""
    folder = Path(importlib.import_module(_RULES).__path__[0])
    names = [f"{_RULES}.{p.stem}" for p in sorted(folder.glob("*.py")) if p.stem != "__init__"]
    if sys.version_info < (3, 12):  # its examples cannot be read before
        names.remove(f"{_RULES}.python_version_syntax")
    return (*names, *(f"wfc.analyse.{name}" for name in _SHARED))


def run(
    chosen: Sequence[str] = (), *, jobs: int = 1, every: int = 1, say: Callable[[str], None] = print
) -> list[Outcome]:
    """Try the mutants of the files `chosen` (default: all), each `every`th of them."""
    with tempfile.TemporaryDirectory() as folder:
        return _Run(Path(folder), every).all(chosen or files(), jobs, say)


class _Run:
    def __init__(self, folder: Path, every: int) -> None:
        self._every = every
        self._built = [
            _built(example, folder / str(number)) for number, example in enumerate(examples())
        ]
        rules()
        self._modules = {
            name: module
            for name, module in sys.modules.items()
            if name.startswith("wfc.analyse.")
            and not name.endswith((".names", ".program", ".reach", ".ids", ".decorators"))
        }
        self._order = _by_dependency(self._modules)
        self._code: dict[str, CodeType] = {
            name: compile(_source(module), module.__file__ or name, "exec")
            for name, module in self._modules.items()
        }
        self._expected: dict[tuple[str, int], object] = {}

    def all(self, chosen: Sequence[str], jobs: int, say: Callable[[str], None]) -> list[Outcome]:
        for name in chosen:
            for rule in self._rules_of(name):
                for index in self._indexes(name, rule):
                    self._expected[rule, index] = self._observe(rule, index, name)
        gc.collect()
        gc.freeze()
        if jobs == 1:
            return [self._one(name, say) for name in chosen]
        parts = [chosen[k::jobs] for k in range(jobs)]
        found = []
        for lines in _in_children(parts, self._tell):
            for line in lines:
                found.append(Outcome(*ast.literal_eval(line)))
                say(_summary(found[-1]))
        return found

    def _tell(self, part: Sequence[str], out: Callable[[str], None]) -> None:
        for name in part:
            o = self._one(name, lambda _: None)
            out(repr((o.name, o.killed, o.survivors, o.equivalent)))

    def _one(self, name: str, say: Callable[[str], None]) -> Outcome:
        module = self._modules[name]
        tree = ast.parse(_source(module))
        short = name.rpartition(".")[2]
        killed, equivalent, survivors = 0, 0, []
        for number, mutant in enumerate(mutants(tree)):
            if number % self._every:
                continue
            mutant.apply()
            try:
                code = compile(ast.fix_missing_locations(tree), module.__file__ or name, "exec")
            except (SyntaxError, ValueError):
                continue
            finally:
                mutant.undo()
            known = (*EVERYWHERE, *EQUIVALENT.get(short, {}))
            if any(re.fullmatch(pattern, mutant.label) for pattern in known):
                equivalent += 1
            elif self._is_killed(name, code):
                killed += 1
            else:
                survivors.append((mutant.line, mutant.label))
        outcome = Outcome(short, killed, tuple(survivors), equivalent)
        say(_summary(outcome))
        return outcome

    # -- one mutant -------------------------------------------------------------------------------

    def _is_killed(self, name: str, code: CodeType) -> bool:
        child = os.fork()
        if child == 0:
            signal.alarm(_SECONDS)  # a loop that no longer ends is noticed as well
            try:
                os._exit(0 if self._differs(name, code) else 1)
            except BaseException:
                os._exit(0)
        _, status = os.waitpid(child, 0)
        return status != 1 << 8

    def _differs(self, name: str, code: CodeType) -> bool:
        """In the child: put the code in place, and look for an example that notices."""
        sys.stderr = None
        exec(code, self._modules[name].__dict__)
        for other in self._order:
            if other != name and name in self._needs(other):
                exec(self._code[other], self._modules[other].__dict__)
        todo = [(r, i) for r in self._rules_of(name) for i in self._indexes(name, r)]
        # Where something was found, something is missed first.
        todo.sort(key=lambda at: not self._expected[at])
        return any(self._observe(r, i, name) != self._expected[r, i] for r, i in todo)

    def _observe(self, rule: str, index: int, name: str) -> object:
        built = self._built[index]
        if name.rpartition(".")[2] in _WHOLE_BUILD:
            _, findings = compile_program(built.project, built.program, TextCache(None))
            return _view(findings.diagnostics, built.example.level)
        found = self._modules[rule].check(built.program)
        once = {(d.path, d.span, d.code, d.message): d for d in found}
        return _view(once.values(), built.example.level)

    def _rules_of(self, name: str) -> list[str]:
        """The rules that a file is, or that use it."""
        if name.rpartition(".")[2] in _WHOLE_BUILD:
            return [f"{_RULES}.unused_ignore"]
        if hasattr(self._modules[name], "RULE"):
            return [name]
        return [
            other
            for other, module in self._modules.items()
            if hasattr(module, "RULE") and name in self._needs(other)
        ]

    def _indexes(self, name: str, rule: str) -> Iterable[int]:
        """The examples for a file; its own first. Whole builds are slow: only theirs."""
        code = self._modules[rule].RULE.code
        if name.rpartition(".")[2] not in _WHOLE_BUILD:
            return sorted(
                range(len(self._built)), key=lambda i: self._built[i].example.code != code
            )
        wanted = {"WF099", "WF811", "WF812"}
        return [
            i
            for i, b in enumerate(self._built)
            if wanted & b.codes or b.example.code in wanted or "wfc: ignore" in str(b.example.files)
        ]

    def _needs(self, name: str) -> set[str]:
        return self._order[name]


def _built(example: Example, folder: Path) -> _Built:
    from tests.compiler.projects import write_project

    project = load_project(write_project(folder, example.files))
    program = load_program(project)
    return _Built(example, project, program, frozenset(example.codes))


def _view(found: Iterable[Diagnostic], level: Level) -> object:
    match level:
        case Level.CODES:
            return sorted({d.code for d in found})
        case Level.LINES:
            return sorted((d.path, d.span.line, d.code) for d in found)
        case Level.WHOLE:
            return sorted(map(repr, found))


def _source(module: ModuleType) -> str:
    return Path(module.__file__ or "").read_text("utf-8")


def _by_dependency(modules: Mapping[str, ModuleType]) -> dict[str, set[str]]:
    """Each module with all it imports of the others, in an order in which they can be loaded."""
    direct = {
        name: {
            target
            for node in ast.walk(ast.parse(_source(module)))
            if isinstance(node, ast.ImportFrom) and node.module
            for target in (node.module, *(f"{node.module}.{a.name}" for a in node.names))
            if target in modules and target != name
        }
        for name, module in modules.items()
    }
    order: dict[str, set[str]] = {}

    def visit(name: str, above: tuple[str, ...]) -> None:
        if name in order or name in above:
            return
        for other in sorted(direct[name]):
            visit(other, (*above, name))
        order[name] = direct[name].union(*(order.get(o, set()) for o in direct[name]))

    for name in sorted(modules):
        visit(name, ())
    return order


def _in_children(
    parts: Sequence[Sequence[str]], work: Callable[[Sequence[str], Callable[[str], None]], None]
) -> Iterator[list[str]]:
    """Do the parts in child processes side by side; the lines that each has said."""
    running = []
    for part in parts:
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read)
            with os.fdopen(write, "w") as out:
                work(part, lambda line, out=out: print(line, file=out, flush=True))  # type: ignore[misc]
            os._exit(0)
        os.close(write)
        running.append((child, read))
    for child, read in running:
        with os.fdopen(read) as lines:
            yield lines.read().splitlines()
        _, status = os.waitpid(child, 0)
        assert status == 0, "a child process failed"


def _summary(outcome: Outcome) -> str:
    left = len(outcome.survivors)
    lines = [
        f"{outcome.name}: {outcome.killed} killed, {left} survive, {outcome.equivalent} equivalent"
    ]
    return "\n".join([*lines, *(f"    {line}: {label}" for line, label in outcome.survivors)])


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Try wrong versions of the rules.")
    parser.add_argument("files", nargs="*", help="names such as busy_wait (default: all rules)")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--every", type=int, default=1, help="only each Nth mutant of a file")
    options = parser.parse_args()
    wanted = options.files or [n.rpartition(".")[2] for n in files() if n.startswith(_RULES)]
    chosen = [n for n in files() if n.rpartition(".")[2] in wanted]
    found = run(chosen, jobs=options.jobs, every=options.every)
    killed, equivalent = sum(o.killed for o in found), sum(o.equivalent for o in found)
    left = sum(len(o.survivors) for o in found)
    print(f"{len(found)} files: {killed} killed, {left} survive, {equivalent} equivalent")
    sys.exit(bool(left))


if __name__ == "__main__":
    main()
