"""Would the open runs of a world go on after a deploy? Nothing is changed by asking.

A run goes on under the orchestration code it was begun with, so for each run that code is replayed
against the run's log, with the Python and the sandbox of this process. Steps are those of the new
build: what the run waits for must be there, and take the recorded arguments.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from msgspec.structs import replace

from workflow.engine.changes import changes
from workflow.engine.cold import PYTHON, cold_copy
from workflow.engine.project import Project
from workflow.engine.steps import Unfit, prepared
from workflow.engine.worker import Worker
from workflow.errors import SerializationError, WorkflowError
from workflow.events import Event, NewEvent
from workflow.policy.names import short_name
from workflow.replay.live import LiveRun
from workflow.world.port import World
from workflow.world.records import RunFilter, RunRecord

__all__ = ["Trial", "Verdict", "examine"]


@dataclass(frozen=True)
class Verdict:
    """What is to be expected of one open run.

    `problems` are the reasons why it would not continue; without any it does. `old_code` says that
    it stays under the bundle it was begun with. For such a run `under_new` is how the new code
    would diverge from its log (empty when it would not), and `missing` are steps its code may still
    call that the new build does not have; `changed` says what the new build has changed of the
    steps and classes that its code uses.
    """

    run_id: str
    workflow: str
    bundle: str
    old_code: bool
    problems: tuple[str, ...] = ()
    under_new: str = ""
    missing: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def continues(self) -> bool:
        return not self.problems


async def examine(world: World, project: Project) -> AsyncIterator[Verdict]:
    """Look at every open run of an opened world, newest first. Writes nothing."""
    worker = Worker(world, project)  # never started: it only reads bundles and makes codecs
    old = _OldCode(worker)
    for status in ("pending", "running", "paused"):
        cursor: str | None = None
        while True:
            page = await world.list_runs(RunFilter(status=status), limit=200, cursor=cursor)
            for run in page.items:
                yield await _verdict(worker, old, run)
            cursor = page.cursor
            if cursor is None:
                break


class Trial:
    """Whether runs could go on with the orchestration code of `project` instead of their own."""

    def __init__(self, world: World, project: Project) -> None:
        self._worker = Worker(world, project)  # never started

    async def obstacle(self, run: RunRecord) -> str:
        """Why a run could not; empty when it could. Replays its log, and writes nothing."""
        worker = self._worker
        log = (await worker.world.load(run.run_id)).events
        moved = replace(run, bundle=worker.project.bundle.hash)
        copy, why = await _replayed(worker, moved, log)
        if copy is not None:
            copy.close()
        return why


class _OldCode:
    """What bundles that runs are pinned to have in common with the new build; looked up once."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._found: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}

    async def compared(self, bundle: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The steps that are missing, and what has changed of the others and of the classes."""
        if bundle not in self._found:
            self._found[bundle] = await self._compare(bundle)
        return self._found[bundle]

    async def _compare(self, bundle: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        worker = self._worker
        try:
            program = await worker.program(bundle)
        except WorkflowError:
            return (), ()  # the replay says why
        registry = worker.project.registry
        missing = tuple(sorted(set(program.bundle.steps) - set(registry.steps)))
        return missing, changes(program.bundle, program.instantiate(), registry)


async def _verdict(worker: Worker, old: _OldCode, run: RunRecord) -> Verdict:
    project = worker.project
    new = project.bundle.hash
    bundle = run.bundle or new
    log = (await worker.world.load(run.run_id)).events
    problems: list[str] = []
    notes: list[str] = []
    if run.parked is not None:
        notes.append(f"it is parked already ({run.parked.code}): {run.parked.reason}")
    if run.python not in (None, PYTHON):
        notes.append(f"begun under Python {run.python}, replayed here under {PYTHON}")
    live, difference = await _replayed(worker, run, log)
    if difference:
        problems.append(difference)
    if live is not None:
        problems += _unfit_calls(worker, live, log)
        live.close()
    under_new = ""
    missing: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    if bundle != new:
        copy, under_new = await _replayed(worker, replace(run, bundle=new), log)
        if copy is not None:
            copy.close()
        missing, changed = await old.compared(bundle)
    return Verdict(
        run_id=run.run_id,
        workflow=run.workflow,
        bundle=bundle,
        old_code=bundle != new,
        problems=tuple(problems),
        under_new=under_new,
        missing=missing,
        changed=changed,
        notes=tuple(notes),
    )


async def _replayed(
    worker: Worker, run: RunRecord, log: tuple[Event, ...]
) -> tuple[LiveRun | None, str]:
    """A live copy at the end of the log, or why there is none."""
    pending: deque[NewEvent] = deque()
    try:
        return await cold_copy(worker, run, log, pending), ""
    except SerializationError as error:
        return None, f"the value at position {error.position} of its log cannot be read: {error}"
    except WorkflowError as error:
        return None, str(error)
    except Exception as error:  # the module's own top level, under another Python
        return None, f"{type(error).__name__}: {error}"


def _unfit_calls(worker: Worker, live: LiveRun, log: tuple[Event, ...]) -> list[str]:
    """Open step calls that the new build cannot do."""
    found = []
    for event in log:
        if event.type != "step_created" or event.ref not in live.steps:
            continue
        step = worker.project.registry.steps.get(event.name)
        if step is None:
            found.append(
                f"it waits for the step {short_name(event.name)!r} ({event.name}), which the new "
                "build does not have"
            )
            continue
        try:
            prepared(step, event.payload or b"", worker.codec)
        except Unfit as error:
            found.append(str(error))
    return found
