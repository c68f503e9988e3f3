def lookup(
    name: str,
) -> str:
    return _read(name)  # wfc: ignore[WF301] not here


def _read(name: str) -> str:
    with (
        open(name) as file,
        open("größe.txt") as sizes,  # wfc: ignore[WF301]
    ):
        return file.read() + sizes.read()
