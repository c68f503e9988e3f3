# Made by wfc from flows.py; do not edit.
from __future__ import annotations

from workflow.abi import client_v1 as _wfc


class Mail:
    """Sends mail."""

    @staticmethod
    @_wfc.step("step//flows.py//Mail.send")
    async def send(to: str) -> None:
        ...


@_wfc.workflow("workflow//flows.py//main")
async def main(order: str, tool: str) -> int:
    """Calls of every kind."""
    ...


_wfc.register_class("class//flows.py//Mail", __name__, "Mail")
_wfc.register_class("class//tools.py//Agent", "tools", "Agent")
