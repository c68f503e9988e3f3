"""The workload of the fault tests. Every step leaves a line behind, so that bodies can be counted.

`FAULTS_LOG` names the file. A line is: begin or end, the run, the step's id, its attempt, the
process, and the result.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import resource
import signal
import time
from collections.abc import AsyncIterable, AsyncIterator
from pathlib import Path

from deadly import die, die_once  # type: ignore[import-not-found]

from workflow import (
    create_hook,
    get_step_metadata,
    get_workflow_metadata,
    get_writable,
    sleep,
    step_options,
)
from workflow.api import start


def note(what: str, result: object = "") -> None:
    """One line in one write, which no other process can split."""
    about = get_step_metadata()
    run_id = get_workflow_metadata().workflow_run_id
    line = f"{what} {run_id} {about.step_id} {about.attempt} {os.getpid()} {result}"
    file = os.open(os.environ["FAULTS_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, f"{line}\n".encode())
    os.close(file)


@step_options(max_retries=30, backoff="0.2s")
async def work(n: int) -> int:
    """A step that takes a moment."""
    "use step"
    note("begin")
    await asyncio.sleep(0.005 * (n % 4))
    note("end", n * 10)
    return n * 10


@step_options(max_retries=30, backoff="0.1s")
async def flaky(n: int) -> int:
    """A step that fails at first, and so becomes a task."""
    "use step"
    note("begin")
    if get_step_metadata().attempt == 1:
        raise ConnectionError("not the first time")
    note("end", n)
    return n


async def mixed(n: int) -> int:
    """Parallel steps, tasks, a sleep and a hook."""
    "use workflow"
    first = await work(n)
    parts = await asyncio.gather(*[work(i) for i in range(12)], flaky(n))
    await sleep("0.2s")
    hook = create_hook(token=f"go-{get_workflow_metadata().workflow_run_id}")
    given = await hook
    last = await work(given["value"])
    return first + sum(parts) + last


async def mixed_without_hook(n: int) -> int:
    """Parallel steps and tasks, twice."""
    "use workflow"
    first = await asyncio.gather(*[work(i) for i in range(12)], flaky(n))
    return sum(first) + sum(await asyncio.gather(*[work(i) for i in range(12)], flaky(n)))


async def chain(length: int) -> int:
    """Steps one after the other."""
    "use workflow"
    total = 0
    for n in range(length):
        total += await work(n)
    return total


@step_options(max_retries=0)
async def woken(n: int) -> int:
    """Says that its run has woken up."""
    "use step"
    note("end", n)
    return n


async def sleeper(seconds: int) -> int:
    """Sleeps, then says so."""
    "use workflow"
    await sleep(seconds)
    return await woken(seconds)


async def sleepers(delays: list[int]) -> None:
    """Many sleeps at once."""
    "use workflow"
    await asyncio.gather(*[sleep(seconds) for seconds in delays])


async def all_kinds(n: int) -> int:
    """A step, parallel ones, a task, a sleep and a hook."""
    "use workflow"
    first = await work(n)
    parts = await asyncio.gather(work(5), flaky(n))
    await sleep("10ms")
    given = await create_hook(token=f"all-{get_workflow_metadata().workflow_run_id}")
    return first + parts[0] + parts[1] + await work(given["value"])


async def kid(n: int) -> int:
    """A child with a step, and with one of its own as long as `n` is above zero."""
    "use workflow"
    below = await (await start(kid, n - 1)) if n > 0 else 0
    return below + await work(n)


async def family(n: int) -> int:
    """Children side by side, and a step between their start and their end."""
    "use workflow"
    runs = [await start(kid, i) for i in range(n)]
    between = await work(n)
    return between + sum(await asyncio.gather(*runs))


@step_options(max_retries=3)
async def wait_for(path: str, seconds: float) -> str:
    """A step that lasts until a file is there."""
    "use step"
    note("begin")
    until = time.monotonic() + seconds
    while not os.path.exists(path) and time.monotonic() < until:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    note("end", "there")
    return "there"


async def ticking(path: str) -> AsyncIterator[int]:
    yield 1
    yield 2
    note("ticking")
    while not os.path.exists(path):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    yield 3


async def ticks(path: str) -> AsyncIterable[int]:
    """A step that gives a stream, which stops half way until there is a file."""
    "use step"
    return ticking(path)


@step_options(max_retries=3)
async def write_two(folder: str) -> int:
    """A step that writes once, waits until it may go on, and writes again."""
    "use step"
    attempt = get_step_metadata().attempt
    out = get_writable()
    await out.write(f"{attempt}: first")
    note("half")
    wrote = "nothing"
    try:
        while not os.path.exists(f"{folder}/{attempt}"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await out.write(f"{attempt}: second")
        wrote = "everything"
    finally:
        note("end", wrote)
    return attempt


async def writes_two(folder: str) -> int:
    """A run that writes a stream."""
    "use workflow"
    return await write_two(folder)


async def add_up(numbers: AsyncIterable[int]) -> int:
    """A step that reads a stream."""
    "use step"
    return sum([n async for n in numbers])


async def ticked(path: str) -> AsyncIterable[int]:
    """A run whose result is a stream."""
    "use workflow"
    return await ticks(path)


async def totals(numbers: AsyncIterable[int]) -> int:
    """A run that takes a stream."""
    "use workflow"
    return await add_up(numbers)


async def added_up(path: str) -> int:
    """A run that reads its own stream."""
    "use workflow"
    return await add_up(await ticks(path))


async def held(path: str, seconds: float) -> str:
    """A run with a step that lasts."""
    "use workflow"
    return await wait_for(path, seconds)


@step_options(max_retries=3, backoff="0.1s")
async def poison(how: str) -> None:
    """A step that takes its process with it."""
    "use step"
    note("begin")
    if how == "exit":
        os._exit(3)
    if how == "segfault":
        ctypes.string_at(0)
    if how == "memory":
        size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + 2**26, resource.RLIM_INFINITY))
        bytearray(2**40)
    os.kill(os.getpid(), signal.SIGKILL)


async def deadly_body(n: int) -> int:
    """A run that kills its process whenever its body goes on from its first step."""
    "use workflow"
    n = await work(n)
    die()
    return n


async def arm(path: str) -> str:
    """A step that makes `die_once` deadly."""
    "use step"
    note("begin")
    Path(path).touch()
    note("end", "armed")
    return "armed"


async def dies_in_replay(path: str, length: int) -> int:
    """A run that kills the first process that replays its beginning."""
    "use workflow"
    total = 0
    for n in range(length):
        total += await work(n)
        if n == length // 2:
            die_once(path)
    await arm(path)
    await sleep("1h")
    return total + await work(length)


async def poisoned(how: str) -> None:
    """A run that can never succeed."""
    "use workflow"
    await poison(how)


@step_options(max_retries=6, backoff="0.1s")
async def stubborn_poison() -> None:
    """A step that takes its process with it, and is tried often."""
    "use step"
    note("begin")
    os._exit(3)


async def poisoned_often() -> None:
    """A run that can never succeed, and takes long to find out."""
    "use workflow"
    await stubborn_poison()


@step_options(max_retries=3)
async def take_half_a_second(n: int) -> int:
    """A step that is at work when the process dies of another one."""
    "use step"
    note("begin")
    await asyncio.sleep(0.5)
    note("end", n)
    return n


async def beside_poison(width: int) -> int:
    """Steps that are killed by others."""
    "use workflow"
    return sum(await asyncio.gather(*[take_half_a_second(n) for n in range(width)]))
