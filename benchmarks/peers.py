"""Replay here beside temporalio's Replayer and vercel-workflow, in one run on one machine.

    python -m benchmarks.peers [--rounds 3] [--venv FOLDER]

Installs the two peers into a virtual environment of its own: a temporary one, or the one in FOLDER,
which is kept. Prints what a cold replay costs by the length of the log, what the next step of a run
costs by the length of its history, and a run of 200 steps end to end on the world that each brings
for one process. The replays are of one body, a loop that charges orders, one step each; the steps
of the run end to end only read the clock. What differs is in benchmarks/README.md, and in a line
under each table. Replays are the best of the rounds. Compare figures of one run only.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import statistics
import subprocess
import tempfile
import time
import venv
from argparse import ArgumentParser
from collections import deque
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import wfc
from benchmarks import replay
from workflow.api import start
from workflow.engine import Application, Project
from workflow.events import Event, NewEvent
from workflow.replay.live import LiveRun
from workflow.worlds.local import create_local_world

HERE = Path(__file__).parent
PINNED = {"temporalio": "temporalio==1.35.0", "vercel-workflow": "vercel-workflow==0.12.0"}
TICKS = 200
TICK_FLOW = """
import time


async def tick(n: int) -> float:
    "use step"
    return time.perf_counter()


async def ticks(count: int) -> list[float]:
    "use workflow"
    return [await tick(n) for n in range(count)]
"""
# system, what of it, steps, events, seconds
Row = tuple[str, str, int, int, float]


class Peer:
    """One package in the environment of the peers, or the reason why it cannot be measured."""

    def __init__(self, python: Path, name: str, data: Path) -> None:
        self.name, self.data = name, data
        self.found: dict[str, Any] = {}
        command = [str(python), "-m", "pip", "install", "--quiet", PINNED[name]]
        self.missing = self._run(command, "cannot be installed")

    def measure(self, command: list[str]) -> None:
        """Run its script, whose last line is one JSON object."""
        if not self.missing:
            self.missing = self._run(command, "cannot be measured")
        if not self.missing and not self.found:
            self.missing = f"{self.name} gave no figures"

    def _run(self, command: list[str], what: str) -> str:
        environment = {**os.environ, "PYTHONPATH": str(HERE)}
        environment["WORKFLOW_LOCAL_DATA_DIR"] = str(self.data)
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode:
            reason = (done.stderr.strip() or "it gave no reason").splitlines()[-1]
            return f"{self.name} {what}: {reason}"
        lines = done.stdout.splitlines()
        if lines and lines[-1].startswith("{"):
            self.found = json.loads(lines[-1])
        return ""


def peers(folder: Path, data: Path, rounds: int) -> tuple[Peer, Peer]:
    """Both, installed in `folder` and measured one after the other."""
    if not (folder / "pyvenv.cfg").exists():
        venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    temporal, vercel = (Peer(python, name, data) for name in PINNED)
    temporal.measure([str(python), str(HERE / "peer_temporalio.py"), str(rounds)])
    entry = "import peer_vercel_workflow as peer; peer.run()"
    vercel.measure([str(python), "-c", entry, str(rounds)])
    return temporal, vercel


def numbered(log: list[NewEvent]) -> list[Event]:
    fields = ("type", "at", "ref", "name", "payload", "meta")
    return [Event(seq=n, **{f: getattr(e, f) for f in fields}) for n, e in enumerate(log, 1)]


def ours(rounds: int) -> tuple[list[Row], list[tuple[int, float]]]:
    """Cold replays by length, and seconds of the next step of a live run by its history."""
    code = replay.program(replay.LOOP)
    log, _ = replay.long_run(code)
    whole = numbered(log)
    rows: list[Row] = []
    for steps in (500, 5000, 10_000):
        events = whole[: 2 * steps]
        taken = best(lambda events=events: replay.replayed(code, events), rounds)
        rows.append(("this project", "in memory", steps, len(events), taken))
        if steps == 5000:
            taken = replay.from_store(code, events)
            rows.append(("this project", "with the read from SQLite", steps, len(events), taken))
    return rows, [(steps, next_step(code, log, steps)) for steps in (333, 3333, 10_000 - 50)]


def best(measure: Callable[[], object], rounds: int) -> float:
    """Seconds of the fastest call: what neighbours on the machine take only adds."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        measure()
        times.append(time.perf_counter() - began)
    return min(times)


def next_step(code: Any, log: list[NewEvent], steps: int) -> float:
    """Seconds to feed one result to a run that has `steps` behind it, a median of 50."""
    live: LiveRun = replay.live_run(code)
    facts = deque(e for e in log if e.type == "step_completed")
    live.feed(log[0])
    for _ in range(steps):
        live.feed(facts.popleft())
    times = []
    for _ in range(50):
        fact = facts.popleft()
        began = time.perf_counter()
        live.feed(fact)
        times.append(time.perf_counter() - began)
    live.close()
    return statistics.median(times)


async def our_ticks(folder: Path) -> list[float]:
    """When each step of a run began, on the SQLite world."""
    (folder / "peer_ticks.py").write_text(TICK_FLOW)
    assert not wfc.build(folder).diagnostics
    world = create_local_world(folder / "data")
    async with Application(world, Project.load(folder / "generated")):
        await (await start("ticks", 10)).return_value  # warm up
        found: list[float] = await (await start("ticks", TICKS)).return_value
        return found


def tenths(ticks: list[float]) -> tuple[float, float]:
    """Milliseconds from step to step in the first and the last tenth."""
    gaps = [later - sooner for sooner, later in pairwise(ticks)]
    tenth = len(gaps) // 10
    return statistics.median(gaps[:tenth]) * 1e3, statistics.median(gaps[-tenth:]) * 1e3


def report(rows: list[Row], live: list[tuple[int, float]], own: list[float],
           temporal: Peer, vercel: Peer) -> None:  # fmt: skip
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    print(f"Python {platform.python_version()}, {platform.machine()}, {cores} cores, "
          f"{', '.join(PINNED.values())}\n")  # fmt: skip
    print("cold replay of a finished log")
    print(f"  {'':<46}{'steps':>7}{'events':>8}{'s':>8}{'us/event':>10}{'us/step':>9}")
    for name, peer in (("temporalio Replayer", temporal), ("vercel-workflow", vercel)):
        rows += [(name, *row) for row in peer.found.get("replays", [])]
    for name, what, steps, events, taken in rows:
        each = f"{taken:>8.3f}{taken / events * 1e6:>10.1f}{taken / steps * 1e6:>9.1f}"
        print(f"  {name + ', ' + what:<46}{steps:>7,}{events:>8,}{each}")
    print("  An event is not the same everywhere: a step is 2 events here, 6 in temporalio, 3 in")
    print("  vercel-workflow. So compare the last column.")

    print("\nthe next step of a run, us, by the steps behind it")
    for steps, taken in live:
        print(f"  {'this project, live coroutine':<46}{steps:>7,}{taken * 1e6:>18,.1f}")
    for what, steps, _, taken in vercel.found.get("replays", []):
        if what == "in memory":
            print(f"  {'vercel-workflow, replays at each delivery':<46}{steps:>7,}"
                  f"{taken * 1e6:>18,.1f}")  # fmt: skip
    print("  temporalio: its workers keep the coroutine as we do, but a worker needs its server,")
    print("  a program of its own. Only the replay can be measured without it.")

    print(f"\nfrom step to step in a run of {TICKS} on one process and its disk, ms")
    print(f"  {'':<46}{'first tenth':>12}{'last tenth':>12}")
    table = [("this project, SQLite", own)]
    if "ticks" in vercel.found:
        table.append(("vercel-workflow, a file an event", vercel.found["ticks"]))
    for name, ticks in table:
        first, last = tenths(ticks)
        print(f"  {name:<46}{first:>12.2f}{last:>12.2f}")
    print("  temporalio: not measured, for the same reason.")
    for peer in (temporal, vercel):
        if peer.missing:
            print(f"\nnot measured: {peer.missing}")


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--venv", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        temporal, vercel = peers(options.venv or folder / "venv", folder / "vercel", options.rounds)
        rows, live = ours(options.rounds)
        (folder / "ours").mkdir()
        ticks = asyncio.run(our_ticks(folder / "ours"))
    report(rows, live, ticks, temporal, vercel)


if __name__ == "__main__":
    main()
