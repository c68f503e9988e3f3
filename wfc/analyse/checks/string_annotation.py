"""An annotation that is not a type.

The annotations of workflow code are read by others later: by dataclasses, by pydantic, by tools.
So they may hold types and nothing that would have to be run, whether they are written plainly or
as text.

Write a type: a name, `list[int]`, `Order | None`, `Literal["a"]`, `Annotated[int, ...]`.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF807",
    name="string-annotation",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
async def greet(name: "the name of a person") -> str:
    "use workflow"
    return f"Hello {name}"
""",
    good='''\
async def greet(name: str) -> str:
    """Greet the person called `name`."""
    "use workflow"
    return f"Hello {name}"
''',
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each annotation with something in it that is not part of a type."""
    for module, node in program.workflow_code():
        for annotation in _annotations(node):
            if _is_plain(annotation):
                continue
            found = _refused(annotation)
            if found is not None:
                place, what = found
                yield RULE.at(
                    module,
                    place,
                    f"An annotation of workflow code names a type, and this is {what}.",
                    _instead(place),
                )


_CONSTRAINED = {"conbytes": "bytes", "condate": "date", "condecimal": "Decimal"}
_CONSTRAINED |= {"confloat": "float", "conint": "int", "constr": "str"}


def _instead(place: ast.AST) -> str:
    match place:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in _CONSTRAINED:
            of = "StringConstraints" if name == "constr" else "Field"
            options = ", ".join(ast.unparse(each) for each in place.keywords)
            return f"Write `Annotated[{_CONSTRAINED[name]}, {of}({options})]`."
    return "Write a type. What a value is for belongs into the docstring."


def _annotations(node: ast.AST) -> list[ast.expr]:
    match node:
        case ast.arg(annotation=ast.expr() as annotation):
            return [annotation]
        case ast.AnnAssign(annotation=annotation):
            return [annotation]
        case ast.FunctionDef(returns=ast.expr() as returns):
            return [returns]
        case ast.AsyncFunctionDef(returns=ast.expr() as returns):
            return [returns]
    return []


def _is_plain(annotation: ast.expr) -> bool:
    return isinstance(annotation, ast.Name) or (
        isinstance(annotation, ast.Constant) and not isinstance(annotation.value, str)
    )


def _refused(annotation: ast.expr) -> tuple[ast.AST, str] | None:
    """The first part that the sandbox does not take for a type, and what it is."""
    from workflow.sandbox.typegrammar import TypeGrammar

    found: list[ast.AST] = []
    TypeGrammar(lambda node, why: found.append(node)).clean(copy.deepcopy(annotation))
    if not found:
        return None
    match found[0]:
        case ast.Constant(value=str(text)):
            return found[0], f'the text "{text}"'
        case ast.Call(func=function):
            return found[0], f"a call of {ast.unparse(function)}"
    return found[0], f"`{ast.unparse(found[0])}`"
