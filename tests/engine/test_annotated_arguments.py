"""Arguments are held to annotations that pydantic understands, at the boundary of a run."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.project import build, loaded
from workflow.api import list_runs, start
from workflow.engine import Application
from workflow.errors import FatalError, WorkflowRunFailedError
from workflow.worlds import memory

FLOWS = """
    from typing import TYPE_CHECKING, Annotated, Literal

    from pydantic import BaseModel, Field

    from workflow import step_options

    if TYPE_CHECKING:
        from somewhere import Missing

    calls = []

    class Line(BaseModel):
        sku: str
        count: int = Field(gt=0)

    class Order(BaseModel):
        id: int = Field(alias="orderId")
        lines: list[Line] = []

    class Cat(BaseModel):
        kind: Literal["cat"]

    class Dog(BaseModel):
        kind: Literal["dog"]

    Pet = Annotated[Cat | Dog, Field(discriminator="kind")]

    @step_options(max_retries=5, backoff=0)
    async def count(lines: list[Line], *more: Annotated[int, Field(ge=0)]) -> int:
        "use step"
        calls.append("count")
        return sum(line.count for line in lines) + sum(more)

    def name_of(pet: Pet | None) -> str:
        "use step"
        return type(pet).__name__

    async def loose(n: int, what: "Missing") -> str:
        "use step"
        return f"{n} {what}"

    async def shop(order: Order, pets: list[Pet]) -> list[object]:
        "use workflow"
        given = [{"sku": "a", "count": "3"}]
        return [
            type(order).__name__, order.id, order.lines[0].count, type(pets[1]).__name__,
            await count(given, "4"), await name_of({"kind": "dog"}), await name_of(None),
            await loose("5", 6),
        ]

    async def wrong(catch: bool) -> str:
        "use workflow"
        try:
            await count([{"sku": "a", "count": 0}, {"count": 1}])
        except Exception as error:
            if not catch:
                raise
            return f"{type(error).__name__}: {error}"
        return "never"

    async def plain(n: int) -> object:
        "use workflow"
        return n
"""

WRONG = (
    "the arguments of count() do not fit their types: lines[0].count: Input should be greater than "
    "0; lines[1].sku: Field required"
)


def test_arguments_become_what_their_annotations_say(tmp_path: Path) -> None:
    """Models, unions by discriminator and constraints, for workflows and for steps."""
    project = build(tmp_path, FLOWS)

    async def main() -> None:
        async with Application(memory.create(), project):
            flows = loaded(tmp_path)
            order: Any = {"orderId": "7", "lines": [{"sku": "x", "count": 2}]}
            run = await start(flows.shop, order, [{"kind": "cat"}, {"kind": "dog"}])
            assert await run.result(60) == ["Order", 7, 2, "Dog", 7, "Dog", "NoneType", "5 6"]
            # without pydantic in it, an annotation is a hint and nothing more
            assert await (await start(flows.plain, "text")).result(60) == "text"

    asyncio.run(main())


def test_start_names_every_part_that_does_not_fit(tmp_path: Path) -> None:
    """The caller gets a TypeError with all paths, and no run was made."""
    project = build(tmp_path, FLOWS)

    async def main() -> None:
        async with Application(memory.create(), project):
            flows = loaded(tmp_path)
            order: Any = {"orderId": "x", "lines": [{"sku": "x", "count": 0}]}
            with pytest.raises(TypeError, match="do not fit their types") as caught:
                await start(flows.shop, order, [{"kind": "cow"}])
            for part in ("order.orderId: ", "order.lines[0].count: ", "pets[0]: "):
                assert part in str(caught.value)
            assert [run async for run in list_runs()] == []

    asyncio.run(main())


@pytest.mark.parametrize("catch", [True, False], ids=["caught", "uncaught"])
def test_a_step_fails_at_once(tmp_path: Path, catch: bool) -> None:
    """The step's body is not run and not tried again; the failure is that call's."""
    project = build(tmp_path, FLOWS)

    async def main() -> None:
        async with Application(memory.create(), project):
            flows = loaded(tmp_path)
            run = await start(flows.wrong, catch)
            if catch:
                assert await run.result(60) == f"FatalError: {WRONG}"
            else:
                with pytest.raises(WorkflowRunFailedError) as failed:
                    await run.result(60)
                assert isinstance(failed.value.__cause__, FatalError)
                assert str(failed.value.__cause__) == WRONG
            assert flows.calls == []

    asyncio.run(main())


def test_an_unknown_name_spoils_only_its_own_annotation(tmp_path: Path) -> None:
    """A type that is imported for type checkers alone leaves the other arguments checked; of
    several the one that does not fit is named."""
    source = """
        from __future__ import annotations

        from typing import TYPE_CHECKING

        from pydantic import BaseModel

        if TYPE_CHECKING:
            from somewhere import Missing

        class Item(BaseModel):
            id: int

        async def buy(first: Item, what: Missing, *items: Item, **named: Item) -> list[object]:
            "use workflow"
            return [first.id, what, [item.id for item in items], named["x"].id]
    """
    project = build(tmp_path, source)
    buy = loaded(tmp_path).buy

    async def main() -> None:
        async with Application(memory.create(), project):
            run: Any = await start(buy, {"id": "1"}, 5, {"id": "2"}, x={"id": "3"})
            assert await run == [1, 5, [2], 3]
            with pytest.raises(TypeError) as caught:
                await start(buy, {"id": "1"}, 5, {"id": "2"}, {"id": "no"}, x={"id": "3"}, y=7)
            said = str(caught.value)
            assert "items[1].id: " in said
            assert "y: " in said
            assert "items[0]" not in said

    asyncio.run(main())


def test_defaults_are_not_validated(tmp_path: Path) -> None:
    """What nobody passed stays as its author wrote it, for workflows and steps; the same parameters
    are still checked when they are passed."""
    source = """
        from __future__ import annotations

        from typing import Annotated

        from pydantic import BaseModel, Field

        class Item(BaseModel):
            id: int

        Short = Annotated[str, Field(max_length=3)]

        async def say(
            s: Short = "abcdef", item: Item = None, more: list[Item] = ()
        ) -> list[object]:
            "use step"
            return [s, item, more]

        async def flow(s: Short = "abcdef", item: Item = None) -> list[object]:
            "use workflow"
            return [s, item, await say(), (await say("abc", {"id": "1"}))[1].id]

        async def wrong() -> object:
            "use workflow"
            return await say("abcdefg")
    """
    project = build(tmp_path, source)
    flows = loaded(tmp_path)

    async def main() -> None:
        async with Application(memory.create(), project):
            run: Any = await start(flows.flow)
            assert await run == ["abcdef", None, ["abcdef", None, ()], 1]
            with pytest.raises(TypeError, match="s: String should have at most 3"):
                await start(flows.flow, "abcdef")
            failing: Any = await start(flows.wrong)
            with pytest.raises(WorkflowRunFailedError, match="s: String should have at most 3"):
                await failing

    asyncio.run(main())


def test_signatures_are_shown_without_quotes(tmp_path: Path) -> None:
    """Under postponed evaluation annotations are texts; errors show them as they are written."""
    source = """
        from __future__ import annotations

        async def flow(n: int, *, names: list[str] = []) -> dict[str, int]:
            "use workflow"
            return {}
    """
    project = build(tmp_path, source)
    flow = loaded(tmp_path).flow

    async def main() -> None:
        async with Application(memory.create(), project):
            with pytest.raises(TypeError) as caught:
                await start(flow)
            assert str(caught.value) == (
                "flow(n: int, *, names: list[str] = []) -> dict[str, int]: "
                "missing a required argument: 'n'"
            )

    asyncio.run(main())


def test_fields_of_dataclasses_and_typed_dicts_count(tmp_path: Path) -> None:
    """Models in them are made and checked; an instance of a dataclass is passed on as it is, and
    classes without a model in them are hints."""
    source = """
        from __future__ import annotations

        from dataclasses import dataclass
        from typing import TYPE_CHECKING, Annotated

        from pydantic import BaseModel, Field
        from typing_extensions import TypedDict

        if TYPE_CHECKING:
            from somewhere import Missing

        class Item(BaseModel):
            id: int

        @dataclass
        class Cart:
            items: list[Item]
            inner: Cart | None = None

        @dataclass
        class Plain:
            n: int
            next: Plain | None = None

        class Parcel(TypedDict, total=False):
            item: Item
            weight: Annotated[int, Field(gt=0)]

        @dataclass
        class Half:
            item: Item
            what: Missing

        def told(*given: object) -> list[str]:
            return [type(each).__name__ for each in given]

        async def step(cart: Cart) -> list[str]:
            "use step"
            return told(cart, cart.items[0])

        async def flow(cart: Cart, parcel: Parcel, plain: Plain, half: Half) -> list[object]:
            "use workflow"
            return [
                *told(cart, cart.items[0], parcel, parcel["item"], plain, half),
                *await step({"items": [{"id": "1"}]}),
            ]
    """
    project = build(tmp_path, source)
    flows = loaded(tmp_path)

    async def main() -> None:
        async with Application(memory.create(), project):
            cart: Any = {"items": [{"id": 1}], "inner": {"items": []}}
            run: Any = await start(flows.flow, cart, {"item": {"id": 1}}, {"n": 1}, {"item": 1})
            made = ["Cart", "Item"]
            assert await run == [*made, "dict", "Item", "dict", "dict", *made]
            own = flows.Cart(items=[{"id": "left as it is"}])
            run = await start(flows.flow, own, {"item": flows.Item(id=1)}, flows.Plain("x"), None)
            assert (await run)[:6] == ["Cart", "dict", "dict", "Item", "Plain", "NoneType"]
            cart["inner"]["items"] = [{"id": "x"}]
            with pytest.raises(TypeError) as caught:
                await start(flows.flow, cart, {"weight": 0}, {"n": 1}, None)
            assert "cart.inner.items[0].id: " in str(caught.value)
            assert "parcel.weight: " in str(caught.value)

    asyncio.run(main())
