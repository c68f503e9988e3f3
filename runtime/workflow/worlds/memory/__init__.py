"""The memory world: everything in dictionaries of one process, gone when it ends.

It is the plainest implementation of the port, and the oracle that other worlds are compared with.
"""

from workflow.world.port import Clock
from workflow.worlds.memory.world import MemoryWorld

__all__ = ["MemoryWorld", "create"]


def create(clock: Clock | None = None) -> MemoryWorld:
    """A new, empty memory world. `clock` defaults to the system's."""
    return MemoryWorld(clock)
