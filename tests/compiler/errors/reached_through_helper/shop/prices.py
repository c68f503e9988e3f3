import os

import phonenumbers
import requests


def total(item: str) -> int:
    return lookup(item) * int(os.environ["RATE"])


def lookup(item: str) -> int:

    phonenumbers.parse(item)
    return requests.get(item, timeout=3).json()
