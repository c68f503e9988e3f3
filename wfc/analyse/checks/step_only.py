"""A workflow's own code uses what only a step can.

`get_step_metadata()` tells a step about its attempt, and a workflow has no attempts. A stream is
written and closed by steps: a workflow is run again at every replay, and would write all of it once
more. Both raise `ContextError` there, and the run fails.

Call `get_step_metadata()` in the step that needs it. A workflow may get a stream with
`get_writable()` and pass it to a step, which writes; or the step gets it itself.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import External, Kind, Program
from wfc.nodes import children

RULE = Rule(
    code="WF520",
    name="step-only",
    severity=Severity.ERROR,
    page=__doc__,
    bad="""\
from workflow import get_writable


async def sign_up(email: str) -> None:
    "use workflow"
    progress = get_writable(str)
    await progress.write(f"signing {email} up")
""",
    good="""\
from workflow import Writable, get_writable


async def tell(progress: Writable[str], line: str) -> None:
    "use step"
    await progress.write(line)


async def sign_up(email: str) -> None:
    "use workflow"
    progress = get_writable(str)
    await tell(progress, f"signing {email} up")
""",
)

_OF_STREAMS = ("write", "write_from", "close")


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each such call in the body of a workflow, as far as it is certain."""
    for workflow in program.of(Kind.WORKFLOW):
        nodes = list(_own(program, workflow.node))
        streams = {
            target.id
            for node in nodes
            if isinstance(node, ast.Assign) and _is(program, node.value, "workflow.get_writable")
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in nodes:
            if _is(program, node, "workflow.get_step_metadata"):
                yield RULE.at(
                    workflow.module,
                    node,
                    f"The workflow {workflow.name} calls get_step_metadata(), which is about the "
                    "attempt of a step, and a workflow has none.",
                    "Call it in the step that needs it. A workflow has get_workflow_metadata().",
                )
            match node:
                case ast.Call(func=ast.Attribute(value=stream, attr=attr)) if (
                    attr in _OF_STREAMS
                    and (
                        _is(program, stream, "workflow.get_writable")
                        or (isinstance(stream, ast.Name) and stream.id in streams)
                    )
                ):
                    yield RULE.at(
                        workflow.module,
                        node,
                        f"The workflow {workflow.name} calls {attr}() of a stream: every replay "
                        "would do it again, so only steps may.",
                        'Pass the stream to a function marked "use step", and do it there.',
                    )


def _own(program: Program, function: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a workflow, without those of steps inside of it."""
    stack = [function]
    while stack:
        node = stack.pop()
        if node not in program.elsewhere:
            yield node
            stack += reversed(children(node))


def _is(program: Program, node: ast.AST, name: str) -> bool:
    if not isinstance(node, ast.Call):
        return False
    meaning = program.reach.meaning.get(node.func)
    return isinstance(meaning, External) and str(meaning) == name
