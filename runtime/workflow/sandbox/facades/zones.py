"""`zoneinfo.ZoneInfo` without the zone of the machine."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from typing import Any

from workflow.errors import SandboxError

__all__ = ["TWINS", "ZoneInfo"]

_OF_THE_MACHINE = frozenset({"localtime", "posixrules"})


def _allowed(key: Any) -> Any:
    if isinstance(key, str):
        key = str.__str__(key)  # that of a subclass might be equal to anything
    if key in _OF_THE_MACHINE:
        raise SandboxError(
            f"ZoneInfo({key!r}) is the zone of one machine; name the zone you mean, "
            'such as ZoneInfo("Europe/Paris"), or datetime.UTC'
        )
    return key


class _Zones(type):
    """Metaclass of the class that makes, and recognises, real zones."""

    def __call__(cls, key: str) -> Any:
        return zoneinfo.ZoneInfo(_allowed(key))

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, zoneinfo.ZoneInfo)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return subclass is cls or issubclass(subclass, zoneinfo.ZoneInfo)

    def __get_pydantic_core_schema__(cls, source: Any, handler: Callable[[Any], Any]) -> Any:
        """As a field of a model it means the real class, and so do its instances."""
        from pydantic_core import core_schema

        def named(value: Any, native: Callable[[Any], Any]) -> Any:
            return native(_allowed(value) if isinstance(value, str) else value)

        return core_schema.no_info_wrap_validator_function(named, handler(zoneinfo.ZoneInfo))


class ZoneInfo(metaclass=_Zones):
    """`zoneinfo.ZoneInfo` of workflow code: zones by name. It has no cache to clear, as that of the
    process belongs to everyone."""

    def __init_subclass__(cls) -> None:
        raise SandboxError("ZoneInfo cannot be subclassed in workflow code")


ZoneInfo.__module__ = "zoneinfo"

TWINS: dict[type, Any] = {zoneinfo.ZoneInfo: ZoneInfo}
"""What workflow code has instead of the real class."""
