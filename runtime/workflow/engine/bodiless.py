"""Appends that need no body: runs that are not to begin, and runs that never get anywhere. Pure."""

from __future__ import annotations

from workflow.codec import Codec
from workflow.engine.lineage import stop_letters_of
from workflow.errors import LogTooLongError, WorkflowRunCancelledError
from workflow.events import Micros, NewEvent
from workflow.replay.live import meta_of, pack
from workflow.world.records import Append, Loaded, RunRecord

__all__ = ["before_its_time", "give_up", "left_to_others", "too_long"]


def before_its_time(loaded: Loaded, worker: str, codec: Codec) -> Append | None:
    """What to do with a run before its first turn; None: let it begin.

    A run that was cancelled ends without its body having run. A delayed run that somebody nudged
    goes back to waiting, unless it was told to wake up.
    """
    run, letters, now = loaded.run, loaded.letters, loaded.now
    cancel = next((letter for letter in letters if letter.kind == "cancel"), None)
    if cancel is not None:
        at = max(now, run.created_at)
        asked = NewEvent(type="run_cancel_requested", at=at, meta=cancel.meta)
        reason = meta_of(asked).get("reason", "")
        return Append(
            run_id=run.run_id,
            worker=worker,
            fence=run.fence,
            expected=run.head,
            at=at,
            events=(
                asked,
                NewEvent(type="run_cancelled", at=at),
            ),
            eat=(cancel.n,),
            seen=run.mail,
            end="cancelled",
            output=codec.encode_error(WorkflowRunCancelledError(run.run_id, reason)),
        )
    due = run.next_timer
    if due is None or due <= now or any(letter.kind == "wake" for letter in letters):
        return None
    return Append(
        run_id=run.run_id,
        worker=worker,
        fence=run.fence,
        expected=run.head,
        at=now,
        seen=run.mail,
        next_timer=due,
        release=True,
    )


def give_up(loaded: Loaded, worker: str, claims: int, codec: Codec) -> Append:
    """End a run that killed its worker again and again: nothing loops for ever."""
    reason = RuntimeError(
        f"the run was claimed {claims} times without getting anywhere: its body kills the worker "
        "process (memory, native code)"
    )
    return _failed(loaded, worker, reason, "crash-loop", codec)


def too_long(loaded: Loaded, worker: str, limit: int, codec: Codec) -> Append:
    """End a run whose log has grown beyond `limit` events."""
    return _failed(loaded, worker, LogTooLongError(limit), LogTooLongError.code, codec)


def left_to_others(run: RunRecord, now: Micros, again: Micros) -> Append:
    """Give a run back that others may have the code of. It is offered again at `again`."""
    return Append(
        run_id=run.run_id,
        worker=run.owner or "",
        fence=run.fence,
        expected=run.head,
        at=now,
        seen=run.mail,  # it stays in the mail, and so is read by whoever comes next
        next_timer=again,
        release=True,
    )


def _failed(loaded: Loaded, worker: str, reason: Exception, code: str, codec: Codec) -> Append:
    run: RunRecord = loaded.run
    error = codec.encode_error(reason)
    at = max(loaded.now, loaded.events[-1].at)
    return Append(
        run_id=run.run_id,
        worker=worker,
        fence=run.fence,
        expected=run.head,
        at=at,
        events=(NewEvent(type="run_failed", at=at, payload=error, meta=pack({"code": code})),),
        seen=run.mail,
        letters=stop_letters_of(run.run_id, loaded.events),
        end="failed",
        output=error,
        error_code=code,
    )
