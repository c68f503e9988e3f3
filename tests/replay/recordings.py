"""What the pinned histories are recordings of: a module's text, and the facts that come to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.replay.drive import START
from workflow.codec import Codec
from workflow.events import NewEvent
from workflow.replay.live import LiveRun, pack
from workflow.sandbox import Bundle, Program

__all__ = ["FIRST", "RECORDINGS", "STEPS", "Player"]

SECOND = 1_000_000

HEAD = """\
import asyncio
import random
import uuid
from dataclasses import dataclass
from datetime import datetime
from workflow import HookConflictError, create_hook, create_webhook, set_attributes, sleep
from workflow.abi.flow_v1 import step as _wfc_step


async def work(n, **more):
    return await _wfc_step("step//flows.py//work", {"n": n, **more})


"""


class Player:
    """A run of a bundle that is fed by hand, and the log that this makes."""

    def __init__(
        self, bundle: Bundle, workflow: str, run_id: str, start: int, **first: Any
    ) -> None:
        instance = Program(bundle).instantiate()
        self.codec = Codec(instance.classes, functions=instance.functions, ordered_sets=True)
        self.live = LiveRun(run_id, workflow, instance.workflow(workflow), self.codec)
        self.now = start
        self.log: list[NewEvent] = []
        meta = pack({"seed": "0" * 30 + "2a", "base_url": "http://app", **first})
        self.feed("run_created", payload=self.codec.encode({}), meta=meta)

    def feed(self, type: str, ref: str = "", **fields: Any) -> None:
        self.now += 1000
        fact = NewEvent(type=type, at=self.now, ref=ref, **fields)
        self.log += [fact, *self.live.feed(fact)]

    def ref(self, type: str, index: int = 0) -> str:
        return [event.ref for event in self.log if event.type == type][index]

    def complete(self, value: Any, index: int = 0) -> None:
        ref = list(self.live.steps)[index]
        name = next(e.name for e in self.log if e.ref == ref)
        self.feed("step_completed", ref, name=name, payload=self.codec.encode(value))

    def fail(self, error: BaseException) -> None:
        ref = next(iter(self.live.steps))
        self.feed("step_failed", ref, payload=self.codec.encode_error(error))

    def wait(self, seconds: float) -> None:
        self.now += round(seconds * SECOND)
        while not self.live.ended and (due := self.live.first_due(self.now)) is not None:
            self.feed("wait_completed", due[0])

    def open_hooks(self) -> None:
        for ref, hook in list(self.live.hooks.items()):
            if not hook.settled:
                self.feed("hook_created", ref)

    def send(self, value: Any, index: int = 0) -> None:
        ref = self.ref("hook_requested", index)
        self.feed("hook_received", ref, payload=self.codec.encode(value))

    def end_child(
        self, value: Any, index: int = 0, *, status: str = "completed", code: str = ""
    ) -> None:
        """Feed the end of a child; `value` is what it returned or raised, None for nothing."""
        ref = list(self.live.children)[index]
        name = next(e.name for e in self.log if e.ref == ref)
        meta = {"status": status, **({"code": code} if code else {})}
        payload = None
        if status == "completed":
            payload = self.codec.encode(value)
        elif value is not None:
            payload = self.codec.encode_error(value)
        self.feed("child_ended", ref, name=name, payload=payload, meta=pack(meta))

    def cancel(self, reason: str) -> None:
        self.feed("run_cancel_requested", meta=pack({"reason": reason}))


def _steps(player: Player) -> None:
    for value in (1, "two", [3]):
        player.complete(value)


def _gather(player: Player) -> None:
    player.complete("b", 1)
    player.complete("c", 1)
    player.complete("a")


def _race(player: Player) -> None:
    player.wait(11)
    player.complete("late enough")


def _waits(player: Player) -> None:
    player.wait(60)
    player.complete(1)
    player.wait(3600)


def _hook(player: Player) -> None:
    player.open_hooks()
    player.send({"yes": True})
    player.send("more")
    player.complete("done")


def _conflict(player: Player) -> None:
    ref = player.ref("hook_requested")
    player.feed("hook_conflict", ref, meta=pack({"run_id": "wrun_other"}))
    player.complete("instead")


def _two_hooks(player: Player) -> None:
    player.open_hooks()
    player.send("B", 1)
    player.send("A", 0)


def _failures(player: Player) -> None:
    player.fail(ValueError("no"))
    player.complete("mended")
    player.fail(OSError("gone"))


def _cancelled(player: Player) -> None:
    player.complete(1)
    player.cancel("not wanted any more")
    player.complete("cleaned up")


def _classes(player: Player) -> None:
    parcel = player.codec.decode(player.log[1].payload or b"")["parcel"]
    player.complete(parcel)


def _group(player: Player) -> None:
    player.complete(1)
    player.fail(ValueError("second"))


def _streamed(player: Player) -> None:
    for value in range(6):
        player.complete(value)


def _children(player: Player) -> None:
    player.complete(1)
    player.end_child(["two"], 1)
    player.end_child(ValueError("no"), 0, status="failed", code="user-error")
    player.end_child(None, 2, status="cancelled")


def _actions(player: Player) -> None:
    player.open_hooks()
    player.send("7", 0)
    player.complete("seven")
    player.send("y", 1)
    player.open_hooks()
    player.wait(61)


def _deadline(player: Player) -> None:
    player.complete(1)
    player.wait(500)
    player.complete(2)


def _sets(player: Player) -> None:
    player.complete({"x", "y", "z"})
    player.complete(frozenset([2, 1]))


def _references(player: Player) -> None:
    arguments = player.codec.decode(player.log[1].payload or b"")
    player.complete([arguments["n"], *arguments["also"]])
    player.complete("one")
    player.complete("two")


_BODIES: dict[str, tuple[str, Callable[[Player], None]]] = {
    "steps": ("a = await work(1)\nb = await work(2, a=a)\nreturn [a, b, await work(3)]", _steps),
    "gather": ("return await asyncio.gather(work(1), work(2), work(3))", _gather),
    "timeout": (
        "try:\n    async with asyncio.timeout(10):\n        await work(1)\n"
        "except TimeoutError:\n    return await work(2)",
        _race,
    ),
    "sleeps": (
        'await asyncio.sleep(30)\nstarted = datetime.now()\nn = await work(1)\nawait sleep("1h")\n'
        "return (datetime.now() - started).total_seconds()",
        _waits,
    ),
    "hook": (
        'async with create_hook(token="answer", metadata={"to": "ann"}) as hook:\n'
        "    first = await hook\n    second = await hook\nreturn [first, second, await work(1)]",
        _hook,
    ),
    "conflict": (
        'try:\n    await create_hook(token="taken")\nexcept HookConflictError as error:\n'
        "    return [error.run_id, await work(1)]",
        _conflict,
    ),
    "two_hooks": (
        'one, two = create_hook(token="a"), create_webhook()\n'
        "return [two.token, *await asyncio.gather(one, two)]",
        _two_hooks,
    ),
    "failures": (
        "try:\n    await work(1)\nexcept ValueError as error:\n"
        "    await work(2, reason=str(error))\nawait work(3)",
        _failures,
    ),
    "cancelled": (
        "try:\n    await work(1)\n    await sleep(1000)\nfinally:\n    await work(2)",
        _cancelled,
    ),
    "chance": (
        'await set_attributes({"state": "begun", "old": None})\n'
        "drawn = [random.random(), random.randint(1, 6), str(uuid.uuid4())]\n"
        "random.shuffle(drawn)\nawait work(drawn)\nawait work(random.getrandbits(64))\n"
        'await set_attributes({"state": "done"})\nreturn [drawn, await work(3)]',
        _steps,
    ),
    "group": (
        "found = []\nasync def one(n):\n    found.append(await work(n))\n"
        "try:\n    async with asyncio.TaskGroup() as group:\n        for n in range(3):\n"
        "            group.create_task(one(n))\n"
        "except* ValueError as errors:\n    found.append(len(errors.exceptions))\nreturn found",
        _group,
    ),
    "loop": (
        "seen = {}\nfor n in range(6):\n    seen[f'{n:02}'] = await work(n)\n"
        "return sorted(seen.items(), reverse=True)",
        _streamed,
    ),
    "classes": (
        'parcel = await work(1, parcel=Parcel(3, ("a", "b")))\nreturn [parcel, parcel.weight]',
        _classes,
    ),
    "children": (
        "runs = [await start(main, n) for n in range(2)]\n"
        'late = with_options(attributes={"kind": "late"}, delay="1h")\n'
        'runs.append(await late.start("main"))\nfound = [await work(1)]\n'
        "for run in runs:\n    try:\n        found.append(await run)\n"
        "    except WorkflowError as error:\n"
        "        found.append([type(error).__name__, str(error.__cause__)])\n"
        "return [found, runs[0].run_id, random.random()]",
        _children,
    ),
    "actions": (
        'asked = asyncio.create_task(pending_action("a", message="A?", options=["x", "y"]))\n'
        'number = await pending_action("b", type=int, timeout="1h")\n'
        "found = [await work(number), await asked]\n"
        'try:\n    await pending_action("c", timeout=60)\n'
        "except TimeoutError as error:\n    found.append(str(error))\nreturn found",
        _actions,
    ),
    "deadline": (
        "try:\n    await work(1)\n    await sleep(1000)\nfinally:\n    await work(2)",
        _deadline,
    ),
    "sets": (
        "drawn = {random.random() for n in range(4)}\n"
        'found = await work({"b", "a", *drawn}, more=frozenset([3, 1, 2]))\n'
        'seen = [*found, *(found | {"a"}), *(found - {"y"}), found.pop()]\n'
        "return [seen, found, await work({name: n for n, name in enumerate(found)})]",
        _sets,
    ),
    "references": (
        "rate = 3\nasync def inner(a):\n"
        '    return await _wfc_step("step//flows.py//main/inner", {"a": a}, {"rate": rate})\n'
        "first, second = await work(work, also=[inner])\n"
        "return [await first(1), await second(2), first is work]",
        _references,
    ),
}
STEPS = {
    "references": {
        "step//flows.py//work": ("flows", "work"),
        "step//flows.py//main/inner": ("flows", "main.<locals>.inner"),
    }
}
"""The steps that the bundle of a recording lists, where it passes them on as values."""

FIRST: dict[str, dict[str, Any]] = {
    "deadline": {"deadline": START + 500 * SECOND, "grace": 30 * SECOND}
}
"""What the first event of a recording's run says beside the usual."""

_STARTS = "from workflow import WorkflowError\nfrom workflow.api import start, with_options\n\n\n"
_CLASS = "@dataclass\nclass Parcel:\n    weight: int\n    marks: tuple = ()\n\n\n"

RECORDINGS: dict[str, tuple[str, Callable[[Player], None]]] = {
    name: (
        HEAD
        + (_CLASS if "Parcel" in body else "")
        + (_STARTS if "start(" in body else "")
        + ("from workflow import pending_action\n\n\n" if "pending_action(" in body else "")
        + f"async def main({'n=0' if 'start(' in body else ''}):\n    "
        + body.replace("\n", "\n    ")
        + "\n",
        play,
    )
    for name, (body, play) in _BODIES.items()
}
