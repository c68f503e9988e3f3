"""The pool: as many processes as steps run in, started when the first step asks for one."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workflow.authoring.context import StepContext
from workflow.engine.processes.child import Child
from workflow.engine.processes.messages import Attempt, Begin, Done, Misfit, Raised
from workflow.errors import StepCrashedError, StepTimeoutError
from workflow.world.port import World

__all__ = ["Processes", "size_of"]

_SIZE = "WORKFLOW_PROCESSES"


def size_of(environ: Mapping[str, str]) -> int:
    """WORKFLOW_PROCESSES, by default the number of cores this process may use. Raises ValueError
    for what is no whole number from 1 to 512."""
    text = environ.get(_SIZE)
    if not text:
        usable = getattr(os, "sched_getaffinity", None)
        return len(usable(0)) if usable is not None else os.cpu_count() or 1
    if not text.isdecimal() or not 1 <= int(text) <= 512:
        raise ValueError(f"{_SIZE} is {text!r}; give a whole number from 1 to 512")
    return int(text)


class Processes:
    """Runs attempts of steps in processes of their own, at most `size` at a time.

    `folder` is that of the build, where the processes find the steps. A process is used again after
    an attempt that ended by itself, whatever its outcome. After a time-out or a cancellation it is
    killed, and with it whatever it has started.
    """

    def __init__(self, folder: Path | None, size: int) -> None:
        self._folder = folder
        self._places = asyncio.Semaphore(size)
        self._idle: list[Child] = []
        self._numbers = itertools.count(1)

    async def attempt(
        self,
        step_id: str,
        payload: bytes,
        context: StepContext,
        world: World,
        timeout: float | None,
    ) -> Done | Raised | Misfit:
        """Run the step once. `timeout` is in seconds, and begins when a process is ready.

        Raises StepCrashedError when the process dies or cannot start, StepTimeoutError.
        """
        async with self._places:
            child = await self._ready(context.step_name)
            try:
                async with asyncio.timeout(timeout) as deadline:
                    attempt = _attempt(next(self._numbers), step_id, payload, context, world)
                    result = await child.run(attempt, context, world)
            except TimeoutError:
                child.kill()
                if not deadline.expired():
                    raise
                raise StepTimeoutError(
                    f"{context.step_name} ran longer than its timeout of {timeout:g} s, and its "
                    "process was killed"
                ) from None  # how asyncio ends the waiting is no cause
            except BaseException:
                child.kill()
                raise
            self._idle.append(child)
            return result

    async def close(self) -> None:
        """End the idle processes. Attempts are over by then: their tasks were cancelled."""
        idle, self._idle = self._idle, []
        await asyncio.gather(*[child.close() for child in idle])

    async def _ready(self, step_name: str) -> Child:
        while self._idle:
            child = self._idle.pop()  # the warmest one
            if child.alive:
                return child
        if self._folder is None:
            raise StepCrashedError(
                f"{step_name} cannot run in a process: its registry does not know its folder"
            )
        return await Child.start(Begin(str(self._folder), sys.argv, _levels()), step_name)


def _attempt(n: int, step_id: str, payload: bytes, context: StepContext, world: World) -> Attempt:
    facts: dict[str, Any] = {}
    calls: list[str] = []
    for name, value in vars(context).items():
        if callable(value):
            calls.append(name)
        elif name != "codec":  # the process has its own
            facts[name] = value
    return Attempt(n, step_id, payload, facts, tuple(calls), context.base_url, world.now())


def _levels() -> dict[str, int]:
    """The levels of all loggers that have one, the root's under ""."""
    known = logging.root.manager.loggerDict
    set_ = {name: item.level for name, item in known.items() if isinstance(item, logging.Logger)}
    return {"": logging.root.level} | {name: level for name, level in set_.items() if level}
