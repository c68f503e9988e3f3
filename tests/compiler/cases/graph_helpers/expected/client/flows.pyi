# Made by wfc from flows.py; do not edit.

class Mail:
    """Sends mail."""

    @staticmethod
    async def send(to: str) -> None:
        ...

async def main(order: str, tool: str) -> int:
    """Calls of every kind."""
    ...
