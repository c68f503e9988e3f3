async def main(größe: str) -> object:
    "use workflow"
    with open(größe) as file:
        pass
    return eval("1"), id(file), input("日本"), globals()
