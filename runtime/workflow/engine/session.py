"""A run that this worker owns, from its claim until it is given up, ended, parked or lost."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, Literal

from msgspec.structs import replace

from workflow.engine import endings, failpoints
from workflow.engine.bodiless import before_its_time, give_up, left_to_others, too_long
from workflow.engine.cold import PYTHON, check, cold_copy, read
from workflow.engine.contexts import context_of
from workflow.engine.intake import Returned
from workflow.engine.pumps import write_out
from workflow.engine.reasons import code_of, unreadable
from workflow.engine.shortages import shortage_of
from workflow.engine.steps import (
    Completed,
    Failed,
    Outcome,
    Superseded,
    TryAgain,
    Unfit,
    run_attempt,
)
from workflow.engine.telling import tell
from workflow.engine.turn import Turn
from workflow.errors import (
    BundleError,
    DivergenceError,
    ReplayCheckError,
    SandboxError,
    SerializationError,
    StepNotRegisteredError,
    WorkflowNotRegisteredError,
    WorldError,
)
from workflow.events import NewEvent
from workflow.policy.crashes import after_crash
from workflow.replay.live import LiveRun
from workflow.world.records import Append, Appended, Loaded, Parked, RunRecord

if TYPE_CHECKING:
    from workflow.engine.worker import Worker

__all__ = ["Session"]

log = logging.getLogger("workflow.engine")

INLINE = 8  # step bodies the owner runs itself, per run; more fan out to all workers
PATIENCE = 3.0  # seconds between tries at most while the world is away


class Session:
    """Takes turns of one run, one at a time, and runs its inline steps."""

    def __init__(self, worker: Worker, run: RunRecord) -> None:
        self.worker = worker
        self.run_id = run.run_id
        self.fence = run.fence
        self._run = run
        self._live: LiveRun | None = None
        self._pending: deque[NewEvent] = deque()  # decided, not yet appended
        self._redo: list[str] = []  # inline steps of an owner that is gone
        self._unbegun: list[str] = []  # inline steps whose attempt was taken back
        self._calls: dict[str, NewEvent] = {}  # open inline calls by correlation id
        self._bodies: dict[str, asyncio.Task[None]] = {}
        self._results: list[tuple[str, Outcome]] = []
        self._returned: list[Returned | None] = []  # of the results of this turn
        self._seen = run.seen
        self._mail = False
        self._wake = asyncio.Event()
        self.leaving = False  # the append under way gives the run up
        self.past = asyncio.Event()  # the body has taken a turn, or what it needs has to be awaited
        self.over = asyncio.Event()

    @property
    def at_work(self) -> bool:
        """Whether step bodies of this run are running here."""
        return bool(self._bodies)

    def lose(self) -> None:
        """The run is not ours any more (ended, or claimed by others): stop its bodies."""
        for ref in list(self._bodies):
            self._stop_body(ref)
        self.look()

    def hand_over(self) -> None:
        """Give the run up: its step bodies stop here and begin afresh with another worker.

        An attempt that is interrupted like this does not count.
        """
        for ref, body in list(self._bodies.items()):
            body.cancel()
            del self._bodies[ref]
            self._unbegun.append(ref)
        self.look()

    def look(self) -> None:
        """There is mail, or a timer is due."""
        self._mail = True
        self._wake.set()

    async def run(self) -> None:
        """Take turns until the run is not ours any more. Never raises but for cancellation."""
        delay = 0.1
        try:
            while True:
                try:
                    await self._own_or_park()
                    return
                except (WorldError, OSError, MemoryError) as error:
                    said = str(error) or type(error).__name__
                    log.warning("%s: %s; trying again in %.1f s", self.run_id, said, delay)
                    self.past.set()  # who waits for it shall not wait for the world, or for a key
                    self._drop()
                    await asyncio.sleep(delay)
                    delay = min(delay * 2, PATIENCE)
        finally:
            self._drop()
            self.over.set()

    async def _own_or_park(self) -> None:
        try:
            await self._own()
        except (WorldError, MemoryError):
            raise
        except DivergenceError as error:
            project = self.worker.project
            code = code_of(self._run, project.bundle.hash, project.passthrough)
            await self._park("divergence", f"{error} ({code})", error.position)
        except ReplayCheckError as error:
            await self._park(error.code, str(error), error.position)
        except SerializationError as error:
            # Classes may have changed between the code that started a new run and ours.
            if not (error.advice and await self._left_to_others(error.fact)):
                fed = self._live.head + 1 if self._live is not None else 0
                reason = unreadable(error, self._run, self.worker.project.bundle.hash)
                await self._park(error.code, reason, error.position or fed)
        except WorkflowNotRegisteredError as error:
            if not await self._left_to_others(str(error)):
                await self._park(error.code, str(error))
        except (BundleError, SandboxError, StepNotRegisteredError) as error:
            await self._park(error.code, str(error))
        except Exception as error:
            shortage = shortage_of(error)
            if shortage is not None:
                raise shortage from None
            log.exception("%s: internal error", self.run_id)
            await self._park("internal", f"{type(error).__name__}: {error}")

    async def _left_to_others(self, reason: str) -> bool:
        """Give a new run back for which others may have the code. False: it has waited enough."""
        again = self.worker.stranded.leave(self._run, reason)
        if again is not None:
            await self._append(left_to_others(self._run, self.worker.world.now(), again))
        return again is not None

    # -- owning --------------------------------------------------------------------------------

    async def _own(self) -> None:
        if self._run.claims > self.worker.limits.claims:
            hopeless = await self._load(0)
            if hopeless is not None:
                codec = self.worker.codec
                await self._append(give_up(hopeless, self.worker.id, self._run.claims, codec))
            return
        self._live = self.worker.take_cached(self._run)
        loaded = await self._load(self._live.head if self._live else 0)
        if loaded is None:
            return
        if self._live is not None and self._live.head != loaded.run.head:
            self._live.close()
            self._live = None
            loaded = await self._load(0)
            if loaded is None:
                return
        if self._live is None:
            early = None
            if loaded.run.head == 1:
                early = before_its_time(loaded, self.worker.id, self.worker.codec)
            if early is not None:
                await self._append(early)
                return
            self._live = await self._replay(loaded)
        await self.worker.stranded.refuse(self.run_id)
        self._find_orphans(self._live, loaded)
        while not await self._end_too_long() and await self._turn(loaded):
            # Without a body at work an empty turn gives the run up: idle runs have no owner.
            while self._bodies and not (self._pending or self._results or self._mail):
                self._wake.clear()
                await self._wake.wait()
            loaded = None
            if self._mail:  # own results need no read: one commit per sequential step
                loaded = await self._load(self._live.head)
                if loaded is None:
                    return

    async def _load(self, after: int) -> Loaded | None:
        """Read the run; None when it is not ours any more."""
        self._mail = False  # whatever was announced before is in what is read now
        loaded = await read(self.worker.world, self._run, after)
        run = loaded.run
        if run.owner != self.worker.id or run.fence != self.fence or run.parked is not None:
            return None
        self._run = run
        return loaded

    async def _replay(self, loaded: Loaded) -> LiveRun:
        live = await cold_copy(self.worker, loaded.run, loaded.events, self._pending)
        if loaded.run.head > 1:
            live.take_utterances()  # spoken, or lost with the process that recorded these events
        return live

    async def _end_too_long(self) -> bool:
        """End the run, without its body, when its log has become longer than it may be."""
        limit = self.worker.limits.events
        if self._live is None or self._live.head <= limit:
            return False
        loaded = await self._load(0)  # all of it, this once: it names the run's children
        if loaded is not None:
            await self._append(too_long(loaded, self.worker.id, limit, self.worker.codec))
            endings.tell(self.run_id)
        return True

    def _find_orphans(self, live: LiveRun, loaded: Loaded) -> None:
        """Steps that are open, but neither a task nor in the mail: their owner's bodies died."""
        known = loaded.tasks | loaded.lettered | {event.ref for event in self._pending}
        self._redo = [ref for ref in live.steps if ref not in known]
        if self._redo:
            self._calls = {e.ref: e for e in loaded.events if e.type == "step_created"}

    # -- a turn --------------------------------------------------------------------------------

    async def _turn(self, loaded: Loaded | None) -> bool:
        """Feed what there is and append it. False when the run is not ours any more."""
        live = self._live
        assert live is not None
        world = self.worker.world
        now = loaded.now if loaded is not None else world.now()
        turn = Turn(live, now, self._pending, first=live.head == 1)
        self._pending.clear()
        if not live.ended:
            self._feed(turn, loaded, now)
        if live.ended:
            # The last step may have set attributes; they are in the mail of a run that is over.
            turn.read_attributes((await world.load(self.run_id, after=live.head)).letters)
        before = self._seen
        if loaded is not None:
            full = len(loaded.letters) >= 256
            self._seen = loaded.letters[-1].n if full else max(self._seen, loaded.run.mail)
        starting = self._place_steps(turn)
        if turn.empty and self._bodies and self._seen == before:
            return True  # a false alarm while a step is at work: there is nothing to record
        first = self._run.bundle is None
        append = turn.build(
            worker=self.worker.id,
            fence=self.fence,
            seen=self._seen,
            release=not starting and not self._bodies and not self._results,
            bundle=self.worker.project.bundle.hash if first else None,
            python=PYTHON if first else None,
            status=self._status(live),
        )
        if append.events and self.worker.samples():
            await check(self.worker, self._run, live, append.events)
        if append.bundle is not None:
            await self.worker.publish()  # `wfc prune` must not take it for one of nobody's
        self.leaving = append.release
        done = await self._append(append)
        self.past.set()
        returned, self._returned = self._returned, []
        for each in returned:
            write_out(self.worker, each, recorded=done.ok)
        if not done.ok:
            return False
        live.head = done.head - len(done.opened)
        if append.bundle is not None:
            self._run = replace(self._run, bundle=append.bundle)
        if append.status is not None:
            self._run = replace(self._run, status=append.status)
        self._after_commit(live, append)
        for ref in append.drop_tasks:
            self._stop_body(ref)
        if append.end is not None:
            endings.tell(self.run_id)
            self._report(append)
            live.close()
            self._live = None
            return False
        for event in done.opened:
            if not live.ended:
                self._pending.extend(live.feed(event))
            live.head = event.seq
        for call in starting:
            if call.ref not in live.steps:
                continue  # given up on the answer of a hook
            self._calls[call.ref] = call
            if self.worker.stopping:
                self._unbegun.append(call.ref)
            else:
                self._start_body(call)
        if append.release:
            self.worker.cache(live, self._run.bundle)
            self._live = None
            return False
        self._mail = self._mail or done.mail > self._seen
        return True

    def _status(self, live: LiveRun) -> Literal["running", "paused"] | None:
        """What an append has to say of the run's status: nothing while it stays the same."""
        if live.ended:
            return None
        if live.paused:
            return "paused" if self._run.status != "paused" else None
        return "running" if self._run.status == "paused" else None

    async def _append(self, append: Append) -> Appended:
        """Append; when no answer came, read whether it is in, and try again if it is not."""
        world = self.worker.world
        delay = 0.1
        doubtful = False
        while True:
            refused = False
            try:
                done = await world.append(append)
                if done.ok or not doubtful:
                    return done
                refused = True  # by the fence, or because an earlier try got in after all
            except WorldError as error:
                doubtful = True
                self.past.set()
                log.warning("%s: %s; reading again in %.1f s", self.run_id, error, delay)
                await asyncio.sleep(delay)
                delay = min(delay * 2, PATIENCE)
            try:
                loaded = await world.load(self.run_id, after=append.expected)
            except WorldError:
                continue  # the next append fails the same way, or is refused if this one got in
            run = loaded.run
            if run.fence != self.fence:
                return Appended(ok=False)
            if run.head > append.expected:  # under our fence nobody else can have moved it
                opened = loaded.events[len(append.events) :]
                return Appended(ok=True, head=run.head, mail=run.mail, opened=opened)
            if refused:
                return done

    def _feed(self, turn: Turn, loaded: Loaded | None, now: int) -> None:
        turn.end_deadline(now)
        results, self._results = self._results, []
        for ref, outcome in results:
            if turn.live.ended:  # nobody waits for the other results any more
                write_out(self.worker, getattr(outcome, "returned", None), recorded=False)
                continue
            call = self._calls.pop(ref)
            match outcome:
                case Completed(payload=payload, meta=meta, returned=returned):
                    turn.feed_result("step_completed", ref, call.name, payload, meta)
                    self._returned.append(returned)
                case Failed(payload=payload, meta=meta):
                    turn.feed_result("step_failed", ref, call.name, payload, meta)
                case TryAgain(at=at, error=error):
                    if ref in turn.live.steps:
                        turn.add_task(
                            ref, call.name, call.payload or b"", attempt=1, run_at=at, error=error
                        )
        for letter in loaded.letters if loaded is not None else ():
            if turn.live.ended:
                return  # the rest stays in the mail, undelivered
            turn.read(letter)
        turn.end_due_waits(now)

    def _report(self, append: Append) -> None:
        """Say in this process's log that the run has failed, with the line that raised."""
        if append.end == "failed":
            text = self.worker.codec.text_of_error(append.output or b"")
            name = self._run.workflow.rpartition("//")[2]
            log.error("%s (%s) failed\n%s", self.run_id, name, text.rstrip())

    def _place_steps(self, turn: Turn) -> list[NewEvent]:
        """Decide which new steps this worker runs itself; the others become tasks."""
        if turn.live.ended:
            return []
        for ref in self._redo:
            if ref in turn.live.steps:
                call = self._calls[ref]
                due = after_crash(self.run_id, ref, 1, turn.now)
                turn.add_task(ref, call.name, call.payload or b"", attempt=1, run_at=due)
        self._redo = []
        for ref in self._unbegun:
            if ref in turn.live.steps:
                call = self._calls[ref]
                turn.add_task(ref, call.name, call.payload or b"")
        self._unbegun = []
        starting: list[NewEvent] = []
        for event in turn.called_steps():
            known = event.name in self.worker.project.registry.steps and not self.worker.stopping
            if known and len(self._bodies) + len(starting) < INLINE:
                starting.append(event)
            else:
                turn.add_task(event.ref, event.name, event.payload or b"")
        return starting

    def _after_commit(self, live: LiveRun, append: Append) -> None:
        failpoints.reach("after_commit")
        if append.release and append.next_timer is not None and not append.add_tasks:
            failpoints.reach("during_sleep")
        if append.open_tokens:
            failpoints.reach("waiting_for_hook")
        for said in live.take_utterances():
            tell(said)

    # -- inline steps --------------------------------------------------------------------------

    def _start_body(self, event: NewEvent) -> None:
        self._bodies[event.ref] = asyncio.create_task(self._body(event), name=event.ref)

    async def _body(self, event: NewEvent) -> None:
        live = self._live
        assert live is not None
        worker = self.worker
        step = worker.project.registry.find_step(event.name)
        codec = worker.codec
        context = context_of(
            worker,
            run_id=self.run_id,
            step_id=event.ref,
            step=step,
            attempt=1,
            workflow=live.workflow,
            workflow_started_at=live.started_at,
            base_url=live.base_url,
            parent=live.parent,
            root=live.root,
            codec=codec,
            fence=self.fence,
        )
        try:
            async with worker.slots.take():
                outcome = await run_attempt(
                    step,
                    event.payload or b"",
                    context,
                    worker.world,
                    codec,
                    worker.processes,
                    worker=worker.id,
                )
        except Unfit:
            # Another worker's step may take them; see `Stranded` for when none does.
            if self._bodies.pop(event.ref, None) is not None:
                self._unbegun.append(event.ref)
            self.look()
            return
        except Superseded:
            self._bodies.pop(event.ref, None)
            self.look()  # reading the run again shows that it is not ours
            return
        # A body that swallowed its cancellation may come back when nobody waits for it any more.
        if self._bodies.get(event.ref) is asyncio.current_task():
            del self._bodies[event.ref]
            self._results.append((event.ref, outcome))
            self._wake.set()
        else:
            write_out(self.worker, getattr(outcome, "returned", None), recorded=False)

    def _stop_body(self, ref: str) -> None:
        body = self._bodies.pop(ref, None)
        if body is not None:
            body.cancel()

    # -- the ways out --------------------------------------------------------------------------

    def _drop(self) -> None:
        for ref in list(self._bodies):
            self._stop_body(ref)
        dropped = [getattr(outcome, "returned", None) for _, outcome in self._results]
        for returned in (*self._returned, *dropped):
            write_out(self.worker, returned, recorded=False)
        self._results.clear()
        self._returned.clear()
        self._pending.clear()
        if self._live is not None:
            self._live.close()
            self._live = None

    async def _park(self, code: str, reason: str, position: int = 0) -> None:
        log.error("%s is parked: %s", self.run_id, reason)
        parked = Parked(code=code, reason=reason, position=position)
        await self.worker.world.park(self.run_id, self.worker.id, self.fence, parked)
