"""A project with workflows, steps, models and something heavy, and Python processes in it."""

from __future__ import annotations

import os
import sys
import textwrap
from pathlib import Path

from tests import forks

__all__ = ["MODELS", "ROOT", "SHOP", "python"]

ROOT = Path(__file__).parents[2]

MODELS = """\
from dataclasses import dataclass
from typing import TypedDict

from pydantic import BaseModel


@dataclass
class Order:
    id: str
    cents: int = 5


class Receipt(BaseModel):
    order: str
    paid: int


class Note(TypedDict):
    text: str
"""

STEPS = """\
from shop.heavy import connect
from shop.models import Order, Receipt

LIMIT = 7


async def charge(order: Order, cents: int) -> Receipt:
    "use step"
    return Receipt(order=order.id, paid=cents)
"""

FLOWS = '''\
import enum
import typing as t
from dataclasses import dataclass, field

from shop.models import (
    Note,
    Order as Bought,
    Receipt,
)
from shop.heavy import connect
from shop.steps import charge

if t.TYPE_CHECKING:
    from collections.abc import Sequence

T = t.TypeVar("T")


class Mode(enum.Enum):
    FAST = "fast"
    SLOW = "slow"


@dataclass
class Cart:
    """What is bought."""

    orders: list[Bought] = field(default_factory=list[Bought])
    mode: Mode = Mode.FAST

    def total(self) -> int:
        """The price."""
        return sum(order.cents for order in self.orders)


def double(cents: int) -> int:
    return 2 * cents


def limit() -> int:
    return 7


async def place(order: Bought, *, times: int = 1, cap: int = limit()) -> Receipt:
    """Sell one order."""
    "use workflow"
    return await charge(order, min(order.cents * times, cap))


async def sell(cart: Cart, notes: "Sequence[Note]" = ()) -> Cart:
    """Sell a whole cart."""
    "use workflow"
    for order in cart.orders:
        await charge(order, double(order.cents))
    return Cart(cart.orders, Mode.SLOW)


async def first(items: list[T]) -> T:
    "use workflow"
    return items[0]


async def pack(path: str) -> str:
    "use step"
    return str(connect(path))


class Billing:
    rate = 3

    @staticmethod
    async def settle(cents: int, *, tip: int = 0) -> str:
        """Charge the amount with the tip."""
        "use workflow"
        return str(cents + tip)
'''

HEAVY = "def connect(path: str) -> object:\n    return open(path)\n"
SHOP = {
    "shop/heavy.py": HEAVY,
    "shop/models.py": MODELS,
    "shop/steps.py": STEPS,
    "shop/flows.py": FLOWS,
}


def python(
    code: str, folder: Path, *, ok: bool = True, environment: dict[str, str] | None = None
) -> str:
    """Run code in a process of its own, in `folder`, and return what it printed."""
    bare = {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    done = forks.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=folder,
        env={**os.environ, **bare, **(environment or {})},
    )
    assert (done.returncode == 0) is ok, done.stderr
    return done.stdout if ok else done.stderr
