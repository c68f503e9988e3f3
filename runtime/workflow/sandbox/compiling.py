"""Compiles the text of workflow modules: through the policy, to native bytecode."""

from __future__ import annotations

import ast
from collections.abc import Callable
from copy import copy
from functools import lru_cache
from types import CodeType
from typing import TypeVar

from workflow.errors import SandboxError
from workflow.replay.warned import as_warnings
from workflow.sandbox.depth import deepest_line, deeply
from workflow.sandbox.plain import bound_by
from workflow.sandbox.policy import WorkflowPolicy
from workflow.sandbox.trees import at, guard, parsed

__all__ = ["PolicyError", "Problem", "check", "compile_module", "compile_parts", "given"]

_T = TypeVar("_T")

Problem = tuple[int, int, str]
"""Line (from 1), column in characters (from 1), message."""


class PolicyError(SandboxError):
    """The source is not valid workflow code. `problems` lists every `(line, column, message)`."""

    def __init__(self, filename: str, problems: list[Problem]) -> None:
        super().__init__(
            "\n".join(f"{filename}:{line}:{col}  {text}" for line, col, text in problems)
        )
        self.filename = filename
        self.problems = problems


def _transform(source: str, filename: str) -> tuple[ast.Module | None, list[Problem]]:
    try:
        tree = parsed(source, filename)
    except (SyntaxError, ValueError) as error:
        line, offset = getattr(error, "lineno", None) or 1, getattr(error, "offset", None) or 1
        return None, [(line, offset, f"not valid Python: {getattr(error, 'msg', error)}")]
    policy = WorkflowPolicy()
    tree = policy.visit(tree)
    lines = source.split("\n")

    def position(line: int, byte: int) -> int:
        text = lines[line - 1] if 0 < line <= len(lines) else ""
        return len(text.encode()[:byte].decode(errors="replace")) + 1

    found = {(line, position(line, byte), text) for line, byte, text in policy.problems}
    return tree, sorted(found)


def check(source: str, filename: str) -> list[Problem]:
    """Everything in `source` that workflow code may not contain, in order of position.

    Returns `(line, column, message)` tuples, both counted from 1; an empty list means that
    `compile_module` accepts the text. Imports and builtins are not judged: that depends on the
    project, and the importer refuses them at run time.
    """
    try:
        compile_module(source, filename)
    except PolicyError as error:
        return error.problems
    return []


def compile_module(source: str, filename: str) -> CodeType:
    """Compile the text of one workflow module under `filename`, with the guards built in.

    Annotations of functions and variables are never evaluated, as under
    `from __future__ import annotations`. Raises `PolicyError` with every problem found.
    """
    return _done(lambda: _compiled(source, filename), source, filename)


def compile_parts(
    source: str, filename: str, once: frozenset[str], imports: frozenset[str]
) -> tuple[CodeType, CodeType]:
    """Compile a module as two: what makes the names `once`, with the `imports` that needs, and what
    each run executes, which takes those names as `given` says. Raises `PolicyError` with every
    problem found.
    """
    return _done(lambda: _parts(source, filename, once, imports), source, filename)


def _done(work: Callable[[], _T], source: str, filename: str) -> _T:
    try:
        with as_warnings():
            return deeply(work)
    except (RecursionError, MemoryError):
        place = (deepest_line(source), 1, "an expression is nested too deeply")
        raise PolicyError(filename, [place]) from None


def _parts(
    source: str, filename: str, once: frozenset[str], imports: frozenset[str]
) -> tuple[CodeType, CodeType]:
    tree = _checked(source, filename)
    first: list[ast.stmt] = []
    rest: list[ast.stmt] = []
    for node in tree.body:
        bound = frozenset(bound_by(node)) | _targets(node)
        if made := bound & once:
            first.append(node)
            # In its place, so that nothing above it sees the name earlier than it would.
            rest.extend(_taken(name, node) for name in made)
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            wanted = [a for a in node.names if imports & frozenset(bound_by(a))]
            if wanted:
                part = copy(node)
                part.names = wanted
                first.append(part)
        rest.append(node)
    return (
        _to_code(ast.Module(first, type_ignores=[]), filename),
        _to_code(ast.Module(rest, type_ignores=[]), filename),
    )


def given(name: str) -> str:
    """Under which name a module finds what it takes over as `name`."""
    return f"$given {name}"


def _taken(name: str, place: ast.stmt) -> ast.stmt:
    taken: ast.stmt = at(
        ast.Assign([ast.Name(name, ast.Store())], guard(given(name), place)), place
    )
    return taken


def _targets(node: ast.stmt) -> frozenset[str]:
    match node:
        case ast.Assign(targets=[target]) | ast.AnnAssign(target=target):
            return frozenset(bound_by(target))
    return frozenset()


@lru_cache(maxsize=512)  # a build checks a module, and then loads it as a worker will
def _compiled(source: str, filename: str) -> CodeType:
    return _to_code(_checked(source, filename), filename)


def _checked(source: str, filename: str) -> ast.Module:
    tree, problems = _transform(source, filename)
    if problems or tree is None:
        raise PolicyError(filename, problems)
    return tree


def _to_code(tree: ast.Module, filename: str) -> CodeType:
    try:
        # With its assertions, however the process was started.
        return compile(ast.fix_missing_locations(tree), filename, "exec", 0, True, 0)
    except (
        SyntaxError,
        ValueError,
    ) as error:  # rules of the compiler proper, such as stray `await`
        line, offset = getattr(error, "lineno", None) or 1, getattr(error, "offset", None) or 1
        message = f"not valid Python: {getattr(error, 'msg', error)}"
        raise PolicyError(filename, [(line, offset, message)]) from None
