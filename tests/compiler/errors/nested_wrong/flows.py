def make_flow(greeting: str):
    async def onboard(name: str) -> str:
        "use workflow"
        return f"{greeting} {name}"

    return onboard


async def charge(cents: int) -> int:
    "use step"

    async def audit(line: str) -> None:
        "use step"
        print(line)

    await audit(f"charged {cents}")
    return cents


def local_class():
    class Mailer:
        async def send(self, text: str) -> None:
            "use step"

    return Mailer()


if __debug__:

    def outer():
        async def inner() -> None:
            "use step"

        return inner
