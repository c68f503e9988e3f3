# Made by wfc from flows.py; do not edit.

async def branches(order: str, total: int, vip: bool = False) -> str:
    """Every way to branch."""
    ...

async def loops(items: list[str], tries: int = 3) -> list[str]:
    """Loops in loops, with every way out."""
    ...

async def errors(order: str) -> str:
    """A try in a loop, which jumps pass on their way out."""
    ...
