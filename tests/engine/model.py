"""A random model of the durable core: one run, two owners, two task workers, and no mercy.

A history is a few hundred random actions on a real world: owners claim, build a turn, append it,
run inline bodies; task workers claim and finish; payloads come in; processes are killed, and
leases run out while their holders go on. Then the chaos stops, but for a lease that runs out now
and then, and the run has to reach its end.
The body is a pure function of the facts it was fed, in their order, so a log can be checked by
feeding it again.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from hashlib import blake2b

from workflow.testing.clock import VirtualClock
from workflow.world.port import World
from workflow.world.records import (
    Append,
    Event,
    Finish,
    Letter,
    NewEvent,
    NewRun,
    NewTask,
    Task,
    WorkerRecord,
)

__all__ = ["History"]

_CHAOS = 500
_CALM = 3000
_LEASE = 10_000_000
_TICK = 0.2  # seconds of the calm
_BEAT, _ROUND, _SILENCE = 10, 300, 80  # ticks; a silence is longer than a lease
_INLINE = 2

_FACTS = ("run_created", "step_completed", "hook_received")


class Body:
    """The workflow: what it decides next depends on every fact so far and on their order."""

    def __init__(self, seed: int) -> None:
        self._digest = blake2b(str(seed).encode())
        self._fed = 0
        self._calls = 0
        self._open: set[str] = set()
        self.done = False

    def feed(self, fact: NewEvent) -> list[NewEvent]:
        """Take a fact; the decisions it causes."""
        if self.done:
            return []
        self._fed += 1
        self._open.discard(fact.ref)
        self._digest.update(f"{fact.type} {fact.ref};".encode())
        dice = self._digest.digest()
        calls = (0, 1, 1, 1, 2, 3)[dice[0] % 6] if self._fed < 14 else 0
        if not self._open and self._fed >= 6 and calls == 0 and (dice[1] % 2 or self._fed >= 14):
            self.done = True
            return [NewEvent(type="run_completed", at=0)]
        if not self._open and calls == 0:
            calls = 1
        decisions = []
        for _ in range(calls):
            self._calls += 1
            self._open.add(f"s{self._calls}")
            decisions.append(NewEvent(type="step_called", at=0, ref=f"s{self._calls}"))
        return decisions


def replay(seed: int, log: tuple[Event, ...]) -> tuple[Body, list[NewEvent]]:
    """A body fed with the facts of a log, and everything it decided."""
    body = Body(seed)
    decisions = [d for event in log if event.type in _FACTS for d in body.feed(event)]
    return body, decisions


@dataclass
class Owner:
    """A worker process that takes turns of the run."""

    name: str
    body: Body | None = None
    head: int = 0
    fence: int | None = None
    batch: Append | None = None
    inline: set[str] = field(default_factory=set)
    results: list[str] = field(default_factory=list)
    redo: list[str] = field(default_factory=list)
    ahead: list[NewEvent] = field(default_factory=list)

    def drop(self) -> None:
        """Forget everything about the run."""
        self.body, self.fence, self.batch = None, None, None
        self.inline, self.results, self.redo, self.ahead = set(), [], [], []


class History:
    """One random history. `redispatch=False` is the mutation that forgets a dead owner's steps."""

    def __init__(
        self, world: World, clock: VirtualClock, seed: int, *, redispatch: bool = True
    ) -> None:
        self.world = world
        self.clock = clock
        self.seed = seed
        self.redispatch = redispatch
        self.random = random.Random(seed)
        self.run_id = f"run-{seed}"
        self.owners = [Owner("owner-0"), Owner("owner-1")]
        self.held: dict[str, list[Task]] = {"tasks-0": [], "tasks-1": []}
        self.bodies_run: Counter[tuple[str, int]] = Counter()
        self.accepted: list[str] = []
        self.kills = 0
        self.silent = ""  # a worker whose lease runs out, though it works

    async def play(self) -> list[str]:
        """Play the history; the promises it broke."""
        await self.world.create(NewRun(run_id=self.run_id, workflow="model", input=b"", meta=b"{}"))
        for tick in range(_CHAOS + _CALM):
            if tick == _CHAOS:  # whoever was killed loses what it held
                self.clock.advance(_LEASE / 1e6 + 1)
            if tick >= _CHAOS:
                await self._calm_down((tick - _CHAOS) % _ROUND)
            if await self._ended():
                break
            await self._act(chaos=tick < _CHAOS)
        return await self._verdict()

    async def _calm_down(self, moment: int) -> None:
        """Time passes, and all but one give signs of life.

        That one loses its lease in every round, and goes on as if it had not. What it held is not
        due at once, and later with every time it is lost; each round leaves time for that.
        """
        names = [*(owner.name for owner in self.owners), *self.held]
        if moment == 0:
            self.silent = self.random.choice(names)
        elif moment == _SILENCE:
            self.silent = ""
        for name in names if moment % _BEAT == 0 else ():
            await self._beat(name)
        self.clock.advance(_TICK)

    async def _ended(self) -> bool:
        run = await self.world.get_run(self.run_id)
        assert run is not None
        return run.status == "completed"

    async def _act(self, *, chaos: bool) -> None:
        owner = self.random.choice(self.owners)
        dice = self.random.random()
        if dice < 0.08:
            await self._beat(owner.name)
        elif dice < 0.12:
            await self._beat(self.random.choice(list(self.held)))
        elif dice < 0.25:
            await self._claim(owner)
        elif dice < 0.45:
            await self._turn(owner)
        elif dice < 0.65:
            await self._append(owner)
        elif dice < 0.75:
            self._run_inline(owner)
        elif dice < 0.85:
            await self._work()
        elif not chaos:
            self.clock.advance(0.01)
        elif dice < 0.90:
            await self._payload()
        elif dice < 0.97:
            self.clock.advance(self.random.choice((0.1, 1, 4)))  # leases of the silent run out
        elif dice < 0.99:
            self._kill(owner)
        else:
            self._kill_task_worker()

    async def _beat(self, worker: str) -> None:
        if worker == self.silent:
            return
        until = self.clock.now() + _LEASE
        await self.world.beat(WorkerRecord(worker=worker, lease_until=until))

    # -- owners ----------------------------------------------------------------------------

    async def _claim(self, owner: Owner) -> None:
        if owner.fence is not None:
            return
        await self._beat(owner.name)
        claimed = await self.world.claim_runs(owner.name, 1)
        if not claimed.runs:
            return
        loaded = await self.world.load(self.run_id)
        owner.fence = claimed.runs[0].fence
        if owner.body is None or owner.head != loaded.run.head:
            owner.body, decisions = replay(self.seed, loaded.events)
            recorded = [event for event in loaded.events if event.type not in _FACTS]
            owner.head, owner.ahead = loaded.run.head, decisions[len(recorded) :]
        log = loaded.events
        done = {event.ref for event in log if event.type == "step_completed"}
        called = [event.ref for event in log if event.type == "step_called"]
        safe = done | loaded.tasks | loaded.lettered
        owner.redo = [ref for ref in called if ref not in safe] if self.redispatch else []
        owner.inline, owner.results = set(), []

    async def _turn(self, owner: Owner) -> None:
        """Feed what is there and build the append; it is sent later, or never."""
        if owner.fence is None or owner.batch is not None or owner.body is None:
            return
        loaded = await self.world.load(self.run_id)
        facts = [NewEvent(type="step_completed", at=0, ref=ref) for ref in owner.results]
        facts += [NewEvent(type=letter.kind, at=0, ref=letter.ref) for letter in loaded.letters]
        events = list(owner.ahead)
        for fact in facts:
            events += [fact, *owner.body.feed(fact)]
        if not events and not owner.redo and owner.inline:
            return  # nothing to say, and something still running
        calls = [event.ref for event in events if event.type == "step_called"]
        tasks = [NewTask(step_id=ref, name="step", payload=b"") for ref in calls[_INLINE:]]
        tasks += [NewTask(step_id=ref, name="step", payload=b"", attempt=1) for ref in owner.redo]
        owner.batch = Append(
            run_id=self.run_id,
            worker=owner.name,
            fence=owner.fence,
            expected=owner.head,
            at=0,
            events=tuple(events),
            eat=tuple(letter.n for letter in loaded.letters),
            seen=loaded.run.mail,
            add_tasks=tuple(tasks),
            release=not owner.inline and not calls[:_INLINE],
            end="completed" if owner.body.done else None,
        )
        owner.results, owner.redo, owner.ahead = [], [], []

    async def _append(self, owner: Owner) -> None:
        asked = owner.batch
        if asked is None:
            return
        owner.batch = None
        answer = await self.world.append(asked)
        accepted = answer.ok
        if accepted and self.random.random() < 0.1:  # the reply is lost: look whether it is in
            run = await self.world.get_run(self.run_id)
            assert run is not None
            accepted = (run.fence, run.head) == (asked.fence, asked.expected + len(asked.events))
        if not accepted or asked.end:
            owner.drop()
            return
        owner.head += len(asked.events)
        calls = [event.ref for event in asked.events if event.type == "step_called"]
        owner.inline |= set(calls[:_INLINE])
        if asked.release and not owner.results:
            owner.fence = None

    def _run_inline(self, owner: Owner) -> None:
        if owner.inline and owner.fence is not None:
            step = self.random.choice(sorted(owner.inline))
            owner.inline.remove(step)
            owner.results.append(step)
            self.bodies_run[step, 1] += 1

    def _kill(self, owner: Owner) -> None:
        self.kills += 1
        owner.drop()
        owner.name = f"{owner.name.split('.')[0]}.{self.kills}"

    # -- everybody else --------------------------------------------------------------------

    async def _work(self) -> None:
        worker = self.random.choice(list(self.held))
        held = self.held[worker]
        if not held:
            held += await self.world.claim_tasks(worker, 1, ("step",))
            return
        task = held.pop()  # its lease may be over long ago: it goes on all the same
        self.bodies_run[task.step_id, task.attempt] += 1
        letter = Letter(kind="step_completed", ref=task.step_id)
        await self.world.finish_tasks(
            [
                Finish(
                    run_id=self.run_id,
                    step_id=task.step_id,
                    worker=worker,
                    attempt=task.attempt,
                    letter=letter,
                )
            ]
        )

    def _kill_task_worker(self) -> None:
        self.kills += 1
        worker = self.random.choice(list(self.held))
        del self.held[worker]
        self.held[f"{worker.split('.')[0]}.{self.kills}"] = []

    async def _payload(self) -> None:
        ref = f"h{len(self.accepted)}"
        posted = await self.world.post(self.run_id, Letter(kind="hook_received", ref=ref))
        if posted.outcome == "posted":
            self.accepted.append(ref)

    # -- promises --------------------------------------------------------------------------

    async def _verdict(self) -> list[str]:
        log = await self.world.list_events(self.run_id, limit=10_000)
        letters = await self.world.list_letters(self.run_id)
        broken = []
        ended = await self._ended()
        if not ended:
            broken.append("stuck")
        if [event.seq for event in log] != list(range(1, len(log) + 1)):
            broken.append("log has gaps")
        decided = [(d.type, d.ref) for d in replay(self.seed, log)[1]]
        recorded = [(event.type, event.ref) for event in log if event.type not in _FACTS]
        if decided != recorded and (ended or decided[: len(recorded)] != recorded):
            broken.append("replay differs")
        facts = Counter((event.type, event.ref) for event in log if event.type in _FACTS)
        if max(facts.values()) > 1:
            broken.append("fact recorded twice")
        payloads = [event.ref for event in log if event.type == "hook_received"]
        if payloads != [ref for ref in self.accepted if ref in set(payloads)]:
            broken.append("payloads out of order")
        if set(self.accepted) - set(payloads) - {letter.ref for letter in letters}:
            broken.append("payload lost")
        if max(self.bodies_run.values(), default=0) > 1:
            broken.append("body of one attempt ran twice")
        return broken
