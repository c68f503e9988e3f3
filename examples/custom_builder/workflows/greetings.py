"""A workflow of the application. Change it while the server runs with --dev."""

from workflow import sleep


async def look_up(name: str) -> str:
    "use step"
    return name.title()


async def greet(name: str) -> str:
    "use workflow"
    known_as = await look_up(name)
    await sleep("10ms")
    return f"Hello, {known_as}!"
