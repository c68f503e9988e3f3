"""Commands in processes of their own that start in no time.

Most of what a small command like `wfc start` costs is the start of Python and its imports. Here one
process has done both and forks for each command. What a test gets has its own memory, arguments,
environment, folder, pipes and exit status, and can be killed, as one of `subprocess`. What a fork
does not show are options of the interpreter, its hash seed, and what importing costs or needs:
tests of these, and one of each kind of command, start Python.

    done = run([WFC, "build"], cwd=folder)
    with Process([sys.executable, "-m", "uvicorn", "app:app"], cwd=folder) as server: ...

`tests/fork_server.py` is the process that forks.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Self

__all__ = ["WFC", "Process", "run", "stop"]

WFC = Path(sys.executable).with_name("wfc")
_PIPE, _STDOUT = subprocess.PIPE, subprocess.STDOUT
SERVER = Path(__file__).with_name("fork_server.py")
_NUMBER = struct.Struct("=q")

File = int | IO[Any] | None


class Process:
    """A running command, in the manner of `subprocess.Popen`.

    A command is `wfc`, or this Python with a script, `-c` or `-m`. A file is None for nowhere,
    PIPE, one that is open, or, as `stderr`, STDOUT. What comes through a pipe is text. Without
    `env` the command inherits the environment.
    """

    def __init__(
        self, command: Sequence[object], *, cwd: Path, env: Mapping[str, str] | None = None,
        stdin: File = None, stdout: File = None, stderr: File = None,
    ) -> None:  # fmt: skip
        self.args = [str(part) for part in command]
        self.returncode: int | None = None
        asked = {
            "argv": self.args,
            "cwd": str(cwd),
            "env": dict(os.environ if env is None else env),
        }
        self._told, tells = os.pipe()
        theirs, pipes = [tells], [tells]  # what the command gets, and what is closed here then
        self.stdin: IO[str] | None = None
        outputs: list[IO[str] | None] = []
        with open(os.devnull, "r+b") as nowhere:
            for number, file in enumerate((stdin, stdout, stderr)):
                opened = None
                if file == _PIPE:
                    reads, writes = os.pipe()
                    pipes.append(reads if number == 0 else writes)
                    theirs.append(pipes[-1])
                    opened = open(writes, "w") if number == 0 else open(reads)  # noqa: SIM115
                elif file == _STDOUT:
                    theirs.append(theirs[-1])
                elif isinstance(file, int):
                    theirs.append(file)
                else:
                    theirs.append((file or nowhere).fileno())
                outputs.append(opened)
            self.stdin, self.stdout, self.stderr = outputs
            try:
                _server().ask(asked, theirs)
            finally:
                for each in pipes:
                    os.close(each)
        self.pid = self._next()

    def poll(self) -> int | None:
        """The exit status if it has ended: the negative signal number if one ended it."""
        if self.returncode is None and select.select([self._told], [], [], 0)[0]:
            self.returncode = self._next()
            os.close(self._told)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit status. Raises subprocess.TimeoutExpired after `timeout` seconds."""
        if self.returncode is None and not select.select([self._told], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        status = self.poll()
        assert status is not None
        return status

    def send_signal(self, number: int) -> None:
        """Send a signal, if it has not ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Wait for the end; what was written to the pipes and not read yet."""
        if self.stdin is not None:
            self.stdin.close()
        texts: dict[IO[str] | None, str] = {}
        readers = [
            threading.Thread(target=lambda of=file: texts.update({of: of.read()}), daemon=True)
            for file in (self.stdout, self.stderr)
            if file is not None and not file.closed
        ]
        for reader in readers:
            reader.start()
        self.wait(timeout)
        for reader in readers:
            reader.join()
        self._close()
        return texts.get(self.stdout, ""), texts.get(self.stderr, "")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._close()
        self.wait()

    def _close(self) -> None:
        for file in (self.stdin, self.stdout, self.stderr):
            if file is not None:
                file.close()

    def _next(self) -> int:
        """The next number that is told: first the process id, then the status."""
        told = os.read(self._told, _NUMBER.size)
        if not told:
            raise RuntimeError("the process that forks is gone")
        number: int = _NUMBER.unpack(told)[0]
        return number


def run(
    command: Sequence[object], *, cwd: Path, env: Mapping[str, str] | None = None,
    timeout: float = 120,
) -> subprocess.CompletedProcess[str]:  # fmt: skip
    """Run a command to its end, and return its status and what it has written, as text.

    One that is not through after `timeout` seconds is killed, which is an error.
    """
    with Process(command, cwd=cwd, env=env, stdout=_PIPE, stderr=_PIPE) as process:
        try:
            output, errors = process.communicate(timeout)
        finally:
            process.kill()
    status = process.wait()
    return subprocess.CompletedProcess(process.args, status, output, errors)


class _Server:
    """The process that forks, as its only client sees it."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self.popen = subprocess.Popen(
                [sys.executable, SERVER, str(theirs.fileno())], pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
        self._socket = ours
        self._lock = threading.Lock()

    def ask(self, asked: dict[str, Any], files: Sequence[int]) -> None:
        """Have a command begun, with these as status, standard input, output and errors."""
        text = json.dumps(asked).encode()
        with self._lock:
            socket.send_fds(self._socket, [_NUMBER.pack(len(text))], files)
            self._socket.sendall(text)

    def stop(self) -> None:
        """End it, and all commands."""
        self._socket.close()
        self.popen.wait()


_servers: list[_Server] = []
_beginning = threading.Lock()


def _server() -> _Server:
    with _beginning:
        if not _servers:
            _servers.append(_Server())
        return _servers[0]


def stop() -> None:
    """End all commands, and the process that has forked them, if there is one."""
    while _servers:
        _servers.pop().stop()
