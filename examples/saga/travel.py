"""A trip of three bookings. Either all of them stand in the end, or none."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import agency

from workflow import FatalError, get_step_metadata, get_workflow_metadata

T = TypeVar("T")


# -- steps: each books or gives back one thing ----------------------------------------------------


async def book_flight(city: str) -> str:
    """Book a flight and return its number."""
    "use step"
    return await book("flight", city)


async def book_hotel(city: str) -> str:
    """Book a room and return its number."""
    "use step"
    return await book("hotel", city)


async def book_car(city: str) -> str:
    """Book a car and return its number."""
    "use step"
    return await book("car", city)


async def give_back(number: str) -> None:
    """Cancel one booking. Harmless when repeated, as every compensation must be."""
    "use step"
    await agency.cancel(number)


async def book(what: str, city: str) -> str:
    """Book under the id of the step, which is the same in each attempt, so at most once."""
    try:
        return await agency.book(what, city, key=get_step_metadata().step_id)
    except agency.SoldOut as error:
        raise FatalError(str(error)) from error  # trying again would not help


# -- the saga -------------------------------------------------------------------------------------


class Compensations:
    """What has to be undone if the rest fails: last done, first undone."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], Awaitable[object]]] = []

    async def do(
        self, forward: Coroutine[Any, Any, T], undo: Callable[[T], Awaitable[object]]
    ) -> T:
        """Await `forward`, and remember that `undo(its result)` takes it back.

        When the run is cancelled while `forward` is under way, its effect may come or not. So its
        end is awaited first: only then is it known whether there is something to undo.
        """
        doing = asyncio.ensure_future(forward)
        try:
            await asyncio.wait([doing])
        except asyncio.CancelledError:
            await asyncio.wait([doing])
            if doing.exception() is None:
                self._remember(undo, doing.result())
            raise
        result = doing.result()
        self._remember(undo, result)
        return result

    def _remember(self, undo: Callable[[T], Awaitable[object]], result: T) -> None:
        self._undo.append(lambda: undo(result))

    async def compensate(self) -> None:
        """Undo everything, in reverse order. What cannot be undone does not keep the rest.

        Raises ExceptionGroup in the end when something failed after all its retries.
        """
        failures = []
        while self._undo:
            try:
                await self._undo.pop()()
            except Exception as error:
                failures.append(error)
        if failures:
            raise ExceptionGroup("not everything could be undone", failures)


async def book_trip(city: str) -> dict[str, str]:
    """Book flight, hotel and car; give back what was booked if one of them fails."""
    "use workflow"
    booked = Compensations()
    try:
        flight = await booked.do(book_flight(city), give_back)
        hotel = await booked.do(book_hotel(city), give_back)
        car = await booked.do(book_car(city), give_back)
    except BaseException:  # a failed step, and the cancellation of the run
        await booked.compensate()
        raise
    run = get_workflow_metadata().workflow_run_id
    return {"flight": flight, "hotel": hotel, "car": car, "run": run}


async def book_trip_at_once(city: str) -> dict[str, str]:
    """The same, side by side. A group waits for all that it has begun before anything is undone."""
    "use workflow"
    booked = Compensations()
    try:
        async with asyncio.TaskGroup() as group:
            flight = group.create_task(booked.do(book_flight(city), give_back))
            hotel = group.create_task(booked.do(book_hotel(city), give_back))
            car = group.create_task(booked.do(book_car(city), give_back))
    except BaseException:
        await booked.compensate()
        raise
    return {"flight": flight.result(), "hotel": hotel.result(), "car": car.result()}
