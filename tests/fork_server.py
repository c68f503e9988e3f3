"""The process that forks the commands of `tests/forks.py`: Python and its imports, once for all.

    python tests/fork_server.py SOCKET

SOCKET is the number of the socket on which commands are asked for. It ends when that is closed, and
its commands with it.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import struct
import sys
import threading
import time
import types
from pathlib import Path
from typing import Any

__all__ = ["main"]

WFC = Path(sys.executable).with_name("wfc")
# What commands import, sooner or later.
LOADED = """
    wfc.builder wfc.compiler wfc.watch watchfiles wfc.runtime_errors wfc.cli.answer wfc.cli.build
    wfc.cli.cancel wfc.cli.check wfc.cli.health wfc.cli.inspect wfc.cli.resume wfc.cli.run
    wfc.cli.start wfc.cli.worker wfc.cli.world
    workflow.abi.asgi_v1 workflow.abi.step_v1 workflow.connect workflow.engine
    workflow.http.generated workflow.policy.json_arguments workflow.sync workflow.worlds.local
    workflow.worlds.memory workflow.worlds.postgres
    httpx starlette.applications starlette.responses starlette.routing
    uvicorn.main uvicorn.lifespan.on uvicorn.protocols.http.auto
"""
_NUMBER = struct.Struct("=q")
_ERRORS = ("strict", "strict", "backslashreplace")  # of standard input, output and errors


def _serve(client: socket.socket) -> dict[str, Any]:
    """Fork for every request. Returns in the processes that are forked, with what is asked of each;
    the one that forks ends with its client, and they with it."""
    commands: dict[int, int] = {}  # where the status of each process is told
    wakes, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is for the tests
    while True:
        ready = select.select([client.fileno(), wakes], [], [])[0]
        if wakes in ready:
            os.read(wakes, 4096)
            _tell_ends(commands)
        if client.fileno() not in ready:
            continue
        head, files, _, _ = socket.recv_fds(client, _NUMBER.size, 4)
        if not head:
            for pid in commands:
                os.kill(pid, signal.SIGKILL)
            os._exit(0)
        text = client.recv(_NUMBER.unpack(head)[0], socket.MSG_WAITALL)
        tells, *standard = files
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            for number, file in enumerate(standard):
                os.dup2(file, number)
            for file in (*files, *commands.values(), wakes, wake):
                os.close(file)
            client.close()
            asked: dict[str, Any] = json.loads(text)
            return asked
        os.write(tells, _NUMBER.pack(pid))
        commands[pid] = tells
        for file in standard:
            os.close(file)


def _tell_ends(commands: dict[int, int]) -> None:
    while commands:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        tells = commands.pop(pid)
        with contextlib.suppress(BrokenPipeError):  # nobody wants to know
            os.write(tells, _NUMBER.pack(os.waitstatus_to_exitcode(status)))
        os.close(tells)


def _become(argv: list[str], cwd: str, env: dict[str, str], path: list[str]) -> None:
    """Be what Python would be that was started so. `path` is that of imports, from its library on.

    Returns or raises as the command does: what is left is the end of the interpreter.
    """
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    failpoints = importlib.import_module("workflow.engine.failpoints")
    with contextlib.suppress(ValueError):  # as at its import
        failpoints.arm(env.get("WORKFLOW_FAILPOINT", ""))
    sys.dont_write_bytecode = bool(env.get("PYTHONDONTWRITEBYTECODE"))
    unbuffered = bool(env.get("PYTHONUNBUFFERED"))
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        raw = open(  # noqa: SIM115
            number, "r" if number == 0 else "w", errors=_ERRORS[number], closefd=False
        )
        if number == 2 or unbuffered:
            raw.reconfigure(line_buffering=True)
        setattr(sys, name, raw)
        setattr(sys, f"__{name}__", raw)
    program, *arguments = argv
    given = [entry for entry in env.get("PYTHONPATH", "").split(os.pathsep) if entry]
    if Path(program) != WFC and program != sys.executable:
        raise ValueError(f"start it with subprocess: {argv}")
    option = arguments[0] if Path(program) != WFC else program
    if not option.startswith("-"):
        sys.argv = argv[argv.index(option) :]
        sys.path[:] = [str(Path(option).resolve().parent), *given, *path]
        runpy.run_path(option, run_name="__main__")
        return
    option, what, *arguments = arguments
    sys.path[:] = ["" if option == "-c" else cwd, *given, *path]
    if option == "-m":
        sys.argv = [what, *arguments]
        runpy.run_module(what, run_name="__main__", alter_sys=True)
        return
    sys.argv = ["-c", *arguments]
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    exec(compile(what, "<string>", "exec"), main.__dict__)


def main() -> None:
    """Load what commands import, and fork."""
    given = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    path = sys.path[1 + len(given) :]
    for module in LOADED.split():
        importlib.import_module(module)
    gc.freeze()
    asked = _serve(socket.socket(fileno=int(sys.argv[1])))
    status: int | str | None = 0
    try:
        _become(**asked, path=path)
    except SystemExit as end:
        status = end.code
    _end(status)


def _end(status: int | str | None) -> None:
    """End as Python does, without taking apart what was loaded: that takes longer than most
    commands. Where threads are to be waited for, or there is something to say, Python does it."""
    others = [thread for thread in threading.enumerate() if not thread.daemon]
    if others != [threading.main_thread()] or not isinstance(status, int | None):
        sys.exit(status)
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit((status or 0) & 0xFF)


if __name__ == "__main__":
    main()
