"""A kernel that refuses a process things: system calls, file sizes, files, permissions.

Nothing of ours is replaced: the calls really fail, in whichever library makes them.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import platform
import resource
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

__all__ = ["as_ordinary_user", "can_mount", "few_files", "in_small_disk", "no_sync", "short_files"]

# Numbers of the system calls: seccomp itself, and those that sync a file.
_CALLS = {"x86_64": (317, (74, 75)), "aarch64": (277, (82, 83))}
_LOAD, _IF_EQUAL, _ANSWER = 0x20, 0x15, 0x06
_ALLOW, _FAIL = 0x7FFF0000, 0x00050000
_NO_NEW_PRIVILEGES, _SET_FILTER, _ALL_THREADS = 38, 1, 1


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("then", ctypes.c_uint8),
        ("otherwise", ctypes.c_uint8),
        ("value", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("filter", ctypes.POINTER(_Instruction)))


def no_sync() -> None:
    """From here on, and for good, every sync of this process fails as on a broken disk."""
    seccomp, calls = _CALLS[platform.machine()]
    program = [_Instruction(_LOAD, 0, 0, 0)]  # the number of the call
    for place, call in enumerate(calls):
        program.append(_Instruction(_IF_EQUAL, len(calls) - place, 0, call))
    program += [_Instruction(_ANSWER, 0, 0, _ALLOW), _Instruction(_ANSWER, 0, 0, _FAIL | errno.EIO)]
    array = (_Instruction * len(program))(*program)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    code = libc.syscall(
        seccomp, _SET_FILTER, _ALL_THREADS, ctypes.byref(_Program(len(program), array))
    )
    if code != 0:
        raise OSError(ctypes.get_errno(), "seccomp")


@contextlib.contextmanager
def short_files(size: int) -> Iterator[None]:
    """No file of this process can grow beyond `size` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextlib.contextmanager
def few_files(more: int) -> Iterator[None]:
    """This process can open only so many files in addition to those it has."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(name) for name in os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 64, before[1]))
    taken: list[int] = []
    try:
        with contextlib.suppress(OSError):
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        for _ in range(more):
            os.close(taken.pop())
        yield
    finally:
        for file in taken:
            os.close(file)
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def as_ordinary_user() -> None:
    """Be somebody whom permissions concern. Root becomes nobody, for good."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)


def in_small_disk(folder: Path, size: str) -> list[str]:
    """The beginning of a command that has a file system of its own in `folder`."""
    mount = f'mount -t tmpfs -o size={size} none "$0" && exec "$@"'
    own = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "-U", "-r", "-m"]
    return [*own, "sh", "-c", mount, str(folder)]


@cache
def can_mount() -> bool:
    """Whether this machine lets us make a file system."""
    if shutil.which("unshare") is None:
        return False
    command = [*in_small_disk(Path("/mnt"), "1m"), "true"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
