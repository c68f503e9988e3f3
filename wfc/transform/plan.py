"""What a transform needs to know of a module, as plain values.

A plan has an order-independent text form, so that it can be part of a cache key, and refers to
top-level statements by their index, which the syntax trees of `ast` and libcst share.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from wfc.model import Form, Function, Kind, Marked, Module, Program

__all__ = ["WorkflowPlan", "workflow_plan"]


@dataclass(frozen=True)
class Stub:
    """A step to be replaced: its id, what it records, and where its directive is.

    `arguments` are (key in the record, parameter name). Those in `optional` have a default that
    only the step's side can tell, and are recorded when given. `captured` are variables of the
    functions around a nested step, recorded beside the arguments. `statement` is the index of the
    directive in the body, None when it stands at the top of the file. `decorators` are the indexes
    of those that stay, because they register the step.
    """

    id: str
    arguments: tuple[tuple[str, str], ...]
    statement: int | None
    optional: frozenset[str] = frozenset()
    captured: tuple[str, ...] = ()
    decorators: frozenset[int] = frozenset()


@dataclass(frozen=True)
class WorkflowPlan:
    """Workflow mode of one module.

    `keep`: indexes of top-level statements; `aliases`: for import statements the names to keep;
    `stubs`: steps by qualified name; `dropped`: methods to leave out, by qualified name.
    """

    keep: frozenset[int]
    aliases: Mapping[int, frozenset[str]] = field(default_factory=dict)
    stubs: Mapping[str, Stub] = field(default_factory=dict)
    dropped: frozenset[str] = frozenset()

    def to_text(self) -> str:
        """A canonical text of the plan."""
        return json.dumps(
            {
                "keep": sorted(self.keep),
                "aliases": {str(i): sorted(names) for i, names in self.aliases.items()},
                "stubs": {
                    name: [
                        *(s.id, s.arguments, s.statement, sorted(s.optional), s.captured),
                        sorted(s.decorators),
                    ]
                    for name, s in self.stubs.items()
                },
                "dropped": sorted(self.dropped),
            },
            sort_keys=True,
        )


def workflow_plan(program: Program, module: Module) -> WorkflowPlan:
    """The plan for the workflow mode of a bundled module."""
    keep = program.reach.keep[module.name]
    return WorkflowPlan(
        keep=keep,
        aliases={
            index: names
            for index in keep
            if (names := program.reach.aliases.get((module.name, index))) is not None
        },
        stubs={
            m.qualname: stub(m, program.reach.decorated.get(m.node, frozenset()))
            for m in program.marked_in(module)
            if m.kind is Kind.STEP
        },
        dropped=frozenset(_dropped(program, module, keep)),
    )


def _dropped(program: Program, module: Module, keep: frozenset[int]) -> Iterator[str]:
    for statement in (module.tree.body[index] for index in keep):
        if isinstance(statement, ast.ClassDef):
            for inner in statement.body:
                if isinstance(inner, Function) and inner in program.reach.dropped:
                    yield f"{statement.name}.{inner.name}"


_STARS = {"var-positional": "*", "var-keyword": "**"}


def stub(step: Marked, decorators: frozenset[int] = frozenset()) -> Stub:
    """The call that replaces the body of a step."""
    body = step.node.body
    inside = step.sighting.statement in body
    return Stub(
        id=step.id,
        arguments=tuple((_STARS.get(p.kind, "") + p.name, p.name) for p in step.parameters),
        statement=body.index(step.sighting.statement) if inside else None,
        optional=frozenset() if step.form is Form.NESTED else frozenset(_computed(step.node)),
        # The cell behind `super()` is no variable; a rule speaks about it.
        captured=tuple(name for name in step.captured if name != "__class__"),
        decorators=decorators,
    )


def _computed(function: Function) -> Iterator[str]:
    """The parameters whose default is more than a constant."""
    a = function.args
    positional = [*a.posonlyargs, *a.args]
    from_the_end = zip(reversed(positional), reversed(a.defaults), strict=False)
    for arg, default in [*from_the_end, *zip(a.kwonlyargs, a.kw_defaults, strict=True)]:
        if default is not None and not _is_constant(default):
            yield arg.arg


def _is_constant(node: ast.expr) -> bool:
    match node:
        case ast.Constant():
            return True
        case ast.UnaryOp(operand=ast.Constant()):
            return True
        case ast.Tuple(elts=items) | ast.List(elts=items) | ast.Set(elts=items):
            return all(map(_is_constant, items))
        case ast.Dict(keys=keys, values=values):
            return all(key is not None and _is_constant(key) for key in keys) and all(
                map(_is_constant, values)
            )
    return False
