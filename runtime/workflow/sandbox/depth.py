"""Code that is nested deeply: hundreds of `elif`, a sum of a thousand parts, long chains of calls.

Python reads and compiles it, but whoever walks through its syntax tree needs several calls for
each level, and meets the limit of the interpreter long before.
"""

from __future__ import annotations

import ast
import sys
import threading
from collections.abc import Callable
from typing import TypeVar

__all__ = ["deepest_line", "deeply", "in_large_stack", "unreadable_line"]

_T = TypeVar("_T")
_STACK = 512 * 1024 * 1024
"""Bytes of address space; memory is only taken for what is used."""
_LIMIT = 60_000
_ONE_AT_A_TIME = threading.Lock()


def deeply(work: Callable[[], _T]) -> _T:
    """What `work` gives. Where the stack does not suffice, it is done once more in a thread with a
    larger one, so it has to be something that can be begun again.

    Raises what `work` raises, `RecursionError` where even that is too little.
    """
    try:
        return work()
    except RecursionError:
        if sys.getrecursionlimit() >= _LIMIT:
            raise
    return in_large_stack(work)


def in_large_stack(work: Callable[[], _T]) -> _T:
    """What `work` gives, done in a thread with a large stack. Raises what it raises, RecursionError
    where there is no room for such a stack."""
    if sys.getrecursionlimit() >= _LIMIT:
        return work()  # in such a thread already
    with _ONE_AT_A_TIME:
        return _in_thread(work)


def _in_thread(work: Callable[[], _T]) -> _T:
    done: list[_T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:  # handed to whoever waits
            failed.append(error)

    # Both settings are of the whole process, and are put back afterwards.
    limit, size = sys.getrecursionlimit(), threading.stack_size(_STACK)
    sys.setrecursionlimit(_LIMIT)
    try:
        try:
            thread = threading.Thread(target=run, name="workflow-deep")
            thread.start()
        except RuntimeError as error:  # no room for such a stack
            raise RecursionError("the code is nested too deeply") from error
        finally:
            threading.stack_size(size)
        thread.join()
    finally:
        sys.setrecursionlimit(limit)
    if failed:
        raise failed[0]
    return done[0]


def deepest_line(source: str) -> int:
    """The line on which the most deeply nested part of a text begins; the first, where Python
    cannot read it."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return 1
    deepest, found = 0, 1
    stack: list[tuple[ast.AST, int, int]] = [(tree, 0, 1)]
    while stack:
        node, depth, line = stack.pop()
        if isinstance(node, ast.stmt):
            line = node.lineno
        if depth > deepest:
            deepest, found = depth, line
        stack += [(child, depth + 1, line) for child in ast.iter_child_nodes(node)]
    return found


def unreadable_line(lines: tuple[str, ...]) -> int:
    """The line at which a text becomes so deeply nested that Python cannot read it."""
    low, high = 0, len(lines)
    while high - low > 1:
        middle = (low + high) // 2
        if _is_readable("\n".join(lines[:middle])):
            low = middle
        else:
            high = middle
    return high or 1


def _is_readable(text: str) -> bool:
    try:
        ast.parse(text)
    except (RecursionError, MemoryError):
        return False
    except (SyntaxError, ValueError):
        return True  # a part of a statement
    return True
