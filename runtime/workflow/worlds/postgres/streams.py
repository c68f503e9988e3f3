"""Reads of many streams in one round trip: every reader looks again after every change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from workflow.world.records import ChunkPage
from workflow.worlds.postgres import rows
from workflow.worlds.postgres.arrays import Ints, Texts
from workflow.worlds.postgres.gathering import sorted_out
from workflow.worlds.postgres.sessions import Session
from workflow.worlds.rules.streams import is_closed

__all__ = ["READERS", "AskedChunks", "read_streams"]

READERS = 16
"""How many readers share a transaction: few, since each may get a page of large chunks."""


class AskedChunks(NamedTuple):
    """What `read_chunks` is asked."""

    run_id: str
    stream: str
    start: int
    limit: int


def read_streams(session: Session, asked: Sequence[AskedChunks]) -> list[ChunkPage | None]:
    """Pages of streams, all as of one moment; None for a run that is not there."""
    runs, streams = Texts(each.run_id for each in asked), Texts(each.stream for each in asked)
    starts, limits = Ints(each.start for each in asked), Ints(each.limit for each in asked)
    with session.connection.pipeline():
        session.connection.execute("begin isolation level repeatable read read only")
        found = session.ask("load_streams", runs=runs, streams=streams)
        chunks = session.ask(
            "load_chunks", runs=runs, streams=streams, starts=starts, limits=limits
        )
        session.connection.execute("commit")
    heads = sorted_out(found, len(asked))
    per = sorted_out(chunks, len(asked))
    pages: list[ChunkPage | None] = []
    for each, head, read in zip(asked, heads, per, strict=True):
        if not head:
            pages.append(None)
            continue
        ((status, stream_id, next_, done),) = head
        closed, cut = is_closed(
            each.stream, status, exists=stream_id is not None, closed=bool(done)
        )
        pages.append(
            ChunkPage(
                chunks=tuple(map(rows.chunk_record, read)),
                next=next_ or 0,
                closed=closed,
                cut=cut,
            )
        )
    return pages
