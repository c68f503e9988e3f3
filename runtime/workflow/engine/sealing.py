"""The world as the engine sees it where values are compressed or encrypted.

Everything above the world works with plain values: replay compares them byte by byte, and two
sealings of one value are never alike. So the layers are added in the last moment before bytes go to
the world, and taken off in the first after they come back. Compression lies inside, as sealed bytes
cannot be compressed.

Names, attributes, tokens, times and reasons stay plain: consoles, queries and the world's own rules
read them. Of `meta` two things are no metadata but data: the text of a step's error, of which the
class is left, and the static response of a webhook, which is sealed.

What was sealed for a run opens in that run only. The letter with a child's outcome was sealed by
the child, whose id it names. The letter with a payload for a hook was sealed for the run that had
the token when it was looked up; if another run has got it since, it is that run's all the same.
What a run takes out of its mail and into its log is sealed afresh.
"""

from __future__ import annotations

import base64
import logging
import os
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

import msgspec
from msgspec.structs import replace

from workflow.codec.compression import compressed, uncompressed
from workflow.codec.encryption import RunKey, sealed, sealed_for
from workflow.codec.layers import MAX_VALUE, TAG, layered
from workflow.engine.keys import Keys, compress_above, keys_of
from workflow.errors import SerializationError, WorldError
from workflow.events import NewEvent
from workflow.world.port import World
from workflow.world.records import (
    Append,
    Appended,
    ChunkPage,
    ChunkWrite,
    Claimed,
    Created,
    Event,
    Finish,
    HookFilter,
    HookPage,
    HookRecord,
    Letter,
    Loaded,
    NewRun,
    NewTask,
    NewToken,
    Page,
    Posted,
    RunFilter,
    RunRecord,
    Task,
)

__all__ = ["sealing"]

log = logging.getLogger("workflow.engine")

E = TypeVar("E", bound=NewEvent)
T = TypeVar("T", bound=NewTask)
L = TypeVar("L", NewToken, HookRecord)

_STEP_ENDS = ("step_completed", "step_failed")
_HOOKS = ("hook_requested", "hook_created")
_SETTINGS = ("WORKFLOW_ENCRYPTION_KEYS", "WORKFLOW_COMPRESS_ABOVE")
_made: WeakKeyDictionary[World, tuple[list[str | None], World]] = WeakKeyDictionary()


def sealing(world: World) -> World:
    """`world` itself, or around it what compresses and encrypts as the environment or it says.

    Raises WorldError for settings that cannot work.
    """
    if isinstance(world, _Sealing):
        return cast(World, world)
    settings = [os.environ.get(name) for name in _SETTINGS]
    made = _made.get(world)
    if made is not None and made[0] == settings:
        return made[1]  # it knows the keys of runs already
    keys, above = keys_of(world, os.environ), compress_above(os.environ)
    if keys is None and above is None:
        return world
    found = cast(World, _Sealing(world, keys or Keys(), above))
    _made[world] = (settings, found)
    return found


class _Writer:
    """Puts the layers around what one run hands to the world."""

    def __init__(self, run_id: str, key: RunKey | None, above: int | None) -> None:
        self._run_id = run_id
        self._key = key
        self._above = above

    def data(self, data: bytes) -> bytes:
        if self._above is not None:
            data = compressed(data, self._above)
        return data if self._key is None else sealed(data, self._key, self._run_id, os.urandom)

    def maybe(self, data: bytes | None) -> bytes | None:
        return None if data is None else self.data(data)

    def event(self, event: NewEvent) -> NewEvent:
        meta = event.meta
        if event.type in _STEP_ENDS:
            meta = self._summary(meta)
        elif event.type in _HOOKS:
            meta = self._response(meta)
        return replace(event, payload=self.maybe(event.payload), meta=meta)

    def letter(self, letter: Letter) -> Letter:
        meta = self._summary(letter.meta) if letter.kind in _STEP_ENDS else letter.meta
        return replace(letter, payload=self.maybe(letter.payload), meta=meta)

    def task(self, task: NewTask) -> NewTask:
        return replace(task, payload=self.data(task.payload), error=self.maybe(task.error))

    def token(self, token: NewToken) -> NewToken:
        return replace(token, metadata=self.maybe(token.metadata), meta=self._response(token.meta))

    def _summary(self, meta: bytes | None) -> bytes | None:
        """The class of a step's error without its message."""
        if self._key is None or meta is None:
            return meta
        about = msgspec.json.decode(meta)
        if "error" in about:
            about["error"] = about["error"].partition(":")[0].partition("\n")[0]
        return msgspec.json.encode(about)

    def _response(self, meta: bytes | None) -> bytes | None:
        if self._key is None or meta is None:
            return meta
        about = msgspec.json.decode(meta)
        if "response" in about:
            plain = base64.b64decode(about["response"])
            about["response"] = base64.b64encode(self.data(plain)).decode()
        return msgspec.json.encode(about)


class _Sealing:
    """A world whose values are compressed above `above` bytes and sealed with `keys`."""

    def __init__(self, world: World, keys: Keys, above: int | None) -> None:
        self._world = world
        self._keys = keys
        self._above = above
        self._unopened: dict[str, list[Task]] = {}  # claimed, while their keys were away

    def __getattr__(self, name: str) -> Any:
        # All that carries no values; a test holds the two lists together.
        found = getattr(self._world, name)
        return self._creating(found) if name == "create_on" else found

    async def _writer(self, run_id: str) -> _Writer:
        keys = await self._keys.of(run_id)
        return _Writer(run_id, keys[0] if keys else None, self._above)

    # -- what is written -----------------------------------------------------------------------

    async def create(self, run: NewRun) -> Created:
        return await self._world.create(await self._new_run(run))

    def _creating(self, create_on: Callable[..., Awaitable[Created]]) -> Any:
        async def create(connection: Any, run: NewRun) -> Created:
            return await create_on(connection, await self._new_run(run))

        return create

    async def _new_run(self, run: NewRun) -> NewRun:
        return replace(run, input=(await self._writer(run.run_id)).data(run.input))

    async def post(self, run_id: str, letter: Letter) -> Posted:
        return await self._world.post(run_id, (await self._writer(run_id)).letter(letter))

    async def post_to_token(self, token: str, letter: Letter) -> Posted:
        hook = await self._world.get_hook(token)
        if hook is None:
            return Posted(outcome="missing")
        writer = await self._writer(hook.run_id)
        return await self._world.post_to_token(token, writer.letter(letter))

    async def append(self, append: Append) -> Appended:
        writer = await self._writer(append.run_id)
        letters = [(to, (await self._writer(to)).letter(each)) for to, each in append.letters]
        done = await self._world.append(
            replace(
                append,
                events=tuple(map(writer.event, append.events)),
                add_tasks=tuple(map(writer.task, append.add_tasks)),
                open_tokens=tuple(map(writer.token, append.open_tokens)),
                children=tuple([await self._new_run(child) for child in append.children]),
                letters=tuple(letters),
                output=writer.maybe(append.output),
            )
        )
        if not done.opened:
            return done
        return replace(done, opened=await self._events(done.opened, append.run_id, strict=True))

    async def terminate(self, run_id: str, event: NewEvent, output: bytes, code: str) -> bool:
        writer = await self._writer(run_id)
        return await self._world.terminate(run_id, writer.event(event), writer.data(output), code)

    async def finish_tasks(self, finishes: Sequence[Finish]) -> tuple[bool, ...]:
        given: list[Finish] = []
        for finish in finishes:
            writer = await self._writer(finish.run_id)
            letter = None if finish.letter is None else writer.letter(finish.letter)
            given.append(replace(finish, letter=letter, error=writer.maybe(finish.error)))
        return await self._world.finish_tasks(given)

    async def write_chunks(self, write: ChunkWrite) -> int | None:
        writer = await self._writer(write.of or write.run_id)
        return await self._world.write_chunks(
            replace(write, chunks=tuple(map(writer.data, write.chunks)))
        )

    # -- what is read --------------------------------------------------------------------------

    async def load(self, run_id: str, *, after: int = 0, limit: int = 256) -> Loaded:
        """As the world's. Raises DecryptionError, with the position, for what does not open."""
        loaded = await self._world.load(run_id, after=after, limit=limit)
        events = await self._events(loaded.events, run_id, strict=True)
        letters = await self._letters(loaded.letters, run_id, strict=True)
        return replace(loaded, run=await self._run(loaded.run), events=events, letters=letters)

    async def claim_runs(self, worker: str, limit: int) -> Claimed:
        claimed = await self._world.claim_runs(worker, limit)
        runs: list[RunRecord] = []
        for run in claimed.runs:
            try:
                runs.append(await self._run(run))
            except WorldError:  # of the keys; whoever loads the run is told
                runs.append(run)
        return replace(claimed, runs=tuple(runs)) if runs else claimed

    async def claim_tasks(
        self, worker: str, limit: int, names: Collection[str]
    ) -> tuple[Task, ...]:
        """As the world's. A task that cannot be opened because its keys are away comes with a later
        claim: it is the worker's by now, and nobody else would get it."""
        claimed = await self._world.claim_tasks(worker, limit, names)
        before = self._unopened.pop(worker, ())
        opened: list[Task] = []
        left: list[Task] = []
        for task in (*before, *claimed):
            try:
                opened += await self._tasks([task])
            except WorldError as error:
                left.append(task)
                if task not in before:
                    log.warning("%s waits for its keys: %s", task.step_id, error)
        if left:
            self._unopened[worker] = left
        return tuple(opened)

    async def list_unclaimed(self, names: Collection[str], *, limit: int = 100) -> tuple[Task, ...]:
        return await self._tasks(await self._world.list_unclaimed(names, limit=limit))

    async def get_run(self, run_id: str) -> RunRecord | None:
        run = await self._world.get_run(run_id)
        return None if run is None else await self._run(run)

    async def list_runs(
        self, where: RunFilter, *, limit: int = 50, cursor: str | None = None
    ) -> Page:
        page = await self._world.list_runs(where, limit=limit, cursor=cursor)
        return replace(page, items=await self._runs(page.items))

    async def list_events(
        self, run_id: str, *, after: int = 0, limit: int = 1000
    ) -> tuple[Event, ...]:
        events = await self._world.list_events(run_id, after=after, limit=limit)
        return await self._events(events, run_id)

    async def list_tasks(self, run_id: str) -> tuple[Task, ...]:
        return await self._tasks(await self._world.list_tasks(run_id))

    async def list_letters(self, run_id: str) -> tuple[Letter, ...]:
        return await self._letters(await self._world.list_letters(run_id), run_id)

    async def list_hooks(self, run_id: str | None = None) -> tuple[HookRecord, ...]:
        return tuple([await self._hook(each) for each in await self._world.list_hooks(run_id)])

    async def find_hooks(
        self, where: HookFilter, *, limit: int = 50, cursor: str | None = None
    ) -> HookPage:
        page = await self._world.find_hooks(where, limit=limit, cursor=cursor)
        return replace(page, items=tuple([await self._hook(each) for each in page.items]))

    async def get_hook(self, token: str) -> HookRecord | None:
        hook = await self._world.get_hook(token)
        return None if hook is None else await self._hook(hook)

    async def read_chunks(self, run_id: str, stream: str, start: int, limit: int) -> ChunkPage:
        page = await self._world.read_chunks(run_id, stream, start, limit)
        chunks = [replace(c, data=await self._open(c.data, run_id)) for c in page.chunks]
        return replace(page, chunks=tuple(chunks))

    # -- the layers off ------------------------------------------------------------------------

    async def _open(self, data: bytes, run_id: str | None, *, strict: bool = False) -> bytes:
        """Without `strict`, what does not open stays as it is: whoever decodes it is told."""
        if not layered(data):
            return data
        try:
            writer = sealed_for(data)
            if writer is not None:
                data = await self._keys.opened(data, writer, run_id)
            return uncompressed(data, MAX_VALUE + len(TAG))
        except SerializationError:
            if strict:
                raise
            return data

    async def _maybe(self, data: bytes | None, run_id: str) -> bytes | None:
        return None if data is None else await self._open(data, run_id)

    async def _run(self, run: RunRecord) -> RunRecord:
        given = await self._open(run.input, run.run_id)
        return replace(run, input=given, output=await self._maybe(run.output, run.run_id))

    async def _runs(self, runs: Iterable[RunRecord]) -> tuple[RunRecord, ...]:
        return tuple([await self._run(run) for run in runs])

    async def _events(
        self, events: Iterable[Event], run_id: str, *, strict: bool = False
    ) -> tuple[Event, ...]:
        found: list[Event] = []
        for event in events:
            payload, meta = event.payload, event.meta
            try:
                if payload is not None and layered(payload):
                    payload = await self._open(payload, run_id, strict=strict)
                if event.type in _HOOKS:
                    meta = await self._response(meta, run_id, strict=strict)
            except SerializationError as error:
                error.position = event.seq
                raise
            same = payload is event.payload and meta is event.meta
            found.append(event if same else replace(event, payload=payload, meta=meta))
        return tuple(found)

    async def _letters(
        self, letters: Iterable[Letter], run_id: str, *, strict: bool = False
    ) -> tuple[Letter, ...]:
        found: list[Letter] = []
        for letter in letters:
            if letter.payload is not None and layered(letter.payload):
                writer = _writer_of(letter, run_id)
                payload = await self._open(letter.payload, writer, strict=strict)
                letter = replace(letter, payload=payload)
            found.append(letter)
        return tuple(found)

    async def _tasks(self, tasks: Iterable[Task]) -> tuple[Task, ...]:
        return tuple(
            [
                replace(
                    task,
                    payload=await self._open(task.payload, task.run_id),
                    error=await self._maybe(task.error, task.run_id),
                )
                for task in tasks
            ]
        )

    async def _hook(self, hook: HookRecord) -> HookRecord:
        metadata = await self._maybe(hook.metadata, hook.run_id)
        meta = await self._response(hook.meta, hook.run_id)
        return replace(hook, metadata=metadata, meta=meta)

    async def _response(
        self, meta: bytes | None, run_id: str, *, strict: bool = False
    ) -> bytes | None:
        if meta is None or b'"response"' not in meta:
            return meta
        about = msgspec.json.decode(meta)
        if not isinstance(about.get("response"), str):
            return meta
        found = await self._open(base64.b64decode(about["response"]), run_id, strict=strict)
        about["response"] = base64.b64encode(found).decode()
        return msgspec.json.encode(about)


def _writer_of(letter: Letter, run_id: str) -> str | None:
    """The run that a letter's payload was sealed for; None when it may be any."""
    if letter.kind == "child_ended":
        return letter.ref
    return None if letter.kind == "hook_received" else run_id
