from dataclasses import dataclass

import requests
from pydantic import BaseModel


@dataclass
class Cart:
    items: list[str]

    async def add(self, item: str, *, count: int = 1) -> "Cart":
        """Put something into the cart."""
        "use step"
        requests.post("https://stock.example", json=item)
        return Cart(self.items + [item] * count)

    @classmethod
    async def load(cls, user: str) -> "Cart":
        "use step"
        return cls(requests.get(f"https://carts.example/{user}").json())

    @staticmethod
    def price(item: str) -> int:
        "use step"
        return len(item)

    async def fill(self, *items: str) -> "Cart":
        """A method without a directive is workflow code."""
        cart = self
        for item in items:
            cart = await cart.add(item)
        return cart


class User(BaseModel):
    email: str

    def greet(self, /, greeting: str = "hi") -> str:
        "use step"
        return f"{greeting} {self.email}"


class Money:
    """A class that says itself how it is recorded."""

    def __init__(self, cents: int) -> None:
        self.cents = cents

    def __workflow_serialize__(self) -> int:
        return self.cents

    @classmethod
    def __workflow_deserialize__(cls, data: int) -> "Money":
        return cls(data)

    async def charge(self) -> bool:
        "use step"
        return requests.post("https://pay.example", json=self.cents).ok


class Unused:
    """No workflow names this class, yet an instance of it may come from a step."""

    def ping(self) -> bool:
        "use step"
        return requests.get("https://ping.example").ok
