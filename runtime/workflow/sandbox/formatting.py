"""`str.format` and `str.format_map` with the attribute steps of a field held to the guards.

`"{0.__globals__}".format(f)` is an attribute read that no compile-time check can see.
"""

from __future__ import annotations

from _string import (  # type: ignore[import-not-found]  # C module without stubs
    formatter_field_name_split,
)
from collections.abc import Callable, Mapping, Sequence
from string import Formatter
from typing import Any

from workflow.sandbox import texts

__all__ = ["SUPER_CLASS", "SUPER_SELF", "guarded_format"]

SUPER_SELF: Callable[[super], Any] = super.__self__.__get__  # type: ignore[attr-defined]
"""The object a `super()` stands for, whatever the classes it looks through define."""

SUPER_CLASS: Callable[[super], Any] = super.__thisclass__.__get__  # type: ignore[attr-defined]
"""The class a `super()` looks above."""

Read = Callable[[Any, str], Any]


class _GuardedFormatter(Formatter):
    def __init__(self, read: Read) -> None:
        self._read = read

    def get_field(
        self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> tuple[Any, Any]:
        first, rest = formatter_field_name_split(field_name)
        value = self.get_value(first, args, kwargs)
        for is_attribute, key in rest:
            value = self._read(value, key) if is_attribute else value[key]
        return value, first

    def format_field(self, value: Any, format_spec: str) -> str:
        return texts.format_text(value, format_spec)

    def convert_field(self, value: Any, conversion: Any) -> Any:
        if conversion in ("s", "r", "a"):
            return texts.field_text(value, ord(conversion), "")
        return super().convert_field(value, conversion)

    def check_unused_args(
        self, used_args: set[int | str], args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> None:
        """Unused arguments are fine, as in `str.format`."""


def guarded_format(text: object, name: str, read: Read) -> Callable[..., str] | None:
    """The replacement of `text.format` or `text.format_map`; None when `text` is no string.

    `text` may be a string, a string class (for `str.format(template, …)`) or the `super()` of a
    string subclass. `read` is used for every attribute step of a field.
    """
    if isinstance(text, super):
        text = SUPER_SELF(text)
    formatter = _GuardedFormatter(read)
    if isinstance(text, str):
        template = text
        if name == "format":
            return lambda *args, **kwargs: formatter.vformat(template, args, kwargs)
        return lambda mapping: formatter.vformat(template, (), mapping)
    if isinstance(text, type) and issubclass(text, str):
        if name == "format":
            return lambda template, *args, **kwargs: formatter.vformat(template, args, kwargs)
        return lambda template, mapping: formatter.vformat(template, (), mapping)
    return None
