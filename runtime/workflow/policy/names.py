"""Names of workflows and steps as people read them."""

from __future__ import annotations

__all__ = ["short_name"]


def short_name(identifier: str) -> str:
    """The name in an id, without kind and file, as the code spells it.

    `step//shop.py//Cart#add` is `Cart.add`, `step//shop.py//pay/check` (a step inside of `pay`) is
    `pay/check`. What is no id comes back as it is.
    """
    if not identifier.startswith(("step//", "workflow//", "class//")):
        return identifier
    return identifier.rpartition("//")[2].replace("#", ".")
