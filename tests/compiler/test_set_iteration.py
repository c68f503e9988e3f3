"""WF401: which loops over sets are findings, and which are not."""

from __future__ import annotations

from pathlib import Path

import pytest

import wfc

FRAME = """\
import asyncio


async def st(t: object) -> None:
    "use step"


async def flow(given: set[str]) -> None:
    "use workflow"
    {body}
"""


def codes(folder: Path, body: str) -> list[str]:
    (folder / "flows.py").write_text(FRAME.format(body=body.replace("\n", "\n    ")))
    return [d.code for d in wfc.build(folder, write=False, cache=False).diagnostics]


@pytest.mark.parametrize(
    "body",
    [
        'for t in {"a", "b"}:\n    await st(t)',
        'names = {"a"} | {"b"}\nfor n in names:\n    await st(n)',
        'await asyncio.gather(*[st(n) for n in frozenset(["a"])])',
        "tasks = [asyncio.create_task(st(n)) for n in {str(i) for i in range(3)}]\nawait tasks[0]",
    ],
)
def test_durable_calls_in_the_order_of_a_set(tmp_path: Path, body: str) -> None:
    """A replay in another process would make them in another order."""
    assert codes(tmp_path, body) == ["WF401"]


@pytest.mark.parametrize(
    "body",
    [
        'for t in sorted({"a", "b"}):\n    await st(t)',
        "for t in {1, 2}:\n    await st(t)",
        'total = sum(len(n) for n in {"a", "b"})\nawait st(total)',
        'for n in {"a", "b"}:\n    print(n)\nawait st(1)',
        'names = {"a"}\nnames = ["a"]\nfor n in names:\n    await st(n)',
        'if "a" in {"a", "b"}:\n    await st(1)',
        "for n in given:\n    await st(n)",  # perhaps; but nothing says so for certain
    ],
)
def test_what_is_no_finding(tmp_path: Path, body: str) -> None:
    """Sorted, small integers, no durable call, or not certain."""
    assert codes(tmp_path, body) == []
