# Made by wfc from flows.py; do not edit.

async def order(cents: int) -> int:
    ...
