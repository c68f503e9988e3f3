from workflow import sleep


async def main() -> None:
    "use workflow"
    await sleep(1)  # wfc: ignore[WF701] not needed
