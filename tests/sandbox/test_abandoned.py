"""Generators that are forgotten: what of them runs, and when."""

from __future__ import annotations

import gc
from typing import Any

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


def test_the_collector_of_another_thread_changes_nothing() -> None:
    """Only what the collector itself calls is left out."""
    from workflow.sandbox.abandoned import COLLECTING

    COLLECTING.append(-1)
    try:
        assert _after("pages.pages.close()") == ["closed", "left", "finally"]
    finally:
        COLLECTING.remove(-1)
