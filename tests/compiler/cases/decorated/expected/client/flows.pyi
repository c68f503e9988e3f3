# Made by wfc from flows.py; do not edit.
from workflow import step_options

class Shop:
    @staticmethod
    async def refund(cents: int) -> int:
        ...

async def order(cents: int) -> int:
    ...
