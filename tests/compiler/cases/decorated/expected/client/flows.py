# Made by wfc from flows.py; do not edit.
from __future__ import annotations

from typing import TYPE_CHECKING
from workflow.abi import client_v1 as _wfc

if TYPE_CHECKING:
    from workflow import step_options


class Shop:
    @staticmethod
    @_wfc.step("step//flows.py//Shop.refund")
    async def refund(cents: int) -> int:
        ...


@_wfc.workflow("workflow//flows.py//order")
async def order(cents: int) -> int:
    ...


_wfc.register_class("class//flows.py//Shop", __name__, "Shop")
