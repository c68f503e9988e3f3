"""Copies and dumps of pydantic models: in order, and with nothing that belongs to a run."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.snippets import run_snippet
from workflow.errors import SandboxError
from workflow.sets import Set

HEAD = """
import asyncio
from typing import Any
from pydantic import BaseModel
class M(BaseModel):
    a: Any = None
class N(M):
    def mine(self): return super().copy(deep=True)
    def again(self): return super().model_copy(deep=True)
"""
DEEP = [
    "M(a=x).copy(deep=True)",
    "M(a=x).model_copy(deep=True)",
    "M.copy(M(a=x), deep=True)",
    "BaseModel.copy(M(a=x), deep=True)",
    "BaseModel.model_copy(M(a=x), deep=True)",
    "N(a=x).mine()",
    "N(a=x).again()",
    "(lambda f: f(deep=True))(M(a=x).copy)",
    "getattr(M(a=x), 'copy')(deep=True)",
    "M(a=M(a=[x])).copy(deep=True)",
]
pytestmark = pytest.mark.filterwarnings("ignore:The `(copy|dict)` method is deprecated")


@pytest.mark.parametrize("how", DEEP)
@pytest.mark.parametrize("live", ["asyncio.Queue()", "asyncio.get_running_loop()"])
def test_a_deep_copy_takes_nothing_of_the_run_along(how: str, live: str) -> None:
    """By any name, a deep copy of a model refuses what `copy.deepcopy` refuses."""
    with pytest.raises(SandboxError, match="cannot be copied"):
        run_snippet(f"{HEAD}async def main():\n    x = {live}\n    return {how}\n")


@pytest.mark.parametrize("how", DEEP)
def test_a_deep_copy_copies_data(how: str) -> None:
    """What is data is copied, as pydantic does."""
    source = f"{HEAD}def main():\n    x = [1, [2]]\n    m = {how}\n    return [x, m.a]\n"
    data, copied = run_snippet(source)
    while not isinstance(copied, list):
        copied = copied.a
    copied = copied[0] if len(copied) == 1 else copied
    assert copied == data
    assert copied[1] is not data[1]


@pytest.mark.parametrize("how", ["m.dict()", "BaseModel.dict(m)", "M.dict(m)", "m.model_dump()"])
def test_a_dump_has_its_sets_in_order(how: str) -> None:
    """The sets in a dump are those of workflow code, also in a field of any type."""
    made = run_snippet(f"{HEAD}def main():\n    m = M(a={{'x', 'y'}})\n    return {how}['a']\n")
    assert type(made) is Set


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("class F(BaseModel):\n    dict: int = 2\nresult = F().dict", 2),
        ("class F(BaseModel):\n    def copy(self, n): return n + 1\nresult = F().copy(2)", 3),
        ("class F(BaseModel):\n    def copy(self, n): return n\nresult = F.copy(F(), 4)", 4),
        ("result = M(a=[1]).copy(update={'a': 5}).a", 5),
        ("result = M(a=6).copy().a", 6),
        ("result = [M.copy(M(a=7)).a, {'k': 1}.copy(), [8].copy, 9][0]", 7),
    ],
)
@pytest.mark.filterwarnings("ignore:Field name .* shadows an attribute")
def test_other_copies_and_fields_of_these_names(body: str, expected: Any) -> None:
    """Fields and methods of the workflow's own stay what they are, and so do plain copies."""
    assert run_snippet(f"{HEAD}{body}\n") == expected
