"""Named points where a test can have this process killed.

`WORKFLOW_FAILPOINT=after_commit` kills the process with SIGKILL when it first reaches that point,
`after_commit:3` at the third time. `before_commit:3` and `commit:3` count everything that the
process writes to its world, whatever it is, and kill it just before or just after the third write.
Compiled in always: a crash test is worth more when it runs the very code that ships. Unset, a point
costs one comparison.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from workflow.world.port import World

__all__ = ["NAMES", "arm", "check", "reach", "watched"]

NAMES = (
    "before_step_body",
    "after_step_body",
    "after_commit",
    "during_sleep",
    "waiting_for_hook",
    "before_commit",
    "commit",
)

_SETTING = "WORKFLOW_FAILPOINT"
_armed = ""
_left = 1


def _read(setting: str) -> tuple[str, int]:
    name, colon, nth = setting.partition(":")
    if name and name not in NAMES:
        raise ValueError(f"WORKFLOW_FAILPOINT is {name!r}; known points: {', '.join(NAMES)}")
    if colon and not (nth.isdecimal() and int(nth)):
        raise ValueError(f"WORKFLOW_FAILPOINT is {setting!r}; write a count, as in {name}:3")
    return name, int(nth) if colon else 1


def check(environ: Mapping[str, str]) -> None:
    """Raise ValueError for a WORKFLOW_FAILPOINT that is none."""
    _read(environ.get(_SETTING, ""))


def arm(setting: str) -> None:
    """Arm one point, as in `after_commit:3`, or none with an empty text. Raises ValueError."""
    global _armed, _left
    _armed, _left = _read(setting)


with contextlib.suppress(ValueError):  # an application that starts says it, see `check`
    arm(os.environ.get(_SETTING, ""))


def reach(name: str) -> None:
    """Die here if this is the armed point and its count has come."""
    global _left
    if name == _armed:
        _left -= 1
        if _left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def watched(world: World) -> World:
    """The world itself, or one that counts its writes if a point is armed that asks for it."""
    return cast(World, _Watched(world)) if _armed in ("before_commit", "commit") else world


# What is written in answer to a call. Signs of life come by the clock and are not counted.
_WRITES = {
    "create", "post", "post_to_token", "append", "park", "unpark", "terminate", "finish_tasks",
    "write_chunks", "leave",
}  # fmt: skip


class _Watched:
    def __init__(self, world: World) -> None:
        self._world = world

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._world, name)
        return _counted(found) if name in _WRITES else found

    async def claim_runs(self, worker: str, limit: int) -> Any:
        """Counted when it hands something out: looking is not writing."""
        claimed = await self._world.claim_runs(worker, limit)
        if claimed.runs:
            reach("commit")
        return claimed

    async def claim_tasks(self, worker: str, limit: int, names: Any) -> Any:
        """Counted like `claim_runs`."""
        claimed = await self._world.claim_tasks(worker, limit, names)
        if claimed:
            reach("commit")
        return claimed


def _counted(call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def counted(*args: Any, **kwargs: Any) -> Any:
        reach("before_commit")
        answer = await call(*args, **kwargs)
        reach("commit")
        return answer

    return counted
