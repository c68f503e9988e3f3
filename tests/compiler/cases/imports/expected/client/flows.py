# Made by wfc from flows.py; do not edit.
from __future__ import annotations

from typing import TYPE_CHECKING
from workflow.abi import client_v1 as _wfc

if TYPE_CHECKING:
    from x import Y


class A:
    x = 1


@_wfc.workflow("workflow//flows.py//w")
async def w(y: "Y", *, n=...) -> "Y":
    ...


_wfc.register_class("class//flows.py//A", __name__, "A")
