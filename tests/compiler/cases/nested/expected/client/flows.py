# Made by wfc from flows.py; do not edit.
from __future__ import annotations

from workflow.abi import client_v1 as _wfc


class Report:
    def __init__(self, title: str) -> None:
        self.title = title

    def __workflow_serialize__(self) -> str:
        return self.title

    @classmethod
    def __workflow_deserialize__(cls, title: str) -> "Report":
        return cls(title)

    async def send(self, to: list[str]) -> None:
        for address in to:

            def mail(subject: str) -> None:
                "use step"
                httpx.post("https://mail.example", json=[address, subject, self.title])

            await mail("report")


@_wfc.workflow("workflow//flows.py//onboard")
async def onboard(names: list[str]) -> float:
    ...


_wfc.register_class("class//flows.py//Report", __name__, "Report")
