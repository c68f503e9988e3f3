from dataclasses import dataclass


from pydantic import BaseModel


@dataclass
class Cart:
    items: list[str]

    async def add(self, item: str, *, count: int = 1) -> "Cart":
        """Put something into the cart."""
        return await _wfc_step("step//models.py//Cart#add", {"self": self, "item": item, "count": count})



    @classmethod
    async def load(cls, user: str) -> "Cart":
        return await _wfc_step("step//models.py//Cart.load", {"cls": cls, "user": user})


    @staticmethod
    async def price(item: str) -> int:
        return await _wfc_step("step//models.py//Cart.price", {"item": item})


    async def fill(self, *items: str) -> "Cart":
        """A method without a directive is workflow code."""
        cart = self
        for item in items:
            cart = await cart.add(item)
        return cart


class User(BaseModel):
    email: str

    async def greet(self, /, greeting: str = "hi") -> str:
        return await _wfc_step("step//models.py//User#greet", {"self": self, "greeting": greeting})



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
        return await _wfc_step("step//models.py//Money#charge", {"self": self})



class Unused:
    """No workflow names this class, yet an instance of it may come from a step."""

    async def ping(self) -> bool:
        return await _wfc_step("step//models.py//Unused#ping", {"self": self})

from workflow.abi.flow_v1 import step as _wfc_step
