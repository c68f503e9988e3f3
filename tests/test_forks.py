"""A forked command is what a started one would be."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.forks import Process, run

SHOWS = """
import os, sys
print(sys.argv[1:], os.getcwd(), dict(os.environ), sys.path, __name__, sys.stdin.read())
print("ähm", file=sys.stderr)
sys.exit(int(sys.argv[-1]))
"""


def test_what_a_command_sees_and_tells(tmp_path: Path) -> None:
    """Arguments, folder, environment, path, output, errors and status are those of a new Python."""
    command = [sys.executable, "-c", SHOWS, "a b", "3"]
    given = {"PYTHONPATH": str(tmp_path), "LC_ALL": "C.UTF-8", "ONLY": "this"}
    ours = run(command, cwd=tmp_path, env=given)
    theirs = subprocess.run(
        command, cwd=tmp_path, env=given, capture_output=True, text=True, stdin=subprocess.DEVNULL,
        check=False,
    )  # fmt: skip
    assert (ours.returncode, ours.stdout) == (theirs.returncode, theirs.stdout)
    assert ours.stderr == theirs.stderr == "ähm\n"
    assert ours.returncode == 3


def test_how_a_command_ends(tmp_path: Path) -> None:
    """An exception is shown and ends with 1; what ends it at its exit is done; a signal kills."""
    broken = run([sys.executable, "-c", "1 / 0"], cwd=tmp_path)
    assert broken.returncode == 1
    assert broken.stderr.endswith("ZeroDivisionError: division by zero\n")
    late = "import atexit, threading; atexit.register(print, 'bye'); print('hello')"
    assert run([sys.executable, "-c", late], cwd=tmp_path).stdout == "hello\nbye\n"
    thread = "import threading, os; threading.Thread(target=lambda: os.write(1, b'late')).start()"
    assert run([sys.executable, "-c", thread], cwd=tmp_path).stdout == "late"
    waits = [sys.executable, "-c", "import sys; print('up', flush=True); sys.stdin.read()"]
    with Process(waits, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        assert process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0)
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait(60) == -signal.SIGKILL
