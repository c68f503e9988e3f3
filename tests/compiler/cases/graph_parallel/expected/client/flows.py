# Made by wfc from flows.py; do not edit.
from __future__ import annotations

from workflow.abi import client_v1 as _wfc


@_wfc.workflow("workflow//flows.py//crawl")
async def crawl(urls: list[str], fast: bool) -> list[str]:
    """Gather in all its forms."""
    ...


@_wfc.workflow("workflow//flows.py//groups")
async def groups(urls: list[str]) -> None:
    """Task groups and tasks."""
    ...


@_wfc.workflow("workflow//flows.py//races")
async def races(who: str) -> str:
    """Time limits."""
    ...
