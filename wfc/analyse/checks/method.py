"""A method that cannot be a workflow or step.

Another process starts a run from two things: the id of the workflow and the recorded arguments.
There is no instance among them, so a workflow cannot be a method that needs `self`. Methods such as
`__init__` are called by Python itself, which cannot wait for a step. And a class inside another
class is not found by a name at the top of the module.

Make the workflow a `@classmethod` or a function, and give it as arguments what the instance would
hold. A step may be a method: its instance is recorded with the other arguments. For that the class
has to be data: a dataclass, a pydantic model, or a class with `__workflow_serialize__` and
`__workflow_deserialize__`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.checks.directive_target import special
from wfc.analyse.checks.sightings import directives
from wfc.analyse.ids import form_of
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Form, Function, Kind, Module, Place, Program

RULE = Rule(
    code="WF011",
    name="method",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
from dataclasses import dataclass


@dataclass
class Onboarding:
    sender: str

    async def run(self, email: str) -> str:
        "use workflow"
        return f"{self.sender} to {email}"
""",
    good="""\
from dataclasses import dataclass


@dataclass
class Onboarding:
    sender: str

    async def welcome(self, email: str) -> str:
        "use step"
        return f"{self.sender} to {email}"

    @classmethod
    async def run(cls, sender: str, email: str) -> str:
        "use workflow"
        return await cls(sender).welcome(email)
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each method with a directive that cannot be found or called again."""
    for module, sighting in directives(program):
        function = sighting.function
        if sighting.place is not Place.FUNCTION or function is None or special(function):
            continue
        match sighting.enclosing:
            case [ast.ClassDef(name=name)]:
                yield from _method(module, sighting.kind, form_of(sighting), name, function)
            case [ast.ClassDef(), *_, ast.ClassDef(name=name)] as around:
                if all(isinstance(a, ast.ClassDef) for a in around):
                    yield RULE.at(
                        module,
                        function,
                        f"{name} is a class inside another class, so {name}.{function.name} is "
                        "not found by a name at the top of the module.",
                        f"Move the class {name} to module level.",
                    )


def _method(
    module: Module, kind: Kind, form: Form | None, name: str, function: Function
) -> Iterator[Diagnostic]:
    method = function.name
    if method.startswith("__") and method != "__call__":
        special_name = method.endswith("__")
        what = "Python itself calls" if special_name else "Python renames"
        better = "run" if special_name else method.strip("_")
        yield RULE.at(
            module,
            function,
            f"{name}.{method} is a method that {what}, so it cannot be a {kind.value}.",
            f"Put the directive into a method with an ordinary name, such as {better}, and await "
            "that one.",
        )
    elif kind is Kind.WORKFLOW and form is Form.INSTANCE:
        yield RULE.at(
            module,
            function,
            f"{name}.{method} is called on an instance, and a workflow is started by its id alone: "
            "there is no instance to call it on.",
            f"Make it a @classmethod that builds what it needs from its arguments, or move "
            f"{method} to module level. Steps may be methods of instances.",
        )
