import sqlalchemy

COUNT = 3


async def charge(item: str) -> str:
    """The same name as in another file."""
    "use step"
    return sqlalchemy.text(item)
