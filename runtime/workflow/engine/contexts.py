"""What a step's body may know and do, for one attempt of it in a worker."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from workflow.authoring import news
from workflow.authoring.context import StepContext, attributes_of, moment
from workflow.codec import Codec
from workflow.engine.control import cancel
from workflow.engine.registry import Step
from workflow.engine.steps import Superseded
from workflow.errors import RunEndedError, WorkflowRunNotFoundError
from workflow.events import Micros
from workflow.policy.names import short_name
from workflow.replay.live import pack
from workflow.world.port import OWN_STREAM
from workflow.world.records import ChunkWrite, Letter

if TYPE_CHECKING:
    from workflow.engine.worker import Worker

__all__ = ["context_of"]


# Streams beside the streams of a run: which steps have closed the ones that stayed empty.
_CLOSED_BY = f"{OWN_STREAM}closed_"


def context_of(
    worker: Worker,
    *,
    run_id: str,
    step_id: str,
    step: Step,
    attempt: int,
    workflow: str,
    workflow_started_at: Micros,
    base_url: str,
    parent: str | None,
    root: str,
    codec: Codec,
    fence: int | None,
) -> StepContext:
    """The context of one attempt. With `fence` it runs inline, without as a task."""
    world = worker.world
    begins: dict[str, int] = {}
    kept: dict[str, int] = {}
    used: set[tuple[str, str]] = set()

    async def write(
        stream: str, chunks: tuple[bytes, ...], close: bool, of: str | None = None
    ) -> None:
        try:
            if close and not chunks and (of or run_id, stream) not in used:
                await sign(of or run_id, stream, of)
            written = await put(stream, chunks, close, of)
        except RunEndedError:
            if await was_finished(of or run_id, stream):
                return
            raise
        if written is None and of is not None and await world.get_run(of) is None:
            raise WorkflowRunNotFoundError(of)
        if written is None:
            raise Superseded(f"{short_name(step.id)}: another attempt has taken over")
        if of is None or of == run_id:
            begins.setdefault(stream, written)
        used.add((of or run_id, stream))
        news.tell(of or run_id, stream)

    async def put(
        stream: str, chunks: tuple[bytes, ...], close: bool, of: str | None
    ) -> int | None:
        return await world.write_chunks(
            ChunkWrite(
                run_id=run_id,
                stream=stream,
                step_id=step_id,
                attempt=attempt,
                worker=worker.id,
                fence=fence,
                chunks=chunks,
                close=close,
                of=of,
            )
        )

    async def sign(home: str, stream: str, of: str | None) -> None:
        """Note who is about to close a stream that has no chunk to tell it."""
        page = await world.read_chunks(home, stream, 0, 1)
        if page.next == 0 and not page.closed:
            await put(_CLOSED_BY + stream, (codec.encode(None),), False, of)

    async def was_finished(home: str, stream: str) -> bool:
        """Whether an execution of this step that failed, or died, had written the stream to its
        end. Then it is whole, and what this one has for it is left out."""
        if (home, stream) in used:
            return False
        page = await world.read_chunks(home, stream, 0, 1)
        if page.cut:
            return False
        if not page.chunks:
            signed = await world.read_chunks(home, _CLOSED_BY + stream, 0, 100)
            return any(chunk.step_id == step_id for chunk in signed.chunks)
        last = (await world.read_chunks(home, stream, page.next - 1, 1)).chunks[0]
        if last.step_id != step_id:
            return False
        if home == run_id:
            kept[stream] = last.attempt
        return True

    async def set_attributes(changes: dict[str, str | None]) -> None:
        letter = Letter(kind="attrs", ref=step_id, meta=pack(attributes_of(changes)))
        posted = await world.post(run_id, letter)
        if posted.outcome in ("ended", "missing"):
            raise RunEndedError(f"{run_id} has ended and takes no attributes")

    return StepContext(
        run_id=run_id,
        parent_run_id=parent,
        root_run_id=root,
        workflow_name=short_name(workflow),
        workflow_started_at=moment(workflow_started_at),
        base_url=base_url,
        step_id=step_id,
        step_name=short_name(step.id),
        attempt=attempt,
        step_started_at=moment(world.now()),
        codec=codec,
        begins=begins,
        kept=kept,
        write=write,
        set_attributes=set_attributes,
        cancel_run=partial(cancel, world, codec),
    )
