"""What a machine lacks for a moment, which is no reason to park a run for good."""

from __future__ import annotations

import errno

__all__ = ["shortage_of"]

_LACKING = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.EAGAIN}
_NO_THREAD = "can't start new thread"  # what CPython says; there is no class for it


def shortage_of(error: Exception) -> OSError | None:
    """The error as one that passes: of files, memory, buffers or threads. None for others."""
    if isinstance(error, OSError) and error.errno in _LACKING:
        return error
    if type(error) is RuntimeError and str(error) == _NO_THREAD:
        return OSError(errno.EAGAIN, _NO_THREAD)
    return None
