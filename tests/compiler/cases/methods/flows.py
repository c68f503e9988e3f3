from models import Cart, Money, User


class Shop:
    @classmethod
    async def order(cls, user: str, *items: str) -> str:
        """A workflow may be a class method."""
        "use workflow"
        cart = await (await Cart.load(user)).fill(*items)
        total = sum([await Cart.price(item) for item in cart.items])
        await Money(total).charge()
        return await User(email=user).greet()
