"""The programs of docs/frameworks.md under real servers."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

import wfc
from tests import forks
from tests.examples.pages import DOCS, files_of, write
from tests.ports import free_port
from tests.project import until
from workflow.codec import Codec
from workflow.worlds.local import create_local_world

PAGE = DOCS / "frameworks.md"
OUTSIDE = "/.well-known/workflow/v1/webhook/"
WRAP = "app = with_workflow(app)"

# What a test adds to each program, just before it is wrapped: a middleware that marks every
# response, a start and an end that leave files, and a websocket that says hello.
PROBES = {
    "starlette": """
from contextlib import asynccontextmanager
from pathlib import Path
from starlette.routing import WebSocketRoute

class Marks:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        async def marked(message):
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-app", b"1")]
            await send(message)
        await self.app(scope, receive, marked)

async def hello(websocket):
    await websocket.accept()
    await websocket.send_text("hello")
    await websocket.close()

@asynccontextmanager
async def lifespan(app):
    run = await start(ship, "early")
    Path("started").write_text(run.run_id)
    yield
    Path("stopped").touch()

app.router.lifespan_context = lifespan
app.add_middleware(Marks)
app.routes.append(WebSocketRoute("/hello", hello))
""",
    "litestar": """
from pathlib import Path
from litestar import WebSocket, websocket

@websocket("/hello")
async def hello(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("hello")
    await socket.close()

async def begin() -> None:
    Path("started").write_text((await start(ship, "early")).run_id)

async def mark(response):
    response.set_header("x-app", "1")
    return response

async def end() -> None:
    Path("stopped").touch()

app = Litestar([place, hello], on_startup=[begin], on_shutdown=[end], after_request=mark)
""",
    "quart": """
from pathlib import Path
from quart import websocket

@app.websocket("/hello")
async def hello():
    await websocket.send("hello")

@app.before_serving
async def begin():
    Path("started").write_text((await start(ship, "early")).run_id)

@app.after_serving
async def end():
    Path("stopped").touch()

@app.after_request
async def mark(response):
    response.headers["x-app"] = "1"
    return response
""",
    "django": """
def marks(get_response):
    async def middleware(request):
        response = await get_response(request)
        response["x-app"] = "1"
        return response
    import asgiref.sync
    asgiref.sync.markcoroutinefunction(middleware)
    return middleware

marks.async_capable = True
marks.sync_capable = False
settings.MIDDLEWARE = [__name__ + ".marks"]
app = get_asgi_application()
""",
}
PROBES["fastapi"] = PROBES["starlette"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the page, built once."""
    folder = tmp_path_factory.mktemp("frameworks")
    write(PAGE, folder)
    result = wfc.build(folder)
    assert not result.diagnostics, [str(d) for d in result.diagnostics]
    return folder


def test_every_program_of_the_page_is_run() -> None:
    """A program that is added to the page is added here."""
    text = PAGE.read_text("utf-8")
    names = {name.removesuffix(".py") for name in files_of(PAGE)} - {"orders"}
    assert text.count("```python") == len(names) + 1
    others = {f"{each}_mount" for each in MOUNTS} | {"django_wsgi"}
    assert names == {f"{each}_app" for each in PROBES} | others


class Site:
    """A served program: its address, its world, its files."""

    def __init__(self, folder: Path, port: int, process: forks.Process, data: Path) -> None:
        self.folder = folder
        self.address = f"http://127.0.0.1:{port}"
        self.port = port
        self.process = process
        self.world = create_local_world(data_dir=data)
        self.output = ""

    async def order(self, client: httpx.AsyncClient, name: str, prefix: str = "") -> str:
        """Place an order, and wait until the run says where to pay."""
        answer = await client.post(f"{self.address}{prefix}/orders/{name}")
        assert answer.is_success, answer.text
        self.marked = answer.headers.get("x-app")
        self.run_id: str = answer.json()["run_id"]
        return await self.url(name)

    async def url(self, name: str) -> str:
        async with asyncio.timeout(60):
            file = self.folder / f"{name}.url"
            while not file.exists() or not file.read_text():  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            return file.read_text()

    async def result(self, run_id: str) -> Any:
        """What a run returned."""

        async def look() -> bytes | None:
            run = await self.world.get_run(run_id)
            assert run is not None
            return run.output if run.status == "completed" else None

        return Codec().decode(await until(self.world, look))


@asynccontextmanager
async def served(
    built: Path, tmp_path: Path, command: list[str], probe: str = "", *, dies: bool = False
) -> AsyncIterator[Site]:
    """Run `command`, in which {port} is filled in, until it answers; then stop it with SIGTERM."""
    for file in built.rglob("*"):
        if file.is_file() and "__pycache__" not in file.parts:
            target = tmp_path / file.relative_to(built)
            target.parent.mkdir(parents=True, exist_ok=True)
            text = file.read_text("utf-8")
            if probe and file.name.endswith("_app.py"):
                assert text.count(WRAP) == 1
                text = text.replace(WRAP, probe + "\n" + WRAP)
            target.write_text(text, "utf-8")
    port = free_port()
    process = forks.Process(
        [sys.executable, "-m", *[part.format(port=port) for part in command]],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": str(tmp_path),
            # As the page says for programs that mount by hand, and for WSGI; the others learn it by
            # themselves.
            "WORKFLOW_BASE_URL": f"http://127.0.0.1:{port}"
            if "_mount" in command[1] or "wsgi" in command[0]
            else "",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    site = Site(tmp_path, port, process, tmp_path / ".workflow-data")
    assert process.stdout is not None
    reading = asyncio.create_task(asyncio.to_thread(process.stdout.read))
    try:
        async with asyncio.timeout(60):
            while process.poll() is None:
                with suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    await writer.wait_closed()
                    break
                await asyncio.sleep(0.02)
        if process.poll() is None:
            await site.world.open()
        elif not dies:
            raise AssertionError(await reading)
        yield site
    finally:
        await site.world.close()
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(process.wait, 60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        site.output = await reading
        process.stdout.close()


async def says_hello(port: int) -> bool:
    """Whether the websocket /hello opens and says so."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"GET /hello HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    head = await reader.readuntil(b"\r\n\r\n")
    frame = await reader.readexactly(7) if b" 101 " in head else b""
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return frame == b"\x81\x05hello"


@pytest.mark.parametrize(
    ("framework", "server"),
    [
        ("starlette", "uvicorn"),
        ("fastapi", "uvicorn"),
        ("litestar", "uvicorn"),
        ("quart", "hypercorn"),
        ("django", "uvicorn"),
    ],
)
def test_with_workflow(framework: str, server: str, built: Path, tmp_path: Path) -> None:
    """Runs start from a route and answer webhooks; the application's lifespan and websockets are
    passed through; its middleware sees its own routes only."""
    command = [server, f"{framework}_app:app"]
    command += ["--bind", "127.0.0.1:{port}"] if server == "hypercorn" else ["--port", "{port}"]

    async def main() -> None:
        async with served(built, tmp_path, command, PROBES[framework]) as site:
            async with httpx.AsyncClient(timeout=60) as client:
                url = await site.order(client, "o-1")
                assert site.marked == "1"
                assert url.startswith(site.address + OUTSIDE)
                answer = await client.post(url, json={"paid": 5})
                assert answer.status_code == 202
                assert "x-app" not in answer.headers
                assert await site.result(site.run_id) == {"order": "o-1", "paid": 5}
                assert (await client.post(site.address + "/nothing")).status_code == 404
            if framework != "django":  # it has neither
                assert await says_hello(site.port)
                early = (tmp_path / "started").read_text()  # a run of the start-up hook
                assert (await site.world.get_run(early)) is not None
                assert not (tmp_path / "stopped").exists()
        assert site.process.returncode in (0, -signal.SIGTERM)
        if framework != "django":
            assert (tmp_path / "stopped").exists(), site.output
        assert "Traceback" not in site.output, site.output

    asyncio.run(main())


MOUNTS = ("starlette", "fastapi", "litestar")


@pytest.mark.parametrize("framework", MOUNTS)
def test_mounted_by_hand(framework: str, built: Path, tmp_path: Path) -> None:
    """The generated application in a framework's own routes starts with its lifespan."""
    command = ["uvicorn", f"{framework}_mount:app", "--port", "{port}"]

    async def main() -> None:
        async with (
            served(built, tmp_path, command) as site,
            httpx.AsyncClient(timeout=60) as client,
        ):
            url = await site.order(client, "o-2")
            assert (await client.post(url, json={"paid": 6})).status_code == 202
            assert await site.result(site.run_id) == {"order": "o-2", "paid": 6}
        assert "Traceback" not in site.output, site.output

    asyncio.run(main())


WSGI = """
import sys
from wsgiref.simple_server import make_server
from django_wsgi import application

make_server("127.0.0.1", int(sys.argv[1]), application).serve_forever()
"""


def test_behind_wsgi(built: Path, tmp_path: Path) -> None:
    """The application starts runs and takes webhooks, and a worker beside it does the work."""

    async def main() -> None:
        (tmp_path / "serve_wsgi.py").write_text(WSGI)
        async with (
            served(built, tmp_path, ["serve_wsgi", "{port}"]) as site,
            httpx.AsyncClient() as client,
        ):
            worker = forks.Process(
                [forks.WFC, "worker"], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path)}
            )
            try:
                url = await site.order(client, "o-1")
                assert url.startswith(site.address + OUTSIDE)
                lost = await client.post(site.address + OUTSIDE + "nobody", json={})
                assert lost.status_code == 404
                paid = await client.post(url, json={"paid": 12})
                assert paid.status_code == 202
                assert await site.result(site.run_id) == {"order": "o-1", "paid": 12}
            finally:
                worker.send_signal(signal.SIGTERM)
                assert await asyncio.to_thread(worker.wait, 60) == 0

    asyncio.run(main())


def test_below_a_root_path(built: Path, tmp_path: Path) -> None:
    """The path that a proxy strips is part of the webhook's URL, and requests come without it."""
    command = ["uvicorn", "starlette_app:app", "--port", "{port}", "--root-path", "/shop"]

    async def main() -> None:
        async with (
            served(built, tmp_path, command) as site,
            httpx.AsyncClient(timeout=60) as client,
        ):
            url = await site.order(client, "o-3")
            assert url.startswith(f"{site.address}/shop{OUTSIDE}")
            stripped = url.replace("/shop", "")  # as the proxy hands it on
            assert (await client.post(stripped, json={"paid": 7})).status_code == 202
            assert await site.result(site.run_id) == {"order": "o-3", "paid": 7}

    asyncio.run(main())


def test_below_a_prefix(built: Path, tmp_path: Path) -> None:
    """Mounted below a prefix, webhooks are reached under it, and their URLs have it."""
    command = ["uvicorn", "prefixed:app", "--port", "{port}"]
    text = files_of(PAGE)["starlette_mount.py"].replace('Mount("/"', 'Mount("/api/v2"')
    (tmp_path / "prefixed.py").write_text(text)

    async def main() -> None:
        async with (
            served(built, tmp_path, command) as site,
            httpx.AsyncClient(timeout=60) as client,
        ):
            # The prefix is known once a request has come through the mount.
            await client.post(f"{site.address}/api/v2{OUTSIDE}guess")
            url = await site.order(client, "o-4")
            assert url.startswith(f"{site.address}/api/v2{OUTSIDE}")
            assert (await client.post(url, json={"paid": 8})).status_code == 202
            assert await site.result(site.run_id) == {"order": "o-4", "paid": 8}

    asyncio.run(main())


@pytest.mark.parametrize("server", ["uvicorn", "hypercorn"])
@pytest.mark.parametrize("wrong", ["missing", "stale"])
def test_a_build_that_is_not_there(server: str, wrong: str, built: Path, tmp_path: Path) -> None:
    """The server does not start, and what it prints says `wfc build`."""
    command = [server, "starlette_app:app"]
    command += ["--bind", "127.0.0.1:{port}"] if server == "hypercorn" else ["--port", "{port}"]
    source = tmp_path / "source"
    if wrong == "missing":
        source.mkdir()
        write(PAGE, source)
    else:
        shutil.copytree(built, source)
        orders = source / "orders.py"
        orders.write_text(orders.read_text() + "\n# changed\n")

    async def main() -> None:
        async with served(source, tmp_path / "served", command, dies=True) as site:
            assert site.process.poll() is not None
            assert server == "hypercorn" or site.process.returncode != 0
        assert "wfc build" in site.output, site.output

    asyncio.run(main())
