class Plan:
    def __getattribute__(self, name: str) -> int:
        return 900

    def __del__(self) -> None:
        open("x")


async def price() -> object:
    "use workflow"
    ähm = Plan(); x = ähm.__class__
    return x.mro()
