import statistics as numbers

import httpx

from workflow import step_options

RATE = 3


def make_greeter(greeting: str, *, mark: str = "!"):
    """A factory: each step it makes has its own greeting."""
    times = len(greeting)

    async def greet(name: str, punctuation: str = mark * times) -> str:
        """Greet."""
        "use step"

        def text() -> str:
            return f"{greeting} {name}{punctuation}"

        async with httpx.AsyncClient() as client:
            await client.post("https://greet.example", content=text())
        return text() * RATE

    greet.max_retries = 0
    return greet


class Report:
    def __init__(self, title: str) -> None:
        self.title = title

    def __workflow_serialize__(self) -> str:
        return self.title

    @classmethod
    def __workflow_deserialize__(cls, title: str) -> "Report":
        return cls(title)

    async def send(self, to: list[str]) -> None:
        for address in to:

            def mail(subject: str) -> None:
                "use step"
                httpx.post("https://mail.example", json=[address, subject, self.title])

            await mail("report")


async def onboard(names: list[str]) -> float:
    "use workflow"
    hello = make_greeter("hello")
    lengths = []
    for position, name in enumerate(names):

        async def measure(text: str, depth: int = position) -> int:
            "use step"
            if depth:
                return await measure(text, depth - 1)
            return len(text) + position

        lengths.append(await measure(await hello(name)))

        @step_options(max_retries=5, timeout="30s")
        async def notify() -> None:
            "use step"
            await measure(name, len(lengths))

        await notify()
    await Report("lengths").send(names)
    return numbers.mean(lengths)
