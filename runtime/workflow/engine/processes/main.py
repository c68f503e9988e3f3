"""Inside of a process of the pool: load the build, run attempts, end when the worker is gone."""

from __future__ import annotations

import asyncio
import contextvars
import faulthandler
import inspect
import itertools
import logging
import logging.handlers
import os
import pickle
import queue
import signal
import socket
import sys
import threading
import time
from collections.abc import AsyncIterable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NoReturn

from workflow.authoring.context import StepContext, step_context
from workflow.authoring.sources import Source, bound
from workflow.codec import Codec
from workflow.codec.streams import StreamReference
from workflow.engine import failpoints
from workflow.engine.application import Application, only_steps
from workflow.engine.processes.messages import (
    HEADER,
    Answer,
    Attempt,
    Begin,
    Call,
    Done,
    Misfit,
    Raised,
    Ready,
    Said,
    Spoken,
    Unready,
    packed,
    size_in,
    unpacked,
)
from workflow.engine.project import Project
from workflow.engine.steps import Unfit, prepared
from workflow.errors import (
    ContextError,
    RetryableError,
    SerializationError,
    StepNotRegisteredError,
)
from workflow.events import Micros
from workflow.policy.retry import is_final
from workflow.replay.frames import recorded_traceback, summary_of
from workflow.world.port import AuthProvider, Queue, Storage, Streamer

__all__ = ["main"]


def main(fd: int) -> None:
    """Serve the worker at the other end of the socket `fd`."""
    faulthandler.enable()  # a crash in native code says where, on stderr
    failpoints.arm("")  # those of tests are meant for the worker
    line = _Line(socket.socket(fileno=fd))
    begin: Begin = line.receive()
    sys.argv = begin.argv
    _listen_to_logs(line, begin.levels)
    only_steps(None)
    try:
        project = Project.load(begin.folder)
    except BaseException as error:
        line.say(Unready(summary_of(error)))
        return
    _Process(line, project).serve()


class _Line:
    """The socket to the worker. Any thread may speak; one listens."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._file = end.makefile("rb")
        self._lock = threading.Lock()

    def say(self, message: Said) -> None:
        data = packed(message)
        try:
            with self._lock:
                self._end.sendall(data)
        except OSError:
            _gone()

    def receive(self) -> Any:
        """The next message, None when the worker has hung up."""
        try:
            header = self._file.read(HEADER)
            if len(header) < HEADER:
                return None
            return unpacked(self._file.read(size_in(header)))
        except (OSError, EOFError, pickle.UnpicklingError):
            return None


def _gone() -> NoReturn:
    """The worker is gone and nobody wants the result: end, with all that was started here."""
    os.killpg(os.getpgid(0), signal.SIGKILL)
    os._exit(1)


class _Process:
    """Runs one attempt after the other: plain functions in the main thread, the others in one event
    loop that lives as long as the process, so that clients of modules can be used again."""

    def __init__(self, line: _Line, project: Project) -> None:
        self._line = line
        self._registry = project.registry
        self._codec = Codec(project.registry.classes, functions=project.registry)
        self._jobs: queue.SimpleQueue[Attempt | None] = queue.SimpleQueue()
        self._numbers = itertools.count(1)
        self._open: dict[int, tuple[asyncio.AbstractEventLoop, asyncio.Future[Any]]] = {}
        self._busy = False
        self._attempt_now = 0
        self._clock = (0, 0)
        self._world: Any = _FarWorld(self)
        self._application = Application(self._world, project, worker=False)
        only_steps(self._application)

    def serve(self) -> None:
        threading.Thread(target=self._listen, name="workflow-worker", daemon=True).start()
        self._line.say(Ready())
        with asyncio.Runner() as runner:
            while (job := self._jobs.get()) is not None:
                said = self._attempt(runner, job)
                for stream in (sys.stdout, sys.stderr):
                    stream.flush()
                self._attempt_now = 0
                self._busy = False
                self._line.say(said)

    def _listen(self) -> None:
        while True:
            message = self._line.receive()
            match message:
                case Attempt(now=now):
                    self._clock = (now, time.monotonic_ns())
                    self._attempt_now = message.n
                    self._busy = True
                    self._jobs.put(message)
                case Answer(n=n, now=now):
                    self._clock = (now, time.monotonic_ns())
                    loop, answer = self._open.pop(n)
                    with suppress(RuntimeError):  # a loop of the step's own, and closed by now
                        loop.call_soon_threadsafe(self._settle, answer, message)
                case _:
                    if self._busy:
                        _gone()
                    self._jobs.put(None)
                    return

    def _settle(self, answer: asyncio.Future[Any], message: Answer) -> None:
        if answer.done():
            return  # whoever asked was cancelled
        if message.error is not None:
            answer.set_exception(self._codec.decode_error(message.error))
        else:
            answer.set_result(message.value)

    def now(self) -> Micros:
        """The clock of the world."""
        then, read = self._clock
        return then + (time.monotonic_ns() - read) // 1000

    async def call_world(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Have the worker call a function of the world."""
        return await self._call(self._attempt_now, "world", name, args, kwargs)

    async def call_context(self, attempt: int, name: str, *args: Any, **kwargs: Any) -> Any:
        """Have the worker call a function of the context of a step's attempt.

        Raises ContextError when that is over: what it has left behind, a task or a thread, must not
        speak for the attempt that this process runs next.
        """
        if attempt != self._attempt_now:
            raise ContextError(
                "the attempt of the step that this code belongs to has ended. Await what a step "
                "begins before it returns"
            )
        return await self._call(attempt, "context", name, args, kwargs)

    async def _call(
        self, attempt: int, target: str, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        loop = asyncio.get_running_loop()
        n, answer = next(self._numbers), loop.create_future()
        self._open[n] = (loop, answer)
        self._line.say(Call(n, attempt, target, name, args, kwargs))
        return await answer

    # -- attempts ------------------------------------------------------------------------------

    def _attempt(self, runner: asyncio.Runner, job: Attempt) -> Said:
        try:
            step = self._registry.find_step(job.name)
            with bound(Source(self._world, self._codec)):  # streams among the arguments
                call = prepared(step, job.payload, self._codec)
        except (StepNotRegisteredError, Unfit) as error:
            return Misfit(str(error))
        self._application.base_url = job.base_url
        functions: dict[str, Any] = {
            name: partial(self.call_context, job.n, name) for name in job.calls
        }
        context = contextvars.copy_context()
        context.run(step_context.set, StepContext(**job.facts, **functions, codec=self._codec))
        try:
            if step.is_async:
                result = runner.run(_awaited(call), context=context)
            else:
                result = context.run(call)
        except BaseException as error:
            return self._raised(error, final=is_final(error))
        try:
            if isinstance(result, AsyncIterable) and not _is_stream(result):
                raise SerializationError(
                    "a step that runs in a process cannot return a stream of its own. Write to "
                    'get_writable(), or leave run_in="process" out',
                    path="result",
                )
            return Done(self._codec.encode(result, path="result"))
        except SerializationError as error:
            # Another attempt would return the same kind of value.
            return self._raised(error, final=True)
        except BaseException as error:
            return self._raised(error, final=is_final(error))

    def _raised(self, error: BaseException, *, final: bool) -> Raised:
        after = getattr(error, "retry_after", None)
        if type(after) not in (int, float, str, timedelta, datetime):
            after = repr(after)
        return Raised(
            self._codec.encode_error(error, traceback=recorded_traceback(error)),
            summary_of(error),
            final,
            isinstance(error, RetryableError),
            after,
        )


async def _awaited(call: Callable[[], Any]) -> Any:
    result = call()
    return await result if inspect.isawaitable(result) else result


def _is_stream(value: Any) -> bool:
    """Whether somebody else writes it, or has written it."""
    return isinstance(value, StreamReference) and value.waiting() is None


class _FarWorld:
    """The world of the worker, for `start()`, `get_run()` and their like in a step's body."""

    worker_concurrency = None

    def __init__(self, process: _Process) -> None:
        self.name = "worker's"
        self._process = process

    def now(self) -> Micros:
        return self._process.now()

    async def open(self) -> None:
        """It is open in the worker."""

    async def close(self) -> None:
        """It stays open in the worker."""

    def __getattr__(self, name: str) -> Any:
        if any(name in vars(part) for part in (Storage, Queue, Streamer, AuthProvider)):
            return partial(self._process.call_world, name)
        raise AttributeError(name)


def _listen_to_logs(line: _Line, levels: dict[str, int]) -> None:
    """Send log records to the worker, of the levels that are wanted there."""
    logging.root.handlers[:] = [_ToWorker(line)]
    for name, level in levels.items():
        logging.getLogger(name or None).setLevel(level)


class _ToWorker(logging.handlers.QueueHandler):
    def __init__(self, line: _Line) -> None:
        super().__init__(queue.Queue())
        self._line = line

    def enqueue(self, record: logging.LogRecord) -> None:
        plain: dict[str, Any] = {}
        extra: dict[str, bytes] = {}
        for name, value in vars(record).items():
            if type(value) in (str, int, float, bool, type(None)):
                plain[name] = value
            else:
                with suppress(Exception):  # one that cannot be pickled
                    extra[name] = pickle.dumps(value)
        self._line.say(Spoken(plain, extra))
