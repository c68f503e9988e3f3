"""Context managers of the libraries that call workflow code, or change its state, at their end.

The garbage collector ends a generator that is forgotten as part of a cycle, and with it the `with`
blocks it is in (`abandoned.py`). There these do nothing.
"""

from __future__ import annotations

import contextlib
import decimal
from typing import Any

from workflow.sandbox.abandoned import COLLECTING, is_collected

__all__ = ["MANAGERS", "localcontext"]


def _is_left_out() -> bool:
    return bool(COLLECTING) and is_collected()


class ExitStack(contextlib.ExitStack):
    """`contextlib.ExitStack`."""

    def __exit__(self, *details: Any) -> Any:
        return None if _is_left_out() else super().__exit__(*details)


class AsyncExitStack(contextlib.AsyncExitStack):
    """`contextlib.AsyncExitStack`."""

    async def __aexit__(self, *details: Any) -> Any:
        return None if _is_left_out() else await super().__aexit__(*details)


class closing(contextlib.closing[Any]):  # noqa: N801 - the name of the original
    """`contextlib.closing`."""

    def __exit__(self, *details: Any) -> None:
        if not _is_left_out():
            super().__exit__(*details)


class aclosing(contextlib.aclosing[Any]):  # noqa: N801 - the name of the original
    """`contextlib.aclosing`."""

    async def __aexit__(self, *details: Any) -> None:
        if not _is_left_out():
            await super().__aexit__(*details)


class suppress(contextlib.suppress):  # noqa: N801 - the name of the original
    """`contextlib.suppress`. What it would let go on is not to."""

    def __exit__(self, *details: Any) -> Any:
        return None if _is_left_out() else super().__exit__(*details)


class _LocalContext:
    """What `decimal.localcontext()` gives: the collector has a context of its own to leave."""

    __slots__ = ("__native__",)
    __native__: Any

    def __init__(self, native: Any) -> None:
        self.__native__ = native

    def __enter__(self) -> decimal.Context:
        context: decimal.Context = self.__native__.__enter__()
        return context

    def __exit__(self, *details: Any) -> None:
        if not _is_left_out():
            self.__native__.__exit__(*details)


def localcontext(ctx: decimal.Context | None = None, **options: Any) -> _LocalContext:
    """`decimal.localcontext`."""
    return _LocalContext(decimal.localcontext(ctx, **options))


MANAGERS: dict[str, Any] = {
    "AsyncExitStack": AsyncExitStack,
    "ExitStack": ExitStack,
    "aclosing": aclosing,
    "closing": closing,
    "suppress": suppress,
}
"""The members of the facade of contextlib that are not its own."""

for _manager in MANAGERS.values():
    _manager.__module__ = "contextlib"
