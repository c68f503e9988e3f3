from shop.billing.cards import charge
from .cards import refund

__all__ = ["charge", "refund"]
