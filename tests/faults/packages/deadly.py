"""An installed package whose native code crashes: it takes the process with it."""

from __future__ import annotations

import os
import signal

__all__ = ["die"]


def die() -> None:
    """Never returns."""
    os.kill(os.getpid(), signal.SIGKILL)
