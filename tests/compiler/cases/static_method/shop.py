class Billing:
    """Steps and workflows that share a name space."""

    CURRENCY = "EUR"

    @staticmethod
    async def charge(cents: int) -> str:
        "use step"
        return f"charged {cents}"

    @staticmethod
    async def settle(cents: int, *, tip: int = 0) -> str:
        """Charge the amount with the tip."""
        "use workflow"
        return await Billing.charge(cents + tip) + Billing.CURRENCY
