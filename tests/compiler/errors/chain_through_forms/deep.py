import os

import phonenumbers


def lookup(item: str) -> int:
    return phonenumbers.parse(item).country_code


def country() -> str:
    return os.environ["COUNTRY"]
