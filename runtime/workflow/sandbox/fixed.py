"""Tables that stay as they are, whoever gets hold of them.

`mappingproxy` is no such table: `proxy == other` and `proxy | other` hand the dictionary behind it
to a method of `other`, which may write to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

__all__ = ["Fixed", "fixed", "view"]


class Fixed(Mapping[Any, Any]):
    """A table without a method that changes it."""

    __slots__ = ("__native__",)
    __native__: dict[Any, Any]

    def __init__(self, items: Mapping[Any, Any]) -> None:
        object.__setattr__(self, "__native__", dict(items))

    def __getitem__(self, key: Any) -> Any:
        return self.__native__[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.__native__)

    def __len__(self) -> int:
        return len(self.__native__)

    def __repr__(self) -> str:
        return repr(self.__native__)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("this table is read-only")

    def __reduce_ex__(self, protocol: object) -> Any:
        raise TypeError("a read-only table cannot be copied")


def fixed(items: Mapping[Any, Any]) -> Any:
    """A view of a copy of `items` for everybody: what is behind it cannot be changed either."""
    return MappingProxyType(Fixed(items))


def view(items: Mapping[Any, Any]) -> Any:
    """A view of a copy of `items` for one reader, whose copy it is."""
    return MappingProxyType(dict(items))
