"""What replaying costs, and what the sandbox costs: figures of one machine at one moment.

    python -m benchmarks.replay

Prints the cost of a step by its place in a long run (10,000 steps), a cold replay of a log of
10,000 events out of SQLite and without reading it, a fresh instance of a bundle, and a typical body
in the sandbox beside the same text in plain Python. Medians of several rounds. Compare figures of
one run only.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from workflow.codec import Codec
from workflow.events import Event, NewEvent
from workflow.replay.catch_up import catch_up
from workflow.replay.live import LiveRun, pack
from workflow.replay.loop import DetLoop
from workflow.sandbox import Bundle, ModuleSource, Program

STEPS = 10_000
START = 1_700_000_000_000_000
FLOW = "workflow//flows.py//main"
LOOP = """
from workflow.abi.flow_v1 import step as _wfc_step
from dataclasses import dataclass
import asyncio


@dataclass
class Order:
    name: str
    cents: int


async def work(n, order):
    return await _wfc_step("step//flows.py//work", {"n": n, "order": order})


async def main(count):
    total = 0
    for n in range(count):
        total += (await work(n, Order(f"order {n}", n * 3)))["cents"]
    return total
"""
TYPES = """
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, StrEnum
from typing import NamedTuple

from pydantic import BaseModel, Field


class Status(StrEnum):
    NEW = "new"
    PAID = "paid"


class Priority(Enum):
    LOW = 1
    HIGH = 2


@dataclass
class Address:
    street: str
    city: str


@dataclass(frozen=True)
class Line:
    sku: str
    quantity: int
    price: Decimal


@dataclass
class Order:
    id: str
    lines: list[Line]
    address: Address
    status: Status = Status.NEW
    notes: list[str] = field(default_factory=list)


class Point(NamedTuple):
    x: int
    y: int


class Customer(BaseModel):
    name: str
    age: int = Field(ge=0)


class Invoice(BaseModel):
    customer: Customer
    total: Decimal


async def main():
    return Order, Point, Invoice
"""
BODY = """
class Item:
    def __init__(self, name, cents):
        self.name = name
        self.cents = cents

    def label(self):
        return f"{self.name}: {self.cents / 100:.2f}"


def main(turns=2000):
    found = {}
    for n in range(turns):
        item = Item(f"item {n % 97}", n * 7 % 1000)
        found[item.name] = found.get(item.name, 0) + item.cents
        if n % 100 == 0:
            ranked = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
            found["best"] = len(ranked[0][0]) + len(item.label())
    return len(found)
"""


def program(source: str) -> Program:
    classes = {"class//flows.py//Order": ("flows", "Order")} if "Order" in source else {}
    module = ModuleSource("flows", "flows.py", source)
    return Program(Bundle((module,), workflows={FLOW: ("flows", "main")}, classes=classes))


def live_run(code: Program, *, trace: bool = False) -> LiveRun:
    instance = code.instantiate()
    codec = Codec(instance.classes, functions=instance.functions, ordered_sets=True)
    return LiveRun("wrun_1", FLOW, instance.workflow(FLOW), codec, trace=trace)


def first(count: int) -> NewEvent:
    meta = pack({"seed": "0" * 32, "base_url": ""})
    return NewEvent(
        type="run_created", at=START, payload=Codec().encode({"count": count}), meta=meta
    )


def long_run(code: Program) -> tuple[list[NewEvent], list[float]]:
    """A run of many steps fed by hand: its log, and microseconds a step for each tenth of it."""
    live = live_run(code)
    event = first(STEPS)
    log = [event, *live.feed(event)]
    result = Codec().encode({"cents": 1, "text": "charged"})
    tenths = []
    for _ in range(10):
        began = time.perf_counter()
        for _ in range(STEPS // 10):
            ref = next(iter(live.steps))
            fact = NewEvent(type="step_completed", at=START, ref=ref, payload=result)
            log += [fact, *live.feed(fact)]
        tenths.append((time.perf_counter() - began) / (STEPS // 10) * 1e6)
    live.close()
    return log, tenths


def replayed(code: Program, log: list[Event]) -> None:
    live = live_run(code, trace=True)
    pending: deque[NewEvent] = deque()
    for _ in catch_up(live, log, pending):
        pass
    live.close()


def median(measure: Callable[[], Any], rounds: int = 5) -> float:
    """Seconds of one call."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        measure()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def from_store(code: Program, log: list[Event]) -> float:
    """Seconds of a cold replay of `log` with its read from SQLite."""
    import asyncio

    from workflow.world.records import Append, NewRun, WorkerRecord
    from workflow.worlds.local import create_local_world

    async def main(folder: Path) -> float:
        world = create_local_world(folder)
        await world.open()
        await world.create(NewRun(run_id="wrun_1", workflow=FLOW, input=log[0].payload or b"",
                                  meta=log[0].meta or b"{}"))  # fmt: skip
        await world.beat(WorkerRecord(worker="bench", lease_until=world.now() + 10**9))
        (run,) = (await world.claim_runs("bench", 1)).runs
        await world.append(Append(run_id="wrun_1", worker="bench", fence=run.fence, expected=1,
                                  at=world.now(), events=tuple(log[1:])))  # fmt: skip
        times = []
        for _ in range(5):
            began = time.perf_counter()
            loaded = await world.load("wrun_1")
            # Its own time of creation is the world's; the recorded ids follow from ours.
            replayed(code, [log[0], *loaded.events[1:]])
            times.append(time.perf_counter() - began)
        await world.close()
        return statistics.median(times)

    with tempfile.TemporaryDirectory() as name:
        return asyncio.run(main(Path(name)))


def guards() -> float:
    """How many times as long as in plain Python a typical body takes in the sandbox."""
    plain: dict[str, Any] = {"__name__": "plain"}
    exec(compile(BODY, "plain.py", "exec"), plain)
    loop = DetLoop(None)  # type: ignore[abstract, arg-type]  # the body does not wait
    loop.random = Random(1)
    with loop:
        guarded: Any = program(BODY).instantiate().workflow(FLOW)
        assert guarded() == plain["main"]()
        ratios = []
        for _ in range(15):
            ours, theirs = median(guarded, 3), median(plain["main"], 3)
            ratios.append(ours / theirs)
    return statistics.median(ratios)


def main() -> None:
    code = program(LOOP)
    log, tenths = long_run(code)
    print(f"per step, first tenth of {STEPS:,}      {tenths[0]:>8.1f} us")
    print(f"per step, last tenth              {tenths[-1]:>8.1f} us")
    numbered = [
        Event(seq=n, **{f: getattr(e, f) for f in ("type", "at", "ref", "name", "payload", "meta")})
        for n, e in enumerate(log[:10_000], 1)
    ]
    seconds = median(lambda: replayed(code, numbered))
    print(f"decode and replay, per event      {seconds / 10_000 * 1e6:>8.1f} us")
    print(f"cold replay of 10,000 with read   {from_store(code, numbered):>8.3f} s")
    live_run(code).close()
    fresh = median(lambda: code.instantiate().workflow(FLOW), 200)
    print(f"fresh namespace, one dataclass    {fresh * 1e6:>8.1f} us")
    bare = program(BODY)
    fresh = median(lambda: bare.instantiate().workflow(FLOW), 200)
    print(f"fresh namespace, one plain class  {fresh * 1e6:>8.1f} us")
    typed = program(TYPES)
    fresh = median(lambda: typed.instantiate().workflow(FLOW), 200)
    print(f"fresh namespace, eight types      {fresh * 1e6:>8.1f} us")
    print(f"typical body, times plain Python  {guards():>8.2f}")


if __name__ == "__main__":
    main()
