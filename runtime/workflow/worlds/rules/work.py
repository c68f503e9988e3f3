"""Operations on tasks and streams: what the port's methods do to the rows of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workflow.errors import RunEndedError
from workflow.world.records import ChunkWrite, Finish
from workflow.worlds.rules.batch import Batch, Stream, TaskRow, Wants
from workflow.worlds.rules.runs import deliver, want_letter
from workflow.worlds.rules.streams import takes_chunks

__all__ = ["Chunking", "Finishing"]


@dataclass(frozen=True, slots=True)
class Finishing:
    """End task attempts; False for those that are not current."""

    finishes: Sequence[Finish]
    exclusive = None
    gives_work = True

    def wants(self, wants: Wants) -> None:
        for ended in self.finishes:
            wants.tasks.add((ended.run_id, ended.step_id))
            if ended.letter is not None:
                want_letter(wants, ended.run_id, ended.letter)

    def apply(self, batch: Batch) -> tuple[bool, ...]:
        return tuple(_finish(batch, ended) for ended in self.finishes)


def _finish(batch: Batch, ended: Finish) -> bool:
    key = (ended.run_id, ended.step_id)
    task = batch.tasks.get(key)
    if task is None or (task.owner, task.attempt) != (ended.worker, ended.attempt):
        return False
    if ended.letter is None:
        batch.tasks[key] = TaskRow(task.id, None, task.attempt - ended.uncount)
        batch.retried_tasks.append((task.id, ended.run_at, ended.error, ended.uncount))
        return True
    del batch.tasks[key]
    batch.finished_tasks.append(task.id)
    deliver(batch, ended.run_id, ended.letter)
    return True


@dataclass(frozen=True, slots=True)
class Chunking:
    """Add chunks to a stream; the index of the first, None when the writer is not current."""

    asked: ChunkWrite
    exclusive = None
    gives_work = False

    def wants(self, wants: Wants) -> None:
        home = self.asked.of or self.asked.run_id
        wants.runs.update((self.asked.run_id, home))
        wants.streams.add((home, self.asked.stream))
        if self.asked.fence is None and not self.asked.own:
            wants.tasks.add((self.asked.run_id, self.asked.step_id))

    def apply(self, batch: Batch) -> int | None:
        asked = self.asked
        home = batch.rows.get(asked.of or asked.run_id)
        if home is None:
            return None
        key = (home.run_id, asked.stream)
        stream = batch.streams.get(key)
        closed = stream is not None and stream.closed
        if not takes_chunks(asked.stream, home.status, exists=stream is not None, closed=closed):
            if closed:
                raise RunEndedError(f"the stream {asked.stream!r} of {home.run_id} is closed")
            raise RunEndedError(f"{home.run_id} has ended, its streams are closed")
        if not asked.own and not self._is_current(batch):
            return None
        if stream is None:
            stream = Stream(batch.next_stream_id(), home.id, asked.stream, 0, False)
            batch.streams[key] = stream
        first = stream.next
        batch.chunks += [
            (stream.id, i, asked.step_id, asked.attempt, data)
            for i, data in enumerate(asked.chunks, first)
        ]
        stream.next, stream.closed = first + len(asked.chunks), asked.close
        batch.used_streams[stream.id] = stream
        return first

    def _is_current(self, batch: Batch) -> bool:
        asked = self.asked
        row = batch.rows.get(asked.run_id)
        if row is None or not row.is_open:
            return False
        if asked.fence is not None:
            return (row.owner, row.fence) == (asked.worker, asked.fence)
        task = batch.tasks.get((asked.run_id, asked.step_id))
        return task is not None and (task.owner, task.attempt) == (asked.worker, asked.attempt)
