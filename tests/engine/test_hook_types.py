"""Which types a hook can have: what pydantic can check, and clear words about everything else."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.project import build, loaded, until
from workflow.api import start
from workflow.engine import Application, Project
from workflow.errors import WorkflowRunFailedError
from workflow.worlds import memory

FLOWS = """
    import asyncio
    import typing
    from typing import Annotated, Any, NamedTuple

    import typing_extensions
    from pydantic import Field, TypeAdapter
    from workflow import create_hook, define_hook, pending_action

    class Note(typing_extensions.TypedDict):
        text: str
        stars: int

    class Old(typing.TypedDict):
        text: str

    class Nested(NamedTuple):
        old: Old

    class Point(NamedTuple):
        x: int
        y: int

    EVEN: TypeAdapter[int] = TypeAdapter(Annotated[int, Field(multiple_of=2)])

    defined = {
        "note": define_hook(Note),
        "even": define_hook(EVEN),
        "counts": define_hook(dict[str, int]),
        "point": define_hook(Point),
        "old": define_hook(Old),
        "nested": define_hook(Nested),
    }

    async def waits(kind: str) -> Any:
        "use workflow"
        return await defined[kind].create(token=kind)

    async def wants(kind: str) -> str:
        "use workflow"
        try:
            match kind:
                case "old":
                    create_hook(Old)
                case "nested":
                    create_hook(Nested)
                case "number":
                    create_hook(5)
                case "class":
                    create_hook(asyncio.Event)
                case "action":
                    await pending_action("a", type=Old, timeout="1s")
                case "actions":
                    await pending_action("a", type=asyncio.Event, timeout="1s")
            return "taken"
        except Exception as error:
            return f"{type(error).__name__}: {error}"
"""
OLD = sys.version_info < (3, 12)
BACKPORT = (
    "before Python 3.12 a TypedDict of typing cannot be checked. Write `from typing_extensions "
    "import TypedDict` where "
)
WRONG = {
    "number": "TypeError: create_hook(): pydantic cannot check 5. Give a dataclass",
    "class": "TypeError: create_hook(): pydantic cannot check Event. Give a dataclass",
    "actions": "TypeError: type= of pending_action(): pydantic cannot check Event.",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Path]:
    folder = tmp_path_factory.mktemp("types")
    return build(folder, FLOWS), folder


@contextmanager
def refusal(where: str, name: str) -> Iterator[None]:
    with pytest.raises(TypeError) as caught:
        yield
    assert str(caught.value).startswith(f"{where}: {BACKPORT}{name}, or the one in it, is defined")


@pytest.mark.parametrize(
    ("kind", "wrong", "right", "arrives"),
    [
        ("note", {"text": "a"}, {"text": "a", "stars": "5"}, {"text": "a", "stars": 5}),
        ("even", 3, "4", 4),
        ("counts", {"a": "b"}, {"a": "1"}, {"a": 1}),
        ("point", [1], [1, "2"], (1, 2)),
    ],
)
def test_types_that_pydantic_checks(
    project: tuple[Project, Path], kind: str, wrong: Any, right: Any, arrives: Any
) -> None:
    """A payload that does not fit is refused; one that fits arrives as the type says."""
    built, folder = project
    flows = loaded(folder)

    async def main() -> None:
        async with Application(memory.create(), built) as application:
            run = await start(flows.waits, kind)

            async def is_open() -> bool:
                return await application.world.get_hook(kind) is not None

            await until(application.world, is_open, what="the hook")
            with pytest.raises(ValidationError):
                await flows.defined[kind].resume(kind, wrong)
            await flows.defined[kind].resume(kind, right)
            assert await run.result(60) == arrives

    asyncio.run(main())


def test_what_is_no_type_is_refused_where_it_is_given(project: tuple[Project, Path]) -> None:
    """Opening the hook raises, not the first payload; and the text says what to write."""
    built, folder = project
    flows = loaded(folder)

    async def main() -> None:
        async with Application(memory.create(), built):
            for kind, text in WRONG.items():
                run = await start(flows.wants, kind)
                assert (await run.result(60)).startswith(text)

    asyncio.run(main())


@pytest.mark.skipif(not OLD, reason="from Python 3.12 on, pydantic checks a TypedDict of typing")
def test_a_typed_dict_of_an_old_python(project: tuple[Project, Path]) -> None:
    """Before Python 3.12, one of typing is refused at once, and the other module is named."""
    built, folder = project
    flows = loaded(folder)

    async def main() -> None:
        async with Application(memory.create(), built):
            for kind, where, name in (
                ("old", "create_hook()", "Old"),
                ("nested", "create_hook()", "Nested"),
                ("action", "type= of pending_action()", "Old"),
            ):
                said = await (await start(flows.wants, kind)).result(60)
                assert said.startswith(f"TypeError: {where}: {BACKPORT}{name}, or the one in it")
            with refusal("define_hook()", "Old"):
                await flows.defined["old"].resume("old", {"text": "a"})
            with pytest.raises(WorkflowRunFailedError, match="a TypedDict of typing cannot"):
                await (await start(flows.waits, "nested")).result(60)

    asyncio.run(main())


@pytest.mark.skipif(OLD, reason="before Python 3.12, pydantic does not check a TypedDict of typing")
def test_a_typed_dict_of_a_newer_python(project: tuple[Project, Path]) -> None:
    """From Python 3.12 on, both modules' will do."""
    built, folder = project

    async def main() -> None:
        async with Application(memory.create(), built):
            for kind in ("old", "nested"):
                run = await start(loaded(folder).wants, kind)
                assert await run.result(60) == "taken"

    asyncio.run(main())


@pytest.mark.parametrize("given", [None, "Note"])
def test_a_definition_needs_a_type(given: Any) -> None:
    """Neither nothing nor the name of a type is one."""
    from workflow import define_hook

    with pytest.raises(TypeError, match=f"the type of the payload, not {given!r}"):
        define_hook(given)
