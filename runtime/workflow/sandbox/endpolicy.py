"""The part of the policy that leaves out what the garbage collector would run (`abandoned.py`)."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from workflow.sandbox.looppolicy import LoopPolicy
from workflow.sandbox.trees import at, call, guard

__all__ = ["EndPolicy"]

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_CALLED = frozenset({"__aexit__", "__exit__", "close"})
"""What is called when a generator is closed: `close` of the iterator that `yield from` is in."""
_CLOSING = frozenset({"BaseException", "GeneratorExit"})


class EndPolicy(LoopPolicy):
    """Puts a question before `finally` blocks and handlers of generators and coroutines, and into
    `__exit__` and its kind."""

    def guard_ends(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Guard a function, visited already, if the collector can come to be its caller."""
        if node.name in _CALLED:
            node.body.insert(0, _left_out(node))
        parts = list(_own(node))
        # The event loop keeps tasks and asynchronous generators, but not coroutines that workflow
        # code drives by hand.
        if not isinstance(node, ast.AsyncFunctionDef) and not any(
            isinstance(part, ast.Yield | ast.YieldFrom) for part in parts
        ):
            return
        for part in parts:
            if isinstance(part, ast.Try | ast.TryStar) and part.finalbody:
                part.finalbody.insert(0, _left_out(part.finalbody[0]))
            if isinstance(part, ast.Try):
                for handler in filter(_sees_closing, part.handlers):
                    handler.body.insert(0, _left_out(handler.body[0]))

    def guard_star(self, node: ast.TryStar) -> ast.stmt | list[ast.stmt]:
        """Guard the handlers of an `except*` in a function, visited already. Nothing can return
        from within: they are skipped, and so is what comes after."""
        closing = list(filter(_sees_closing, node.handlers))
        if not closing:
            return node
        for handler in closing:
            place = handler.body[0]
            test = at(ast.UnaryOp(ast.Not(), _collected(place)), place)
            handler.body = [at(ast.If(test, handler.body, []), place)]
        return [node, _left_out(node)]


def _own(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.AST]:
    """Everything in a function that belongs to no function or class inside of it."""
    ahead: list[ast.AST] = list(function.body)
    while ahead:
        node = ahead.pop()
        yield node
        if not isinstance(node, _SCOPES):
            ahead.extend(ast.iter_child_nodes(node))


def _sees_closing(handler: ast.ExceptHandler) -> bool:
    """Whether a handler may be there for what closes a generator. Names of ordinary errors are not;
    another name may stand for anything."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    for kind in kinds:
        name = kind.id if isinstance(kind, ast.Name) else ""
        if name in _CLOSING or not name.endswith(("Error", "Exception", "Warning")):
            return True
    return False


def _collected(place: ast.stmt) -> ast.expr:
    both = [guard("$collecting", place), call("$collected", [], place)]
    made: ast.expr = at(ast.BoolOp(ast.And(), both), place)
    return made


def _left_out(place: ast.stmt) -> ast.stmt:
    made: ast.stmt = at(ast.If(_collected(place), [at(ast.Return(None), place)], []), place)
    return made
