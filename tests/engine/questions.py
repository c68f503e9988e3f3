"""Workflows that ask people, in every way they can."""

from __future__ import annotations

__all__ = ["FLOWS"]

FLOWS = """
    import asyncio
    from dataclasses import dataclass
    from datetime import date
    from typing import Annotated, Literal, Optional

    from pydantic import Field, TypeAdapter
    from workflow import PendingActionExpiredError, create_hook, pending_action, sleep
    from workflow.api import start

    @dataclass
    class Review:
        approved: bool
        note: str = ""

    async def pay(amount: int) -> str:
        "use step"
        return f"paid {amount}"

    async def approve(amount: int) -> str:
        "use workflow"
        answer = await pending_action(
            "approval", type="confirmation", message=f"Pay {amount}?", options=["yes", "no"]
        )
        return await pay(amount) if answer == "yes" else "not paid"

    async def anything() -> object:
        "use workflow"
        return await pending_action("input")

    async def typed() -> str:
        "use workflow"
        review = await pending_action("review", type=Review)
        count = await pending_action("count", type=int)
        return f"{type(review).__name__} {review.approved} {review.note} {count}"

    AMOUNT: TypeAdapter[int] = TypeAdapter(Annotated[int, Field(gt=0)])

    async def spelled() -> list[object]:
        "use workflow"
        return [
            await pending_action("reviews", type=list[Review]),
            await pending_action("day", type=Optional[date]),
            await pending_action("size", type=Literal["small", "large"]),
            await pending_action("amount", type=AMOUNT),
        ]

    async def both() -> list[str]:
        "use workflow"
        return await asyncio.gather(pending_action("first"), pending_action("second"))

    async def again() -> list[str]:
        "use workflow"
        answers = []
        while (answer := await pending_action("next")) != "enough":
            answers.append(answer)
        return answers

    async def twice_at_once() -> str:
        "use workflow"
        try:
            await asyncio.gather(pending_action("same"), pending_action("same"))
        except ValueError as error:
            return str(error)
        return "asked"

    async def or_later() -> str:
        "use workflow"
        asked = asyncio.create_task(pending_action("now"))
        late = asyncio.create_task(sleep("1h"))
        done, pending = await asyncio.wait([asked, late], return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        return asked.result() if asked in done else "later"

    async def beside(token: str) -> list[str]:
        "use workflow"
        hook = create_hook(str, token=token)
        asked = asyncio.create_task(pending_action("person"))
        first = await hook
        return [first, await asked]

    async def with_open_hook(token: str) -> str:
        "use workflow"
        hook = create_hook(str, token=token)
        return await pending_action("person") + await hook

    async def grandchild() -> str:
        "use workflow"
        return await create_hook(str, token="grandchild")

    async def with_child() -> list[str]:
        "use workflow"
        child = await start(grandchild)
        return await asyncio.gather(child, pending_action("person"))

    async def short() -> str:
        "use workflow"
        return await pending_action("quick", timeout="1h")

    async def forgiving() -> str:
        "use workflow"
        try:
            return await pending_action("quick", timeout="1h")
        except PendingActionExpiredError as error:
            return await pending_action("boss", message=str(error))

    async def cleans() -> str:
        "use workflow"
        try:
            return await pending_action("never")
        finally:
            await pay(0)

    async def wrong(kind: str) -> str:
        "use workflow"
        try:
            if kind == "step":
                await pending_action("")
            elif kind == "options":
                await pending_action("a", options=[])
            elif kind == "text":
                await pending_action("a", options="ab")
            elif kind == "type":
                await pending_action("a", type=5)
            elif kind == "both":
                await pending_action("a", type=int, options=["1"])
            elif kind == "timeout":
                await pending_action("a", timeout=0)
        except (TypeError, ValueError) as error:
            return f"{type(error).__name__}: {error}"
        return "nothing"
"""
