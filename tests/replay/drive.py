"""Feed facts to a workflow body by hand. Time is an argument; nothing here runs by itself."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from workflow.abi.flow_v1 import step as _wfc_step
from workflow.codec import Codec
from workflow.events import FACTS, Event, NewEvent
from workflow.replay.catch_up import catch_up
from workflow.replay.live import LiveRun, meta_of, pack

SECOND = 1_000_000
START = 1_700_000_000 * SECOND
codec = Codec({})

Body = Callable[..., Coroutine[Any, Any, Any]]


async def step(name: str, **arguments: Any) -> Any:
    """Call a step from a test's body, as the stubs of compiled code do."""
    return await _wfc_step(name, arguments)


class Driver:
    """A live run and the log it would have: every fact fed, followed by what it caused."""

    def __init__(self, body: Body, *, run_id: str = "wrun_1", **arguments: Any) -> None:
        self.body = body
        self.run_id = run_id
        self.live = LiveRun(run_id, "workflow//test//body", body, codec)
        self.now = START
        self.log: list[NewEvent] = []
        self.feed(
            "run_created",
            payload=codec.encode(arguments),
            meta=pack({"seed": "0" * 31 + "7", "base_url": "http://app"}),
        )

    def feed(self, type: str, ref: str = "", **fields: Any) -> list[NewEvent]:
        fact = NewEvent(type=type, at=self.now, ref=ref, **fields)
        decisions = self.live.feed(fact)
        self.log += [fact, *decisions]
        return decisions

    def ref(self, kind: str, index: int = -1) -> str:
        """The correlation id of a decision of this kind, by default the last one."""
        return [event.ref for event in self.log if event.type == kind][index]

    def complete(self, value: Any, index: int = 0) -> list[NewEvent]:
        """Give an open step its result; by default the one that was called first."""
        ref = list(self.live.steps)[index]
        return self.feed("step_completed", ref, payload=codec.encode(value))

    def fail(self, error: BaseException, index: int = 0) -> list[NewEvent]:
        ref = list(self.live.steps)[index]
        return self.feed("step_failed", ref, payload=codec.encode_error(error))

    def advance(self, seconds: float) -> list[NewEvent]:
        """Let time pass and feed the waits that end, in due order."""
        self.now += round(seconds * SECOND)
        decisions: list[NewEvent] = []
        while not self.live.ended and (due := self.live.first_due(self.now)) is not None:
            decisions += self.feed("wait_completed", due[0])
        return decisions

    @property
    def result(self) -> Any:
        end = self.log[-1]
        assert end.type == "run_completed", end
        return codec.decode(end.payload or b"")

    @property
    def error(self) -> BaseException:
        end = self.log[-1]
        assert end.type == "run_failed", end
        return codec.decode_error(end.payload or b"")

    def types(self) -> list[str]:
        return [event.type for event in self.log]

    def replayed(self, body: Body | None = None) -> LiveRun:
        """Replay the log against the body (or another one); raises DivergenceError."""
        live, pending = replay(numbered(self.log), body or self.body, run_id=self.run_id)
        assert not pending
        return live


def numbered(log: list[NewEvent]) -> list[Event]:
    return [
        Event(seq=n, type=e.type, at=e.at, ref=e.ref, name=e.name, payload=e.payload, meta=e.meta)
        for n, e in enumerate(log, 1)
    ]


def replay(
    log: list[Event], body: Body, *, run_id: str = "wrun_1"
) -> tuple[LiveRun, list[NewEvent]]:
    live = LiveRun(run_id, "workflow//test//body", body, codec, trace=True)
    pending: deque[NewEvent] = deque()
    try:
        for _ in catch_up(live, log, pending):
            pass
    except BaseException:
        live.close()  # or the garbage collector would end the body, at some other test's cost
        raise
    return live, list(pending)


__all__ = [
    "FACTS",
    "SECOND",
    "START",
    "Body",
    "Driver",
    "codec",
    "meta_of",
    "numbered",
    "replay",
    "step",
]
