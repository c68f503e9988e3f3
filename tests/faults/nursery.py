"""Makes worker processes in no time: a process that has loaded the project forks them.

    python -m tests.faults.nursery GENERATED

Each line `spawn NAME=VALUE …` on its standard input makes a worker with these environment variables
and is answered with its process id; `FAULTS_CLOCK` is how many seconds its clock is ahead. It ends
with its standard input, and its workers with it.
"""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import signal
import sys
import time
from pathlib import Path

from workflow.connect import connect
from workflow.engine import Application, Project, failpoints
from workflow.errors import WorldUnavailableError

__all__ = ["main"]

_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG


def main() -> None:
    """Serve spawn requests."""
    project = Project.load(Path(sys.argv[1]))
    __import__(f"workflow.worlds.{os.environ['WORKFLOW_TARGET_WORLD']}")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # no zombies
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, int(signal.SIGKILL))
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for entry in line.split()[1:]:
                name, _, value = entry.partition("=")
                os.environ[name] = value
            failpoints.arm(os.environ.get("WORKFLOW_FAILPOINT", ""))
            _set_clock(float(os.environ.get("FAULTS_CLOCK", "0")))
            asyncio.run(_work(project))
            os._exit(0)
        print(pid, flush=True)


def _set_clock(seconds: float) -> None:
    """Have a clock that is so many seconds ahead of all others."""
    if seconds:
        real, ahead = time.time_ns, round(seconds * 1_000_000_000)
        time.time_ns = lambda: real() + ahead
        time.time = lambda: (real() + ahead) / 1_000_000_000


async def _work(project: Project) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(message)s")
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    application = Application(connect(), project, grace=1)
    while True:
        try:
            await application.start()
            break
        except WorldUnavailableError:
            await asyncio.sleep(0.05)
    await stop.wait()
    await application.stop()


if __name__ == "__main__":
    main()
