"""The port between the engine and a storage: Protocols and the records they speak in."""

from workflow.world.port import (
    ENDED,
    OWN_STREAM,
    AuthProvider,
    Clock,
    Queue,
    Storage,
    Streamer,
    World,
)
from workflow.world.records import *  # noqa: F403  (records.__all__ is the list)
from workflow.world.records import __all__ as _records

__all__ = [
    "ENDED",
    "OWN_STREAM",
    "AuthProvider",
    "Clock",
    "Queue",
    "Storage",
    "Streamer",
    "World",
    *_records,
]
