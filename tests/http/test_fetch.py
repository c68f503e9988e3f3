"""`fetch` against servers on this machine, in workflows and outside of them."""

from __future__ import annotations

import asyncio
import datetime
import gzip
import ipaddress
import json
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from workflow import FetchError, FetchRefusedError, Headers, Request, URLSearchParams, fetch
from workflow.authoring.destinations import is_public
from workflow.errors import FatalError

Serve = Callable[["Asked"], bytes]

# Arguments of wrong types and forms, and what is said about them: the argument is named.
WRONG: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"content": 5}, TypeError, "^content= of fetch.* not int; json= sends a value as JSON"),
    ({"content": ["a"]}, TypeError, "^content= of fetch.* not list"),
    (
        {"json": {1, 2}},
        TypeError,
        r"^json= of fetch.* set is not JSON serializable\. Write it with",
    ),
    ({"json": float("nan")}, TypeError, "^json= of fetch.* Out of range float"),
    ({"headers": 5}, TypeError, "^headers= of fetch.* or Headers, not 5"),
    ({"headers": {"a": None}}, TypeError, "the value of a header is text, not None"),
    ({"headers": "a: b"}, TypeError, "^headers= of fetch.* or Headers, not 'a: b'"),
    ({"headers": {"a b": "c"}}, ValueError, "'a b' is not a header name"),
    ({"headers": {"a": "b\nc"}}, ValueError, "is not a header value"),
    ({"headers": {"a": "€"}}, ValueError, "is not a header value"),
    ({"params": 5}, TypeError, "^params= of fetch.* or URLSearchParams, not 5"),
    ({"params": "a=1"}, TypeError, "^params= of fetch.* or URLSearchParams, not 'a=1'"),
    ({"method": 5}, TypeError, "^method= of fetch.* is text, not int"),
    ({"method": "GE T"}, ValueError, "^method= of fetch.* not 'GE T'"),
    ({"timeout": None}, ValueError, "^timeout= of fetch.*: None is not a duration"),
    ({"timeout": 0}, ValueError, "^timeout= of fetch.* longer than 0"),
    ({"redirect": True}, ValueError, "^redirect= of fetch.* not True"),
    ({"max_bytes": "1"}, ValueError, "^max_bytes= of fetch.* not '1'"),
]


class Asked:
    """A request as it came in."""

    def __init__(self, head: bytes, body: bytes) -> None:
        lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, _ = lines[0].split(" ")
        self.headers = [tuple(line.split(": ", 1)) for line in lines[1:] if line]
        self.body = body

    def all(self, name: str) -> list[str]:
        return [value for each, value in self.headers if each.lower() == name]


def answer(status: str, body: bytes = b"", *headers: str) -> bytes:
    """The bytes of a response."""
    lines = [f"HTTP/1.1 {status}", *headers, f"content-length: {len(body)}", "connection: close"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@asynccontextmanager
async def server(
    serve: Serve, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[str, list[Asked]]]:
    """A real server; gives its address without the scheme, and the requests it got."""
    seen: list[Asked] = []
    talks: set[asyncio.Task[None] | None] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n"))[:-4]
            asked = Asked(head, b"")
            length = int((asked.all("content-length") or ["0"])[0])
            asked.body = await reader.readexactly(length)
            seen.append(asked)
            writer.write(serve(asked))
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
            talks.discard(asyncio.current_task())

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.create_task(talk(reader, writer)))

    listening = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    port = listening.sockets[0].getsockname()[1]
    try:
        yield f"127.0.0.1:{port}", seen
    finally:
        listening.close()
        await asyncio.gather(*[talk for talk in talks if talk is not None])


def echo(asked: Asked) -> bytes:
    return answer("200 OK", asked.body, "x-method: " + asked.method, "x-target: " + asked.target)


def run(main: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await main()

    asyncio.run(bounded())


def test_what_is_sent() -> None:
    """Method, query, repeated headers, JSON and content arrive as they were given."""

    async def main() -> None:
        async with server(echo) as (place, seen):
            url = f"http://{place}/a?x=1"
            params = URLSearchParams([("y", "2"), ("y", "3")])
            twice = [("X-Tag", "one"), ("X-Tag", "two")]
            await fetch(url, method="put", params=params, headers=twice, json={"a": [1]})
            assert (seen[0].method, seen[0].target) == ("PUT", "/a?x=1&y=2&y=3")
            assert seen[0].all("x-tag") == ["one", "two"]
            assert json.loads(seen[0].body) == {"a": [1]}
            request = Request("POST", url, Headers([*twice, ("x-other", "kept")]), b"body")
            got = await fetch(request, headers={"x-tag": "mine"})
            assert (seen[1].method, seen[1].body) == ("POST", b"body")
            assert (seen[1].all("x-tag"), seen[1].all("x-other")) == (["mine"], ["kept"])
            assert (got.status, await got.text()) == (200, "body")
            await fetch(request, method="PATCH", content="other")
            assert (seen[2].method, seen[2].body) == ("PATCH", b"other")
            assert seen[2].all("x-tag") == ["one", "two"]
            lists: dict[str, Any] = {"tag": ["a", "b"], "all": True, "n": 5, "none": None}
            await fetch(f"http://{place}/", params=lists)
            assert seen[3].target == "/?tag=a&tag=b&all=true&n=5&none="
            assert str(URLSearchParams(lists)) == "tag=a&tag=b&all=true&n=5&none="
            with pytest.raises(TypeError, match="json or content, not both"):
                await fetch(url, json=1, content=b"")

    run(main)


def test_any_status_is_a_response_and_headers_repeat() -> None:
    """4xx and 5xx do not raise; a header may come twice."""

    def serve(asked: Asked) -> bytes:
        return answer("503 No", b"{}", "set-cookie: a=1", "set-cookie: b=2")

    async def main() -> None:
        async with server(serve) as (place, _):
            got = await fetch(f"http://{place}/")
            assert (got.status, got.ok, await got.json()) == (503, False, {})
            assert got.headers.get_all("set-cookie") == ["a=1", "b=2"]

    run(main)


def test_a_compressed_body_is_decoded_with_its_headers() -> None:
    """The headers fit the body that is given."""

    def serve(asked: Asked) -> bytes:
        return answer("200 OK", gzip.compress(b"text" * 1000), "content-encoding: gzip")

    async def main() -> None:
        async with server(serve) as (place, _):
            got = await fetch(f"http://{place}/")
            assert got.content == b"text" * 1000
            assert "content-encoding" not in got.headers
            assert "content-length" not in got.headers
            with pytest.raises(FetchRefusedError, match="larger than the 1000 bytes"):
                await fetch(f"http://{place}/", max_bytes=1000)  # the bytes sent are fewer

    run(main)


def test_the_size_is_limited_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A declared length is enough to refuse; without one, reading stops at the limit."""
    chunk = b"400\r\n" + b"x" * 1024 + b"\r\n"
    chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunk * 4
    large = b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n"
    bodies = iter([large, chunked, answer("200 OK", b"x" * 2000), chunked + b"0\r\n\r\n"])

    async def main() -> None:
        async with server(lambda asked: next(bodies)) as (place, _):
            monkeypatch.setenv("WORKFLOW_FETCH_MAX_BYTES", "2000")
            for _ in range(2):
                with pytest.raises(FetchRefusedError, match="larger than the 2000 bytes"):
                    await fetch(f"http://{place}/")
            assert len((await fetch(f"http://{place}/")).content) == 2000
            assert len((await fetch(f"http://{place}/", max_bytes=4096)).content) == 4096
            monkeypatch.setenv("WORKFLOW_FETCH_MAX_BYTES", "much")
            with pytest.raises(ValueError, match="WORKFLOW_FETCH_MAX_BYTES is a number of bytes"):
                await fetch(f"http://{place}/")

    run(main)


def test_the_timeout_is_for_the_whole_exchange() -> None:
    """A server that sends a little now and then does not keep anybody waiting for ever."""

    async def main() -> None:
        async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            with suppress(OSError):
                while True:
                    writer.write(b"x")
                    await writer.drain()
                    await asyncio.sleep(0.02)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
            over.set()

        over = asyncio.Event()
        listening = await asyncio.start_server(drip, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        with pytest.raises(FetchError, match=rf"from http://127.0.0.1:{port}/a within 0.3 s") as e:
            await fetch(f"http://127.0.0.1:{port}/a?secret=1", timeout="300ms")
        assert not isinstance(e.value, FatalError)
        assert "secret" not in str(e.value)
        await over.wait()
        listening.close()

    run(main)


def test_redirects() -> None:
    """They are followed, returned or refused; a loop ends; credentials stay with their host."""

    def serve(asked: Asked) -> bytes:
        if asked.target == "/start":
            return answer("302 Found", b"x" * 10, "location: /end")
        if asked.target == "/loop":
            return answer("302 Found", b"", "location: /loop")
        if asked.target.startswith("/away"):
            return answer("307 Away", b"", "location: " + asked.target.partition("?")[2])
        return answer("200 OK", ",".join(asked.all("authorization")).encode())

    async def main() -> None:
        async with server(serve) as (place, _), server(serve) as (other, _):
            url = f"http://{place}"
            secret = {"authorization": "Bearer x"}
            assert (await fetch(url + "/start", headers=secret)).content == b"Bearer x"
            away = f"{url}/away?http://{other}/end"
            assert (await fetch(away, headers=secret)).content == b""
            kept = await fetch(url + "/start", redirect="manual")
            assert (kept.status, kept.headers["location"]) == (302, "/end")
            for path, options, text in (
                ("/start", {"redirect": "error"}, "redirects to .*/end, and redirects were not"),
                ("/loop", {}, "more than 20 times"),
                (f"/away?http://a:b@{other}/", {}, "holds a user name"),
                ("/away?ftp://example.com/", {}, "cannot be sent"),
            ):
                with pytest.raises(FetchRefusedError, match=text):
                    await fetch(url + path, **options)  # type: ignore[arg-type]
            with pytest.raises(ValueError, match="redirect= of fetch"):
                await fetch(url, redirect="maybe")  # type: ignore[arg-type]

    run(main)


@pytest.mark.parametrize(
    "url",
    [
        *("/path", "ftp://example.com/", "example.com", "http://"),
        *("http://exa mple.com/", "http://a<b>/", "http://me:hunter2@example.com/x"),
    ],
)
def test_urls_that_are_refused(url: str) -> None:
    """What is no whole http(s) URL, or holds credentials; these are not repeated in the error."""

    async def main() -> None:
        with pytest.raises(ValueError, match="URL") as caught:
            await fetch(url)
        assert "hunter2" not in str(caught.value)

    run(main)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("fec0::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:93.184.216.34", True),
        ("::127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("2001:0:7f00:1::", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    """Loopback, private, link-local, multicast and reserved ones are not, in no disguise."""
    assert is_public(address) is public


def test_private_addresses_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where they are not to be reached, nothing is sent, however the host is written."""

    async def main() -> None:
        async with server(echo) as (place, seen):
            port = place.rpartition(":")[2]
            for host in ("127.0.0.1", "localhost", "0x7f.1", "2130706433", "[::ffff:127.0.0.1]"):
                with pytest.raises(FetchRefusedError, match="is not a public address"):
                    await fetch(f"http://{host}:{port}/", private=False)
            monkeypatch.setenv("WORKFLOW_FETCH_PRIVATE", "refuse")
            with pytest.raises(FetchRefusedError, match=r"call fetch.*private=True"):
                await fetch(f"http://{place}/")
            assert not seen
            assert (await fetch(f"http://{place}/", private=True)).status == 200
            monkeypatch.setenv("WORKFLOW_FETCH_PRIVATE", "no")
            with pytest.raises(ValueError, match='is "allow" or "refuse"'):
                await fetch(f"http://{place}/")

    run(main)


def _resolve(monkeypatch: pytest.MonkeyPatch, names: dict[str, list[list[str]]]) -> list[str]:
    """Have names resolve to these addresses, other ones at each question; the names asked for."""
    asked: list[str] = []

    async def getaddrinfo(loop: Any, host: Any, port: Any, **_: Any) -> list[Any]:
        asked.append(str(host))
        answers = names.get(str(host))
        if answers is None:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (str(host), port))]
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in found]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    return asked


def test_the_checked_address_is_the_one_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name is resolved once: what it resolves to a moment later is not asked for. One private
    address among several is too many, and a redirect is looked at like the first URL."""

    def serve(asked: Asked) -> bytes:
        if asked.target == "/away":
            return answer("302 Found", b"", "location: http://inside.test:1/")
        return answer("200 OK", asked.all("host")[0].encode())

    async def main() -> None:
        async with server(serve) as (place, seen):
            port = place.rpartition(":")[2]
            names = {
                "rebinds.test": [["127.0.0.1"], ["10.0.0.1"]],
                "both.test": [["127.0.0.1", "10.0.0.1"]],
                "inside.test": [["10.0.0.1"]],
            }
            asked = _resolve(monkeypatch, names)
            # As if the address of the test's server were public; the others are judged as they are.
            monkeypatch.setattr(
                "workflow.authoring.destinations.is_public",
                lambda address: address == "127.0.0.1" or is_public(address),
            )
            got = await fetch(f"http://rebinds.test:{port}/", private=False)
            assert got.content == f"rebinds.test:{port}".encode()
            assert asked.count("rebinds.test") == 1
            for host, path in (("both.test", "/"), ("127.0.0.1", "/away")):
                with pytest.raises(FetchRefusedError, match="is not a public address"):
                    await fetch(f"http://{host}:{port}{path}", private=False)
            assert [each.target for each in seen] == ["/", "/away"]

    run(main)


def _certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS with a certificate for `name`, which is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "certificate.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret = folder / "key.pem"
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem, secret)
    return tls, pem


def test_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate that is not trusted is final; no TLS at all may be a moment's trouble. A name
    that was checked keeps its certificate."""
    tls, pem = _certificate(tmp_path, "shop.test")

    async def main() -> None:
        deaf = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        plain = f"127.0.0.1:{deaf.sockets[0].getsockname()[1]}"
        async with deaf, server(echo, tls) as (place, _):
            with pytest.raises(FetchRefusedError, match=r"certificate of .* is not trusted"):
                await fetch(f"https://{place}/")
            with pytest.raises(FetchError) as caught:
                await fetch(f"https://{plain}/")
            assert not isinstance(caught.value, FatalError)
            deaf.close()
            monkeypatch.setenv("SSL_CERT_FILE", str(pem))
            assert (await fetch(f"https://{place}/")).ok
            _resolve(monkeypatch, {"shop.test": [["127.0.0.1"]], "bank.test": [["127.0.0.1"]]})
            monkeypatch.setattr("workflow.authoring.destinations.is_public", lambda address: True)
            port = place.rpartition(":")[2]
            assert (await fetch(f"https://shop.test:{port}/", private=False)).ok
            with pytest.raises(FetchRefusedError, match="is not trusted"):
                await fetch(f"https://bank.test:{port}/", private=False)

    asyncio.run(main())


@pytest.mark.parametrize("broken", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-len"])
def test_a_connection_that_breaks_is_no_response(broken: bytes) -> None:
    """An early end and bytes that are no HTTP may be tried again."""

    async def main() -> None:
        async with server(lambda asked: broken) as (place, _):
            with pytest.raises(FetchError, match="no response from") as caught:
                await fetch(f"http://{place}/")
            assert not isinstance(caught.value, FatalError)

    run(main)


def test_arguments_that_make_no_sense() -> None:
    """What no attempt can send is refused before anything is sent, and says why."""

    async def main() -> None:
        async with server(echo) as (place, seen):
            with pytest.raises(ValueError, match=r"127\.0\.0\.1 has a bad port"):
                await fetch("http://127.0.0.1:99999/")
            with pytest.raises(TypeError, match=r"private= of fetch.* is True or False, not 'no'"):
                await fetch(f"http://{place}/", private="no")  # type: ignore[arg-type]
            with pytest.raises(FetchRefusedError, match="content-length 5, and its body has 0"):
                await fetch(f"http://{place}/", headers={"content-length": "5"})
            with pytest.raises(FetchRefusedError, match="cannot be sent"):
                await fetch(f"http://{place}/", headers={"a": "ä"})
            for wrong, error, text in WRONG:
                with pytest.raises(error, match=text):
                    await fetch(f"http://{place}/", **wrong)
            assert not seen

    run(main)
