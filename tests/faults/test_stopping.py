"""Workers that are asked to stop at a bad moment."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from tests import postgres
from tests.faults.stage import Stage, ended, soon
from workflow.api import start


@pytest.mark.fault("F9", "F38")
def test_a_worker_is_asked_to_stop_while_its_database_is_down(tmp_path: Path) -> None:
    """F38, F9: it ends in an orderly way and says what it leaves behind. What it held goes on with
    another worker when the lease has run out."""

    async def main(stage: Stage, server: postgres.Server) -> None:
        async with stage.application() as application:
            gate = tmp_path / "gate"
            process = stage.worker()
            run = await start("held", str(gate), 60.0)

            async def begun() -> bool:
                return bool(stage.bodies())

            await soon(begun, "the beginning of the body")
            await asyncio.to_thread(server.stop, signal.SIGQUIT)
            process.send_signal(signal.SIGTERM)
            _, said = await asyncio.to_thread(process.communicate, timeout=60)
            assert process.returncode == 0, said
            assert "Traceback" not in said
            assert "when the lease has run out" in said
            await asyncio.to_thread(server.start)
            gate.touch()
            stage.worker()
            await ended(application.world, run.run_id)

    server = postgres.Server()
    try:
        with Stage(tmp_path, "postgres", url=server.url).clearing() as stage:
            asyncio.run(main(stage, server))
    finally:
        server.remove()
