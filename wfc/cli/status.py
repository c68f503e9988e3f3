"""One line on a terminal that says what a command is at, while it takes long."""

from __future__ import annotations

import os
import sys
import threading
from shutil import get_terminal_size
from types import TracebackType
from typing import Self

__all__ = ["Status"]

_AFTER = 0.6  # seconds; what is done by then needs no words
_EVERY = 0.1
_ERASE = "\r\x1b[K"


class Status:
    """Shows the last words it was given on stderr, over each other, and is gone in the end.

    Nothing is shown for the first half second, nor where stderr is no terminal.
    """

    def __init__(self, name: str, *, after: float = _AFTER) -> None:
        self._name = name
        self._after = after
        self._words = ""
        self._done = threading.Event()
        self._thread: threading.Thread | None = None

    def say(self, words: str) -> None:
        """What the command is at now."""
        self._words = words

    def __enter__(self) -> Self:
        if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
            self._thread = threading.Thread(target=self._show, name="status", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        if self._thread is not None:
            self._thread.join()

    def _show(self) -> None:
        shown = ""
        wait = self._after
        while not self._done.wait(wait):
            wait = _EVERY
            if self._words != shown:
                shown = self._words
                # A line that is longer than the terminal could not be erased again.
                line = f"{self._name}: {shown} …"[: get_terminal_size().columns - 1]
                _write(_ERASE + line)
        if shown:
            _write(_ERASE)


def _write(text: str) -> None:
    encoding = sys.stderr.encoding or "utf-8"
    sys.stderr.write(text.encode(encoding, "replace").decode(encoding))
    sys.stderr.flush()
