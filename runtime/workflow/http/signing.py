"""Signatures of the calls that deliver work over HTTP.

`x-workflow-signature: t=<unix seconds>,k=<key id>,v1=<hex>`, where v1 is HMAC-SHA256 over the lines

    v1, t, METHOD, path, message id, attempt, sha256hex(raw body)

The message id and the attempt are signed so that a body cannot be moved to another delivery, the
time so that a captured call is worth nothing after five minutes (within them it is harmless: it
nudges work through the ordinary claim). `path` is the path from `/.well-known/workflow/v1` on: what
stands before it is the business of proxies and mounts, which add and strip prefixes.

Everything here is a pure function of its arguments.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping

__all__ = [
    "ATTEMPT_HEADER",
    "MESSAGE_ID_HEADER",
    "SIGNATURE_HEADER",
    "WINDOW",
    "sign",
    "verify",
]

SIGNATURE_HEADER = "x-workflow-signature"
MESSAGE_ID_HEADER = "x-workflow-message-id"
ATTEMPT_HEADER = "x-workflow-attempt"

WINDOW = 300
"""Seconds a signature is good for, in both directions: clocks differ both ways."""

_HEADER = re.compile(r"t=([0-9]{1,12}),k=([A-Za-z0-9_.-]{1,32}),v1=([0-9a-f]{64})", re.ASCII)
_MESSAGE_ID = re.compile(r"[!-~]{1,128}", re.ASCII)
_ATTEMPT = re.compile(r"[0-9]{1,9}", re.ASCII)


def sign(
    *,
    key_id: str,
    key: bytes,
    now: int,
    method: str,
    path: str,
    message_id: str,
    attempt: int,
    body: bytes,
) -> dict[str, str]:
    """The three headers of a signed call. `now` is in whole seconds since the epoch."""
    digest = _digest(key, str(now), method, path, message_id, str(attempt), body)
    return {
        SIGNATURE_HEADER: f"t={now},k={key_id},v1={digest}",
        MESSAGE_ID_HEADER: message_id,
        ATTEMPT_HEADER: str(attempt),
    }


def verify(
    headers: Mapping[str, str],
    *,
    keys: Mapping[str, bytes],
    now: int,
    method: str,
    path: str,
    body: bytes,
) -> bool:
    """Whether one of `keys` (by key id) signed exactly this call within `WINDOW` of `now`.

    `headers` has lower-case names. Never raises, and does not tell why not: every failure gets the
    same answer outside.
    """
    signature = _HEADER.fullmatch(headers.get(SIGNATURE_HEADER, ""))
    message_id = _MESSAGE_ID.fullmatch(headers.get(MESSAGE_ID_HEADER, ""))
    attempt = _ATTEMPT.fullmatch(headers.get(ATTEMPT_HEADER, ""))
    if signature is None or message_id is None or attempt is None:
        return False
    at, key_id, given = signature.groups()
    key = keys.get(key_id)
    if key is None or abs(now - int(at)) > WINDOW:
        return False
    wanted = _digest(key, at, method, path, message_id[0], attempt[0], body)
    return hmac.compare_digest(wanted.encode(), given.encode())


def _digest(
    key: bytes, at: str, method: str, path: str, message_id: str, attempt: str, body: bytes
) -> str:
    lines = ("v1", at, method, path, message_id, attempt, hashlib.sha256(body).hexdigest())
    return hmac.new(key, "\n".join(lines).encode(), hashlib.sha256).hexdigest()
