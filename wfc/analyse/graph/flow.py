"""The state of drawing one workflow, handed to the functions that draw one construct each.

The constructs are mutually recursive (a call draws a helper, whose body has statements, which have
calls), so `value` and `block` are fields: `build.py` puts them in.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from wfc.analyse.graph.draft import Draft, End
from wfc.analyse.graph.resolve import Resolver, Scope
from wfc.analyse.graph.shapes import NodeKind
from wfc.analyse.spans import span_data, text_of

__all__ = ["Flow", "Group", "Later", "Variables", "short"]

_LABEL = 100


@dataclass(frozen=True, eq=False)
class Later:
    """A coroutine that was made and not awaited yet; `each`: over what it is made many times."""

    expr: ast.expr
    each: str = ""


@dataclass
class Variables:
    """What the local variables of a function hold, as far as the graph wants to know."""

    pending: dict[str, list[Later]] = field(default_factory=dict)
    tasks: dict[str, list[End]] = field(default_factory=dict)
    hooks: dict[str, str] = field(default_factory=dict)
    children: dict[str, str] = field(default_factory=dict)
    each: str = ""  # the loop that is drawn


@dataclass
class Group:
    """A TaskGroup: the loose ends of its tasks are tied where its block ends."""

    name: str
    ends: list[End] = field(default_factory=list)


@dataclass
class Flow:
    """`awaited` draws `await expr`, `value` the evaluation of an expression, `block`
    statements."""

    draft: Draft
    resolver: Resolver
    scope: Scope
    value: Callable[[Flow, ast.expr], None]
    awaited: Callable[[Flow, ast.expr], None]
    block: Callable[[Flow, Sequence[ast.stmt]], None]
    variables: Variables = field(default_factory=Variables)
    groups: list[Group] = field(default_factory=list)
    spawned: list[End] = field(default_factory=list)
    stack: list[ast.AST] = field(default_factory=list)  # the functions that are being drawn
    drawn: set[ast.AST] = field(default_factory=set)  # helpers that were drawn before
    evaluated: set[ast.AST] = field(default_factory=set)  # calls whose arguments are drawn
    quoted: ast.JoinedStr | None = None

    def text(self, node: ast.AST) -> str:
        """The user's text of `node`."""
        # Before 3.12 the places inside f-strings are not exact, and the manifest must not depend
        # on the version.
        return ast.unparse(node) if self.quoted else text_of(self.scope.module, node)

    def add(
        self, kind: NodeKind, label: str, at: ast.AST, data: Mapping[str, Any] | None = None
    ) -> str:
        """Draw a node for the syntax `at`."""
        span = span_data(self.scope.module, self.quoted or at)
        return self.draft.add(kind, short(label), span, data)

    @contextmanager
    def inside(self, scope: Scope) -> Iterator[None]:
        """Draw the body of another function."""
        before = (self.scope, self.variables, self.quoted)
        self.scope, self.variables, self.quoted = scope, Variables(), None
        self.stack.append(scope.function)
        try:
            yield
        finally:
            self.stack.pop()
            self.scope, self.variables, self.quoted = before


def short(text: str, limit: int = _LABEL) -> str:
    """`text` on one line, cut with an ellipsis."""
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
