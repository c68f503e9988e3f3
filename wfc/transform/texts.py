"""Module → transformed texts, through the cache; libcst is imported only when a text is made."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from wfc.model import Kind, Module, Program
from wfc.project import ProjectError
from wfc.transform.client_plan import ClientPlan, client_plan
from wfc.transform.plan import WorkflowPlan, workflow_plan

if TYPE_CHECKING:
    import libcst as cst

    from wfc.emit.cache import Made, TextCache

__all__ = [
    "Job",
    "UnknownSyntaxError",
    "client_text",
    "jobs",
    "make",
    "parsed",
    "stub_text",
    "without_leading_joins",
    "workflow_text",
]

_SHORT = 2_000  # characters: with a stack of the usual size libcst reads some thousand levels

Job = tuple[str, str, str, WorkflowPlan | ClientPlan]
"""A text to be made: what for (`workflow`, `client` or `stubs`), path and text of the module, and
the plan. A plain value, so that another process can do it."""


def workflow_text(program: Program, module: Module, store: TextCache) -> Made:
    """Workflow mode of a bundled module, and what the sandbox refuses in it."""
    return _made(("workflow", module.path, module.text, workflow_plan(program, module)), store)


def client_text(program: Program, module: Module, store: TextCache) -> str:
    """Client mode of a module that has workflows."""
    return _made(("client", module.path, module.text, _client_plan(program, module)), store)[0]


def stub_text(program: Program, module: Module, store: TextCache) -> str:
    """The typed stubs of a module's client mode."""
    return _made(("stubs", module.path, module.text, _client_plan(program, module)), store)[0]


def jobs(program: Program, *, client: bool) -> Iterable[list[Job]]:
    """All texts of a build, by module; those of the client mode only if asked for."""
    marked = {m.module for m in program.of(Kind.WORKFLOW)} if client else set()
    for module in program.bundled:
        plan = workflow_plan(program, module)
        found: list[Job] = [("workflow", module.path, module.text, plan)]
        if module in marked:
            mine = _client_plan(program, module)
            found += [(kind, module.path, module.text, mine) for kind in ("client", "stubs")]
        yield found


def make(job: Job, tree: cst.Module) -> Made:
    """Do a job; `tree` is the module's text, parsed."""
    match job:
        case "workflow", path, source, WorkflowPlan() as plan:
            from wfc.transform.workflow import to_workflow
            from workflow.sandbox import compiling
            from workflow.sandbox.source_files import text_name

            text = to_workflow(tree, plan, source)
            # Under the name that loading the bundle gives it, so that it is compiled once.
            return text, compiling.check(text, text_name(path, text))
        case "client", _, _, ClientPlan() as plan:
            from wfc.transform.client import to_client

            return to_client(tree, plan).code, []
        case "stubs", _, _, ClientPlan() as plan:
            from wfc.transform.stubs import to_stubs

            return to_stubs(tree, plan).code, []
    raise AssertionError(job[0])


def parsed(path: str, text: str) -> cst.Module:
    """A module's text as libcst sees it. Raises `ProjectError` if it cannot."""
    try:
        import libcst
    except ImportError as error:
        raise ProjectError(
            "building needs libcst; install the compiler's part from the checkout: "
            "pip install 'path/to/checkout[build]'"
        ) from error
    try:
        return _parse(libcst.parse_module, text)
    except libcst.ParserSyntaxError:
        pass
    plain = without_leading_joins(text)
    try:
        return _parse(libcst.parse_module, plain)
    except libcst.ParserSyntaxError as error:
        # Python could read it, so this is syntax that libcst does not know yet.
        raise UnknownSyntaxError(path, _strange_line(text) or error.editor_line) from error


def _parse(parse: Callable[[str], cst.Module], text: str) -> cst.Module:
    """Parse with a stack that suffices. That of libcst does not say when it has not: the process
    ends. Texts of this length cannot be nested as deeply as that."""
    if len(text) < _SHORT:
        return parse(text)
    from workflow.sandbox.depth import in_large_stack

    return in_large_stack(lambda: parse(text))


class UnknownSyntaxError(ProjectError):
    """A file has syntax that Python knows and libcst does not, at or after `line`."""

    def __init__(self, path: str, line: int) -> None:
        super().__init__(f"{path}:{line}: the installed libcst does not know this syntax")
        self.path = path
        self.line = line

    def __reduce__(self) -> tuple[type[UnknownSyntaxError], tuple[str, int]]:
        return UnknownSyntaxError, (self.path, self.line)


def without_leading_joins(text: str) -> str:
    """The text with lines that are a backslash alone left empty, where the next line means the same
    without them. libcst does not read them at the start of a statement."""
    lines = text.split("\n")
    meant = ast.dump(ast.parse(text))
    for index, line in enumerate(lines[:-1]):
        indent = line.removesuffix("\\")
        if indent != line and not indent.strip():
            changed = [*lines]
            changed[index : index + 2] = ["", indent + lines[index + 1].lstrip(" \t")]
            try:
                is_same = ast.dump(ast.parse("\n".join(changed))) == meant
            except SyntaxError:
                continue
            if is_same:
                lines = changed
    return "\n".join(lines)


def _strange_line(text: str) -> int | None:
    """The line of the first statement at the top of a module that libcst does not read."""
    import libcst

    lines = text.split("\n")
    for statement in ast.parse(text).body:
        whole = "\n".join(lines[statement.lineno - 1 : statement.end_lineno])
        try:
            libcst.parse_module(whole)
        except libcst.ParserSyntaxError:
            return statement.lineno
    return None


_client_plans: WeakKeyDictionary[Program, dict[Module, ClientPlan]] = WeakKeyDictionary()


def _client_plan(program: Program, module: Module) -> ClientPlan:
    # It takes as long as the module took to parse, and three places ask for it.
    plans = _client_plans.setdefault(program, {})
    if module not in plans:
        plans[module] = client_plan(program, module)
    return plans[module]


def _made(job: Job, store: TextCache) -> Made:
    return store.get(job, lambda: make(job, parsed(job[1], job[2])))
