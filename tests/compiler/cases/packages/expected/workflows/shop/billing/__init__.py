from shop.billing.cards import charge
from .cards import refund


