"""Texts of objects without the addresses in them, which are others in every process."""

from __future__ import annotations

import re

__all__ = ["without_addresses"]

_IN_REPR = re.compile(r" (?:at|@) 0x[0-9A-Fa-f]+(?=[^<>]*>)")


def without_addresses(text: str) -> str:
    """`text` with `<function f at 0x7f…>` as `<function f>`; an address elsewhere stays."""
    return _IN_REPR.sub("", text) if " 0x" in text else text
