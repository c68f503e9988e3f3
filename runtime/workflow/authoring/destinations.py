"""Requests to public addresses only.

A URL that comes from outside may name a host inside: a database, the metadata of a cloud. Looking
at the URL is not enough, as any name may resolve to any address, and to another one a moment later.
So the name is resolved once, all its addresses are looked at, and the connection is made to one of
those very addresses. Every redirect comes through here again.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket

import httpx

from workflow.errors import FetchRefusedError

__all__ = ["Checked", "is_public"]

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Whether an IP address is reached through the public internet, also one inside of another:
    IPv4 in IPv6, 6to4, Teredo, NAT64."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inside = [found.ipv4_mapped, found.sixtofour, *(found.teredo or ())]
        if found in _NAT64:
            inside.append(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF))
        if found in ipaddress.IPv6Network("::/96"):  # an old form of IPv4 in IPv6
            return False
        if any(each is not None and not is_public(str(each)) for each in inside):
            return False
        if found.ipv4_mapped is not None:
            return True
        if found.is_site_local:
            return False
    return found.is_global and not found.is_multicast and not found.is_reserved


class Checked(httpx.AsyncBaseTransport):
    """Connects to addresses that were checked. Proxies of the environment are not used: they would
    resolve the names once more. `place` is what errors call the request."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._inner = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        addresses = await self._resolve(host, port)
        if not all(is_public(address) for address in addresses):
            raise FetchRefusedError(
                f"{self._place}: {host} is not a public address, and such were not to be reached. "
                "If this request is meant to stay inside, call fetch(..., private=True)"
            )
        request.extensions = {**request.extensions, "sni_hostname": host}
        failed: httpx.ConnectError | None = None
        for address in addresses:
            # The header "host" and the name in the certificate stay those of the URL.
            request.url = request.url.copy_with(host=address)
            try:
                answer = await self._inner.handle_async_request(request)
            except httpx.ConnectError as error:
                failed = error
                continue
            finally:
                request.url = request.url.copy_with(host=host)
            return answer
        assert failed is not None
        raise failed

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _resolve(self, host: str, port: int) -> list[str]:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(f"{host} cannot be resolved: {error}") from error
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))
