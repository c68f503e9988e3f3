# Made by wfc from flows.py; do not edit.

class Shop:
    @classmethod
    async def order(cls, user: str, *items: str) -> str:
        """A workflow may be a class method."""
        ...
