from dataclasses import dataclass




@dataclass
class Order:
    id: str
    cents: int





