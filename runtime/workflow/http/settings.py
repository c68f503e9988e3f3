"""What can be set about the HTTP layer, from arguments and the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

__all__ = ["Settings", "Transport", "check_transport"]

Transport = Literal["process", "http"]
"""How work reaches the code: by a worker in the process, or also by signed HTTP calls."""

_KEY_ID = re.compile(r"[A-Za-z0-9_.-]{1,32}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Read once, when the application starts."""

    transport: Transport = "process"
    key_ids: tuple[str, ...] = ("1",)
    """Keys that may sign deliveries: the current one and, during a rotation, its predecessor."""
    webhook_max_bytes: int = 4 * 1024 * 1024
    delivery_max_bytes: int = 64 * 1024
    read_timeout: float = 30.0
    """Seconds a whole body may take to arrive."""

    @classmethod
    def read(cls, environ: Mapping[str, str], *, transport: str | None = None) -> Settings:
        """From `WORKFLOW_TRANSPORT`, `WORKFLOW_HTTP_KEYS` and `WORKFLOW_WEBHOOK_MAX_BYTES`.

        The argument wins over the environment. Raises ValueError for a value that means nothing.
        """
        key_ids = tuple(environ.get("WORKFLOW_HTTP_KEYS", "1").replace(" ", "").split(","))
        if not 1 <= len(key_ids) <= 2 or not all(map(_KEY_ID.fullmatch, key_ids)):
            raise ValueError(
                'WORKFLOW_HTTP_KEYS is one key id, or two separated by a comma, such as "2,1"'
            )
        limit = environ.get("WORKFLOW_WEBHOOK_MAX_BYTES") or str(cls.webhook_max_bytes)
        if not limit.isdecimal() or int(limit) == 0:
            raise ValueError(f"WORKFLOW_WEBHOOK_MAX_BYTES is a number of bytes, not {limit!r}")
        if transport is None:
            setting = environ.get("WORKFLOW_TRANSPORT") or "process"
            chosen = check_transport(setting, "WORKFLOW_TRANSPORT")
        else:
            chosen = check_transport(transport)
        return cls(
            transport=chosen,
            key_ids=key_ids,
            webhook_max_bytes=int(limit),
        )


def check_transport(name: str, given_as: str = "transport") -> Transport:
    """`name` as a transport. Raises ValueError."""
    for known in get_args(Transport):
        if name == known:
            return known  # type: ignore[no-any-return]
    raise ValueError(f'{given_as} is "process" or "http", not {name!r}')
