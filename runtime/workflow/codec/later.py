"""A table of classes, some of which are made when a value of theirs is read for the first time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, overload

__all__ = ["Later"]


class Later(dict[str, type[Any]]):
    """`known` classes by id, and for other ids functions that make them, called once each.

    `made` is told the id and the class.
    """

    def __init__(
        self,
        known: Mapping[str, type],
        makers: Mapping[str, Callable[[], type]],
        made: Callable[[str, type], None],
    ) -> None:
        super().__init__(known)
        self._makers = makers
        self._made = made

    @overload
    def get(self, key: str, default: None = None, /) -> type[Any] | None: ...
    @overload
    def get(self, key: str, default: Any, /) -> Any: ...

    def get(self, key: str, default: Any = None, /) -> Any:
        found = super().get(key)
        if found is None and key in self._makers:
            found = self._makers[key]()
            self._made(key, found)
        return default if found is None else found
