# Made by wfc from flows.py; do not edit.

class Report:
    def __init__(self, title: str) -> None:
        ...

    def __workflow_serialize__(self) -> str:
        ...

    @classmethod
    def __workflow_deserialize__(cls, title: str) -> "Report":
        ...

    async def send(self, to: list[str]) -> None:
        ...

async def onboard(names: list[str]) -> float:
    ...
