"""A class that changes what Python does with its objects.

Most special methods describe a value: how it compares, adds up, is looped over or printed.
Workflow code may define those. Others change what attribute access, class creation or copying mean
(`__getattr__`, `__new__`, `__init_subclass__`, `__reduce__`, …). Then nobody can tell any more from
the text what the code does, and the checks of the sandbox could be got around.

Write an ordinary method and call it by its name.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.functions import own_nodes
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Function, Program

RULE = Rule(
    code="WF805",
    name="special-method",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
class Settings:
    def __init__(self, values: dict[str, str]) -> None:
        self.values = values

    def __getattr__(self, name: str) -> str:
        return self.values[name]


async def greet(values: dict[str, str]) -> str:
    "use workflow"
    return Settings(values).greeting
""",
    good="""\
class Settings:
    def __init__(self, values: dict[str, str]) -> None:
        self.values = values

    def get(self, name: str) -> str:
        return self.values[name]


async def greet(values: dict[str, str]) -> str:
    "use workflow"
    return Settings(values).get("greeting")
""",
)

_INSTEAD = {
    "__getattr__": "Write a method such as `get(name)`.",
    "__getattribute__": "Write a method such as `get(name)`.",
    "__setattr__": "Write a method such as `set(name, value)`.",
    "__new__": "Do it in __init__, or in a function that makes the object.",
    "__init_subclass__": "Write a class decorator.",
    "__class_getitem__": "Inherit from typing.Generic.",
    "__match_args__": "Make it a dataclass, or match by keyword.",
    "__reduce__": "Give it __workflow_serialize__ and __workflow_deserialize__.",
    "__getstate__": "Give it __workflow_serialize__ and __workflow_deserialize__.",
    "__setstate__": "Give it __workflow_serialize__ and __workflow_deserialize__.",
}


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each such method, or class attribute, of a class of workflow code."""
    from workflow.sandbox.names import DEFINABLE_DUNDERS, SETTABLE_IN_CLASSES, is_dunder

    allowed = DEFINABLE_DUNDERS | SETTABLE_IN_CLASSES | {"__del__"}  # which has its own rule
    for module, node in program.workflow_code():
        if not isinstance(node, ast.ClassDef):
            continue
        for statement in node.body:
            for place, name in _defined(statement):
                if is_dunder(name) and name.endswith("__") and name not in allowed:
                    yield RULE.at(
                        module,
                        place,
                        f"{name} changes what Python does with the objects of {node.name}, so "
                        "workflow code cannot define it.",
                        _INSTEAD.get(name, "Write an ordinary method and call it by its name."),
                    )


def _defined(statement: ast.stmt) -> Iterator[tuple[ast.AST, str]]:
    for node in own_nodes([statement]):
        if isinstance(node, Function | ast.ClassDef):
            yield node, node.name
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node, node.id
