"""The files of a folder: how processes see that others live, and who may read them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from workflow.world.records import NewRun
from workflow.worlds.local import create_local_world
from workflow.worlds.local.leases import LifeSigns


def test_a_worker_that_dies_while_somebody_sweeps_is_seen_to_be_dead(tmp_path: Path) -> None:
    """Whoever was alive when leases were looked at keeps the file: without it, the death would be
    noticed only when the lease has run out."""
    ours, theirs = LifeSigns(tmp_path / "workers"), LifeSigns(tmp_path / "workers")
    theirs.show("ann")
    theirs.show("bob")
    assert not ours.is_dead("ann")
    theirs.close()  # as the kernel does it when the process dies
    ours.sweep(keep={"ann"})
    assert ours.is_dead("ann")
    assert not ours.is_dead("bob")  # nobody listed it any more, and its file is gone
    assert len(list((tmp_path / "workers").iterdir())) == 1


def test_only_the_owner_reads_what_is_kept(tmp_path: Path) -> None:
    """The files hold payloads and keys, and the folder may have been there before, open to all."""
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(0o755)

    async def main() -> set[str]:
        world = create_local_world(folder)
        await world.open()
        try:
            await world.create(NewRun(run_id="run", workflow="flow", input=b"", meta=b"{}"))
            kept = [file for file in folder.rglob("*") if file.is_file()]
            return {file.name for file in kept if file.stat().st_mode & 0o077}
        finally:
            await world.close()

    assert asyncio.run(main()) <= {".gitignore"}


def test_a_folder_of_other_things_keeps_them(tmp_path: Path) -> None:
    """What version control is told about a folder that was not empty stays as it was said, and what
    lies among our sockets and is none is not deleted; a folder of our own is left out of it."""

    async def write_in(folder: Path) -> None:
        one, two = create_local_world(folder), create_local_world(folder)
        await one.open()
        (folder / "wake" / "diary.txt").write_text("dear diary")
        await two.open()
        try:
            await one.create(NewRun(run_id="run", workflow="flow", input=b"", meta=b"{}"))
        finally:
            await one.close()
            await two.close()

    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    theirs.mkdir()
    (theirs / ".gitignore").write_text("*.log\n")
    for folder in (theirs, ours):
        asyncio.run(write_in(folder))
        assert (folder / "wake" / "diary.txt").read_text() == "dear diary"
    assert (theirs / ".gitignore").read_text() == "*.log\n"
    assert (ours / ".gitignore").read_text() == "*\n"
