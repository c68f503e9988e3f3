async def a() -> None:
    "use workflows"


async def b() -> None:
    """Docs."""
    "useStep"


async def c() -> None:
    x = 1
    "use step"


async def d() -> None:
    f"use step"


class Shop:
    "use step"

    async def method(self) -> None:
        "use step"


def e() -> None:
    "use workflow"


async def f() -> None:
    """Do it.

    use step
    """


async def g() -> None:
    """Use workflow."""

    async def nested() -> None:
        "use  step"


if Shop:

    async def h() -> None:
        "use step"
