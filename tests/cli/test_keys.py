"""`wfc inspect keys`: which keys are set, and which ones open runs need."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from wfc.cli import main
from workflow.codec.encryption import key_id
from workflow.engine.sealing import sealing
from workflow.world.records import NewRun
from workflow.worlds.local import create_local_world

OLD, NEW, OTHER = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2, 3))


def name(key: str) -> str:
    return key_id(base64.b64decode(key)).hex()


def look(folder: Path, *arguments: str) -> Result:
    command = ["inspect", "keys", *arguments, "--root", str(folder)]
    return CliRunner().invoke(main, command, catch_exceptions=False)


def create(folder: Path, *run_ids: str) -> None:
    """Start runs with the keys that are set."""

    async def creating() -> None:
        world = create_local_world(folder / ".workflow-data")
        await world.open()
        for run_id in run_ids:
            new = NewRun(run_id=run_id, workflow="w", input=b"devl[1]", meta=b"{}")
            await sealing(world).create(new)
        await world.close()

    asyncio.run(creating())


def test_keys_are_counted_by_their_ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same id for all runs of a key, in the order of the setting; what is missing is said, and
    no key is shown."""
    monkeypatch.delenv("WORKFLOW_ENCRYPTION_KEYS", raising=False)
    create(tmp_path, "wrun_1")
    nothing = look(tmp_path)
    assert nothing.exit_code == 0
    assert nothing.stderr == "no keys are set, and no open run needs one\n"
    monkeypatch.setenv("WORKFLOW_ENCRYPTION_KEYS", OLD)
    create(tmp_path, "wrun_2", "wrun_3")
    monkeypatch.setenv("WORKFLOW_ENCRYPTION_KEYS", f"{NEW},{OLD}")
    create(tmp_path, "wrun_4")
    found = look(tmp_path)
    assert found.exit_code == 0, found.output
    assert [line.split() for line in found.stdout.splitlines()] == [
        ["KEY", "USE", "OPEN", "RUNS"],
        [name(NEW), "encrypts", "1"],
        [name(OLD), "decrypts", "2"],
        ["none", "not", "encrypted", "1"],
    ]
    monkeypatch.setenv("WORKFLOW_ENCRYPTION_KEYS", f"{OTHER},{NEW}")
    less = look(tmp_path, "--json")
    assert less.exit_code == 1
    assert json.loads(less.stdout) == [
        {"key": name(OTHER), "use": "encrypts", "open_runs": 0},
        {"key": name(NEW), "use": "decrypts", "open_runs": 1},
        {"key": name(OLD), "use": "missing", "open_runs": 2},
        {"key": None, "use": "not encrypted", "open_runs": 1},
    ]
    assert not any(key in found.output + less.output for key in (OLD, NEW, OTHER))
    monkeypatch.setenv("WORKFLOW_ENCRYPTION_KEYS", "short")
    wrong = look(tmp_path)
    assert wrong.exit_code == 2
    assert "is not 32 bytes in base64" in wrong.output
