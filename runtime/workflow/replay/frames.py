"""Which frames are the user's: for tracebacks and for the line behind a decision."""

from __future__ import annotations

import asyncio
import sys
import traceback
from pathlib import PurePath
from types import CodeType, CoroutineType, FrameType, FunctionType, TracebackType
from typing import Any

from workflow.addresses import without_addresses
from workflow.replay.loop import DetLoop, running

__all__ = ["recorded_traceback", "standing_line", "summary_of", "user_line"]

_OURS = str(PurePath(__file__).parents[1])
_ASYNCIO = str(PurePath(asyncio.__file__).parent)
_NOT_USERS = (_OURS, _ASYNCIO, "<frozen")
_STUB = "_wfc_step"  # what the body of a step's stub calls; see workflow.abi.flow_v1


def _is_users(code: CodeType) -> bool:
    # A stub stands on the line of the step's directive: nothing the user wrote is executed there.
    if code.co_filename.startswith(_NOT_USERS):
        return False
    return _STUB not in code.co_names or code.co_name == "<module>"


_CAUSES = 50
"""How many errors of a chain are told. Whoever retries by recursion makes them by the thousand."""


def user_line() -> str:
    """`path:line` of the innermost frame of the running body that is the user's own.

    Where a task is a step call and nothing else, as in `gather(step(1), step(2))`, that is the line
    that made the call. Empty when there is none.
    """
    frame: FrameType | None = sys._getframe(1)
    found = ""
    # Below the turn are the frames of whoever runs the worker: not the user's workflow.
    while frame is not None and frame.f_code is not DetLoop.BOTTOM:
        if not found and _is_users(frame.f_code):
            found = f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    if found and frame is not None:
        return found
    task = asyncio.current_task() if running() is not None else None
    origin = getattr(task.get_coro(), "cr_origin", None) if task is not None else None
    if origin and not origin[0][0].startswith(_NOT_USERS):
        return f"{origin[0][0]}:{origin[0][1]}"
    return ""


def standing_line(task: asyncio.Task[Any] | None, entry: object) -> str:
    """`path:line` of the place in the user's code that a task has come to: where it waits, where
    it failed, or the beginning of its function, `entry`, when that has returned."""
    code = entry.__code__ if isinstance(entry, FunctionType) else None
    found = f"{code.co_filename}:{code.co_firstlineno}" if code is not None else ""
    if task is None:
        return found
    inner: Any = task.get_coro()
    if task.done():
        error = None if task.cancelled() else task.exception()
        places = _users_part(error.__traceback__) if error is not None else None
        while places is not None:
            found = f"{places.tb_frame.f_code.co_filename}:{places.tb_lineno}"
            places = places.tb_next
        return found
    while isinstance(inner, CoroutineType):
        if inner.cr_frame is not None and _is_users(inner.cr_code):
            found = f"{inner.cr_code.co_filename}:{inner.cr_frame.f_lineno}"
        inner = inner.cr_await
    return found


def recorded_traceback(error: BaseException) -> str:
    """The traceback of an error as text, with the user's own frames only.

    When the error came out of a step, the traceback recorded there comes first: it has the line
    that raised.
    """
    _keep_users_frames(error)
    try:
        lines = traceback.format_exception(error)
        inner = getattr(error, "workflow_traceback", None)
    except Exception:  # code of the error's class, which is asked for its notes
        lines = [*traceback.format_tb(error.__traceback__), f"{type(error).__qualname__}\n"]
        inner = None
    text = without_addresses("".join(lines))  # it is compared when the run is replayed
    if isinstance(inner, str) and inner:
        return f"{inner.rstrip()}\n\nThe step's error came out of the workflow here:\n\n{text}"
    return text


def summary_of(error: BaseException) -> str:
    """One line for consoles: the name and the message of an error."""
    try:
        return "".join(traceback.format_exception_only(error)).strip()[:500]
    except Exception:  # as above
        return type(error).__qualname__


def _keep_users_frames(error: BaseException) -> None:
    """Cut the frames that are not the user's out of an error and of what caused it."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        link.__traceback__ = _users_part(link.__traceback__)
        if len(seen) == _CAUSES:
            link.__cause__ = link.__context__ = None
        link = link.__cause__ or link.__context__


def _users_part(entry: TracebackType | None) -> TracebackType | None:
    entries: list[TracebackType] = []
    while entry is not None:
        if _is_users(entry.tb_frame.f_code):
            entries.append(entry)
        entry = entry.tb_next
    kept: TracebackType | None = None
    for entry in reversed(entries):
        kept = TracebackType(kept, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return kept
