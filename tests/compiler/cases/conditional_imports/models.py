from dataclasses import dataclass


@dataclass
class Order:
    prices: list[int]
