"""What a run knows about one of its hooks: is its token open, which payloads are not yet taken."""

from __future__ import annotations

from collections import deque
from typing import Any

from workflow.errors import ContextError, HookConflictError, InternalError
from workflow.replay.loop import DetFuture, DetLoop

__all__ = ["HookState"]


class HookState:
    """One hook of a live run. Each payload goes to one waiter, in the order both arrived.

    `step` is the name of the pending action that the hook is, None for what authors call a hook.
    """

    def __init__(self, loop: DetLoop, ref: str, token: str, step: str | None = None) -> None:
        self.ref = ref
        self.token = token
        self.step = step
        self.owner: str | None = None  # the run that holds the token, after a conflict
        self.settled = False  # open or in conflict: the world has answered
        self.disposed = False
        self._loop = loop
        self._payloads: deque[Any] = deque()
        self._waiters: deque[DetFuture[Any]] = deque()
        self._settling: list[DetFuture[None]] = []

    def next_payload(self) -> DetFuture[Any]:
        """A future for the next payload. It raises HookConflictError if the token is taken."""
        future = self._loop.create_future()
        if self._payloads:
            future.set_result(self._payloads.popleft())
        elif self.owner is not None:
            future.set_exception(self._conflict(self.owner))
        elif self.disposed:
            future.set_exception(ContextError(f"the hook {self.token!r} was disposed"))
        else:
            self._waiters.append(future)
        return future

    def settling(self) -> DetFuture[None]:
        """A future that is done when the world has opened the token or refused it."""
        future = self._loop.create_future()
        if self.settled:
            future.set_result(None)
        else:
            self._settling.append(future)
        return future

    def deliver(self, payload: Any) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(payload)
                return
        self._payloads.append(payload)

    def settle(self, owner: str | None) -> None:
        """The world has answered: open (`owner` is None) or held by `owner`."""
        if self.settled:
            raise InternalError(f"hook {self.ref} was settled twice")
        self.settled = True
        self.owner = owner
        for future in self._settling:
            if not future.done():
                future.set_result(None)
        self._settling.clear()
        if owner is not None:
            self._fail_waiters(self._conflict(owner))

    def dispose(self) -> None:
        self.disposed = True
        self._fail_waiters(ContextError(f"the hook {self.token!r} was disposed"))

    @property
    def open(self) -> bool:
        return not self.disposed and self.owner is None

    @property
    def awaited(self) -> bool:
        """Whether the body waits for a payload, or for the answer of the world."""
        waiting = [*self._waiters, *self._settling]
        return any(not future.done() for future in waiting)

    def standing(self) -> tuple[object, ...]:
        """All that can be told about it from outside; see `LiveRun.standing`."""
        waiting = sum(not waiter.done() for waiter in self._waiters)
        state = (self.settled, self.owner, self.disposed)
        return (self.ref, self.token, *state, len(self._payloads), waiting)

    def _conflict(self, owner: str) -> HookConflictError:
        return HookConflictError(self.token, owner, own=owner == self._loop.run.run_id)

    def _fail_waiters(self, error: Exception) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_exception(error)
