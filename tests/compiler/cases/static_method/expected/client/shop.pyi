# Made by wfc from shop.py; do not edit.

class Billing:
    @staticmethod
    async def settle(cents: int, *, tip: int = 0) -> str:
        """Charge the amount with the tip."""
        ...
