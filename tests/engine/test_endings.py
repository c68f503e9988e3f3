"""Who waits for a run of this process is told when it ends or leaves."""

from __future__ import annotations

import asyncio

from workflow.engine import endings


def test_told_when_a_run_leaves() -> None:
    """A run is here while any session has it; its waiters are told when the session is over."""

    async def main() -> None:
        with endings.watch("run") as ended, endings.watch("other") as of_other:
            with endings.at_work("run"):
                with endings.at_work("run"):  # given up and claimed again at once
                    assert endings.is_here("run")
                assert endings.is_here("run")
                ended.clear()
            assert not endings.is_here("run")
            await asyncio.wait_for(ended.wait(), 60)
            assert not of_other.is_set()

    asyncio.run(main())


def test_a_waiter_that_went_with_its_loop() -> None:
    """A loop that was closed under its waiter is nothing to the worker whose run has ended."""
    loop = asyncio.new_event_loop()

    async def wait() -> None:
        with endings.watch("run") as ended:
            await ended.wait()

    task = loop.create_task(wait())
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()
    endings.tell("run")
    task.get_coro().close()
    task._log_destroy_pending = False  # type: ignore[attr-defined]
