"""The address under which webhooks are reached from outside, as the environment says it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

__all__ = ["checked_url", "local_url", "url_setting"]

_SETTINGS = ("WORKFLOW_BASE_URL", "WORKFLOW_EMBEDDED_BASE_URL")
_DEFAULT_PORT = "3000"


def checked_url(name: str, value: str) -> str:
    """`value` without a slash at its end. Raises ValueError, which names `name`, for what is not
    an http(s) URL, and for one with a query or a fragment."""
    try:
        parts = urlsplit(value)
        right = parts.scheme in ("http", "https") and bool(parts.hostname)
        parts.port  # noqa: B018 (raises for what is no port)
    except ValueError:
        right = False
    if not right or parts.query or parts.fragment:
        raise ValueError(f'{name} is a URL such as "https://example.com", not {value!r}')
    return value.rstrip("/")


def url_setting(environ: Mapping[str, str]) -> str | None:
    """WORKFLOW_BASE_URL, else WORKFLOW_EMBEDDED_BASE_URL, as `checked_url` gives it; None where
    neither is set. Raises ValueError."""
    for name in _SETTINGS:
        if value := environ.get(name):
            return checked_url(name, value)
    return None


def local_url(environ: Mapping[str, str]) -> str:
    """This machine with PORT, 3000 where it is not set. Raises ValueError for what is no port."""
    port = environ.get("PORT") or _DEFAULT_PORT
    if not (port.isascii() and port.isdecimal() and 1 <= int(port[:6]) <= 65535):
        raise ValueError(f"PORT is a number from 1 to 65535, not {port!r}")
    return f"http://localhost:{port}"
