"""The port between the engine and a storage: one Protocol and the records it speaks in."""

from workflow.world.port import World
from workflow.world.records import *  # noqa: F403  (records.__all__ is the list)
from workflow.world.records import __all__ as _records

__all__ = ["World", *_records]
