"""A cancellation that comes together with what is waited for is not lost."""

from __future__ import annotations

import asyncio

import pytest

from workflow.waiting import is_set_within


@pytest.mark.parametrize("turns", range(4))
def test_a_cancellation_beside_the_event_arrives(turns: int) -> None:
    """However many turns of the loop lie between the two, who waits is cancelled."""

    async def main() -> None:
        event = asyncio.Event()

        async def wait_again() -> None:
            while True:
                await is_set_within(event, 60)
                event.clear()

        waiter = asyncio.create_task(wait_again())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        event.set()
        for _ in range(turns):
            await asyncio.sleep(0)
        waiter.cancel()
        done, _ = await asyncio.wait([waiter], timeout=5)
        assert done
        assert waiter.cancelled()

    asyncio.run(main())


def test_the_time_out_around_it_counts() -> None:
    """When both time-outs are over at once it is that of the caller."""

    async def main() -> None:
        async with asyncio.timeout(0):
            while True:
                await is_set_within(asyncio.Event(), 0)

    with pytest.raises(TimeoutError):
        asyncio.run(main())


def test_it_says_whether_the_event_was_set() -> None:
    """True when it was in time, else False."""

    async def main() -> tuple[bool, bool]:
        event = asyncio.Event()
        late = await is_set_within(event, 0)
        event.set()
        return late, await is_set_within(event, 60)

    assert asyncio.run(main()) == (False, True)
