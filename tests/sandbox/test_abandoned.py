"""Generators that are forgotten: what of them runs, and when."""

from __future__ import annotations

import decimal
import gc
from typing import Any

import pytest

from tests.sandbox.snippets import run_snippet

CYCLE = """
log = []
class Lease:
    def __enter__(self): return self
    def __exit__(self, *info): log.append("left")
class Pages:
    def __init__(self):
        self.pages = self.read()
    def read(self):
        try:
            with Lease():
                try:
                    yield 1
                except {handler}:
                    log.append("closed")
                    raise
        finally:
            log.append("finally")
pages = Pages()
next(pages.pages)
{then}
result = log
"""


WITH = """
import contextlib, decimal
log = []
class Resource:
    def close(self): log.append("closed")
    def __iter__(self): return self
    def __next__(self): return 1
class Mine(contextlib.ExitStack): pass
@contextlib.contextmanager
def swallowing():
    with contextlib.suppress(GeneratorExit):
        yield Resource()
    log.append("after")
def calling(stack):
    stack.callback(log.append, "called")
    return stack
class Pages:
    def __init__(self):
        self.pages = self.read()
    def read(self):
        {read}
        log.append("went on")
pages = Pages()
next(pages.pages)
{then}
result = log
"""
BLOCKS = {
    "an exit stack": "with calling(contextlib.ExitStack()): yield 1",
    "a class of exit stacks": "with calling(Mine()): yield 1",
    "closing": "with contextlib.closing(Resource()): yield 1",
    "suppress": "with contextlib.suppress(GeneratorExit): yield 1",
    "a function that suppresses": "with swallowing(): yield 1",
    "except*": "try: yield 1\n        except* BaseException: pass",
    "an iterator with close": "yield from Resource()",
}
BY_HAND = """
import asyncio, contextlib
log = []
class Lease:
    async def __aenter__(self): return self
    async def __aexit__(self, *info): log.append("left")
class Resource:
    async def aclose(self): log.append("closed")
class Waiting:
    def __iter__(self): return self
    def __next__(self): return None
    def close(self): log.append("closed")
    def __await__(self): return self
class Held:
    def __init__(self): self.held = work(self)
async def work(held):
    {work}
async def main():
    held = Held()
    held.held.send(None)
    {then}
    return log
"""
AWAITED = {
    "finally": "try: await asyncio.sleep(1)\n    finally: log.append('finally')",
    "a handler": "try: await asyncio.sleep(1)\n    except BaseException: log.append('closed')",
    "a lease": "async with Lease(): await asyncio.sleep(1)",
    "an exit stack": "async with contextlib.AsyncExitStack() as stack:\n"
    "        stack.callback(log.append, 'called')\n        await asyncio.sleep(1)",
    "aclosing": "async with contextlib.aclosing(Resource()): await asyncio.sleep(1)",
    "an awaitable with close": "await Waiting()",
}


def _after(then: str, handler: str = "GeneratorExit") -> Any:
    log = run_snippet(CYCLE.format(then=then, handler=handler))
    gc.collect()
    return log


def test_nothing_runs_when_the_collector_finds_a_cycle() -> None:
    """Handlers, `finally` and `__exit__` of a generator in a forgotten cycle are left out, at any
    time: its moment is that of the process."""
    for handler in ("GeneratorExit", "BaseException", "(ValueError, BaseException)"):
        assert _after("del pages", handler) == []


def test_a_generator_that_is_let_go_of_ends_at_once() -> None:
    """Without a cycle, and closed by hand, all of it runs, there and then."""
    everything = ["closed", "left", "finally"]
    assert _after("pages.pages.close()") == everything
    assert _after("pages.pages = None") == everything


@pytest.mark.parametrize("read", BLOCKS.values(), ids=BLOCKS.keys())
def test_library_blocks_do_nothing_when_the_collector_leaves_them(read: str) -> None:
    """`with` blocks of contextlib in a forgotten generator call nothing of the workflow and let
    nothing go on; without a cycle they do as in Python."""
    log = run_snippet(WITH.format(read=read, then="del pages"))
    gc.collect()
    assert log == []
    closed = "pages.pages.close()"
    if "suppress" in read or "swallowing" in read or "except*" in read:
        # Python ends a generator that goes on after it was closed there and then.
        assert run_snippet(WITH.format(read=read, then=closed))[-1] == "went on"
    else:
        assert run_snippet(WITH.format(read=read, then=closed)) != []


@pytest.mark.parametrize("work", AWAITED.values(), ids=AWAITED.keys())
def test_coroutines_driven_by_hand_are_left_alone_too(work: str) -> None:
    """A coroutine that was sent to instead of awaited, and forgotten in a cycle, does nothing when
    the collector closes it; closed by hand, it does."""
    log = run_snippet(BY_HAND.format(work=work, then="del held"))
    gc.collect()
    assert log == []
    assert run_snippet(BY_HAND.format(work=work, then="held.held.close()")) != []


def test_a_decimal_context_is_not_put_back_by_the_collector() -> None:
    """The context of a forgotten block is not set on whoever happens to compute."""
    source = """
import decimal
class Pages:
    def __init__(self):
        self.pages = self.read()
    def read(self):
        with decimal.localcontext(prec=3):
            yield 1
pages = Pages()
next(pages.pages)
del pages
result = decimal.Decimal
"""
    run_snippet(source)
    with decimal.localcontext() as context:
        context.prec = 7
        gc.collect()
        assert decimal.getcontext().prec == 7


def test_the_collector_of_another_thread_changes_nothing() -> None:
    """Only what the collector itself calls is left out."""
    from workflow.sandbox.abandoned import COLLECTING

    COLLECTING.append(-1)
    try:
        assert _after("pages.pages.close()") == ["closed", "left", "finally"]
    finally:
        COLLECTING.remove(-1)
