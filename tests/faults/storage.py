"""What a process does to a folder of the SQLite world while its kernel refuses it something.

    python -m tests.faults.storage SCENARIO FOLDER

Prints one JSON object: the runs that were acknowledged and the errors, in order.
"""

from __future__ import annotations

import asyncio
import concurrent.futures.thread  # noqa: F401  (what is not read yet, nobody can read later)
import json
import os
import shutil
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.faults import refusals
from workflow.errors import WorldError
from workflow.world.records import Letter, NewRun, RunFilter, WorkerRecord
from workflow.worlds.local import LocalWorld, create_local_world

__all__ = ["main"]

BIG = os.urandom(20_000)


class Account:
    """Writes to a world, and what came of it."""

    def __init__(self, world: LocalWorld) -> None:
        self.world = world
        self.acknowledged: list[str] = []
        self.errors: list[str] = []

    async def create(self, times: int, *, input: bytes = BIG) -> None:
        """Start runs, whether it works or not."""
        for _ in range(times):
            name = f"r{len(self.acknowledged) + len(self.errors):03}"
            try:
                await self.world.create(NewRun(run_id=name, workflow="f", input=input, meta=b"{}"))
            except WorldError as error:
                self.errors.append(str(error))
            else:
                self.acknowledged.append(name)

    async def there(self) -> list[str]:
        """The runs that can be read."""
        return sorted(r.run_id for r in (await self.world.list_runs(RunFilter(), limit=999)).items)


async def full(account: Account, folder: Path) -> None:
    """The disk fills up, and somebody makes room."""
    await account.create(5)
    with refusals.short_files(700_000):
        await account.create(60)
        assert account.errors, "there was room"
        assert await account.there() == account.acknowledged
    before = len(account.acknowledged)
    await account.create(20)
    assert len(account.acknowledged) == before + 20


async def small(account: Account, folder: Path) -> None:
    """The same on a file system without room, until a large file of somebody else is deleted."""
    ballast = folder / "ballast"
    ballast.write_bytes(bytes(600_000))
    while not account.errors:
        await account.create(1)
    await account.create(5)
    assert await account.there() == account.acknowledged
    ballast.unlink()
    before = len(account.acknowledged)
    await account.create(10, input=b"")
    assert len(account.acknowledged) == before + 10


async def unsynced(account: Account, folder: Path) -> None:
    """Syncs fail: nothing is acknowledged that may not be on the disk."""
    await account.create(3)
    refusals.no_sync()
    await account.create(3)
    assert len(account.errors) == 3, account.acknowledged


async def deleted(account: Account, folder: Path) -> None:
    """Somebody deletes the folder: what is written then would be nowhere."""
    await account.create(2)
    shutil.rmtree(folder)
    await account.create(3)
    try:
        await account.world.beat(WorkerRecord(worker="ann", lease_until=2**50))
    except WorldError as error:
        account.errors.append(str(error))
    assert len(account.errors) == 4


async def replaced(account: Account, folder: Path) -> None:
    """Somebody puts another file in the place of the database."""
    await account.create(2)
    shutil.copyfile(folder / "workflow.db", folder / "other.db")
    (folder / "other.db").replace(folder / "workflow.db")
    await account.create(1, input=bytes(5_000_000))  # so much that the log is moved
    until = time.monotonic() + 60
    while not account.errors:
        assert time.monotonic() < until, "nobody noticed"
        await account.create(1, input=b"")
    await account.world.close()
    account.acknowledged.clear()


async def many_files(account: Account, folder: Path) -> None:
    """Files run out, and come back."""
    await account.create(2)
    with refusals.few_files(0):
        await account.create(3)
        second = create_local_world(folder)
        try:
            await second.open()
        except WorldError as error:
            account.errors.append(str(error))
        await second.close()
    before = len(account.acknowledged)
    await account.create(3)
    assert (await account.world.post("r000", Letter(kind="wake"))).outcome == "posted"
    assert len(account.acknowledged) == before + 3


SCENARIOS: dict[str, Callable[[Account, Path], Awaitable[None]]] = {
    "full": full,
    "small": small,
    "unsynced": unsynced,
    "deleted": deleted,
    "replaced": replaced,
    "many_files": many_files,
}


async def read_only(folder: Path) -> list[str]:
    """Opening a folder that belongs to somebody else."""
    refusals.as_ordinary_user()
    world = create_local_world(folder)
    try:
        await world.open()
    except WorldError as error:
        return [str(error)]
    await world.close()
    return []


async def main(scenario: str, folder: Path) -> None:
    """Play one scenario."""
    if scenario == "read_only":
        print(json.dumps({"acknowledged": [], "errors": await read_only(folder)}))
        return
    world = create_local_world(folder)
    await world.open()
    account = Account(world)
    await SCENARIOS[scenario](account, folder)
    await world.close()
    if scenario == "small":  # nobody else can see that disk
        await world.open()
        assert await account.there() == account.acknowledged
        await world.close()
    print(json.dumps({"acknowledged": account.acknowledged, "errors": account.errors}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
