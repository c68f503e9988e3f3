"""Runs whose values are encrypted or compressed: what the storage sees, and a missing key."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests import postgres
from tests.project import build, loaded, until
from workflow import web
from workflow.api import get_hook_by_token, get_run, list_hooks, resume_hook, start
from workflow.codec.encryption import key_id
from workflow.engine import Application
from workflow.engine.sealing import sealing
from workflow.errors import DecryptionError, WorkflowRunFailedError, WorldError
from workflow.world import records
from workflow.world.port import World
from workflow.worlds import local, memory

SECRET = "swordfish"  # stands in every value of the run, and may stand nowhere in the storage
OLD, NEW = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))

FLOWS = """
    import asyncio

    from workflow import (
        FatalError, Response, create_hook, create_webhook, get_writable, step_options
    )
    from workflow.api import start

    async def shout(text: str) -> str:
        "use step"
        out = get_writable()
        await out.write("chunk " + text)
        return "result " + text

    async def refuse(text: str) -> None:
        "use step"
        raise FatalError("refused " + text)

    @step_options(max_retries=1, backoff=0)
    async def twice(text: str) -> str:
        "use step"
        raise ValueError("again " + text)

    async def nested(text: str) -> str:
        return await (await start(child, text))

    async def child(text: str) -> str:
        "use workflow"
        if text.startswith("bad"):
            raise ValueError("child " + text)
        return "child " + text

    async def main(text: str) -> list[str]:
        "use workflow"
        said = [await shout(text), await nested(text)]
        for call in (refuse, twice, nested):
            try:
                await call("bad " + text)
            except Exception as error:
                said.append(str(error.__cause__ or error))
        page = Response("static " + text)
        webhook = create_webhook(token="web", respond_with=page, metadata={"m": text})
        said.append(await (await webhook).text())
        said.append(await create_hook(token="go", metadata={"m": text}))
        for fanned in await asyncio.gather(*[shout(f"{text} {n}") for n in range(12)]):
            said.append(fanned)
        return said

    async def fails(text: str) -> None:
        "use workflow"
        await shout(text)
        raise ValueError("run " + text)

    async def naps() -> str:
        "use workflow"
        said = await shout("before")
        await create_hook(token="nap")
        return said
"""


@pytest.fixture(params=["memory", "local", "postgres"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    if request.param == "memory":
        return memory.create()
    if request.param == "local":
        return local.create_local_world(data_dir=tmp_path / "data")
    return postgres.new_world()


async def stored(world: World) -> list[Any]:
    """Everything that can be read of a world, as it lies there."""
    page = await world.list_runs(records.RunFilter(), limit=100)
    found: list[Any] = [*page.items, *await world.list_hooks()]
    for run in page.items:
        found += await world.list_events(run.run_id)
        found += await world.list_tasks(run.run_id)
        found += await world.list_letters(run.run_id)
        for stream in await world.list_streams(run.run_id):
            found += (await world.read_chunks(run.run_id, stream, 0, 100)).chunks
    return found


async def opened_up(world: World, token: str) -> None:
    await until(world, lambda: _has(world, token))


async def _has(world: World, token: str) -> bool:
    return await world.get_hook(token) is not None


def test_nothing_of_a_run_lies_open(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Arguments, results, errors, payloads, chunks and answers are sealed; all of it still works,
    and every turn replays."""
    monkeypatch.setenv("WORKFLOW_ENCRYPTION_KEYS", OLD)
    project = build(tmp_path, FLOWS)
    seen: list[Any] = []

    async def main() -> None:
        async with Application(world, project) as application:
            flows = loaded(tmp_path)
            run = await start(flows.main, SECRET)
            await opened_up(world, "web")
            seen.extend(await stored(world))
            request = web.Request("POST", "/", body=f"posted {SECRET}")
            answer = await application.deliver_webhook("web", request)
            assert await answer.text() == f"static {SECRET}"
            await opened_up(world, "go")
            assert (await get_hook_by_token("go")).metadata == {"m": SECRET}
            listed = {hook.token: hook.metadata async for hook in list_hooks()}
            assert listed == {"web": {"m": SECRET}, "go": {"m": SECRET}}
            await resume_hook("go", f"payload {SECRET}")
            said = await run.result(60)
            assert said == [
                f"result {SECRET}",
                f"child {SECRET}",
                f"refused bad {SECRET}",
                f"again bad {SECRET}",
                f"child bad {SECRET}",
                f"posted {SECRET}",
                f"payload {SECRET}",
                *[f"result {SECRET} {n}" for n in range(12)],
            ]
            chunks = [chunk async for chunk in run.readable]
            assert len(chunks) == 13
            assert chunks[0] == f"chunk {SECRET}"
            failed = await start(flows.fails, SECRET)
            with pytest.raises(WorkflowRunFailedError, match=f"run {SECRET}"):
                await failed.result(60)
            seen.extend(await stored(world))

    asyncio.run(main())
    text = "\n".join(map(repr, seen))
    assert len(seen) > 80
    assert "encr" in text
    assert SECRET not in text
    hidden = base64.b64encode(f"static {SECRET}".encode())[:12].decode()
    assert hidden not in text


async def napping(world: World, project: Any, flows: Any) -> str:
    """A run that waits for its hook, on a world that is open no more."""
    async with Application(world, project):
        run = await start(flows.naps)
        await opened_up(world, "nap")
    run_id: str = run.run_id
    return run_id


def keeping(tmp_path: Path) -> Callable[[], World]:
    return lambda: local.create_local_world(data_dir=tmp_path / "data")


@pytest.mark.parametrize("keys", [None, NEW], ids=["no key", "another key"])
def test_a_run_without_its_key_is_parked_until_the_key_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: str | None
) -> None:
    """A worker without the key parks the run with that reason; with the key it goes on."""
    project, again = build(tmp_path, FLOWS), keeping(tmp_path)
    flows = loaded(tmp_path)

    async def main() -> None:
        monkeypatch.setenv("WORKFLOW_ENCRYPTION_KEYS", OLD)
        run_id = await napping(again(), project, flows)
        monkeypatch.delenv("WORKFLOW_ENCRYPTION_KEYS")
        if keys is not None:
            monkeypatch.setenv("WORKFLOW_ENCRYPTION_KEYS", keys)
        async with Application(again(), project) as application:
            await resume_hook("nap", "now")

            async def parked() -> Any:
                record = await application.world.get_run(run_id)
                return record and record.parked

            await until(application.world, parked)
            record = await application.world.get_run(run_id)
            assert record is not None
            assert record.status == "running"
            assert record.parked is not None
            assert record.parked.code == "decryption"
            assert "does not have that key" in record.parked.reason
            assert f"with the key {key_id(base64.b64decode(OLD)).hex()}" in record.parked.reason
            assert run_id in record.parked.reason
        monkeypatch.setenv("WORKFLOW_ENCRYPTION_KEYS", f"{NEW},{OLD}")
        async with Application(again(), project):
            # what was posted without the key, or with the other one, is read as well
            await get_run(run_id).resume()
            assert await get_run(run_id).result(60) == "result before"

    asyncio.run(main())


def test_keys_can_be_rotated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first key seals; the others still open, in the middle of a run too."""
    project, again = build(tmp_path, FLOWS), keeping(tmp_path)
    flows = loaded(tmp_path)

    async def main() -> None:
        monkeypatch.setenv("WORKFLOW_ENCRYPTION_KEYS", OLD)
        run_id = await napping(again(), project, flows)
        monkeypatch.setenv("WORKFLOW_ENCRYPTION_KEYS", f"{NEW}, {OLD}")
        world = again()
        async with Application(world, project):
            await resume_hook("nap", "now")
            assert await get_run(run_id).result(60) == "result before"
            sealed = [e.payload[5:9] for e in await world.list_events(run_id) if e.payload]
        assert len(set(sealed)) == 2
        assert sealed[-1] != sealed[0]
        monkeypatch.setenv("WORKFLOW_ENCRYPTION_KEYS", NEW)
        async with Application(again(), project, worker=False):
            assert await get_run(run_id).result(60) == "result before"
            (chunk,) = [c.data for c in (await world_of(again, run_id)).chunks]
            assert chunk[:4] == b"encr"
            with pytest.raises(DecryptionError, match="does not have that key"):
                [value async for value in get_run(run_id).readable]

    asyncio.run(main())


async def world_of(again: Callable[[], World], run_id: str) -> records.ChunkPage:
    world = again()
    await world.open()
    (stream,) = await world.list_streams(run_id)
    page = await world.read_chunks(run_id, stream, 0, 10)
    await world.close()
    return page


def test_encryption_can_be_switched_on_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was recorded plain before is read all the same."""
    project, again = build(tmp_path, FLOWS), keeping(tmp_path)
    flows = loaded(tmp_path)

    async def main() -> None:
        monkeypatch.delenv("WORKFLOW_ENCRYPTION_KEYS", raising=False)
        run_id = await napping(again(), project, flows)
        monkeypatch.setenv("WORKFLOW_ENCRYPTION_KEYS", OLD)
        async with Application(again(), project):
            await resume_hook("nap", "now")
            assert await get_run(run_id).result(60) == "result before"

    asyncio.run(main())


def test_a_value_of_another_run_does_not_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes that somebody moved from one run's log into another's park that run."""
    monkeypatch.setenv("WORKFLOW_ENCRYPTION_KEYS", OLD)
    inner = memory.create()
    world = sealing(inner)

    async def main() -> None:
        await world.open()
        for name in ("wrun_a", "wrun_b"):
            await world.create(
                records.NewRun(run_id=name, workflow="w", input=b"devl[1]", meta=b"{}")
            )
        stolen = await inner.get_run("wrun_a")
        assert stolen is not None
        moved = records.NewRun(run_id="wrun_c", workflow="w", input=stolen.input, meta=b"{}")
        await inner.create(moved)
        assert (await world.load("wrun_b")).run.input == b"devl[1]"
        with pytest.raises(DecryptionError, match="sealed for wrun_a stands in the log of wrun_c"):
            await world.load("wrun_c")
        renamed = stolen.input.replace(b"wrun_a", b"wrun_d")
        await inner.create(records.NewRun(run_id="wrun_d", workflow="w", input=renamed, meta=b"{}"))
        with pytest.raises(DecryptionError, match="bytes were changed") as caught:
            await world.load("wrun_d")
        assert caught.value.position == 1
        changed = stolen.input[:-1] + bytes([stolen.input[-1] ^ 1])
        listed = await sealing(await _with_input(changed)).get_run("wrun_a")
        assert listed is not None
        assert listed.input == changed
        with pytest.raises(DecryptionError, match="bytes were changed"):
            await sealing(await _with_input(changed)).load("wrun_a")

    asyncio.run(main())


async def _with_input(data: bytes) -> World:
    world = memory.create()
    await world.open()
    await world.create(records.NewRun(run_id="wrun_a", workflow="w", input=data, meta=b"{}"))
    return world


class _Given(memory.MemoryWorld):
    """A world with keys of its own, for some runs only."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: list[bytes] = [b"k" * 32]

    async def encryption_keys(self, run_id: str) -> Sequence[bytes]:
        return self.keys if "secret" in run_id else []


def test_a_world_may_give_the_keys() -> None:
    """`encryption_keys` is asked for each run; a key it lacks now is asked for again later."""

    async def main() -> None:
        inner = _Given()
        world = sealing(inner)
        await world.open()
        for name in ("wrun_secret", "wrun_plain"):
            await world.create(
                records.NewRun(run_id=name, workflow="w", input=b"devl[1]", meta=b"{}")
            )
        sealed, plain = [await inner.get_run(n) for n in ("wrun_secret", "wrun_plain")]
        assert sealed is not None and plain is not None  # noqa: PT018
        assert (sealed.input[:4], plain.input) == (b"encr", b"devl[1]")
        other = _Given()
        other.keys = [b"n" * 32]
        await other.open()
        await other.create(
            records.NewRun(run_id="wrun_secret", workflow="w", input=sealed.input, meta=b"{}")
        )
        reader = sealing(other)
        with pytest.raises(DecryptionError):
            await reader.load("wrun_secret")
        other.keys = [b"n" * 32, b"k" * 32]
        assert (await reader.load("wrun_secret")).run.input == b"devl[1]"
        other.keys = [b"short"]
        with pytest.raises(WorldError, match="32 bytes"):
            await reader.create(
                records.NewRun(run_id="wrun_secret2", workflow="w", input=b"", meta=b"{}")
            )

    asyncio.run(main())


@pytest.mark.parametrize(
    "keys", ["abc", "x", f"{OLD},", base64.b64encode(b"16 bytes of key!").decode()]
)
def test_a_wrong_key_setting_is_refused_at_once(monkeypatch: pytest.MonkeyPatch, keys: str) -> None:
    """What is no key is a WorldError at the start, and the message does not show the setting."""
    monkeypatch.setenv("WORKFLOW_ENCRYPTION_KEYS", keys)
    with pytest.raises(WorldError, match="is not 32 bytes in base64") as caught:
        sealing(memory.create())
    assert keys not in str(caught.value)


def test_without_settings_the_world_is_used_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing stands between the engine and the world while values are stored plain."""
    monkeypatch.delenv("WORKFLOW_ENCRYPTION_KEYS", raising=False)
    monkeypatch.delenv("WORKFLOW_COMPRESS_ABOVE", raising=False)
    world = memory.create()
    assert sealing(world) is world


# -- compression -----------------------------------------------------------------------------


def test_large_values_are_compressed_and_read_without_the_setting(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values above the threshold take less room; runs go on when it is switched off again."""
    monkeypatch.setenv("WORKFLOW_COMPRESS_ABOVE", "1000")
    project = build(tmp_path, FLOWS)
    long = "a fairly long text " * 200

    async def first() -> str:
        async with Application(world, project):
            run = await start(loaded(tmp_path).main, long)
            await opened_up(world, "web")
            run_id: str = run.run_id
            return run_id

    async def second(run_id: str) -> None:
        assert sealing(world) is world
        async with Application(world, project) as application:
            sizes = [
                (event.payload or b"")[:4]
                for event in await world.list_events(run_id)
                if event.type in ("run_created", "step_created", "step_completed", "step_failed")
            ]
            assert set(sizes) == {b"gzip"}
            await application.deliver_webhook("web", web.Request("POST", "/", body="x"))
            await opened_up(world, "go")
            await resume_hook("go", "y")
            said = await get_run(run_id).result(60)
            assert said[0] == f"result {long}"
            chunks = [chunk async for chunk in get_run(run_id).readable]
            assert chunks[0] == f"chunk {long}"

    run_id = asyncio.run(first())
    monkeypatch.delenv("WORKFLOW_COMPRESS_ABOVE")
    asyncio.run(second(run_id))


def test_compression_lies_inside_of_encryption(monkeypatch: pytest.MonkeyPatch) -> None:
    """With both, the sealed bytes are the smaller ones."""
    monkeypatch.setenv("WORKFLOW_COMPRESS_ABOVE", "100")
    monkeypatch.setenv("WORKFLOW_ENCRYPTION_KEYS", OLD)
    inner = memory.create()

    async def main() -> None:
        world = sealing(inner)
        await world.open()
        data = b'devl["' + b"x" * 10_000 + b'"]'
        await world.create(records.NewRun(run_id="wrun_a", workflow="w", input=data, meta=b"{}"))
        raw = await inner.get_run("wrun_a")
        assert raw is not None
        assert raw.input[:4] == b"encr"
        assert len(raw.input) < 200
        assert (await world.load("wrun_a")).run.input == data

    asyncio.run(main())


@pytest.mark.parametrize("text", ["1k", "-1", "0.5"])
def test_a_wrong_threshold_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """The setting is a number of bytes."""
    monkeypatch.setenv("WORKFLOW_COMPRESS_ABOVE", text)
    with pytest.raises(WorldError, match="give a number of bytes"):
        sealing(memory.create())


# -- completeness ----------------------------------------------------------------------------

# What crosses the port and holds no value of a run's.
PASSED_ON = {
    "park", "unpark", "put_bundle", "get_bundle", "prune", "prune_bundles", "beat", "list_workers",
    "leave", "wait_for_change", "list_streams", "secret", "open", "close", "now",
}  # fmt: skip
BYTES = {
    "NewRun.input", "NewRun.meta", "RunRecord.input", "RunRecord.output", "Letter.payload",
    "Letter.meta", "NewTask.payload", "NewTask.error", "NewTask.meta", "Task.payload", "Task.error",
    "Task.meta", "NewToken.metadata", "NewToken.meta", "HookRecord.metadata", "HookRecord.meta",
    "Append.output", "Finish.error", "ChunkWrite.chunks", "Chunk.data", "Event.payload",
    "Event.meta", "NewEvent.payload", "NewEvent.meta",
}  # fmt: skip


def test_every_method_of_the_port_is_thought_of() -> None:
    """A method that is added to the port is either sealed or said to carry no values."""
    kind = type(sealing(_Given()))
    methods = {
        name
        for part in World.__mro__
        for name, found in vars(part).items()
        if callable(found) and not name.startswith("_")
    }
    assert methods - set(vars(kind)) == PASSED_ON
    assert PASSED_ON.isdisjoint(vars(kind))


def test_every_field_of_bytes_is_thought_of() -> None:
    """A record that gets a field of bytes has to be looked at by whoever adds it."""
    found = set()
    for name in records.__all__:
        kind = getattr(records, name)
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            fields = msgspec.structs.fields(kind)
            found |= {f"{name}.{each.name}" for each in fields if "bytes" in str(each.type)}
    assert found == BYTES
