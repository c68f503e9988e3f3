"""Every form of function, through the real compiler and the real engine."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.project import Events, build, ended, loaded
from workflow.api import start
from workflow.engine import Application
from workflow.errors import DirectCallError
from workflow.worlds import memory

SOURCE = """
    from __future__ import annotations

    import functools
    from collections.abc import Awaitable, Callable
    from dataclasses import dataclass, field
    from typing import Any

    from workflow import RetryableError, get_step_metadata

    attempts = []


    @dataclass
    class Counter:
        n: int = 0

        async def add(self, by: int = 1) -> Counter:
            "use step"
            return Counter(self.n + by)

        @classmethod
        async def make(cls, n: int) -> Counter:
            "use step"
            return cls(n)

        @staticmethod
        def zero() -> Counter:
            "use step"
            return Counter()

        @classmethod
        async def flow(cls, n: int) -> int:
            "use workflow"
            return (await cls.make(n)).n

        @staticmethod
        async def still(n: int) -> int:
            "use workflow"
            return (await Counter.zero()).n + n


    @dataclass
    class Agent:
        tools: dict[str, Callable[..., Awaitable[Any]]] = field(default_factory=dict)


    async def double(n: int) -> int:
        "use step"
        return 2 * n


    def greeter(greeting: str):
        async def greet(name: str, times: int = 2) -> str:
            "use step"
            if times > 1:
                return f"{await greet(name, times - 1)} {await greet(name, 1)}"
            return f"{greeting} {name}"

        return greet


    async def use(agent: Agent, name: str, args: list[Any]) -> Any:
        "use step"
        return await agent.tools[name](*args)


    async def give(value: Any) -> Any:
        "use step"
        return value


    async def own_counter(n: int):
        "use step"
        return Counter(n)


    async def methods() -> list[int]:
        "use workflow"
        counter = await Counter(1).add(2)
        more = await counter.add()
        made = await Counter.make(7)
        return [counter.n, more.n, made.n, (await Counter.zero()).n]


    async def nested() -> list[Any]:
        "use workflow"
        factor = 3

        async def scaled(n: int) -> int:
            "use step"
            return factor * n

        found = [await scaled(5)]
        factor = 4
        found.append(await scaled(5))
        for word in ("hi", "ho"):
            found.append(await greeter(word)("Ann"))
        return found


    async def tools() -> list[Any]:
        "use workflow"
        agent = Agent({
            "double": double,
            "greet": greeter("yo"),
            "part": functools.partial(greeter("pa"), "Eve", times=1),
            "add": Counter(3).add,
        })
        found = [
            await use(agent, "double", [4]),
            await use(agent, "greet", ["Bob"]),
            await use(agent, "part", []),
            (await use(agent, "add", [5])).n,
        ]
        again = await give(agent)
        found.append(await again.tools["double"](5))
        found.append(await again.tools["greet"]("Ann", 1))
        return found


    async def tried() -> str:
        "use workflow"
        name = "inner"

        async def failing() -> str:
            "use step"
            attempts.append(name)
            if len(attempts) < 3:
                raise RetryableError("again", retry_after=0)
            return f"{get_step_metadata().step_name} {get_step_metadata().attempt}"

        return await failing()


    async def unnamed(n: int) -> int:
        "use workflow"
        counter = await own_counter(n)
        return (await counter.add(1)).n
"""

EXPECTED: dict[str, tuple[tuple[Any, ...], Any]] = {
    "methods": ((), [3, 4, 7, 0]),
    "nested": ((), [15, 20, "hi Ann hi Ann", "ho Ann ho Ann"]),
    "tools": ((), [8, "yo Bob yo Bob", "pa Eve", 8, 10, "yo Ann"]),
    "tried": ((), "tried/failing 3"),
    "unnamed": ((5,), 6),
    "Counter.flow": ((4,), 4),
    "Counter.still": ((4,), 4),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_forms_run_and_are_recorded(tmp_path: Path, name: str) -> None:
    """Each form gives what plain Python would, its steps are in the log, and it can be replayed."""
    project = build(tmp_path, SOURCE)
    arguments, expected = EXPECTED[name]

    async def work() -> None:
        world = memory.create()
        async with Application(world, project) as application:
            run = await start(name, *arguments)
            await ended(application, run.run_id)
            assert await run == expected
            log = await Events.of(world, run.run_id)
            assert len(log.named("step_created")) == len(log.named("step_completed")) > 0

    asyncio.run(work())


@pytest.mark.parametrize("name", ["flow", "still"])
def test_workflows_as_methods_are_started_by_reference(tmp_path: Path, name: str) -> None:
    """`start(Counter.flow, …)` takes the method itself; calling it is refused."""
    project = build(tmp_path, SOURCE)
    method = getattr(loaded(tmp_path).Counter, name)

    async def work() -> None:
        async with Application(memory.create(), project):
            assert await (await start(method, n=6)).result(60) == 6
            with pytest.raises(DirectCallError, match=f"Counter.{name} is a workflow"):
                await method(6)

    asyncio.run(work())


def test_nested_steps_keep_the_users_lines(tmp_path: Path) -> None:
    """The traceback of a nested step that fails names the user's file and line."""
    source = """
        from workflow import FatalError

        async def main(limit: int) -> float:
            "use workflow"

            async def check(n: int) -> float:
                "use step"
                raise FatalError(f"{n} is more than {limit}")

            return await check(3)
    """
    project = build(tmp_path, source)

    async def work() -> str:
        async with Application(memory.create(), project) as application:
            run = await start("main", 2)
            record = await ended(application, run.run_id)
            error = application.codec.decode_error(record.output or b"")
            assert str(error) == "3 is more than 2"
            return str(getattr(error, "workflow_traceback", ""))

    text = asyncio.run(work())
    path = next(tmp_path.glob("flows_*.py"))
    assert f'File "{path}", line 9, in check' in text
    assert 'raise FatalError(f"{n} is more than {limit}")' in text
