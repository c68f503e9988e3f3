"""What a new build has changed of the steps and classes that older orchestration code uses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.test_missing_steps import builds
from tests.project import module_of
from workflow.engine.changes import changes
from workflow.sandbox.program import Program

CODE = """
    from dataclasses import dataclass, field
    from enum import Enum, Flag
    from typing import NamedTuple
    from pydantic import BaseModel
    from workflow.api import start

    class Colour(Enum):
        RED = 1

    class Right(Flag):
        READ = 1

    @dataclass
    class Data:
        a: int
        b: list[int] = field(default_factory=list)

    class Model(BaseModel):
        a: int

    class Loose(BaseModel, extra="allow"):
        a: int

    class Pair(NamedTuple):
        a: int
        b: int = 0

    class Own:
        def __workflow_serialize__(self) -> int:
            return 1

        @classmethod
        def __workflow_deserialize__(cls, data: int) -> "Own":
            return cls()

    async def work(n: int, *rest: int, **more: int) -> int:
        "use step"
        return n

    async def part(n: int) -> int:
        "use workflow"
        return 5

    async def apart(n: int) -> int:
        "use workflow"
        return n

    async def main(a: Colour, b: Data, c: Model, d: Loose, e: Pair, f: Right, g: Own) -> int:
        "use workflow"
        run = await start(part, 1)
        return await work(await run)
"""


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("return n\n", "return n + 1\n", []),
        ("GREEN", "GREEN", []),
        ("n: int, *rest", "n: int, to: int = 3, *rest", []),
        (
            "n: int, *rest: int, **more: int",
            "m: int",
            ["it may still call step//{m}.py//work in another way: work(m: int) -> int needs 'm'"],
        ),
        ("async def apart", "async def parted", []),  # nothing in the old code starts it
        ("async def apart(n: int)", "async def apart(n: int, m: int)", []),
        (
            "async def part(n: int)",
            "async def part(*m: int)",
            ["it may still start workflow//{m}.py//part in another way: part(*m: int) -> int"],
        ),
        ("part", "parted", ["it may still start workflow//{m}.py//part, which is not here"]),
        (
            "RED = 1",
            "BLUE = 1",
            [
                "it may stop when it passes Colour to a step: the class has no member 'RED' here",
                "it may stop when a step returns Colour: "
                "the class has no member 'BLUE' in the old code",
            ],
        ),
        ("READ = 1", "WRITE = 1", []),  # recorded as a number
        (
            "b: list[int] = field(default_factory=list)",
            "c: list[int] = field(default_factory=list)",
            [
                "it may stop when it passes Data to a step: the class has no field 'b' here",
                "it may stop when a step returns Data: the class has no field 'c' in the old code",
            ],
        ),
        (
            "class Model(BaseModel):\n        a: int",
            "class Model(BaseModel):\n        a: int\n        b: int",
            [
                "it may stop when it passes Model to a step: the class has no default for 'b' here",
                "it may stop when a step returns Model: the class has no field 'b' in the old code",
            ],
        ),
        (
            'extra="allow"):\n        a: int',
            'extra="allow"):\n        a: int = 0\n        b: int = 0',
            [],
        ),
        (
            "a: int\n        b: int = 0",
            "b: int = 0",
            [
                "it may stop when it passes Pair to a step: the class has no field 'a' here",
                "it may stop when a step returns Pair: the class has no default for 'a' in the old",
            ],
        ),
        (
            "Data",
            "Datum",
            ["it may stop when it passes class//{m}.py//Data to a step, as that class is not here"],
        ),
    ],
)
def test_what_may_stop_a_run_of_old_code(
    tmp_path: Path, old: str, new: str, told: list[str]
) -> None:
    """Arguments are written by the old code and read by the new, results the other way."""
    before, now = builds(tmp_path, CODE, CODE.replace(old, new))
    instance = Program(before.bundle).instantiate()
    found = changes(before.bundle, instance, now.registry)
    module = module_of(tmp_path)
    expected = [text.format(m=module) for text in told]
    assert [text[: len(want)] for text, want in zip(found, expected, strict=True)] == expected
