"""Threads for steps that are plain functions.

Python cannot stop a thread. When its attempt has timed out or was cancelled, the function goes on
until it returns, and its place is taken until then; what it returns is dropped. The executor of the
standard library would also have the interpreter wait for it at the exit, so a worker with a step
that hangs could not be stopped. These are daemon threads: they end with the process.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

__all__ = ["Threads"]


class Threads:
    """Runs functions in at most `size` threads, started when needed and kept for the next."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._started = 0
        self._idle = threading.Semaphore(0)
        self._lock = threading.Lock()
        self._work: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = queue.SimpleQueue()

    def submit(self, work: Callable[[], Any]) -> Future[Any]:
        """Run `work` as soon as a thread is free. Cancelled before that, it never begins."""
        future: Future[Any] = Future()
        self._work.put((future, work))
        if not self._idle.acquire(blocking=False):
            with self._lock:
                if self._started < self._size:
                    self._started += 1
                    name = f"workflow-step-{self._started}"
                    threading.Thread(target=self._run, name=name, daemon=True).start()
        return future

    def _run(self) -> None:
        while True:
            self._one()
            self._idle.release()

    def _one(self) -> None:
        """Its variables are let go of before the thread waits for more."""
        future, work = self._work.get()
        if not future.set_running_or_notify_cancel():
            return
        try:
            result = work()
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(result)
