"""vercel-workflow on logs made by hand, and one run of it end to end on its local world. Run by
benchmarks/peers.py in an environment of its own; prints one JSON object.

It takes up a run from its log at each delivery, so one replay is also what the next step of a run
costs. A step is three events: created, started, completed. The replay is not public there, so its
internals are used, of the version that benchmarks/peers.py pins.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from vercel.workflow import Workflows, start
from vercel.workflow._internal import runtime, ulid
from vercel.workflow._internal import serialization as ser
from vercel.workflow._internal import world as w
from vercel.workflow._internal.worlds import local

flows = Workflows()
RUN = "wrun_01KAJ0000000000000000000AA"
TICKS = 200
STARTED = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass
class Order:
    name: str
    cents: int


@flows.step
async def work(n: int, order: Order) -> dict[str, Any]:
    return {"cents": 1, "text": "charged"}


@flows.workflow
async def loop(count: int) -> int:
    total = 0
    for n in range(count):
        total += (await work(n, Order(f"order {n}", n * 3)))["cents"]
    return total


@flows.step
async def tick(n: int) -> float:
    return time.perf_counter()


@flows.workflow
async def ticks(count: int) -> list[float]:
    return [await tick(n) for n in range(count)]


def recorded(steps: int) -> list[w.Event]:
    """The log of a run after `steps` steps, in the order of its events."""
    new_id = ulid.monotonic_factory(random.Random(RUN).random)
    encoder = ser.PayloadEncoder()
    result = encoder.encode({"cents": 1, "text": "charged"})
    events: list[w.Event] = [w.RunStartedEvent()]
    for n in range(steps):
        key = f"step_{new_id(int(STARTED.timestamp() * 1000))}"
        args, kwargs = work.bind_arguments((n, Order(f"order {n}", n * 3)), {})
        given = ser.step_arguments(*work.codec.dump_arguments(args, kwargs))
        created = w.StepCreatedEventData(step_name=work.name, input=encoder.encode(given))
        events += [
            created.into_event(key),
            w.StepStartedEventData().into_event(key),
            w.StepCompletedEventData(result=result).into_event(key),
        ]
    for n, event in enumerate(events):
        event.server_props = w.ServerProps(
            run_id=RUN, event_id=f"evnt_{n:026}", created_at=STARTED + timedelta(milliseconds=n)
        )
    return events


def replay(run: w.WorkflowRun, events: list[w.Event]) -> bytes | None:
    """As one delivery does it, without its reads and writes."""
    context = runtime.WorkflowOrchestratorContext(
        events,
        run_id=RUN,
        seed=RUN,
        started_at=int(STARTED.timestamp() * 1000),
        registry=flows,
    )
    return context.run_workflow(run)


async def main(rounds: int) -> None:
    world = w.get_world()
    rows = []
    for steps in (333, 3333, 10_000):
        run = w.NonFinalWorkflowRun(
            run_id=RUN, status="running", deployment_id="", workflow_name=loop.workflow_id,
            input=ser.PayloadEncoder().encode([{"count": steps}]), started_at=STARTED,
            created_at=STARTED, updated_at=STARTED,
        )  # fmt: skip
        events = recorded(steps)
        times = []
        for _ in range(rounds):
            began = time.perf_counter()
            output = replay(run, events)
            times.append(time.perf_counter() - began)
            assert output is not None, "the replay did not reach the end of the body"
        rows.append(["in memory", steps, len(events), min(times)])
        if steps == 3333:
            for event in events:
                path = world._event_path(RUN, event.server_props.event_id)
                path.parent.mkdir(parents=True, exist_ok=True)
                local.write_json(path, local.event_record(event))
            times = []
            for _ in range(rounds):
                began = time.perf_counter()
                loaded = await runtime.get_all_workflow_run_events(RUN)
                assert len(loaded.events) == len(events)
                assert replay(run, loaded.events) is not None
                times.append(time.perf_counter() - began)
            rows.append(["with the read of its files", steps, len(events), min(times)])
    print(json.dumps({"replays": rows, "ticks": await (await start(ticks, TICKS)).return_value()}))
    sys.stdout.flush()
    os._exit(0)  # its queue cannot be closed without a traceback


def run() -> None:
    """The entry. Not `__main__`: the sandbox imports this module again, by its name."""
    asyncio.run(main(int(sys.argv[1])))
