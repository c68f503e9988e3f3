"""Run ids and idempotency keys that a caller chooses."""

from __future__ import annotations

__all__ = ["check_key", "check_run_id"]

MAX_KEY = 1024


def check_run_id(run_id: object) -> None:
    """Raises ValueError for an id that shells, URLs or a world could not carry."""
    if not isinstance(run_id, str) or not run_id.startswith("wrun_") or len(run_id) > 128:
        raise ValueError(f"a run id begins with wrun_ and has up to 128 characters: {run_id!r}")
    if run_id == "wrun_" or not run_id.isprintable() or " " in run_id:
        raise ValueError(f"a run id has printable characters after wrun_, no spaces: {run_id!r}")


def check_key(key: object) -> None:
    """Raises TypeError for an idempotency key that is no text, ValueError for one that is empty,
    which would make every start a new run, or that worlds cannot store or keep in an index."""
    if key is None:
        return
    if not isinstance(key, str):
        raise TypeError(f"an idempotency key is text, not {type(key).__name__}")
    if not key:
        raise ValueError("an empty idempotency key keeps nothing from happening twice; give a text")
    if "\0" in key or any("\ud800" <= c <= "\udfff" for c in key):
        raise ValueError(f"an idempotency key is text without U+0000 and surrogates: {key[:80]!r}")
    if len(key) > MAX_KEY or len(key.encode()) > MAX_KEY:
        raise ValueError(
            f"an idempotency key has up to {MAX_KEY:,} bytes as UTF-8. Of a longer text give a "
            "hash, such as hashlib.sha256(text.encode()).hexdigest()"
        )
