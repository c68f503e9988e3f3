"""How deep workflow code recurses: as deep wherever the body is called from."""

from __future__ import annotations

import pytest

from tests.sandbox.snippets import run_snippet
from workflow.replay import sampling

FUNCTIONS = {
    "a function": "def go(n): return 0 if n == 0 else 1 + go(n - 1)",
    "a coroutine": "async def go(n): return 0 if n == 0 else 1 + await go(n - 1)",
    "a lambda": "go = lambda n: 0 if n == 0 else 1 + go(n - 1)",
    "a lambda of a class": """
class Tree:
    walk = lambda self, n: 0 if n == 0 else 1 + self.walk(n - 1)
go = Tree().walk
""",
    "a decorated function": """
import functools
def passed_on(function):
    @functools.wraps(function)
    def call(*args): return function(*args)
    return call
@passed_on
def go(n): return 0 if n == 0 else 1 + go(n - 1)
""",
    "a dataclass that makes its own kind": """
from dataclasses import dataclass
@dataclass
class Node:
    depth: int
    def __post_init__(self): self.below = Node(self.depth - 1) if self.depth else None
go = Node
""",
}
DEEPEST = """
async def main():
    low, high = 1, 2000
    while low < high:
        middle = (low + high + 1) // 2
        try:
            value = go(middle)
            if hasattr(value, "send"):
                await value
            low = middle
        except RecursionError:
            high = middle - 1
    return low
"""


def _below(calls: int, source: str) -> int:
    """The deepest recursion of a body that so many calls lie below."""
    if calls:
        return _below(calls - 1, source)
    found: int = run_snippet(source)
    return found


@pytest.mark.parametrize("source", FUNCTIONS.values(), ids=FUNCTIONS.keys())
def test_a_body_recurses_as_deep_wherever_it_is_called_from(source: str) -> None:
    """Calls below the body take nothing from what it may recurse itself."""
    found = _below(0, f"{source}\n{DEEPEST}")
    assert found == _below(150, f"{source}\n{DEEPEST}")
    assert 200 < found < 500


@pytest.mark.parametrize("source", FUNCTIONS.values(), ids=FUNCTIONS.keys())
def test_a_body_recurses_as_deep_whatever_ran_before(source: str) -> None:
    """Not every call is looked at; which ones are does not depend on the calls of other runs."""
    found = set()
    for calls in (0, 1, 7, sampling.CALLS - 1):
        sampling.later()
        for _ in range(calls):
            next(sampling.LOOK)
        found.add(run_snippet(f"{source}\n{DEEPEST}"))
    assert len(found) == 1


def test_a_tree_is_walked_as_deep_by_generators() -> None:
    """Generators inside of each other are entered again from the top for every item."""
    source = """
def walk(n):
    yield n
    if n:
        yield from walk(n - 1)
def go(n): return list(walk(n))
"""
    found = _below(0, f"{source}\n{DEEPEST}")
    assert found == _below(150, f"{source}\n{DEEPEST}")
    assert 200 < found < 500
