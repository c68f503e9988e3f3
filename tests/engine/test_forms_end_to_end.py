"""Every form of function, from the source text through the compiler to a finished run."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.project import build, loaded
from workflow.api import start
from workflow.engine import Application, Project
from workflow.errors import DirectCallError, WorkflowNotRegisteredError
from workflow.testing.clock import VirtualClock
from workflow.worlds import memory

START = 1_700_000_000


def play(folder: Path, source: str, *args: Any, flow: str = "main") -> tuple[Any, Any]:
    """Build `source`, run its workflow `flow`, and return the result and the user's module."""
    project = build(folder, source)

    async def main() -> Any:
        clock = VirtualClock(START * 1_000_000)
        async with Application(memory.create(clock), project):
            workflow = loaded(folder)
            for part in flow.split("."):
                workflow = getattr(workflow, part)
            run = await start(workflow, *args)
            return await run.result(60)

    return asyncio.run(main()), loaded(folder)


METHODS = """
    from dataclasses import dataclass
    from enum import Enum
    from typing import NamedTuple

    from pydantic import BaseModel

    seen = []

    @dataclass
    class Cart:
        items: list

        def add(self, item: str, *, count: int = 1):
            "use step"
            seen.append(type(self) is Cart)
            return Cart(self.items + [item] * count)

        @classmethod
        async def load(cls, user: str):
            "use step"
            seen.append(cls is Cart)
            return cls([user])

        @staticmethod
        def price(item: str) -> int:
            "use step"
            return len(item)

        async def __call__(self, item: str) -> int:
            "use step"
            return self._count(item)

        def _count(self, item: str) -> int:
            return self.items.count(item)

    class User(BaseModel):
        email: str

        async def greet(self, greeting: str = "hi") -> str:
            "use step"
            return f"{greeting} {self.email}"

    class Money:
        def __init__(self, cents: int) -> None:
            self.cents = cents

        def __workflow_serialize__(self) -> int:
            return self.cents

        @classmethod
        def __workflow_deserialize__(cls, data: int):
            return cls(data)

        def double(self):
            "use step"
            return type(self)(self.cents * 2)

    class Euro(Money):
        def double(self):
            "use step"
            return Euro(super().double().cents + 1)

    class Color(Enum):
        RED = 1

        def label(self) -> str:
            "use step"
            return self.name

    class Point(NamedTuple):
        x: int

        def plus(self, y: int) -> int:
            "use step"
            return self.x + y

    class Shop:
        @classmethod
        async def order(cls, user: str) -> list:
            "use workflow"
            cart = await Cart.load(user)
            cart = await cart.add("pen", count=2)
            bound = cart.add
            cart = await bound("ink")
            return [
                cart.items,
                sum([await Cart.price(item) for item in cart.items]),
                await cart("pen"),
                await User(email=user).greet(greeting="hello"),
                (await Money(4).double()).cents,
                (await Euro(4).double()).cents,
                await Color.RED.label(),
                await Point(1).plus(2),
            ]
"""


def test_methods_of_instances_classes_and_neither(tmp_path: Path) -> None:
    """Instances and classes of every kind reach their step methods as the live ones, and come back
    as data; a workflow may be a class method."""
    result, flows = play(tmp_path, METHODS, "bob", flow="Shop.order")
    assert result == [["bob", "pen", "pen", "ink"], 12, 2, "hello bob", 8, 9, "RED", 3]
    assert flows.seen == [True, True, True]


INHERITED = """
    from workflow.api import start

    class Shop:
        @classmethod
        async def name(cls) -> str:
            "use workflow"
            return cls.__name__

    class Kiosk(Shop):
        pass

    async def opens() -> str:
        "use workflow"
        try:
            await start(Kiosk.name)
        except Exception as error:
            return f"{type(error).__name__}: {error} {await (await start(Shop.name))}"
        return "opened"
"""


def test_an_inherited_class_method_is_no_workflow_of_its_own(tmp_path: Path) -> None:
    """A run would have the class that defines it, so `start` refuses it, in a body as outside."""
    result, flows = play(tmp_path, INHERITED, flow="opens")
    said = "Kiosk.name is the workflow Shop.name, whose runs have Shop as their class."
    assert result.startswith(f"WorkflowNotRegisteredError: {said}")
    assert result.endswith(" Shop")

    async def main() -> None:
        async with Application(memory.create(), Project.load(tmp_path / "generated")):
            await start(flows.Kiosk.name)

    with pytest.raises(WorkflowNotRegisteredError, match=said):
        asyncio.run(main())


NESTED = """
    import asyncio
    import os

    from workflow import step_options

    tries = []

    def make_greeter(greeting: str, *, mark: str = "!"):
        async def greet(name: str, times: int = len(greeting)) -> str:
            "use step"

            def text() -> str:
                return f"{greeting} {name}{mark}" if os.getpid() else ""

            return text() * times

        return greet

    class Report:
        def __init__(self, title: str) -> None:
            self.title = title

        def __workflow_serialize__(self) -> str:
            return self.title

        @classmethod
        def __workflow_deserialize__(cls, title: str):
            return cls(title)

        async def send(self, to: list) -> list:
            sent = []
            for address in to:

                def mail(subject: str) -> str:
                    "use step"
                    return f"{address} {subject} {self.title}"

                sent.append(await mail("about"))
            return sent

    async def main(names: list) -> list:
        "use workflow"
        hi, yo = make_greeter("hi"), make_greeter("yo", mark="?")
        found = await asyncio.gather(hi("bob"), yo("eve", 1))
        for index, name in enumerate(names):

            async def measure(text: str, depth: int = index) -> int:
                "use step"
                if depth:
                    return await measure(text, depth - 1)
                return len(text) * 10 + index

            @step_options(max_retries=2, backoff=0)
            def flaky() -> int:
                "use step"
                tries.append(name)
                if tries.count(name) < 3:
                    raise ConnectionError("not now")
                return tries.count(name)

            async def calls_another() -> int:
                "use step"
                return await measure(name, 0)

            found.append(await measure(name))
            found.append(await flaky())
            found.append(await calls_another())
        return found + await Report("title").send(names)
"""


def test_nested_steps_get_the_values_at_the_time_of_the_call(tmp_path: Path) -> None:
    """Closures of factories, defaults, loop variables, recursion, `self` of a method around it and
    a captured step all arrive where the step runs; its options hold."""
    result, flows = play(tmp_path, NESTED, ["al", "bob"])
    assert result == [
        "hi bob!hi bob!",
        "yo eve?",
        *(20, 3, 20),
        *(31, 3, 31),
        "al about title",
        "bob about title",
    ]
    assert flows.tries == ["al"] * 3 + ["bob"] * 3


VALUES = """
    from dataclasses import dataclass
    from functools import partial
    from typing import Callable

    async def get_weather(city: str) -> str:
        "use step"
        return f"sunny in {city}"

    def add(a: int, b: int = 1) -> int:
        "use step"
        return a + b

    TOOLS = {"weather": get_weather, "add": add}

    @dataclass
    class Tool:
        description: str
        execute: Callable

    SEARCH = Tool(description="weather", execute=get_weather)

    async def use(tool: Tool, city: str) -> str:
        "use step"
        return await tool.execute(city)

    async def repeat(step, times: int) -> list:
        "use step"
        return [step(n) for n in range(times)]

    async def choose(name: str):
        "use step"
        return TOOLS[name]

    async def launch(flow, city: str) -> str:
        "use step"
        from workflow.api import start

        run = await start(flow, city)
        return await run.result(60)

    async def child(city: str) -> str:
        "use workflow"
        return await get_weather(city)

    async def main() -> list:
        "use workflow"
        calls = [("weather", {"city": "Rome"}), ("add", {"a": 1, "b": 2})]
        answers = [await TOOLS[name](**arguments) for name, arguments in calls]
        answers.append(await SEARCH.execute("Oslo"))
        answers.append(await use(SEARCH, "Bonn"))
        answers.append(await partial(add, 1)(b=4))
        answers.append(await repeat(partial(add, b=2), 3))
        answers.append(await repeat(add, 2))
        chosen = await choose("add")
        answers.append(chosen is add)
        answers.append(await chosen(5))
        answers.append(await launch(child, "Kiel"))
        return answers
"""


def test_steps_and_workflows_are_values(tmp_path: Path) -> None:
    """Tools in dictionaries and dataclasses, partials and references go into steps and come back
    out of them; a step starts the workflow it is given."""
    result, _ = play(tmp_path, VALUES)
    assert result == [
        "sunny in Rome",
        3,
        "sunny in Oslo",
        "sunny in Bonn",
        5,
        [2, 3, 4],
        [1, 2],
        True,
        6,
        "sunny in Kiel",
    ]


DECORATED = """
    import functools
    import threading

    calls = []

    def recorded(function):
        lock = threading.Lock()

        @functools.wraps(function)
        async def wrapper(*args, **kwargs):
            with lock:
                calls.append(function.__name__)
            return await function(*args, **kwargs)

        return wrapper

    def plus_one(function):
        @functools.wraps(function)
        async def wrapper(*args, **kwargs):
            return 1 + await function(*args, **kwargs)

        return wrapper

    @functools.lru_cache
    def rate(currency: str) -> int:
        "use step"
        calls.append(currency)
        return len(currency)

    @recorded
    async def charge(cents: int, tip: int = 5) -> int:
        "use step"
        return cents + tip

    @plus_one
    async def main(cents: int) -> int:
        "use workflow"
        return await charge(cents) + await rate("EUR") + await rate("EUR")
"""


def test_decorators_work_where_the_function_runs(tmp_path: Path) -> None:
    """A decorator of a step wraps it where the step runs, one of the project wraps a workflow; a
    direct call of the decorated workflow is refused."""
    result, flows = play(tmp_path, DECORATED, 10)
    assert result == 10 + 5 + 3 + 3 + 1
    assert flows.calls == ["charge", "EUR"]  # once: the cache is that of the process
    with pytest.raises(DirectCallError, match="main is a workflow"):
        asyncio.run(flows.main(1))


GUARDED = """
    import sys

    try:
        import no_such_package as numbers
    except ModuleNotFoundError:
        import statistics as numbers

    if sys.version_info >= (3, 11):
        from datetime import UTC, datetime
    else:
        from no_such_backport import UTC, datetime

    async def shift(values: list) -> list:
        "use step"
        return [value + 1 for value in values]

    async def main(values: list) -> float:
        "use workflow"
        assert datetime.now(UTC).tzinfo is UTC
        return numbers.mean(await shift(values))
"""


def test_decorators_that_hide_the_signature(tmp_path: Path) -> None:
    """A step behind a decorator without functools.wraps gets its arguments, and is awaited."""
    source = """
    def loud(function):
        async def wrapper(*args, **kwargs):
            return (await function(*args, **kwargs)).upper()
        return wrapper

    def quiet(function):
        def wrapper(*args, **kwargs):
            return function(*args, **kwargs)
        return wrapper

    @loud
    async def greet(name: str, /, mark: str = "!", *rest: str, end: str = "."):
        "use step"
        return name + mark + "".join(rest) + end

    @quiet
    async def whisper(name: str):
        "use step"
        return name.lower()

    async def main():
        "use workflow"
        return [await greet("ann"), await greet("bob", "?", "a", end=""), await whisper("ANN")]
    """
    result, _ = play(tmp_path, source)
    assert result == ["ANN!.", "BOB?A", "ann"]


def test_guarded_imports_fall_back_in_workflow_code(tmp_path: Path) -> None:
    """An import that workflow code does not have raises there as in Python, and the `try` around
    it goes on with what it names instead."""
    assert play(tmp_path, GUARDED, [1, 2, 3])[0] == 3
