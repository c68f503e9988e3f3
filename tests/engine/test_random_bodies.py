"""Random workflow bodies against random orders of events, on the real worker.

Whatever the body does and whatever comes when: no result is recorded twice (P2), the log is what
was appended and has no gaps (P9), and its prefixes replay to the decisions that follow them
(P10). The worker checks every turn on its own as well (WORKFLOW_REPLAY_CHECK), and parks a run that
a cold replay does not repeat.

WORKFLOW_MODEL_EXAMPLES says how many bodies are tried. Each is compiled, run, broken off and
replayed in some 15 ms, in memory and in virtual time.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections import Counter, deque
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tests.engine.bodies import Body, bodies, module
from workflow.codec import Codec
from workflow.engine.project import Project
from workflow.engine.registry import Registry
from workflow.engine.worker import Worker
from workflow.errors import FatalError, WorldError
from workflow.events import FACTS, Event
from workflow.policy.retry import step_options
from workflow.replay.catch_up import catch_up
from workflow.replay.live import LiveRun, pack
from workflow.sandbox import Bundle, ModuleSource
from workflow.testing import VirtualClock
from workflow.world.records import Append, Appended, Letter, NewRun
from workflow.worlds.memory import MemoryWorld

RUN = "wrun_1"
WORKFLOW = "workflow//flows.py//main"
LEAF = "workflow//flows.py//leaf"
STEP = "step//flows.py//work"
THOROUGH = "WORKFLOW_TEST_THOROUGH" in os.environ
PARTS = 8  # so that several processors can share the work
EXAMPLES = int(os.environ.get("WORKFLOW_MODEL_EXAMPLES") or (10_000 if THOROUGH else 2000))

Action = tuple[str, int]
ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(
            ["finish"] * 6
            + [
                "fail",
                "flake",
                "tick",
                "tick",
                "send",
                "send",
                "wake",
                "cancel",
                "evict",
                "restart",
                "lose",
                "cut",
            ]
        ),
        st.integers(0, 5),
    ),
    max_size=25,
)


class ImpatientLoop(asyncio.SelectorEventLoop):
    """Never waits: when nothing is ready, its time is the next timer's."""

    _selector: Any

    def __init__(self) -> None:
        super().__init__()
        self._ahead = 0.0
        select = self._selector.select

        def at_once(timeout: float | None = None) -> Any:
            self._ahead += timeout or 0.0
            return select(0 if timeout else timeout)

        self._selector.select = at_once

    def time(self) -> float:
        return super().time() + self._ahead

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        await super().shutdown_default_executor()  # a time-out would be over at once


class RecordingWorld(MemoryWorld):
    """Keeps what every accepted append has said. Loses a connection when told to."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock)
        self.appended: list[Any] = []
        self.cut = ""  # whether the next append gets no answer: "before" or "after" it is in
        self.broken = False  # whether an append has lately got no answer

    async def append(self, append: Append) -> Appended:
        cut, self.cut = self.cut, ""
        self.broken = self.broken or bool(cut)
        if cut == "before":
            raise WorldError("the connection broke before the commit")
        done = await super().append(append)
        if done.ok and append.run_id == RUN:
            self.appended += [*append.events, *done.opened]
        if cut == "after":
            raise WorldError("the connection broke after the commit")
        return done


class Scene:
    """One run of a body. Step attempts wait until an action ends them."""

    def __init__(self, source: str) -> None:
        self.clock = VirtualClock(1_700_000_000_000_000)
        self.world = RecordingWorld(self.clock)
        self.attempts: list[asyncio.Future[str]] = []
        registry = Registry()

        @step_options(max_retries=1, backoff=0)
        async def work(n: int) -> str:
            attempt: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            self.attempts.append(attempt)
            return await attempt

        registry.step(STEP, work)
        bundle = Bundle(
            (ModuleSource("flows", "flows.py", source),),
            workflows={WORKFLOW: ("flows", "main"), LEAF: ("flows", "leaf")},
        )
        self.project = Project(registry, bundle)
        self.worker = Worker(self.world, self.project, grace=0.001)

    async def begin(self) -> None:
        await self.world.open()
        await self.world.put_bundle(self.project.bundle.hash, self.project.bundle.to_bytes())
        meta = pack({"seed": "0" * 31 + "7", "base_url": ""})
        first = NewRun(run_id=RUN, workflow=WORKFLOW, input=Codec().encode({}), meta=meta)
        await self.world.create(first)
        await self.worker.start()
        await self.settle()

    async def settle(self) -> None:
        """Let the worker do all that it can do without another action."""
        quiet = 0
        before: object = None
        while quiet < 15:
            # After a broken connection the worker waits before it tries again.
            broken, self.world.broken = self.world.broken, False
            await asyncio.sleep(1 if broken else 0)
            now = (len(self.world.appended), len(self.open), self.worker._tasks_now)
            quiet = quiet + 1 if now == before else 0
            before = now

    @property
    def open(self) -> list[asyncio.Future[str]]:
        return [attempt for attempt in self.attempts if not attempt.done()]

    async def act(self, kind: str, choice: int) -> None:
        match kind:
            case "finish" | "fail" | "flake" if self.open:
                attempt = self.open[choice % len(self.open)]
                if kind == "finish":
                    attempt.set_result(f"result {choice}")
                else:
                    attempt.set_exception(FatalError("no") if kind == "fail" else OSError("busy"))
            case "tick":
                self.clock.advance(choice + 0.5)
            case "send":
                hooks = await self.world.list_hooks(RUN)
                if hooks:
                    token = hooks[choice % len(hooks)].token
                    payload = Codec().encode(f"payload {choice}")
                    letter = Letter(kind="hook_received", payload=payload)
                    await self.world.post_to_token(token, letter)
            case "wake":
                await self.world.post(RUN, Letter(kind="wake"))
            case "cancel" if choice == 0:
                await self.world.post(RUN, Letter(kind="cancel", meta=b'{"reason": "stop"}'))
            case "evict":
                while self.worker._cache:
                    self.worker._cache.popitem()[1][1].close()
            case "lose":  # others think it dead, and the run is claimed again beside its owner
                await self.world.leave(self.worker.id)
                await self.worker._beat()
            case "cut":
                self.world.cut = "before" if choice < 3 else "after"
            case "restart" if choice < 3:
                await self.worker.stop()
                self.worker = Worker(self.world, self.project, grace=0.001)
                await self.worker.start()
            case _:
                return
        await self.settle()

    async def see_through(self) -> None:
        """Give the run whatever it waits for, and cancel it when that does not end it."""
        for turn in range(60):
            run = await self.world.get_run(RUN)
            assert run is not None
            assert run.parked is None, run.parked
            if run.completed_at is not None:
                return
            if turn == 30:
                await self.act("cancel", 0)
            for attempt in self.open:
                attempt.set_result("at last")
            await self.settle()
            await self.act("send", turn)
            await self.act("tick", 5)
        raise AssertionError("the run never ends")


async def played(source: str, actions: list[Action]) -> tuple[Scene, list[Event]]:
    scene = Scene(source)
    await scene.begin()
    try:
        for kind, choice in actions:
            await scene.act(kind, choice)
        await scene.see_through()
    finally:
        await scene.worker.stop()
    return scene, list(await scene.world.list_events(RUN))


def check_log(scene: Scene, log: list[Event]) -> None:
    """P2 and P9: nothing twice, no gaps, times in order, and nothing but what was appended."""
    assert [event.seq for event in log] == list(range(1, len(log) + 1))
    for event, appended in zip(log[1:], scene.world.appended, strict=True):
        assert (event.type, event.ref, event.payload) == (
            appended.type,
            appended.ref,
            appended.payload,
        )
    assert all(one.at <= two.at for one, two in itertools.pairwise(log))
    answers = {
        "step": ("step_completed", "step_failed"),
        "wait": ("wait_completed",),
        "hook": ("hook_created", "hook_conflict"),
        "child": ("child_ended",),
    }
    for types in answers.values():
        recorded = Counter(event.ref for event in log if event.type in types)
        assert all(count == 1 for count in recorded.values()), recorded
    assert sum(event.type in ("run_completed", "run_failed", "run_cancelled") for event in log) == 1


def check_prefixes(scene: Scene, log: list[Event]) -> None:
    """P10: a replay of a prefix asks for exactly what follows it.

    Of a long log some lengths do: the replay of the whole compares every decision on its way.
    The answers of hooks are written with the append that asks for them, all of one append in a row
    and before what they cause, so a log never ends in front of one.
    """
    bundle = scene.project.bundle.hash
    program = asyncio.run(scene.worker.program(bundle))
    for length in {*range(1, len(log), 1 + len(log) // 6), len(log)}:
        if length < len(log) and log[length].type in ("hook_created", "hook_conflict"):
            continue
        instance = program.instantiate()
        codec = scene.worker.body_codec(instance)
        live = LiveRun(RUN, WORKFLOW, instance.workflow(WORKFLOW), codec)
        pending: deque[Any] = deque()
        try:
            for _ in catch_up(live, log[:length], pending):
                pass
        finally:
            live.close()
        follow = []
        for event in log[length:]:
            if event.type in FACTS:
                break
            follow.append((event.type, event.ref, event.payload, event.meta))
        asked = [(event.type, event.ref, event.payload, event.meta) for event in pending]
        assert asked == follow, (length, asked, follow)


@pytest.mark.parametrize("part", range(PARTS))
def test_random_bodies_keep_the_invariants(part: int) -> None:
    """P2, P9 and P10 hold for every body and every order of events."""

    @settings(
        max_examples=-(-EXAMPLES // PARTS),
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    @given(body=bodies(), actions=ACTIONS)
    def keep_them(body: list[Body], actions: list[Action]) -> None:
        with asyncio.Runner(loop_factory=ImpatientLoop) as runner:
            scene, log = runner.run(played(module(body), actions))
        check_log(scene, log)
        check_prefixes(scene, log)

    if not THOROUGH:
        keep_them = seed(part)(keep_them)  # the parts differ, and are the same each time
    keep_them()
