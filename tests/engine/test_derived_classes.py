"""Classes derived from others: what a workflow gets of them, and by what it catches them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from tests.project import build, loaded
from workflow.api import start
from workflow.engine import Application
from workflow.worlds import memory

FLOWS = """
import json
from dataclasses import dataclass

from pydantic import BaseModel

from workflow import FatalError, step_options


class Declined(FatalError):
    pass


class NoFunds(Declined):
    def __init__(self, missing: int) -> None:
        super().__init__(f"{missing} are missing")
        self.missing = missing


class Unnamed(Declined):
    pass


class User(BaseModel):
    name: str


class Admin(User):
    level: int = 1


@dataclass
class Shape:
    sides: int


class Square(Shape):
    pass


async def pays() -> None:
    "use step"
    raise NoFunds(3)


async def pays_by_a_helper() -> None:
    "use step"
    helper()


def helper() -> None:
    raise Unnamed("never")


@step_options(max_retries=0)
async def reads(text: str) -> object:
    "use step"
    return json.loads(text)


@step_options(max_retries=0)
async def opens() -> None:
    "use step"
    import socket
    raise socket.gaierror(5, "no such host")


async def finds() -> list[User]:
    "use step"
    return [User(name="ada"), Admin(name="bob", level=2)]


async def draws() -> Shape:
    "use step"
    return Square(4)


async def catches() -> list[str]:
    "use workflow"
    caught = []
    try:
        await pays()
    except Declined as error:
        caught.append(f"{type(error).__name__} {error.missing}")
    try:
        await pays_by_a_helper()
    except FatalError as error:
        caught.append(f"{type(error).__name__} {error}")
    try:
        await reads("{")
    except ValueError as error:
        caught.append(f"{type(error).__name__} {str(error)[:24]}")
    try:
        await opens()
    except OSError as error:
        caught.append(f"{type(error).__name__} {error}")
    return caught


async def gets() -> list[object]:
    "use workflow"
    ada, bob = await finds()
    shape = await draws()
    return [type(ada).__name__, type(bob).__name__, bob.level, type(shape).__name__, shape.sides]
"""


def result_of(tmp_path: Path, name: str) -> Any:
    """What a workflow of these returns."""
    project = build(tmp_path, FLOWS)

    async def main() -> Any:
        async with Application(memory.create(), project):
            return await (await start(getattr(loaded(tmp_path), name))).result(60)

    return asyncio.run(main())


def test_errors_are_caught_by_their_base_classes(tmp_path: Path) -> None:
    """`except` in a workflow works as in Python for classes derived from those it knows: of the
    project, raised by a helper of a step, of the standard library."""
    assert result_of(tmp_path, "catches") == [
        "NoFunds 3",
        "StepFailedError Unnamed: never",
        "StepFailedError JSONDecodeError: Expecti",
        "StepFailedError gaierror: [Errno 5] no such host",
    ]


def test_a_step_may_return_more_special_instances(tmp_path: Path) -> None:
    """What is derived from a class of data is one as well, if a step makes it."""
    assert result_of(tmp_path, "gets") == ["User", "Admin", 2, "Square", 4]
