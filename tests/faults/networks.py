"""Hosts of their own for workers: network namespaces, each with one line to where the tests run.

Only root may make them, and not in every container. Elsewhere the tests that use them do the same
with processes side by side, under another name.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache

__all__ = ["Host", "hosts", "there_are_namespaces"]

_numbers = itertools.count()


@dataclass(frozen=True)
class Host:
    """A network namespace. `outside` is the address of the tests' own machine as seen from it."""

    name: str
    line: str
    outside: str

    @property
    def prefix(self) -> tuple[str, ...]:
        """What runs a command there."""
        return ("ip", "netns", "exec", self.name)

    def cut(self) -> None:
        """Have the line swallow everything."""
        _ip("link", "set", self.line, "down")

    def mend(self) -> None:
        """Have the line carry again."""
        _ip("link", "set", self.line, "up")


@cache
def there_are_namespaces() -> bool:
    """Whether this process can make network namespaces with lines between them."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    try:
        with hosts(1) as (host,):
            subprocess.run([*host.prefix, "true"], check=True, capture_output=True)
    except subprocess.CalledProcessError:
        return False
    return True


@contextmanager
def hosts(count: int) -> Iterator[list[Host]]:
    """So many hosts, which go with the block. Their addresses come from this process's id."""
    with ExitStack() as undo:
        made: list[Host] = []
        for n in (next(_numbers) for _ in range(count)):
            name, line = f"wf-{os.getpid()}-{n}", f"wf{os.getpid()}-{n}"
            network = f"10.{64 + os.getpid() // 256 % 128}.{os.getpid() % 256}"
            outside, inside = f"{network}.{4 * n % 256 + 1}", f"{network}.{4 * n % 256 + 2}"
            _ip("netns", "add", name)
            undo.callback(_ip, "netns", "del", name)
            _ip("link", "add", line, "type", "veth", "peer", "name", "eth0", "netns", name)
            undo.callback(_ip, "link", "del", line)
            _ip("addr", "add", f"{outside}/30", "dev", line)
            _ip("link", "set", line, "up")
            _ip("-n", name, "addr", "add", f"{inside}/30", "dev", "eth0")
            _ip("-n", name, "link", "set", "eth0", "up")
            _ip("-n", name, "link", "set", "lo", "up")
            made.append(Host(name, line, outside))
        yield made


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
