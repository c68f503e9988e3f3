"""Runs one snippet of the corpora in plain Python, on asyncio's own loop with virtual time."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import selectors
import sys
import types
from collections.abc import Iterator
from typing import Any

from tests.sandbox.snippets import EPOCH, MODULE
from tests.zones import time_zone

__all__ = ["run_natively"]


class _Skip(selectors.SelectSelector):
    """A selector that waits for nothing: the time it was to wait for has passed."""

    now = EPOCH / 1e6

    def select(self, timeout: float | None = None) -> Any:
        assert timeout is not None, "the snippet waits for something that never comes"
        self.now += timeout
        return []


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._skip = _Skip()
        super().__init__(self._skip)
        self._clock_resolution = 1e-6

    def time(self) -> float:
        return self._skip.now


@contextlib.contextmanager
def _own_logging() -> Iterator[None]:
    """Logging as in a new process: what others have set up writes what the snippet logs elsewhere,
    pytest's handler raises what cannot be written, and both are what they were afterwards."""
    root = logging.getLogger()
    handlers, level, known = root.handlers[:], root.level, set(root.manager.loggerDict)
    root.handlers[:] = []
    root.setLevel(logging.WARNING)
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        for name in set(root.manager.loggerDict) - known:
            del root.manager.loggerDict[name]


def run_natively(source: str) -> Any:
    """Execute a snippet as a module of this process: the value of its `async def main()`, or of
    its `result`."""
    module = types.ModuleType(MODULE)
    sys.modules[MODULE] = module  # dataclasses and pydantic look there for names
    try:

        async def body() -> Any:
            exec(compile(source, "case.py", "exec", dont_inherit=True), vars(module))
            main = vars(module).get("main")
            if main is None:
                return vars(module).get("result")
            value = main()
            return await value if asyncio.iscoroutine(value) else value

        # The local time of every workflow is UTC, wherever the tests run.
        with time_zone("UTC"), _own_logging(), asyncio.Runner(loop_factory=_VirtualLoop) as runner:
            return runner.run(body())
    finally:
        del sys.modules[MODULE]
