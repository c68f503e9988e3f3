"""Operations on tasks and streams: what the port's methods do to the rows of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workflow.errors import RunEndedError
from workflow.world.records import ChunkWrite, Finish
from workflow.worlds.rules.batch import Batch, Stream, TaskRow, Wants
from workflow.worlds.rules.runs import deliver, want_letter

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
        wants.runs.add(self.asked.run_id)
        wants.streams.add((self.asked.run_id, self.asked.stream))
        if self.asked.fence is None:
            wants.tasks.add((self.asked.run_id, self.asked.step_id))

    def apply(self, batch: Batch) -> int | None:
        asked = self.asked
        row = batch.rows.get(asked.run_id)
        if row is None:
            return None
        if not row.is_open:
            raise RunEndedError(f"{asked.run_id} has ended, its streams are closed")
        if asked.fence is not None:
            current = (row.owner, row.fence) == (asked.worker, asked.fence)
        else:
            task = batch.tasks.get((asked.run_id, asked.step_id))
            current = task is not None and (task.owner, task.attempt) == (
                asked.worker,
                asked.attempt,
            )
        if not current:
            return None
        key = (asked.run_id, asked.stream)
        stream = batch.streams.get(key)
        if stream is None:
            stream = Stream(batch.next_stream_id(), row.id, asked.stream, 0, False)
            batch.streams[key] = stream
        elif stream.closed:
            raise RunEndedError(f"the stream {asked.stream!r} of {asked.run_id} is closed")
        first = stream.next
        batch.chunks += [
            (stream.id, i, asked.step_id, asked.attempt, data)
            for i, data in enumerate(asked.chunks, first)
        ]
        stream.next, stream.closed = first + len(asked.chunks), asked.close
        batch.used_streams[stream.id] = stream
        return first
