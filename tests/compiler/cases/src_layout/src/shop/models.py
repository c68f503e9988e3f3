from dataclasses import dataclass

import requests


@dataclass
class Order:
    id: str
    cents: int


@dataclass
class Live:
    session: requests.Session
