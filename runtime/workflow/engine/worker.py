"""A worker: claims due runs and tasks of a world, and works on them until it is stopped.

One worker per process and event loop. It owns runs through `Session`s, runs claimed tasks, keeps
idle live copies in a bounded cache, and renews its lease. It never polls for work: it waits for the
world to say that something changed, or for the next thing to fall due.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket
from collections import OrderedDict
from collections.abc import Coroutine
from functools import cached_property
from typing import Any, cast

import msgspec

from workflow.codec import Codec
from workflow.engine import endings
from workflow.engine.cold import sampler
from workflow.engine.contexts import context_of
from workflow.engine.heart import Heart, lease_of
from workflow.engine.intake import Returned
from workflow.engine.limits import Limits
from workflow.engine.processes import Processes, size_of
from workflow.engine.project import Project
from workflow.engine.pumps import write_out
from workflow.engine.session import Session
from workflow.engine.slots import Slots, concurrency
from workflow.engine.stand_ins import StandIns
from workflow.engine.steps import Completed, Failed, Superseded, TryAgain, Unfit, run_attempt
from workflow.engine.stranded import Stranded, patience
from workflow.errors import BundleError, StepCrashedError, WorldError
from workflow.events import Micros
from workflow.policy.crashes import is_suspect, is_suspect_step
from workflow.policy.keeping import SAY_AGAIN
from workflow.policy.names import short_name
from workflow.replay.live import LiveRun, pack
from workflow.sandbox.bundle import Bundle
from workflow.sandbox.program import Instance, Program
from workflow.world.port import World
from workflow.world.records import Claimed, Finish, Letter, RunRecord, Task, WorkerRecord

__all__ = ["Worker"]

log = logging.getLogger("workflow.engine")

PATIENCE = 3.0  # seconds between tries at most while the world is away
RUNS = 500  # runs owned at a time
TASKS = 64  # task bodies at a time
CACHED = 2000  # idle live copies kept
SECOND = 1_000_000


class Worker:
    """Works on the runs of `world` with the code of `project`. Create it inside its event loop.

    `grace` is how many seconds running work gets to finish when the worker is asked to stop.
    """

    def __init__(self, world: World, project: Project, *, grace: float = 5.0) -> None:
        self._grace = grace
        self.lease = lease_of(os.environ)
        self.world = world
        self.project = project
        self.id = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self.codec = Codec(project.registry.classes, functions=project.registry)  # of steps
        self.samples = sampler(os.environ)  # whether to check a turn
        self.stranded = Stranded(self, patience(os.environ))
        self.limits = Limits.read(os.environ)
        self.slots = Slots(concurrency(os.environ, world))
        self.processes = Processes(project.registry.folder, size_of(os.environ))
        self._programs: dict[str, Program] = {}
        self._cache: OrderedDict[str, tuple[str | None, LiveRun]] = OrderedDict()
        self._sessions: dict[str, Session] = {}
        self._returned: dict[tuple[str, str], Returned | None] = {}  # by (run, step call)
        self._running: set[asyncio.Task[Any]] = set()
        self._tasks_now = 0
        self._more_runs = True  # the last claims took as many as there was room for
        self._more_tasks = False
        self._loops: list[asyncio.Task[None]] = []
        self._looking = asyncio.Lock()  # held while work is being claimed
        self._heart: Heart | None = None
        self._published: Micros | None = None
        self.stopping = False

    # -- life ----------------------------------------------------------------------------------

    async def start(self) -> None:
        """Register with the world, take over what dead workers held, and begin to work."""
        await self.publish()
        await self._beat()
        self._heart = Heart(self.world, self._record, self.lease)
        self._heart.start()
        self._loops = [
            asyncio.create_task(self._work(), name="workflow-worker"),
            asyncio.create_task(self._watch(self._heart), name="workflow-watch"),
        ]

    async def stop(self) -> None:
        """Finish what finishes within a short grace, and hand the rest to other workers.

        No step begins any more. Attempts that are cut off do not count.
        """
        self.stopping = True
        for session in self._sessions.values():
            session.past.set()  # nothing else is to be claimed after it
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._grace), self._looking:
                pass  # what a claim under way hands out has to be handed back
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        if self._running:  # idle runs have no session: whatever is left is at work
            await asyncio.wait(set(self._running), timeout=self._grace)
        if self._running:
            for session in list(self._sessions.values()):
                session.hand_over()
            for task in self._running:
                if task.get_name().startswith(("task ", "stream ")):
                    task.cancel()
            await asyncio.wait(set(self._running), timeout=self._grace)
        while self._running:  # what is cut off may leave streams to close
            cut_off = list(self._running)
            for task in cut_off:
                task.cancel()
            await asyncio.gather(*cut_off, return_exceptions=True)
        await self.processes.close()
        for _, live in self._cache.values():
            live.close()
        self._cache.clear()
        if self._heart is not None:
            await self._heart.stop()  # before leaving: a beat after it would be a new lease
        try:
            await self.world.leave(self.id)
        except WorldError as error:
            log.warning("%s; others take this work over when the lease has run out", error)

    async def work_once(self) -> list[str]:
        """Claim what is due and work on it until it is given up; the ids of the runs claimed.

        For hosts that deliver work over HTTP instead of keeping a worker running.
        """
        await self.publish()
        await self._beat()
        begun: list[str] = []
        while True:
            async with self._looking:
                more = True
                while more:
                    claimed = await self.world.claim_runs(self.id, 16)
                    for run in claimed.runs:
                        await self._begin_claimed(run)
                    begun += [run.run_id for run in claimed.runs]
                    more = claimed.more and bool(claimed.runs)
                tasks = await self._claim_tasks()
            while self._running:
                await asyncio.wait(set(self._running))
            if not any(is_suspect_step(task.attempt - 1, task.error) for task in tasks):
                return begun
            # It was given alone, and others may be due.

    async def publish(self) -> None:
        """Keep our bundle and the names of our steps in the world, and say that they are in use.

        Does so once an hour, however often it is called.
        """
        now = self.world.now()
        if self._published is not None and 0 <= now - self._published < SAY_AGAIN:
            return
        bundle = self.project.bundle
        await self.world.put_bundle(bundle.hash, bundle.to_bytes())
        await self.stranded.publish()
        self._published = now

    # -- finding work --------------------------------------------------------------------------

    async def _work(self) -> None:
        change = 0
        delay = 0.1
        due: Micros | None = None
        while not self.stopping:
            try:
                # Who has no room may get some by a change that gives nobody work.
                has_room = not (self._more_runs or self._more_tasks)
                change = await self.world.wait_for_change(change, due, work=has_room)
                async with self._looking:
                    due = await self._claim()
                delay = 0.1
            except Exception as error:
                # Whatever it is, a worker that stopped looking would be worse.
                expected = isinstance(error, WorldError)
                log.warning(
                    "cannot look for work: %s; trying again in %.1f s",
                    error,
                    delay,
                    exc_info=not expected,
                )
                await asyncio.sleep(delay)
                delay = min(delay * 2, PATIENCE)
                change = 0  # what was announced has not been looked at yet

    async def _claim(self) -> Micros | None:
        """One look at the world; returns when something falls due next."""
        if self._heart is not None:
            await self._heart.keep()
        if self._more_tasks:  # they need not wait until the runs have been claimed
            both = await asyncio.gather(
                self._claim_runs(), self._claim_tasks(), return_exceptions=True
            )
            for each in both:
                if isinstance(each, BaseException):
                    raise each
            claimed = cast(Claimed, both[0])
        else:
            claimed = await self._claim_runs()
            await self._claim_tasks()
        now = self.world.now()
        if claimed.more:
            return now
        if claimed.next_due is not None and claimed.next_due <= now:
            # What was due was offered to us, and what is left is not for us (no room, or a step we
            # do not have). Commits tell when that changes; a look a second is the safety net.
            return now + SECOND
        own_turn = self.stranded.own_turn()
        if own_turn is not None:
            return min(own_turn, claimed.next_due or own_turn)
        return claimed.next_due

    async def _claim_runs(self) -> Claimed:
        room = 0 if self.stranded.leaves_runs() else max(0, RUNS - len(self._sessions))
        claimed = await self.world.claim_runs(self.id, room)
        self._more_runs = len(claimed.runs) == room
        for run in claimed.runs:
            await self._begin_claimed(run)
        for run_id in claimed.look:
            session = self._sessions.get(run_id)
            if session is not None:
                session.look()
            else:
                await self._pick_up(run_id)
        return claimed

    async def _claim_tasks(self) -> tuple[Task, ...]:
        tasks: tuple[Task, ...] = ()
        room = self.slots.room(TASKS - self._tasks_now)
        self._more_tasks = room == 0
        if room > 0:
            names = self.stranded.names()
            tasks = await self.world.claim_tasks(self.id, room, names)
            self._more_tasks = len(tasks) == room
            for task in tasks:
                self.spawn(self._run_task(task), f"task {task.step_id}")
                self._tasks_now += 1
        return tasks

    async def _pick_up(self, run_id: str) -> None:
        """A run of ours without a session: given up a moment ago, or its session broke."""
        run = await self.world.get_run(run_id)
        if run is not None and run.owner == self.id and run_id not in self._sessions:
            await self._begin_claimed(run)

    async def _begin_claimed(self, run: RunRecord) -> None:
        """Begin to work on a run. With one that was with workers that died, return when it is past
        what they may have died of: nothing else is to be claimed before."""
        before = self._sessions.get(run.run_id)
        session = self._sessions[run.run_id] = Session(self, run)
        self.spawn(self._run_session(session, before), run.run_id)
        if is_suspect(run.claims - 1) and not self.stopping:
            await session.past.wait()

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        """Work on something until it is done, or until the worker stops."""
        task = asyncio.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _run_session(self, session: Session, before: Session | None) -> None:
        try:
            with endings.at_work(session.run_id):
                if before is not None and before.leaving:
                    # Claimed again before it heard of its commit. It is about to leave its live
                    # copy behind, without which the log would have to be replayed.
                    await before.over.wait()
                await session.run()
        finally:
            session.past.set()
            # A run given up and claimed again at once has a newer session under its id.
            if self._sessions.get(session.run_id) is session:
                del self._sessions[session.run_id]

    # -- the lease -----------------------------------------------------------------------------

    def _record(self) -> WorkerRecord:
        return WorkerRecord(
            worker=self.id,
            lease_until=self.world.now() + round(self.lease * 1_000_000),
            registry=self.project.registry.fingerprint,
        )

    async def _beat(self) -> None:
        await self.world.beat(self._record())

    async def beat_if_silent(self) -> None:
        """Show that this process lives, where work is delivered to it and no heart does."""
        if self._heart is None:
            await self._beat()

    async def _watch(self, heart: Heart) -> None:
        while True:
            await asyncio.sleep(heart.pause)
            heart.tick()
            try:
                await self._stop_lost()
                await self.stranded.look()
                await self.publish()
            except Exception as error:
                expected = isinstance(error, WorldError)
                log.warning("cannot look at own runs: %s", error, exc_info=not expected)

    async def _stop_lost(self) -> None:
        """Stop step bodies of runs that were terminated, or taken over while we were slow."""
        for session in [s for s in self._sessions.values() if s.at_work]:
            run = await self.world.get_run(session.run_id)
            if run is None or run.fence != session.fence:
                session.lose()

    # -- tasks ---------------------------------------------------------------------------------

    async def _run_task(self, task: Task) -> None:
        unbegun = self._finish(task, uncount=True)
        try:
            finish = unbegun if self.stopping else await self._attempt(task)
        except asyncio.CancelledError:
            if not self.stopping:
                raise
            finish = unbegun
        except (
            Exception
        ) as error:  # ours, not the step's: it must not leave the task owned for ever
            log.exception("%s: internal error", task.step_id)
            meta = pack({"attempt": task.attempt, "error": str(error)})
            finish = self._finished(task, "step_failed", self.codec.encode_error(error), meta)
        finally:
            self._tasks_now -= 1
        returned = self._returned.pop((task.run_id, task.step_id), None)
        delay = 0.1
        doubtful = False
        while True:
            try:
                (done,) = await self.world.finish_tasks([finish])
                write_out(self, returned, recorded=done or doubtful)
                return
            except WorldError as error:
                # If the first try got in, the task row is gone and the second changes nothing.
                doubtful = True
                log.warning("%s: cannot record the result: %s", task.step_id, error)
                await asyncio.sleep(delay)
                delay = min(delay * 2, PATIENCE)

    async def _attempt(self, task: Task) -> Finish:
        step = self.project.registry.find_step(task.name)
        codec = self.codec
        if task.attempt > step.options.max_retries + 1:
            name, before = short_name(task.name), task.attempt - 1
            error = StepCrashedError(
                f"{name} was started {'once' if before == 1 else f'{before} times'}, and "
                f"{'' if before == 1 else 'each time '}its process died, or gave no sign of life "
                "until its lease had run out"
            )
            meta = pack({"attempt": task.attempt - 1, "error": str(error)})
            return self._finished(task, "step_failed", codec.encode_error(error), meta)
        about = msgspec.json.decode(task.meta or b"{}")
        context = context_of(
            self,
            run_id=task.run_id,
            step_id=task.step_id,
            step=step,
            attempt=task.attempt,
            workflow=about.get("workflow", ""),
            workflow_started_at=about.get("workflow_started_at", 0),
            base_url=about.get("base_url", ""),
            parent=about.get("parent"),
            root=about.get("root", task.run_id),
            codec=codec,
            fence=None,
        )
        try:
            async with self.slots.take():
                outcome = await run_attempt(
                    step, task.payload, context, self.world, codec, self.processes, worker=self.id
                )
        except Unfit as error:
            again = await self.stranded.misfit(task, str(error))
            return self._finish(task, run_at=again, uncount=True)
        except Superseded:
            return self._finish(task)
        match outcome:
            case Completed(payload=payload, meta=meta, returned=returned):
                self._returned[task.run_id, task.step_id] = returned
                return self._finished(task, "step_completed", payload, meta)
            case Failed(payload=payload, meta=meta):
                return self._finished(task, "step_failed", payload, meta)
            case TryAgain(at=at, error=encoded):
                return self._finish(task, run_at=at, error=encoded)

    def _finished(self, task: Task, kind: Any, payload: bytes, meta: bytes) -> Finish:
        letter = Letter(kind=kind, ref=task.step_id, name=task.name, payload=payload, meta=meta)
        return self._finish(task, letter=letter)

    def _finish(self, task: Task, **more: Any) -> Finish:
        run_id, step_id, attempt = task.run_id, task.step_id, task.attempt
        return Finish(run_id=run_id, step_id=step_id, worker=self.id, attempt=attempt, **more)

    # -- what sessions and tasks need ----------------------------------------------------------

    def body_codec(self, instance: Instance) -> Codec:
        """The codec of a body that runs in `instance`.

        A class that the bundle does not have gets a stand-in: its data without its code, but for
        its steps, which become calls. A step the bundle does not have stays a reference. No code
        of the step side can run in a run's.
        """
        bundled = instance.classes
        stand_ins, later = self._stand_ins.beside(bundled)
        return Codec(
            bundled,
            functions=instance.functions,
            stand_ins=stand_ins,
            later=later,
            ordered_sets=True,
        )

    @cached_property
    def _stand_ins(self) -> StandIns:
        registry = self.project.registry
        return StandIns(registry.classes, registry)

    async def program(self, pinned: str | None) -> Program:
        """The compiled bundle a run is pinned to, or ours for a run that has not begun.

        Raises BundleError when the world does not have it any more.
        """
        current = self.project.bundle
        key = pinned or current.hash
        program = self._programs.get(key)
        if program is None:
            if key == current.hash:
                bundle = current
            else:
                source = await self.world.get_bundle(key)
                if source is None:
                    raise BundleError(
                        f"the bundle {key[:12]} this run was begun with is not in this world: "
                        "start a worker of that build once, and it will be"
                    )
                bundle = Bundle.from_bytes(source)
            program = self._programs[key] = Program(
                bundle, root=self.project.root, passthrough=self.project.passthrough
            )
        return program

    def cache(self, live: LiveRun, bundle: str | None) -> None:
        """Keep an idle live copy; the least recently used one makes room."""
        _, before = self._cache.pop(live.run_id, (None, None))
        if before is not None:  # claimed again and replayed while it was on its way here
            before.close()
        self._cache[live.run_id] = (bundle, live)
        if len(self._cache) > CACHED:
            _, (_, oldest) = self._cache.popitem(last=False)
            oldest.close()

    def take_cached(self, run: RunRecord) -> LiveRun | None:
        """The live copy of a run, if it is at the run's head and of the bundle it is pinned to."""
        bundle, live = self._cache.pop(run.run_id, (None, None))
        if live is not None and (live.head != run.head or bundle != run.bundle):
            live.close()
            return None
        return live
