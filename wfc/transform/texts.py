"""Module → transformed text, through the cache; libcst is imported only when a text is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wfc.model import Module, Program
from wfc.project import ProjectError
from wfc.transform.client_plan import client_plan
from wfc.transform.plan import workflow_plan

if TYPE_CHECKING:
    import libcst as cst

    from wfc.emit.cache import TextCache

__all__ = ["client_text", "workflow_text"]

Problems = list[tuple[int, int, str]]


def workflow_text(program: Program, module: Module, store: TextCache) -> tuple[str, Problems]:
    """Workflow mode of a bundled module, and what the sandbox refuses in it."""
    plan = workflow_plan(program, module)

    def make() -> tuple[str, Problems]:
        from workflow.sandbox import policy

        tree = _parsed(module)
        from wfc.transform.workflow import to_workflow

        text = to_workflow(tree, plan).code
        return text, policy.check(text, module.path)

    return store.get(["workflow", module.path, module.text, plan.to_text()], make)


def client_text(program: Program, module: Module, store: TextCache) -> str:
    """Client mode of a module that has workflows."""
    plan = client_plan(program, module)

    def make() -> tuple[str, Problems]:
        tree = _parsed(module)
        from wfc.transform.client import to_client

        return to_client(tree, plan).code, []

    return store.get(["client", module.path, module.text, plan.to_text()], make)[0]


def _parsed(module: Module) -> cst.Module:
    try:
        import libcst
    except ImportError as error:
        raise ProjectError(
            "building needs libcst; install the compiler's part from the checkout: "
            "pip install 'path/to/checkout[build]'"
        ) from error
    try:
        return libcst.parse_module(module.text)
    except libcst.ParserSyntaxError as error:
        # Python could read it, so this is syntax that libcst does not know yet.
        raise ProjectError(
            f"{module.path}:{error.editor_line}: the installed libcst does not know this syntax; "
            "upgrade it, or write the line in an older way"
        ) from error
