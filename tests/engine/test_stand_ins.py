"""Objects whose class the bundle does not have: their steps are recorded all the same."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, NamedTuple, TypeVar

import pytest
from pydantic import BaseModel

from tests.project import Events, ended
from workflow.api import start
from workflow.codec import Codec
from workflow.engine import Application, Project
from workflow.engine.registry import Registry
from workflow.engine.stand_ins import StandIns
from workflow.errors import ContextError
from workflow.sandbox import Bundle, ModuleSource
from workflow.worlds import memory

T = TypeVar("T")


@dataclass
class Account:
    n: int = 0

    async def charge(self, by: int = 1) -> Account:
        "use step"
        return Account(self.n + by)

    @classmethod
    async def open(cls, n: int) -> Account:
        "use step"
        return cls(n)

    @staticmethod
    async def fee() -> int:
        "use step"
        return 2


@dataclass(frozen=True, slots=True)
class Frozen:
    n: int

    async def charge(self) -> int:
        "use step"
        return self.n


class Model(BaseModel):
    n: int

    async def charge(self) -> int:
        "use step"
        return self.n


class Pair(NamedTuple):
    n: int

    async def charge(self) -> int:
        "use step"
        return self.n


@dataclass
class Box(Generic[T]):
    n: T

    async def charge(self) -> T:
        "use step"
        return self.n


@dataclass
class Quiet(Account):
    async def charge(self, by: int = 1) -> Account:
        return self


class Color(Enum):
    RED = "red"

    async def charge(self) -> str:
        "use step"
        return self.value


class Eager:
    made: list[type] = []

    def __init_subclass__(cls) -> None:
        Eager.made.append(cls)

    async def charge(self) -> None:
        "use step"


BUNDLED = """
async def main():
    account = await _wfc_step("step//t.py//give", {})
    more = await account.charge(3)
    again = await more.charge()
    opened = await account.open(n=1)
    return [account, more, again, opened.n, await opened.fee()]
from workflow.abi.flow_v1 import step as _wfc_step
"""


async def give() -> Account:
    "use step"
    return Account(5)


async def main() -> list[Any]:
    "use workflow"
    return []


def registry_of(*classes: type) -> Registry:
    """A registry of the classes, with all methods that are steps."""
    registry = Registry()
    for cls in classes:
        registry.cls(f"class//t.py//{cls.__name__}", cls)
        for name, member in vars(cls).items():
            if "use step" in str(getattr(getattr(member, "__func__", member), "__doc__", "")):
                registry.step(f"step//t.py//{cls.__name__}#{name}", member)
    return registry


def test_steps_of_an_object_the_bundle_knows_nothing_of_are_recorded() -> None:
    """Every call of its steps is in the log; what the steps return is the live class."""
    registry = registry_of(Account)
    registry.step("step//t.py//give", give)
    registry.workflow("workflow//t.py//main", main)
    bundle = Bundle(
        (ModuleSource("t", "t.py", BUNDLED),),
        {"workflow//t.py//main": ("t", "main")},
        steps={},
    )

    async def work() -> None:
        async with Application(memory.create(), Project(registry, bundle)) as application:
            run = await start(main)
            await ended(application, run.run_id)
            account, more, again, opened, fee = await run
            assert account == Account(5)
            assert type(account) is Account
            assert (more, again, opened, fee) == (Account(8), Account(9), 1, 2)
            log = await Events.of(application.world, run.run_id)
            assert log.named("step_created") == [
                "give",
                "Account#charge",
                "Account#charge",
                "Account#open",
                "Account#fee",
            ]

    asyncio.run(work())


@pytest.mark.parametrize("value", [Account(1), Frozen(2), Model(n=3), Pair(4), Box("5")])
def test_every_kind_of_class_has_a_stand_in(value: Any) -> None:
    """It reads and writes as the class it stands for, and its step needs a workflow body."""
    registry = registry_of(type(value))
    instead, _ = StandIns(registry.classes, registry).beside({})
    codec = Codec(registry.classes, stand_ins=instead)
    data = Codec(registry.classes).encode([value, type(value)])
    found, kind = codec.decode(data)
    assert type(value) not in type(found).__mro__
    assert found.__class__ is kind
    assert kind is instead[f"class//t.py//{type(value).__name__}"]
    assert repr(found) == repr(value)
    assert found.n == value.n
    assert codec.encode([found, kind]) == data
    assert codec.encode([value, type(value)]) == data
    with pytest.raises(ContextError, match="works in a workflow body"):
        asyncio.run(found.charge())


def test_steps_are_all_that_a_stand_in_has_of_its_class() -> None:
    """Making it runs nothing of the class, and what overrides a step is no step."""
    registry = registry_of(Account, Color, Eager)
    registry.cls("class//t.py//Quiet", Quiet)
    instead, _ = StandIns(registry.classes, registry).beside({"class//t.py//Eager": Eager})
    assert instead.keys() == {f"class//t.py//{name}" for name in ("Account", "Color", "Quiet")}
    assert "charge" in vars(instead["class//t.py//Color"])
    quiet = instead["class//t.py//Quiet"]
    assert "charge" not in vars(quiet)
    assert {"open", "fee"} <= vars(quiet).keys()
    StandIns(registry.classes, registry).beside({})
    assert Eager.made == []


class Odd:
    """Says it is a dataclass, and is none."""

    __dataclass_fields__ = 5


def test_a_class_that_cannot_be_made_out_is_one_that_nothing_is_known_of() -> None:
    """It does not keep the other classes from having stand-ins."""
    registry = registry_of(Odd, Account)
    instead, later = StandIns(registry.classes, registry).beside({})
    assert instead.keys() == registry.classes.keys()
    assert instead["class//t.py//Odd"].__name__ == "Odd"
    assert later == {}
