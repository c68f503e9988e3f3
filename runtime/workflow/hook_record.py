"""An open hook, as applications see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from workflow.authoring.context import moment
from workflow.codec import Codec
from workflow.world import records

__all__ = ["HookRecord", "shown"]


@dataclass(frozen=True)
class HookRecord:
    """An open hook, found by its token.

    `created_at` is when it was opened (UTC); `webhook` says whether it has a URL.
    """

    run_id: str
    hook_id: str
    token: str
    created_at: datetime
    webhook: bool
    _metadata: bytes | None = field(repr=False)
    _codec: Codec = field(repr=False, compare=False)

    @property
    def metadata(self) -> Any:
        """What the body gave as `metadata`, None without. Read anew each time.

        Raises SerializationError when this process does not know a class of it.
        """
        if self._metadata is None:
            return None
        return self._codec.decode(self._metadata, path="metadata")


def shown(hook: records.HookRecord, codec: Codec) -> HookRecord:
    """What applications see of a record of the world."""
    return HookRecord(
        run_id=hook.run_id,
        hook_id=hook.hook_id,
        token=hook.token,
        created_at=moment(hook.created_at),
        webhook=hook.webhook,
        _metadata=hook.metadata,
        _codec=codec,
    )
