"""Random workflow bodies as source text: what asyncio offers, nested, around durable calls."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

__all__ = ["HEADER", "Body", "bodies", "module"]

HEADER = """
import asyncio
import random
import uuid
from datetime import UTC, datetime, timedelta
from workflow import HookConflictError, create_hook, pending_action, set_attributes, sleep
from workflow.api import start, with_options
from workflow.abi.flow_v1 import step as _wfc_step


async def work(n):
    return await _wfc_step("step//flows.py//work", {"n": n})


async def leaf(n):
    if n == 10:
        raise ValueError("failed leaf")
    return [n, await work(n)]


class Log:
    def __init__(self):
        self.lines = []
        self.two = asyncio.Semaphore(2)
        self.signal = asyncio.Event()

    def add(self, *what):
        self.lines.append(what)
        print("said", len(self.lines))


def outcome(task):
    if task.cancelled():
        return "cancelled"
    return type(task.exception()).__name__ if task.exception() else task.result()


async def answers(n):
    try:
        for m in range(2):
            yield await work(n + m)
    finally:
        await work(n)


async def guarded(log, n, call):
    try:
        log.add(n, await call)
    except Exception as error:
        log.add(n, type(error).__name__)

"""

Body = tuple[Any, ...]
"""A tree: the kind of a statement, its number choices, and the blocks inside of it."""

_LEAVES = ["work", "work", "work", "caught", "sleep", "draw", "attributes", "hook", "token"]
_LEAVES += ["fail", "lock", "put", "get", "child", "child_later", "forgotten"]
_LEAVES += ["tried", "timed_hook", "listened", "until", "streamed", "yielded"]
_LEAVES += ["child_cancelled", "child_bound", "disposed", "asked", "signal", "wait_signal"]
_BLOCKS = ["timeout", "finally", "uncancelled", "reraised", "loop", "wait_for", "background"]
_BLOCKS += ["shield", "locked", "async_with", "limited", "later_timeout", "cancelled", "beside"]
_BLOCKS += ["finally_group", "finally_hook", "finally_child", "finally_cancel", "timed_group"]
_FORKS = ["gather", "gather_all", "race", "wait_set", "group", "as_completed"]


def bodies() -> st.SearchStrategy[list[Body]]:
    """A list of statements, at most a dozen leaves in all."""
    leaf = st.tuples(st.sampled_from(_LEAVES), st.integers(0, 4))

    def grow(inner: st.SearchStrategy[Body]) -> st.SearchStrategy[Body]:
        block = st.lists(inner, min_size=1, max_size=3)
        blocks = st.tuples(st.sampled_from(_BLOCKS), st.integers(0, 4), block)
        fork = st.tuples(
            st.sampled_from(_FORKS), st.integers(0, 4), st.lists(block, min_size=2, max_size=3)
        )
        return blocks | fork

    return st.lists(st.recursive(leaf, grow, max_leaves=8), min_size=1, max_size=5)


def module(body: list[Body]) -> str:
    """The text of a module whose workflow is `main`."""
    text = _Text()
    main = text.block(body)
    return (
        HEADER
        + "\n".join(text.parts)
        + "\nasync def main():\n    log = Log()\n    lock = asyncio.Lock()\n"
        + "    queue = asyncio.Queue()\n"
        + textwrap.indent(main, "    ")
        + "\n    return log.lines\n"
    )


@dataclass
class _Text:
    parts: list[str] = field(default_factory=list)
    count: int = 0

    def number(self) -> int:
        self.count += 1
        return self.count

    def part(self, block: list[Body]) -> str:
        """A coroutine function around a block; the text of its call."""
        n = self.number()
        inner = textwrap.indent(self.block(block), "    ")
        self.parts.append(f"async def part_{n}(log, lock, queue):\n{inner}\n    return {n}\n")
        return f"part_{n}(log, lock, queue)"

    def block(self, block: list[Body]) -> str:
        return "\n".join(self.statement(*each) for each in block)

    def statement(self, kind: str, choice: int, inner: Any = None) -> str:
        n = self.number()
        if kind in _BLOCKS:
            pattern = _BLOCK_TEXTS[kind]
            block = call = ""
            if "{call}" in pattern:
                call = self.part(inner)
            else:
                block = textwrap.indent(self.block(inner), "    ")
            deeper = textwrap.indent(block, "    ")
            return pattern.format(n=n, k=1 + choice * 3, block=block, deeper=deeper, call=call)
        if kind in _FORKS:
            calls = ", ".join(self.part(each) for each in inner)
            return _FORK_TEXTS[kind].format(n=n, calls=calls)
        return _LEAF_TEXTS[kind].format(n=n, k=1 + choice * 3, token=choice % 2)


_LEAF_TEXTS = {
    "work": "log.add({n}, await work({n}))",
    "caught": "await guarded(log, {n}, work({n}))",
    "sleep": "await sleep({k})",
    "draw": "log.add({n}, random.random(), str(uuid.uuid4()), str(datetime.now()))",
    "attributes": 'await set_attributes({{"n": "{n}"}})',
    "hook": 'log.add({n}, await create_hook(token="hook-{n}"))',
    "token": (
        "try:\n"
        "    async with create_hook(token='shared-{token}') as hook_{n}:\n"
        "        log.add({n}, await hook_{n})\n"
        "except HookConflictError:\n"
        "    log.add({n}, 'conflict')"
    ),
    "child": "await guarded(log, {n}, await start(leaf, {k}))",
    "child_later": (
        "child_{n} = await start(leaf, {k})\nlog.add({n}, child_{n}.run_id, await work({n}))\n"
        "await guarded(log, {n}, child_{n}.result({k}))"
    ),
    "forgotten": "await start(leaf, {k})",
    "tried": (
        "for try_{n} in range(3):\n    try:\n        log.add({n}, await work(try_{n}))\n"
        "        break\n    except Exception as error:\n"
        "        log.add({n}, try_{n}, type(error).__name__)\n"
        "else:\n    log.add({n}, 'given up')"
    ),
    "timed_hook": (
        "try:\n    log.add({n}, await create_hook(token='timed-{n}', timeout={k}))\n"
        "except TimeoutError:\n    log.add({n}, 'nobody came')"
    ),
    "listened": (
        "try:\n    async for heard_{n} in create_hook(token='shared-{token}', timeout={k}):\n"
        "        log.add({n}, heard_{n})\n        break\n"
        "except (HookConflictError, TimeoutError) as error:\n"
        "    log.add({n}, type(error).__name__)"
    ),
    "until": "await sleep(datetime.now(UTC) + timedelta(seconds={k}))",
    "streamed": "async for each_{n} in answers({n}):\n    log.add({n}, each_{n})",
    "yielded": "await asyncio.sleep(0)",
    "child_cancelled": (
        "child_{n} = await start(leaf, {k})\nawait guarded(log, {n}, child_{n}.cancel('enough'))\n"
        "await guarded(log, {n}, child_{n})"
    ),
    "child_bound": (
        "child_{n} = await with_options(cancel_with_parent=True).start(leaf, {k})\n"
        "log.add({n}, child_{n}.run_id)"
    ),
    "disposed": (
        "hook_{n} = create_hook(token='shared-{token}')\n"
        "log.add({n}, await hook_{n}.get_conflict() is None)\nhook_{n}.dispose()"
    ),
    "asked": "await guarded(log, {n}, pending_action('question {n}', timeout={k}))",
    "signal": "log.signal.set()",
    "wait_signal": "await guarded(log, {n}, asyncio.wait_for(log.signal.wait(), {k}))",
    "fail": "raise ValueError('failed {n}')",
    "lock": "async with lock:\n    log.add({n}, await work({n}))",
    "put": "queue.put_nowait({n})",
    "get": "await guarded(log, {n}, asyncio.wait_for(queue.get(), {k}))",
}
_BLOCK_TEXTS = {
    "timeout": (
        "try:\n    async with asyncio.timeout({k}):\n{deeper}\nexcept TimeoutError:\n"
        "    log.add({n}, 'late')"
    ),
    "finally": "try:\n{block}\nfinally:\n    log.add({n}, await work({n}))",
    "uncancelled": ("try:\n{block}\nexcept asyncio.CancelledError:\n    log.add({n}, 'cancelled')"),
    "reraised": "try:\n{block}\nexcept BaseException as error_{n}:\n"
    "    log.add({n}, type(error_{n}).__name__)\n    raise",
    "loop": "for turn_{n} in range(2):\n{block}",
    "wait_for": (
        "try:\n    log.add({n}, await asyncio.wait_for({call}, {k}))\nexcept TimeoutError:\n"
        "    log.add({n}, 'late')"
    ),
    "background": "task_{n} = asyncio.create_task({call})\nlog.add({n}, await work({n}))",
    "shield": "log.add({n}, await asyncio.shield({call}))",
    "locked": "async with lock:\n{block}",
    "async_with": "async with asyncio.timeout(None):\n{block}",
    "limited": "async with log.two:\n{block}",
    "later_timeout": (
        "try:\n    async with asyncio.timeout({k}) as limit_{n}:\n{deeper}\n"
        "        limit_{n}.reschedule(limit_{n}.when() + 2)\n{deeper}\nexcept TimeoutError:\n"
        "    log.add({n}, limit_{n}.expired())"
    ),
    "cancelled": (
        "task_{n} = asyncio.create_task({call})\nlog.add({n}, await work({n}))\n"
        "log.add({n}, task_{n}.cancel())\n"
        "await asyncio.wait([task_{n}])\nlog.add({n}, outcome(task_{n}))"
    ),
    "beside": (
        "try:\n    async with asyncio.TaskGroup() as group_{n}:\n"
        "        task_{n} = group_{n}.create_task({call})\n"
        "        log.add({n}, await work({n}))\n"
        "except* Exception as errors_{n}:\n"
        "    log.add({n}, [type(each).__name__ for each in errors_{n}.exceptions])"
    ),
    "finally_group": (
        "try:\n{block}\nfinally:\n    async with asyncio.TaskGroup() as group_{n}:\n"
        "        group_{n}.create_task(sleep({k}))\n"
        "        group_{n}.create_task(guarded(log, {n}, work({n})))"
    ),
    "finally_hook": (
        "try:\n{block}\nfinally:\n    try:\n        async with asyncio.timeout({k}):\n"
        "            log.add({n}, await create_hook(token='last-{n}'))\n"
        "    except (TimeoutError, HookConflictError) as error:\n"
        "        log.add({n}, type(error).__name__)"
    ),
    "finally_child": (
        "try:\n{block}\nfinally:\n    child_{n} = await start(leaf, {k})\n"
        "    await guarded(log, {n}, child_{n}.result({k}))\n"
        "    await guarded(log, {n}, child_{n}.cancel())"
    ),
    "finally_cancel": (
        "task_{n} = asyncio.create_task({call})\ntry:\n    log.add({n}, await work({n}))\n"
        "finally:\n    task_{n}.cancel()\n    await asyncio.wait([task_{n}])"
    ),
    "timed_group": (
        "try:\n    async with asyncio.timeout({k}), asyncio.TaskGroup() as group_{n}:\n"
        "        for _ in range(2):\n            group_{n}.create_task({call})\n"
        "except* (TimeoutError, ValueError) as errors_{n}:\n"
        "    log.add({n}, [type(each).__name__ for each in errors_{n}.exceptions])"
    ),
}
_FORK_TEXTS = {
    "gather": "log.add({n}, await asyncio.gather({calls}))",
    "gather_all": (
        "found_{n} = await asyncio.gather({calls}, return_exceptions=True)\n"
        "log.add({n}, [type(each).__name__ for each in found_{n}])"
    ),
    "race": (
        "tasks_{n} = [asyncio.create_task(each) for each in [{calls}]]\n"
        "done_{n}, left_{n} = await asyncio.wait(tasks_{n}, "
        "return_when=asyncio.FIRST_COMPLETED)\n"
        "for each_{n} in left_{n}:\n    each_{n}.cancel()\n"
        "log.add({n}, [each.done() for each in tasks_{n}], [outcome(each) for each in done_{n}])"
    ),
    "wait_set": (
        "done_{n}, _ = await asyncio.wait({{asyncio.create_task(each) for each in [{calls}]}})\n"
        "log.add({n}, [outcome(each) for each in done_{n}])"
    ),
    "group": (
        "try:\n    async with asyncio.TaskGroup() as group_{n}:\n"
        "        for each_{n} in [{calls}]:\n            group_{n}.create_task(each_{n})\n"
        "except* Exception as errors_{n}:\n"
        "    log.add({n}, [type(each).__name__ for each in errors_{n}.exceptions])"
    ),
    "as_completed": (
        "for each_{n} in asyncio.as_completed([{calls}]):\n    log.add({n}, await each_{n})"
    ),
}
