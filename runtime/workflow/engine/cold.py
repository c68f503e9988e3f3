"""A live copy made from a log alone, and the check that it equals one that never stopped.

The check replays the log, with the turn that is about to be appended, in fresh modules. It must
arrive at the same decisions and wait for the same things. It runs before the append: a turn that a
replay would not repeat is never recorded, so the run can always go on from its log.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import asdict, replace

from workflow.errors import DivergenceError, ReplayCheckError, SerializationError
from workflow.events import Event, NewEvent
from workflow.replay.catch_up import catch_up
from workflow.replay.live import LiveRun
from workflow.world.port import World
from workflow.world.records import Loaded, RunRecord

if TYPE_CHECKING:
    from workflow.engine.worker import Worker

__all__ = ["PYTHON", "check", "cold_copy", "numbered", "read", "sampler"]

PAUSE = 0.005  # seconds a replay may hold the event loop before it lets others run
PART = 500  # events that are read at a time: some 3 ms from SQLite
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


async def read(world: World, run: RunRecord, after: int = 0) -> Loaded:
    """What `world.load` gives, with a long log read in parts: others get on in between.

    A log only grows, so what is read of it first stays true. Raises WorkflowRunNotFoundError.
    """
    events: list[Event] = []
    while run.head - after > PART:
        part = await world.list_events(run.run_id, after=after, limit=PART)
        if not part:
            break  # deleted; load says so
        events += part
        after = part[-1].seq
        await asyncio.sleep(0)  # the world may have answered without waiting
    loaded = await world.load(run.run_id, after=after)
    return replace(loaded, events=(*events, *loaded.events)) if events else loaded


async def cold_copy(
    worker: Worker, run: RunRecord, log: Sequence[Event], pending: deque[NewEvent]
) -> LiveRun:
    """Replay `log` against the code the run is pinned to; see `catch_up`.

    Gives the event loop back every few milliseconds. Raises DivergenceError, SerializationError
    for a recorded value that does not fit, BundleError, WorkflowNotRegisteredError.
    """
    program = await worker.program(run.bundle)
    instance = program.instantiate()
    entry = instance.workflow(run.workflow)
    live = LiveRun(run.run_id, run.workflow, entry, worker.body_codec(instance), trace=True)
    live.loop.rounds = worker.limits.rounds
    started = time.perf_counter()
    try:
        for _ in catch_up(live, log, pending):
            if time.perf_counter() - started > PAUSE:
                await asyncio.sleep(0)
                started = time.perf_counter()
    except SerializationError as error:
        error.position = live.head + 1
        live.close()
        raise
    except BaseException:
        live.close()
        raise
    live.trace = False
    return live


async def check(worker: Worker, run: RunRecord, live: LiveRun, decided: Sequence[NewEvent]) -> None:
    """Replay the run's log with `decided`, the events of the turn that `live` has just taken.

    Raises ReplayCheckError when the cold copy differs in a decision, or in what it waits for.
    """
    loaded = await read(worker.world, run)
    log = [*loaded.events[: live.head], *numbered(decided, live.head)]
    pending: deque[NewEvent] = deque()
    try:
        cold = await cold_copy(worker, run, log, pending)
    except DivergenceError as error:
        raise ReplayCheckError(run.run_id, error.position, str(error)) from error
    except SerializationError as error:
        raise ReplayCheckError(run.run_id, error.position, str(error)) from error
    end = live.head + len(decided)
    try:
        if pending:
            what = f"the replay also asked for {pending[0].type} at {cold.source_of(pending[0])}"
            raise ReplayCheckError(run.run_id, end + 1, what)
        there, here = live.standing(), cold.standing()
        differing = [name for name in there if there[name] != here[name]]
        if differing:
            raise ReplayCheckError(
                run.run_id, end, f"the two copies differ in: {', '.join(differing)}"
            )
    finally:
        cold.close()


def numbered(events: Sequence[NewEvent], head: int) -> list[Event]:
    """Events as a log that ends at `head` would have them next."""
    return [Event(seq=seq, **asdict(event)) for seq, event in enumerate(events, head + 1)]


def sampler(environ: Mapping[str, str]) -> Callable[[], bool]:
    """Whether to check the turn at hand: always, never, or by chance.

    The share of turns comes from WORKFLOW_REPLAY_CHECK, from 0 (the default) to 1. Raises
    ValueError for anything else.
    """
    text = environ.get("WORKFLOW_REPLAY_CHECK") or "0"
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"WORKFLOW_REPLAY_CHECK is a share of turns from 0 to 1, not {text!r}")
    return lambda: random.random() < share
