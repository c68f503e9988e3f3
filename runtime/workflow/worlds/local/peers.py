"""Wake-ups between the processes that share a folder.

Every process binds a datagram socket in the folder and, after a commit, sends one byte to each of
the others. A byte only says "look": it may be lost or come twice, and a slow poll finds what it
missed. File notifications were tried instead; they fire before the commit can be seen.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import stat
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path

__all__ = ["Peers"]

# Nanoseconds after which the folder's time of change says for sure whether anybody came or left.
_SETTLED = 1_000_000_000

# Seconds to wait for the thread. Only where a socket cannot be shut down and its folder is gone.
_FAREWELL = 1.0


class Peers:
    """The sockets in one folder. A thread calls `on_wake` when another process has news."""

    def __init__(self, folder: Path, on_wake: Callable[[], None]) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self._folder = folder
        self._name = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._on_wake = on_wake
        self._closing = False
        self._gone = False
        self._listed: list[str] = []
        self._listed_at = 0
        self._inbox = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._outbox = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._outbox.setblocking(False)
        self._thread = threading.Thread(target=self._listen, name="workflow-wake", daemon=True)
        try:
            self._inbox.bind(str(folder / self._name))
            self.working = True
        except OSError:  # a path longer than a socket's name may be: polling has to do
            self.working = False
        else:
            self._thread.start()
        _everywhere.add(self)

    def tell(self) -> bool:
        """Wake the other processes. Never blocks. False when the folder is not there any more."""
        for path in self._others():
            self._send(path)
        return not self._gone

    def _others(self) -> list[str]:
        self._gone = True
        with contextlib.suppress(OSError):
            changed = os.stat(self._folder).st_mtime_ns
            self._gone = False
            # A time may stand for two changes that came close together.
            if changed != self._listed_at or time.time_ns() - changed < _SETTLED:
                with os.scandir(self._folder) as entries:
                    self._listed = [e.path for e in entries if e.name != self._name]
                self._listed_at = changed
        return self._listed

    def _send(self, path: str) -> None:
        try:
            self._outbox.sendto(b"!", path)
        except ConnectionRefusedError:  # its process is gone, or it is no socket of anybody
            with contextlib.suppress(OSError):
                if stat.S_ISSOCK(os.stat(path).st_mode):
                    os.unlink(path)
        except OSError:  # it has not read the last ones yet, or has just left
            pass

    def _listen(self) -> None:
        while not self._closing:
            self._inbox.recv(1)
            if self._closing:  # nothing more comes, and asking would not wait any more
                return
            with contextlib.suppress(BlockingIOError):
                while True:  # many bytes say no more than one
                    self._inbox.recv(1, socket.MSG_DONTWAIT)
            self._on_wake()

    def close(self) -> None:
        """Leave the folder and end the thread."""
        self._closing = True
        if self.working:
            self._send(str(self._folder / self._name))
            with contextlib.suppress(OSError):
                self._inbox.shutdown(socket.SHUT_RDWR)  # heard without a folder, too
            self._thread.join(_FAREWELL)
            with contextlib.suppress(OSError):
                os.unlink(self._folder / self._name)
        self.forget()

    def forget(self) -> None:
        """Let the sockets go without a word."""
        self._inbox.close()
        self._outbox.close()


# A forked child must not keep its dead parent's inbox open.
_everywhere: weakref.WeakSet[Peers] = weakref.WeakSet()


def _forget_parent() -> None:
    for peers in list(_everywhere):
        peers.forget()


os.register_at_fork(after_in_child=_forget_parent)
