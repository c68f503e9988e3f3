"""A process of which a test waits for lines. Nothing sleeps: a line comes, or the test fails."""

from __future__ import annotations

import os
import queue
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests import forks

__all__ = ["Process"]

PATIENCE = 60.0  # seconds; only ever used up by a broken test


class Process:
    """A running command; its output and errors are one stream of lines."""

    def __init__(self, command: Sequence[object], folder: Path) -> None:
        self._seen: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        self.popen = forks.Process(
            command,
            cwd=folder,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def wait_for(self, text: str) -> str:
        """The next line that has `text` in it."""
        while True:
            try:
                line = self._lines.get(timeout=PATIENCE)
            except queue.Empty:
                line = None
            assert line is not None, f"no {text!r} after:\n" + "".join(self._seen)
            self._seen.append(line)
            if text in line:
                return line

    def end(self, number: int) -> int:
        """Send a signal and return the exit status."""
        self.popen.send_signal(number)
        return self.popen.wait(PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.popen.kill()
        self.popen.wait()
        self._reader.join()
        if self.popen.stdout is not None:
            self.popen.stdout.close()

    def _read(self) -> None:
        assert self.popen.stdout is not None
        for line in self.popen.stdout:
            self._lines.put(line)
        self._lines.put(None)
