"""Runs one snippet of the corpora in the sandbox, on a deterministic loop with virtual time."""

from __future__ import annotations

import asyncio
import heapq
from random import Random
from typing import Any

from workflow.replay.loop import DetLoop, Handle
from workflow.sandbox import Bundle, ModuleSource, Program

EPOCH = 1_700_000_000_000_000  # microseconds
MODULE = "snippets.case"


class VirtualRun:
    """The part of a live run its loop needs: waits end as soon as nothing else is ready."""

    def __init__(self, seed: int = 1) -> None:
        self.waits: list[tuple[int, int, Handle]] = []
        self.loop = DetLoop(self)  # type: ignore[abstract, arg-type]
        self.loop.now = EPOCH
        self.loop.random = Random(seed)

    def open_wait(self, due: int, handle: Handle) -> None:
        handle._on_cancel = None
        heapq.heappush(self.waits, (due, len(self.waits), handle))

    def abort(self, error: BaseException) -> None:
        raise error

    def drive(self, coroutine: Any) -> Any:
        """Run a coroutine to its end and return its result."""
        with self.loop:
            task = self.loop.create_task(coroutine)
            self.loop.run_until_idle()
            while not task.done() and self.waits:
                due, _, handle = heapq.heappop(self.waits)
                if not handle.cancelled():
                    self.loop.now = max(self.loop.now, due)
                    self.loop.fire(handle)
                    self.loop.run_until_idle()
            assert task.done(), "the snippet waits for something that never comes"
            return task.result()


def bundle_of(**sources: str) -> Bundle:
    """A bundle of modules; `a__b="…"` is the module `a.b` in `a/b.py`."""
    modules = []
    for key, source in sources.items():
        name = key.replace("__", ".")
        modules.append(ModuleSource(name, name.replace(".", "/") + ".py", source))
    return Bundle(tuple(modules))


def space_of(source: str) -> dict[str, Any]:
    """Execute a snippet as a module of a bundle, inside a run; return its globals."""
    program = Program(Bundle((ModuleSource(MODULE, "snippets/case.py", source),)))
    return program.instantiate()._importer.namespace(MODULE)


def run_snippet(source: str, run: VirtualRun | None = None) -> Any:
    """Execute a snippet inside a run: the value of its `async def main()`, or of its `result`."""
    run = run or VirtualRun()

    async def body() -> Any:
        space = space_of(source)
        main = space.get("main")
        if main is None:
            return space.get("result")
        value = main()
        return await value if asyncio.iscoroutine(value) else value

    return run.drive(body())
