from abc import abstractmethod
from functools import cached_property


class Shop:
    "use step"

    class Inner:
        async def charge(self) -> None:
            "use step"

    async def order(self, item: str) -> str:
        "use workflow"
        return item

    def __init__(self) -> None:
        "use step"

    def __secret(self) -> None:
        "use step"

    @property
    def total(self) -> int:
        "use step"
        return 1

    @total.setter
    def total(self, value: int) -> None:
        "use step"

    @cached_property
    def tax(self) -> int:
        "use step"
        return 1

    @abstractmethod
    async def pay(self) -> None:
        "use step"

    if __debug__:

        async def maybe(self) -> None:
            "use step"
