"""URLs of pydantic: `HttpUrl` and its relatives, which models have as fields.

They are recorded as their text and the name of their class. pydantic is not imported for writing,
as whoever has a URL of its has it loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workflow.codec.reader import Reader
    from workflow.codec.writer import Writer

__all__ = ["is_url", "read", "write"]

_MODULE = "pydantic.networks"
_BASES = ("_BaseUrl", "_BaseMultiHostUrl")


def is_url(kind: type) -> bool:
    """Whether values of this type are URLs of pydantic itself."""
    return kind.__module__ == _MODULE and any(b.__name__ in _BASES for b in kind.__mro__)


def write(writer: Writer, value: Any, depth: int) -> str:
    return f'["pydantic.Url",{writer.payload((type(value).__name__, str(value)), depth + 1)}]'


def read(reader: Reader, raw: list[Any], depth: int) -> Any:
    """The URL, checked by its class. Raises ValueError for a text that is none."""
    from pydantic import networks

    name, text = reader.value(raw[1], depth)
    kind = getattr(networks, name, None) if type(name) is str else None
    if not isinstance(kind, type) or name.startswith("_") or not is_url(kind):
        raise ValueError("not a class of URLs")
    reader.charge(len(text))
    return kind(text)
