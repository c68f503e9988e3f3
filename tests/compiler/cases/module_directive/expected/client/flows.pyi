# Made by wfc from flows.py; do not edit.

async def preview(url: str) -> bytes:
    ...
