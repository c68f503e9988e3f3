"""examples/saga: all bookings stand in the end or none, whatever happens on the way."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.examples.building import copy_and_build, inside, killed, scene, taken_over
from tests.project import until
from workflow import FatalError
from workflow.api import get_world, start
from workflow.engine import Project
from workflow.errors import WorkflowRunCancelledError, WorkflowRunFailedError


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_and_build("saga", tmp_path_factory.mktemp("examples"))


@pytest.fixture
def folder(built: Path) -> Iterator[Path]:
    """The built example with an empty ledger."""
    (built / "bookings.jsonl").unlink(missing_ok=True)
    with inside(built):
        yield built


def ledger() -> list[str]:
    """What the agency did, as in `booked flight`."""
    agency = sys.modules["agency"]
    return [f"{done} {it.partition('-')[0]}" for e in agency.entries() for done, it in e.items()]


def test_a_trip_that_can_be_booked_is_booked(folder: Path) -> None:
    """Three bookings and no compensation."""

    async def main() -> dict[str, str]:
        async with scene(Project.load(folder / "generated")):
            run = await start("book_trip", "Paris")
            result: dict[str, str] = await run.result(60)
            return result

    trip = asyncio.run(main())
    assert [trip[what].partition("-")[0] for what in trip if what != "run"] == [
        "flight", "hotel", "car",
    ]  # fmt: skip
    assert ledger() == ["booked flight", "booked hotel", "booked car"]


def test_a_failure_in_the_third_step_undoes_the_second_and_the_first(folder: Path) -> None:
    """The run fails with the reason of the booking, after everything was given back."""

    async def main() -> None:
        async with scene(Project.load(folder / "generated")):
            run = await start("book_trip", "Venice")
            with pytest.raises(WorkflowRunFailedError, match="no car in Venice"):
                await run.result(60)

    asyncio.run(main())
    assert ledger() == ["booked flight", "booked hotel", "cancelled hotel", "cancelled flight"]


def test_cancelling_waits_for_the_booking_under_way_and_undoes_it_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cancelled while the hotel is being booked: the hotel gets booked, then both are undone."""

    async def main() -> list[str]:
        project = Project.load(folder / "generated")
        agency = sys.modules["agency"]
        booked, asked, answer = agency.book, asyncio.Event(), asyncio.Event()

        async def slow(what: str, city: str, *, key: str) -> str:
            if what == "hotel":
                asked.set()
                await answer.wait()
            number: str = await booked(what, city, key=key)
            return number

        monkeypatch.setattr(agency, "book", slow)
        async with scene(project) as stage:
            run = await start("book_trip", "Paris")
            await asked.wait()
            await run.cancel("changed my mind")

            async def delivered() -> bool:
                events = await stage.world.list_events(run.run_id)
                return events[-1].type == "run_cancel_requested"

            await until(stage.world, delivered)
            assert ledger() == ["booked flight"]
            answer.set()
            with pytest.raises(WorkflowRunCancelledError, match="changed my mind"):
                await run.result(60)
            return [event.type for event in await stage.world.list_events(run.run_id)]

    types = asyncio.run(main())
    assert ledger() == ["booked flight", "booked hotel", "cancelled hotel", "cancelled flight"]
    assert types[-1] == "run_cancelled"


def test_side_by_side_a_failure_waits_for_the_bookings_under_way(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no car while the hotel is being booked: it gets booked, and is given back."""

    async def main() -> None:
        project = Project.load(folder / "generated")
        agency = sys.modules["agency"]
        booked, answer = agency.book, asyncio.Event()

        async def slow(what: str, city: str, *, key: str) -> str:
            if what == "hotel":
                await answer.wait()
            number: str = await booked(what, city, key=key)
            return number

        monkeypatch.setattr(agency, "book", slow)
        async with scene(project) as stage:
            run = await start("book_trip_at_once", "Venice")

            async def failed() -> bool:
                events = await stage.world.list_events(run.run_id)
                return any(event.type == "step_failed" for event in events)

            await until(stage.world, failed)
            assert "cancelled flight" not in ledger()
            answer.set()
            with pytest.raises(WorkflowRunFailedError, match="no car in Venice"):
                await run.result(60)

    asyncio.run(main())
    assert sorted(ledger()[:2]) == ["booked flight", "booked hotel"]
    assert sorted(ledger()[2:]) == ["cancelled flight", "cancelled hotel"]


def test_what_cannot_be_undone_does_not_keep_the_rest(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hotel refuses to be cancelled: the flight is given back all the same, the run says so."""

    async def main() -> None:
        project = Project.load(folder / "generated")
        agency = sys.modules["agency"]
        cancelled = agency.cancel

        async def stubborn(number: str) -> None:
            if number.startswith("hotel"):
                raise FatalError("no refunds")
            await cancelled(number)

        monkeypatch.setattr(agency, "cancel", stubborn)
        async with scene(project):
            run = await start("book_trip", "Venice")
            with pytest.raises(WorkflowRunFailedError, match="not everything could be undone") as e:
                await run.result(60)
            assert "no refunds" in str(e.value.__cause__.__dict__ or e.value)

    asyncio.run(main())
    assert ledger() == ["booked flight", "booked hotel", "cancelled flight"]


@pytest.mark.parametrize(
    ("failpoint", "left"),
    # Five bodies begin: three bookings, two compensations. The third fails, so four come to an end.
    [
        ("before_step_body:4", []),  # the hotel is about to be given back
        ("after_step_body:3", ["cancelled hotel"]),  # it was, and nobody has recorded it
        ("before_step_body:5", ["cancelled hotel"]),  # the flight is next
        ("after_step_body:4", ["cancelled hotel", "cancelled flight"]),
    ],
)
def test_a_crash_in_the_middle_of_the_compensation(
    failpoint: str, left: list[str], folder: Path
) -> None:
    """The process is killed while it compensates; the next one does the rest, each thing once."""
    killed(folder, failpoint, "book_trip", city="Venice")

    async def main() -> list[tuple[str, str]]:
        project = Project.load(folder / "generated")
        assert ledger() == ["booked flight", "booked hotel", *left]
        async with taken_over(folder, project) as run:
            with pytest.raises(WorkflowRunFailedError, match="no car in Venice"):
                await run.result(60)
            events = await get_world().list_events(run.run_id)
            return [(e.type, e.name.rpartition("//")[2]) for e in events]

    events = asyncio.run(main())
    assert ledger() == ["booked flight", "booked hotel", "cancelled hotel", "cancelled flight"]
    assert events.count(("step_completed", "give_back")) == 2
    assert events[-1][0] == "run_failed"
