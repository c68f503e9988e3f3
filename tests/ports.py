"""A port for a server that is started later, and again."""

from __future__ import annotations

import random
import socket

__all__ = ["free_port"]


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens.

    It is none of those that the system gives to who asks for any port, or connects to somewhere:
    tests do so all the time, also while a server starts or is down.
    """
    any_of = random.SystemRandom()
    while True:
        port = any_of.randrange(10_000, 32_768)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
