"""What fails in another file than the workflow's."""

from __future__ import annotations

import threading
from typing import Any


def deep_inside(levels: int) -> None:
    """Fail some calls further in."""
    if levels == 0:
        raise ValueError("deep inside")
    deep_inside(levels - 1)


def fail_in_another_file() -> None:
    """Fail here."""
    raise ValueError("in another file")


def a_lock() -> Any:
    """Something that no log can hold, where the build does not see it."""
    return threading.Lock()
