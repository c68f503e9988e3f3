"""Who writes a stream that somebody reads by its name: the log of its run says so."""

from __future__ import annotations

import asyncio

from workflow.authoring.sources import Source
from workflow.codec.layers import TAG, plain
from workflow.codec.streams import noticed
from workflow.errors import SerializationError

__all__ = ["WriterOf"]

_PAGE = 1000  # events read at a time
_HOLDING = ("run_created", "step_completed")  # what holds the references of such streams first


class WriterOf:
    """Looks for the writer of the stream `name` of a run, in each event once."""

    def __init__(self, source: Source, run_id: str, name: str) -> None:
        self._source = source
        self._run_id = run_id
        self._name = name
        self._after = 0

    async def find(self) -> str:
        """The worker or process that writes the stream, "" while the log does not say."""
        while True:
            events = await self._source.world.list_events(
                self._run_id, after=self._after, limit=_PAGE
            )
            for event in events:
                self._after = event.seq
                if event.type in _HOLDING and event.payload:
                    writer = self._in(event.payload)
                    if writer:
                        return writer
            if len(events) < _PAGE:
                return ""
            await asyncio.sleep(0)  # a world in this process reads without a pause

    def _in(self, payload: bytes) -> str:
        try:
            data = plain(payload)
            if data.startswith(TAG) and self._name.encode() not in data:
                return ""  # nearly all of them; making their values would cost more
            with noticed() as found:
                self._source.codec.decode(data)
        except SerializationError:
            return ""  # of another build: its readers will know
        return next((each.writer for each in found if each.name == self._name), "")
