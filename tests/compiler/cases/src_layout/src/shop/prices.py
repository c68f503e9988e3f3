from enum import Enum
from fractions import Fraction

RATE = Fraction(6, 5)
UNUSED = open


class Basket(Enum):
    SMALL = 1_000
    LARGE = 10_000


def with_tax(cents: int) -> int:
    return int(cents * RATE)


def report() -> None:
    print(open("report.txt").read())
