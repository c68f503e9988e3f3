"""The application: builds on start-up, serves, and with --dev starts again after each rebuild.

python server.py [--dev] [--port 8000]
"""

from __future__ import annotations

import os
import socket
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import uvicorn
from tiny import Tiny
from tiny_workflows import TinyBuilder, explain, mount, say

from wfc import BuildResult
from workflow.api import get_run, start

ROOT = Path(__file__).parent


def application(built: BuildResult) -> Tiny:
    """The routes of the application, and the workflow handlers."""
    app = Tiny()
    mount(app, built.project.root / built.project.generated)

    from workflows.greetings import greet

    @app.route("POST", "/greet/")
    async def begin(name: str) -> dict[str, Any]:
        return {"run_id": (await start(greet, name)).run_id}

    @app.route("GET", "/runs/")
    async def result(run_id: str) -> dict[str, Any]:
        return {"result": await get_run(run_id, greet).return_value}

    return app


def main() -> None:
    """Build, serve, and in development begin again when the code has changed."""
    parser = ArgumentParser()
    parser.add_argument("--dev", action="store_true")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    changed = False

    def restart() -> None:
        nonlocal changed
        changed = server.should_exit = True

    with TinyBuilder(ROOT, dev=options.dev, on_change=restart) as builder:
        listening = socket.create_server(("127.0.0.1", options.port))
        port = listening.getsockname()[1]
        built = builder.build()
        if not explain(built.diagnostics):
            sys.exit(1)
        config = uvicorn.Config(application(built), log_level="warning", lifespan="on")
        server = uvicorn.Server(config)
        say(f"serving on http://127.0.0.1:{port}")
        server.run(sockets=[listening])
    if changed:
        # Python cannot unload modules: new code is a new process. Runs are in the world meanwhile.
        arguments = [sys.executable, __file__, "--port", str(port), "--dev"]
        os.execv(sys.executable, arguments)


if __name__ == "__main__":
    main()
