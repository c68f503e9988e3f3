"""asyncio in workflow code: what comes in sets and iterators has an order of the run."""

from __future__ import annotations

from tests.sandbox.snippets import run_snippet


def test_wait_gives_its_sets_in_the_order_of_the_arguments() -> None:
    """Neither memory nor the moment of creation or completion decides, but what was written."""
    source = """
import asyncio
async def nap(n):
    await asyncio.sleep(n)
    return n
async def main():
    tasks = [asyncio.create_task(nap(n), name=str(n)) for n in (5, 1, 4, 2, 8, 9, 3, 7)]
    mixed = [tasks[n] for n in (6, 2, 7, 0, 4, 1, 3, 5)]
    gathered = [asyncio.gather(task) for task in mixed]
    both = [each for pair in zip(mixed, gathered) for each in pair]
    done, pending = await asyncio.wait(both, timeout=4.5)
    return [[both.index(each) for each in group] for group in (done, pending)]
"""
    # The naps in the order of `mixed`: 3, 4, 7, 5, 8, 1, 2, 9; each with what gathers it.
    assert run_snippet(source) == [[0, 1, 2, 3, 10, 11, 12, 13], [4, 5, 6, 7, 8, 9, 14, 15]]


def test_as_completed_gives_finished_futures_in_the_order_of_their_creation() -> None:
    """The original makes a set of them, which would be iterated in the order of memory."""
    source = """
import asyncio
async def main():
    noise = [object() for _ in range(99)]
    futures = []
    for n in range(20):
        futures.append(asyncio.Future())
        del noise[::7]
    for n, future in enumerate(futures):
        future.set_result(n)
    return [await each for each in asyncio.as_completed(futures)]
"""
    assert run_snippet(source) == list(range(20))


def test_a_task_of_the_loop_runs_in_the_context_it_is_given() -> None:
    """Also where it is made by the loop, and not by asyncio.create_task()."""
    source = """
import asyncio
from contextvars import ContextVar, copy_context
which = ContextVar("which", default="none")
async def read():
    return which.get()
async def main():
    context = copy_context()
    context.run(which.set, "given")
    loop = asyncio.get_running_loop()
    heard = []
    loop.call_soon(lambda: heard.append(which.get()), context=context)
    loop.call_later(1, lambda: heard.append(which.get()), context=context)
    loop.call_at(loop.time() + 1, lambda: heard.append(which.get()), context=context)
    await asyncio.sleep(2)
    made = [loop.create_task(read(), context=context), asyncio.create_task(read(), context=context)]
    return heard + [await task for task in made] + [await loop.create_task(read())]
"""
    assert run_snippet(source) == ["given"] * 5 + ["none"]
