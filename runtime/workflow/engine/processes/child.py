"""One process of the pool, as the worker sees it.

The process is a fresh interpreter, not a fork: a fork would copy locks that threads of the worker
hold. It is not made by multiprocessing either, which runs the script of the application once more
in it; ours loads the build and nothing else. It has a session of its own, so that Ctrl-C is the
worker's to answer, and so that killing it ends what it has started, too.
"""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from typing import Any

from workflow.authoring.context import StepContext
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
from workflow.errors import StepCrashedError
from workflow.world.port import AuthProvider, Queue, Storage, Streamer, World

__all__ = ["Child"]

log = logging.getLogger("workflow.engine")

PATIENCE = 120.0  # seconds that importing the steps may take
FAREWELL = 2.0  # seconds that an idle process has for its exit handlers

_MAIN = (
    "import sys; sys.path[:] = {paths!r}; "
    "from workflow.engine.processes.main import main; main({fd})"
)
_OF_WORLD = frozenset(
    name
    for part in (Storage, Queue, Streamer, AuthProvider)
    for name in vars(part)
    if not name.startswith("_")
)


def _spawned(fd: int) -> subprocess.Popen[bytes]:
    """Start an interpreter as this one was started, which serves the socket `fd`."""
    flags: list[str] = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
    return subprocess.Popen(
        [sys.executable, *flags, "-c", _MAIN.format(paths=sys.path, fd=fd)],
        stdin=subprocess.DEVNULL,
        pass_fds=[fd],
        start_new_session=True,
    )


class Child:
    """A process that runs one attempt at a time. Made by `start`."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        self._silent = asyncio.Event()  # nothing more will be read
        self._said: asyncio.Future[Said] = self._loop.create_future()
        self._running: tuple[int, StepContext, World] | None = None
        self._calls: set[asyncio.Task[None]] = set()
        self._listening = asyncio.create_task(self._listen(), name="workflow-process")
        threading.Thread(target=self._bury, name="workflow-process", daemon=True).start()

    @classmethod
    async def start(cls, begin: Begin, step_name: str) -> Child:
        """Start a process and wait until it has loaded the steps. Raises StepCrashedError."""
        if os.name != "posix":
            raise StepCrashedError(
                f'{step_name} cannot run in a process: run_in="process" needs a POSIX system'
            )
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process = _spawned(theirs.fileno())
            except OSError as error:
                ours.close()
                raise StepCrashedError(f"no process for {step_name}: {error}") from error
        ours.setblocking(False)
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        child = cls(process, reader, writer)
        try:
            async with asyncio.timeout(PATIENCE):
                said = await child._ask(begin)
        except TimeoutError:
            child.kill()
            reason = f"importing the steps took longer than {PATIENCE:g} s"
        except BaseException:
            child.kill()
            raise
        else:
            if isinstance(said, Ready):
                return child
            child.kill()
            reason = said.reason if isinstance(said, Unready) else child._epitaph()
        raise StepCrashedError(f"no process for {step_name}: {reason}")

    @property
    def alive(self) -> bool:
        """Whether the process can take an attempt."""
        return not self._ended.is_set() and not self._silent.is_set()

    async def run(
        self, attempt: Attempt, context: StepContext, world: World
    ) -> Done | Raised | Misfit:
        """Run an attempt to its end. Raises StepCrashedError when the process dies before, and
        what the step's own calls of the world raise to stop it."""
        self._running = (attempt.n, context, world)
        try:
            said = await self._ask(attempt)
        finally:
            self._running = None
            for call in self._calls:
                call.cancel()
        if isinstance(said, Done | Raised | Misfit):
            return said
        raise StepCrashedError(f"the process that ran {context.step_name} {self._epitaph()}")

    def kill(self) -> None:
        """End the process and what it has started, at once."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._hang_up()

    async def close(self) -> None:
        """Let an idle process end by itself, and kill it if it does not."""
        self._hang_up()
        try:
            async with asyncio.timeout(FAREWELL):
                await self._ended.wait()
        except TimeoutError:
            self.kill()
            await self._ended.wait()

    # -- talking -------------------------------------------------------------------------------

    async def _ask(self, message: Begin | Attempt) -> Said | None:
        """Send a message and wait for what ends it; None when the process has died instead."""
        self._said = said = self._loop.create_future()
        with suppress(ConnectionError):
            self._writer.write(packed(message))
            await self._writer.drain()
        # Not only the end of the socket: somebody forked by the step may keep that open.
        ended = asyncio.ensure_future(self._ended.wait())
        silent = asyncio.ensure_future(self._silent.wait())
        try:
            await asyncio.wait({said, ended, silent}, return_when=asyncio.FIRST_COMPLETED)
            if not said.done():
                # What it has said last may still be on its way, and so may its exit status.
                await asyncio.wait({ended, silent}, timeout=FAREWELL)
            return said.result() if said.done() else None
        finally:
            ended.cancel()
            silent.cancel()
            said.cancel()

    async def _listen(self) -> None:
        try:
            while True:
                size = size_in(await self._reader.readexactly(HEADER))
                self._hear(unpacked(await self._reader.readexactly(size)))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._silent.set()

    def _hear(self, said: Said) -> None:
        match said:
            case Spoken():
                _log(said)
            case Call() if self._running is not None and said.attempt == self._running[0]:
                call = asyncio.create_task(self._answer(said, *self._running[1:]))
                self._calls.add(call)
                call.add_done_callback(self._calls.discard)
            case Call():
                pass  # of what outlived its attempt, in the moment before it could know
            case _:
                if not self._said.done():
                    self._said.set_result(said)

    async def _answer(self, call: Call, context: StepContext, world: World) -> None:
        value, failed = None, None
        try:
            if call.target == "context":
                value = await getattr(context, call.name)(*call.args, **call.kwargs)
            elif call.name in _OF_WORLD:
                value = await getattr(world, call.name)(*call.args, **call.kwargs)
            else:
                raise AttributeError(f"a world has no {call.name}")
        except Exception as error:
            failed = context.codec.encode_error(error)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and not task.cancelling() and not self._said.done():
                self._said.set_exception(error)  # Superseded: this attempt counts for nothing
                return
            raise
        with suppress(ConnectionError):
            self._writer.write(packed(Answer(call.n, value, failed, world.now())))
            await self._writer.drain()

    # -- its end -------------------------------------------------------------------------------

    def _bury(self) -> None:
        """Wait in a thread for the process, and end what it leaves behind."""
        waitid: Any = getattr(os, "waitid", None)
        if waitid is not None:
            with suppress(ChildProcessError):
                waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
            # Its id is not given to another process before it is waited for.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._ended.set)

    def _hang_up(self) -> None:
        self._writer.close()
        self._listening.cancel()
        self._silent.set()

    def _epitaph(self) -> str:
        status = self._process.returncode
        if status is None:
            return "has closed its connection"
        if status >= 0:
            return f"has ended with the exit status {status}"
        try:
            name = signal.Signals(-status).name
        except ValueError:
            name = f"signal {-status}"
        text = f"was killed by {name}"
        if -status == signal.SIGKILL:
            text += ", as it is when memory runs out"
        return text


def _log(spoken: Spoken) -> None:
    """Log a record of a step here. Nothing about it is worth the step's attempt."""
    record = dict(spoken.record)
    try:
        for name, pickled in spoken.extra.items():
            with suppress(Exception):  # made in ways of its own, or of a class not found here
                record[name] = pickle.loads(pickled)
        made = logging.makeLogRecord(record)
        logger = logging.getLogger(made.name)
        if logger.isEnabledFor(made.levelno):
            logger.handle(made)
    except Exception as error:
        log.warning("a log record of a step cannot be logged: %r", error)
