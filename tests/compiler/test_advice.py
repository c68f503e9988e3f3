"""What the findings advise is true: the code they recommend is built, and does what they say."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

import wfc
from tests.compiler.projects import write_project
from tests.project import build, ended, loaded
from workflow.api import get_run, start
from workflow.engine import Application
from workflow.testing.clock import VirtualClock
from workflow.worlds import memory


def result_of(folder: Path, source: str, workflow: str, *args: Any) -> Any:
    """Build `source`, run a workflow of it to the end and return the result."""
    project = build(folder, source)

    async def play() -> Any:
        world = memory.create(VirtualClock(1_700_000_000_000_000))
        async with Application(world, project) as application:
            run: Any = await start(getattr(loaded(folder), workflow), *args)
            await ended(application, run.run_id)
            result = await run.result()
            if isinstance(result, str) and result.startswith("wrun_"):
                await ended(application, result)
                result = await get_run(result).result()
            return result

    return asyncio.run(play())


def test_step_can_start_a_run_of_another_workflow(tmp_path: Path) -> None:
    """The advice for a workflow that calls a workflow: a step with start() in it."""
    source = """
        from workflow.api import start

        async def remind(email: str) -> str:
            "use workflow"
            return f"reminded {email}"

        async def start_reminder(email: str) -> str:
            "use step"
            return (await start(remind, email)).run_id

        async def sign_up(email: str) -> str:
            "use workflow"
            return await start_reminder(email)
    """
    assert result_of(tmp_path, source, "sign_up", "a@b.c") == "reminded a@b.c"


def test_plain_step_is_a_coroutine_function_in_a_workflow(tmp_path: Path) -> None:
    """Tasks, task groups and gather take a step that is a plain `def`."""
    source = """
        import asyncio

        def double(n: int) -> int:
            "use step"
            return 2 * n

        async def sums(n: int) -> list[int]:
            "use workflow"
            task = asyncio.create_task(double(n))
            async with asyncio.TaskGroup() as group:
                other = group.create_task(double(n + 1))
            more = await asyncio.gather(double(0), double(1))
            return [await task, other.result(), *more, await double(5)]
    """
    assert result_of(tmp_path, source, "sums", 3) == [6, 8, 0, 2, 10]


def test_default_that_needs_the_host_is_filled_in_by_the_step(tmp_path: Path) -> None:
    """A default that is computed belongs to the step: it is neither built in nor recorded."""
    source = """
        import os
        from pathlib import Path

        def name(path: str, folder: Path = Path(
            "/tmp"
        ), *, ending: str = os.path.extsep + "txt", count: int = -1) -> str:
            "use step"
            return f"{folder / path}{ending} {count}"

        async def names(path: str) -> list[str]:
            "use workflow"
            return [await name(path), await name(path, ending=".md", count=2)]
    """
    assert result_of(tmp_path, source, "names", "a") == ["/tmp/a.txt -1", "/tmp/a.md 2"]
    (text,) = (tmp_path / "generated" / "workflows").glob("*.py")
    (user,) = tmp_path.glob("*.py")
    made = text.read_text("utf-8").split("\n")
    assert "os" not in "".join(made[:5])
    for number, line in enumerate(user.read_text("utf-8").split("\n")):
        if line.startswith("async def names"):
            assert made[number] == line


@pytest.mark.parametrize(
    ("body", "advice"),
    [
        ("await remind()", "`await (await start(remind, ...))` with start from workflow.api"),
        ("start(remind)", "Write `await start(...)`"),
        ("await with_options(run_id='wrun_a').start(remind)", "Leave it out, or start the run in"),
        ("get_run('wrun_a')", 'Call it in a function marked "use step"'),
        ("await api.resume_hook('t', 1)", 'Call it in a function marked "use step"'),
    ],
)
def test_children_are_advised_and_their_limits(body: str, advice: str, tmp_path: Path) -> None:
    """What cannot be done with another run in a workflow body is refused with what works."""
    text = (
        "import workflow.api as api\nfrom workflow.api import get_run, start, with_options\n\n"
        'async def remind() -> None:\n    "use workflow"\n\n'
        f'async def main() -> None:\n    "use workflow"\n    {body}\n'
    )
    root = write_project(tmp_path, text)
    (found,) = wfc.build(root, write=False, cache=False).diagnostics
    assert advice in found.fix
    assert "passthrough" not in found.fix


def test_run_is_not_passed_to_a_step(tmp_path: Path) -> None:
    """The handle of a child belongs to the body; the finding says to pass its id."""
    text = (
        "from workflow.api import start\n\n"
        'async def tell(run) -> None:\n    "use step"\n\n'
        'async def remind() -> None:\n    "use workflow"\n\n'
        'async def main() -> None:\n    "use workflow"\n'
        "    run = await start(remind)\n    await tell(run)\n"
    )
    (found,) = wfc.build(write_project(tmp_path, text), write=False, cache=False).diagnostics
    assert found.code == "WF901"
    assert found.fix == "Pass its run_id."


@pytest.mark.parametrize(
    "body",
    [
        "await (await start(remind))",
        "run: Run[None] = await start(remind)\n    await run",
        "await with_options(attributes={'a': 'b'}, delay='1h').start(remind)",
        "import workflow.api\n    await workflow.api.start(remind)",
        "await api.start('remind')",
        "await asyncio.gather(*[start(remind) for _ in range(3)])",
        "await helper()",
    ],
)
def test_children_build_without_a_word(body: str, tmp_path: Path) -> None:
    """Every way to name start() is understood, and the bundle it is in loads."""
    text = (
        "import asyncio\nimport workflow.api as api\n"
        "from workflow.api import Run, start, with_options\n\n"
        'async def remind() -> None:\n    "use workflow"\n\n'
        "async def helper() -> None:\n    await (await start(remind)).cancel('late')\n\n"
        f'async def main() -> None:\n    "use workflow"\n    {body}\n'
    )
    assert list(wfc.build(write_project(tmp_path, text), cache=False).diagnostics) == []


def test_step_gets_what_its_argument_holds_when_it_starts(tmp_path: Path) -> None:
    """What WF905 warns of happens, and the copy and the new list that it advises mend it."""
    source = """
        import asyncio

        async def size(batch: list[int]) -> int:
            "use step"
            return len(batch)

        async def sizes(n: int) -> list[int]:
            "use workflow"
            batch = [n]
            emptied = size(batch)
            copied = size(list(batch))
            batch.clear()  # wfc: ignore[WF905] the test is about it
            batch = [n, n]
            kept = size(batch)
            batch = []
            return await asyncio.gather(emptied, copied, kept)
    """
    assert result_of(tmp_path, source, "sizes", 1) == [0, 1, 2]


def test_generator_that_is_left_cleans_up_only_under_aclosing(tmp_path: Path) -> None:
    """What WF511 warns of happens, and aclosing() mends it."""
    source = """
        from contextlib import aclosing

        closed: list[str] = []

        async def note(name: str) -> str:
            "use step"
            return name

        async def numbers(name: str):
            try:
                yield 1
                yield 2
            finally:
                closed.append(await note(name))

        async def leave(n: int) -> list[str]:
            "use workflow"
            async for number in numbers("open"):  # wfc: ignore[WF511] the test is about it
                break
            async with aclosing(numbers("closed")) as found:
                async for number in found:
                    break
            return closed
    """
    assert result_of(tmp_path, source, "leave", 1) == ["closed"]


def test_state_of_modules_and_classes_is_fresh_in_every_run(tmp_path: Path) -> None:
    """Globals, class attributes, defaults and caches that one run changed do not reach the next:
    there is no rule against them."""
    source = """
        import functools

        COUNT = 0
        SEEN: list[int] = []

        class Totals:
            value = 0

        def remember(n: int, known: list[int] = []) -> int:
            known.append(n)
            return len(known)

        @functools.cache
        def counted(n: int) -> int:
            global COUNT
            COUNT += 1
            return COUNT

        async def once(n: int) -> list[int]:
            "use step"
            return [n]

        async def twice(n: int) -> list[int]:
            "use workflow"
            SEEN.extend(await once(n))
            Totals.value += n
            return [counted(n), counted(n), len(SEEN), Totals.value, remember(n)]
    """
    project = build(tmp_path, source)

    async def play() -> list[Any]:
        world = memory.create(VirtualClock(1_700_000_000_000_000))
        async with Application(world, project) as application:
            results = []
            for _ in range(2):
                run: Any = await start(loaded(tmp_path).twice, 7)
                await ended(application, run.run_id)
                results.append(await run.result())
            return results

    assert asyncio.run(play()) == [[1, 1, 1, 7, 1]] * 2


def test_cached_coroutine_fails_the_second_time(tmp_path: Path) -> None:
    """What WF603 warns of happens."""
    source = """
        import functools

        async def rate(name: str) -> int:
            "use step"
            return 2

        @functools.cache  # wfc: ignore[WF603] the test is about it
        async def cached(name: str) -> int:
            return await rate(name)

        async def total(name: str) -> str:
            "use workflow"
            first = await cached(name)
            try:
                return str(first + await cached(name))
            except RuntimeError as error:
                return str(error)
    """
    found = result_of(tmp_path, source, "total", "a")
    assert found == "cannot reuse already awaited coroutine"
