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
            await asyncio.wait_for(ended.wait(), 10)
            assert not of_other.is_set()

    asyncio.run(main())
