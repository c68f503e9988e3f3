# Made by wfc from flows.py; do not edit.

async def order(item: str, cents: int) -> list[int]:
    ...
