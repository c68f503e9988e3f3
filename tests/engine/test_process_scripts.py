"""Steps with run_in="process" of scripts: what is not run again, and what does not stay behind."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

from tests.engine.test_processes import FLOWS, all_gone
from tests.project import build

SCRIPT = """
import asyncio
import sys

import jobs
from workflow.api import start
from workflow.engine import Application, Project
from workflow.worlds import memory

print("the script runs")


async def main():
    async with Application(memory.create(), Project.load("generated")):
        print(await (await start(jobs.flow, int(sys.argv[1]))).result(60))


asyncio.run(main())  # without a guard: no process runs the script again
"""

JOBS = """
import os
import sys
from workflow import step_options


@step_options(run_in="process")
def square(n: int) -> list:
    "use step"
    return [n * n, sys.argv[1:], os.getppid()]


async def flow(n: int) -> list:
    "use workflow"
    return await square(n)
"""


def test_a_script_needs_no_guard(tmp_path: Path) -> None:
    """A script is not run once more in the process of a step."""
    build(tmp_path, JOBS, name="jobs")
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "script.py", "7"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    lines = done.stdout.splitlines()
    assert lines[0] == "the script runs", done.stderr
    assert lines[1].startswith("[49, ['7'], ")
    assert len(lines) == 2


def test_a_killed_worker_takes_its_processes_with_it(tmp_path: Path) -> None:
    """The process of a step notices that its worker is gone, even while it computes."""
    build(tmp_path, FLOWS, name="kept")
    script = SCRIPT.replace("jobs.flow, int(sys.argv[1])", "kept.waits, sys.argv[1]").replace(
        "import jobs", "import kept"
    )
    (tmp_path / "script.py").write_text(script)
    worker = subprocess.Popen(
        [sys.executable, "script.py", str(tmp_path)], cwd=tmp_path, stdout=subprocess.DEVNULL
    )

    async def main() -> None:
        async with asyncio.timeout(60):
            while not (tmp_path / "pids").exists() or not (tmp_path / "pids").read_text():
                assert worker.poll() is None
                await asyncio.sleep(0.01)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
        await all_gone(pids)

    asyncio.run(main())
