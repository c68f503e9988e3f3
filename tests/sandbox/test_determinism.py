"""The order of things is the same in processes with other hash seeds and other memory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

BODY = """
import asyncio, datetime
log = []
async def worker(name, delay=0.0):
    log.append(f"start {name}")
    try:
        await asyncio.sleep(delay)
        return name
    except asyncio.CancelledError:
        log.append(f"cancel {name}")
        raise
async def bad():
    await asyncio.sleep(0)
    raise ValueError("bad")
async def main():
    for future in asyncio.as_completed([worker(f"c{i}", i % 3) for i in range(9)]):
        log.append(await future)
    tasks = [asyncio.create_task(worker(f"w{i}")) for i in range(9)]
    done, _ = await asyncio.wait(tasks)
    log.extend(task.result() for task in done)
    done, _ = await asyncio.wait([asyncio.create_task(worker(f"v{i}")) for i in range(9)])
    log.extend(task.get_name() for task in done)
    futures = {asyncio.Future() for _ in range(9)}
    for number, future in enumerate(futures):
        future.set_result(number)
    log.append(str([future.result() for future in futures]))
    values = ["a", b"a", ("a", None), frozenset("abc"), datetime.datetime(2026, 1, 1), None]
    log.append(str([hash(value) for value in values]))
    try:
        async with asyncio.TaskGroup() as group:
            for i in range(9):
                group.create_task(worker(f"g{i}", 60))
            group.create_task(bad())
    except* ValueError:
        log.append("group failed")
    return log
"""

SCRIPT = """
import random, sys
noise = [bytearray(random.randrange(1, 5000)) for _ in range(random.randrange(2000))]
del noise[:: random.randrange(2, 5)]
from tests.sandbox.snippets import run_snippet
print("\\n".join(run_snippet(sys.stdin.read())))
"""


@pytest.mark.fault("F41")
def test_order_does_not_depend_on_the_process() -> None:
    """wait, as_completed, TaskGroup abort and sets of futures: one order for all processes."""
    outputs = set()
    for seed in ("0", "1", "424242", "random"):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            input=BODY,
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )
        outputs.add(done.stdout)
    [log] = outputs
    lines = log.splitlines()
    assert lines[:9] == [f"start c{i}" for i in range(9)]
    assert [line for line in lines if line.startswith("cancel")] == [
        f"cancel g{i}" for i in range(9)
    ]
