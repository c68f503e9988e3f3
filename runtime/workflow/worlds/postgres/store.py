"""The database: how connections are made, how its schema is set up, what its errors mean."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from workflow.errors import WorldError, WorldUnavailableError
from workflow.policy.names import is_storable
from workflow.worlds.postgres import arrays
from workflow.worlds.postgres.queries import queries

__all__ = ["CONFLICTS", "SCHEMA_VERSION", "Database", "lost"]

SCHEMA_VERSION = 2

# What goes away when a transaction is run again.
CONFLICTS = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure,
             psycopg.errors.UniqueViolation)  # fmt: skip

# Bytes of a name. Of a longer one PostgreSQL takes the beginning, without a word.
_LONGEST_NAME = 63

_SCRIPTS = Path(__file__).parent / "schema"
_VERSION_TABLE = "create table if not exists {schema}.workflow_schema (version bigint primary key)"


@dataclass(frozen=True, slots=True)
class Database:
    """Where a world lives.

    `pooled`: behind a pooler that hands connections out for a transaction at a time, where nothing
    may be kept on a connection. `detect`: a connection shows whether a pooler is there, and one of
    which nobody has said what it does is taken for such a one.
    """

    url: str = field(repr=False)  # it holds the password
    schema: str = "workflow"
    pooled: bool = False
    detect: bool = False

    def __post_init__(self) -> None:
        if not is_storable(self.schema) or len(self.schema.encode()) > _LONGEST_NAME:
            raise WorldError(
                f"{self.schema!r} is no name for a schema: PostgreSQL takes {_LONGEST_NAME} bytes "
                "of a name, and schemas whose names begin alike would be the same. Give a shorter "
                "WORKFLOW_POSTGRES_JOB_PREFIX"
            )

    @property
    def place(self) -> str:
        """The database in words, without the password."""
        parts = self._parts
        if parts is None:
            return "PostgreSQL"
        name = parts.get("dbname") or parts.get("user") or ""
        if "service" in parts and "host" not in parts:
            return f"PostgreSQL of the service {parts['service']}"
        hosts = (parts.get("host") or "the local socket").split(",")
        ports = parts.get("port", "").split(",")
        ports *= len(hosts) if len(ports) == 1 else 1  # one port is that of all
        places = [f"{h}:{p}" if p else h for h, p in zip_longest(hosts, ports, fillvalue="")]
        return f"PostgreSQL at {','.join(places)}/{name}"

    @property
    def _parts(self) -> Mapping[str, str] | None:
        """What the address says, None when it cannot be read.

        A password with an @ or a slash in it is cut there, and the rest taken for something that
        we print. So what looks like that counts as unreadable.
        """
        try:
            parts = {name: str(value) for name, value in conninfo_to_dict(self.url).items()}
        except (psycopg.ProgrammingError, UnicodeError):
            return None
        cut = "@" in parts.get("host", "") or (
            "@" in parts.get("dbname", "") and "password" not in parts
        )
        port = parts.get("port", "").replace(",", "")
        return None if cut or not (port == "" or port.isdecimal()) else parts

    @property
    def quoted(self) -> str:
        """The schema's name as it stands in a statement."""
        return sql.Identifier(self.schema).as_string(None)

    @property
    def queries(self) -> Mapping[str, bytes]:
        return queries(self.quoted)

    @property
    def channel(self) -> str:
        """The channel that tells other processes to look."""
        name = f"workflow {self.schema}"
        if len(name.encode()) <= _LONGEST_NAME:
            return name
        return f"workflow {hashlib.sha256(self.schema.encode()).hexdigest()[:32]}"

    def connect(self, *, timeout: float = 10) -> psycopg.Connection[Any]:
        """A connection of our own. `timeout` is in seconds. Raises WorldError."""
        if self._parts is None:
            # What psycopg would say may quote the password.
            raise WorldError(
                "the address of the PostgreSQL database cannot be read; write "
                "postgres://user:password@host:5432/database, and in the user and the password %40 "
                "for @, %2F for / and %25 for %"
            )
        with self.explain():
            connection = psycopg.connect(
                self.url, autocommit=True, connect_timeout=max(2, round(timeout)),
                client_encoding="utf8",  # whatever PGCLIENTENCODING says: arrays are sent as UTF-8
                application_name="workflow", keepalives_idle=5, keepalives_interval=2,
                keepalives_count=3, tcp_user_timeout=11_000,
            )  # fmt: skip
            try:
                self.as_seen(connection)._configure(connection)
            except BaseException:
                connection.close()
                raise
            return connection

    def as_seen(self, connection: psycopg.Connection[Any]) -> Database:
        """This database, as a connection to it shows it: `pooled` when a pooler is in between.

        A server tells a client its process id, for cancelling. A pooler has to make one up, since
        its client meets many server processes.
        """
        if self.pooled or not self.detect:
            return self
        row = connection.execute("select pg_backend_pid()", prepare=False).fetchone()
        return replace(self, pooled=row != (connection.info.backend_pid,), detect=False)

    def _configure(self, connection: psycopg.Connection[Any]) -> None:
        """Prepare a new connection for our statements."""
        arrays.register(connection)
        connection.prepared_max = 1000
        connection.prepare_threshold = None if self.pooled else 0
        if not self.pooled:
            # Our statements look rows up by keys whatever the parameters are. Planning one anew
            # costs more than running it.
            connection.execute("set plan_cache_mode = force_generic_plan")
            # A plan made while a table was empty would read all of it for ever.
            connection.execute("set enable_seqscan = off")

    @contextlib.contextmanager
    def explain(self) -> Iterator[None]:
        """Turn errors of PostgreSQL into a WorldError that says what to do."""
        try:
            yield
        except psycopg.Error as error:
            raise self.describe(error) from error
        except OSError as error:  # no file for a socket, or none for waiting on it
            raise WorldUnavailableError(f"{self.place} cannot be reached: {error}") from error
        except ValueError as error:
            raise WorldError(f"{self.place}: {error}") from error

    def describe(self, error: psycopg.Error) -> WorldError:
        """The WorldError for an error of PostgreSQL."""
        reason = str(error).strip().split("\n")[0]
        kind = WorldError
        match error:
            case psycopg.errors.UndefinedTable() | psycopg.errors.InvalidSchemaName():
                advice = f"has no tables of ours in the schema {self.schema}; run `wfc world setup`"
            case psycopg.errors.InsufficientPrivilege():
                advice = f"refuses what we need ({reason}); grant the rights on {self.schema}"
                if "for database" in reason:  # to create the schema in it
                    advice = (
                        f"refuses to create our schema ({reason}); have an administrator say "
                        f"`create schema {self.quoted} authorization` and this role, or grant it "
                        "`create` on the database"
                    )
            case psycopg.errors.ReadOnlySqlTransaction():
                advice = "only reads; is this a replica? Connect to the primary"
            case psycopg.errors.DiskFull():
                advice = "cannot grow, its disk is full; nothing written so far is lost"
            case psycopg.errors.TooManyConnections():
                kind = WorldUnavailableError
                advice = "has no connection free; raise max_connections or run fewer workers"
            case (
                psycopg.errors.DuplicatePreparedStatement()
                | psycopg.errors.InvalidSqlStatementName()
            ):
                advice = (
                    f"mixes up the statements of its clients ({reason}): a pooler is in between "
                    "that hands connections out by transaction. Set "
                    "WORKFLOW_POSTGRES_POOLER=transaction"
                )
            case psycopg.errors.LockNotAvailable():
                advice = (
                    "holds rows of ours locked for somebody else; a transaction that starts runs "
                    "or changes our tables has to end soon"
                )
            case _ if lost(error):
                if not any(words in reason for words in _FOR_GOOD):
                    kind = WorldUnavailableError
                advice = _unreachable(reason)
            case _:
                advice = f"says: {reason}"
        return kind(f"{self.place} {advice}")

    # -- schema ----------------------------------------------------------------------------

    def _exists(self, connection: psycopg.Connection[Any]) -> bool:
        row = connection.execute(
            "select to_regnamespace(%s) is not null", (self.quoted,)
        ).fetchone()
        return row == (True,)

    def version(self, connection: psycopg.Connection[Any]) -> int:
        """The version of the schema in the database, 0 where there is none."""
        found = connection.execute(
            "select to_regclass(%s) is not null", (f"{self.quoted}.workflow_schema",)
        ).fetchone()
        if found is None or not found[0]:
            return 0
        row = connection.execute(
            f"select max(version) from {self.quoted}.workflow_schema".encode()
        ).fetchone()
        return (row and row[0]) or 0

    def check(self, connection: psycopg.Connection[Any]) -> None:
        """Raise WorldError unless the schema is the one this version works with."""
        self._check_encoding(connection)
        version = self.version(connection)
        if version > SCHEMA_VERSION:
            raise WorldError(
                f"{self.place} has version {version} of our schema, this installation knows up to "
                f"{SCHEMA_VERSION}; upgrade workflow-compiler"
            )
        if version < SCHEMA_VERSION:
            raise WorldError(
                f"{self.place} is not set up (schema {self.schema}, version {version} of "
                f"{SCHEMA_VERSION}); run `wfc world setup`"
            )

    def _check_encoding(self, connection: psycopg.Connection[Any]) -> None:
        encoding = connection.info.parameter_status("server_encoding")
        if encoding not in ("UTF8", None):
            raise WorldError(
                f"{self.place} has the encoding {encoding}, which cannot hold every text; create "
                "one with `create database … encoding 'UTF8' template template0`"
            )

    def migrate(self, connection: psycopg.Connection[Any]) -> int:
        """Create the schema or bring it up to date, whole or not at all; the version before."""
        self._check_encoding(connection)
        with self.explain(), connection.transaction():
            connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))",
                               (f"setup {self.schema}",))  # fmt: skip
            before = self.version(connection)
            if before > SCHEMA_VERSION:
                self.check(connection)
            if before == 0:
                if not self._exists(connection):  # who may not create one may have been given one
                    connection.execute(f"create schema if not exists {self.quoted}".encode())
                connection.execute(_VERSION_TABLE.replace("{schema}", self.quoted).encode())
            for step in range(before + 1, SCHEMA_VERSION + 1):
                script = (_SCRIPTS / f"{step}.sql").read_text("utf-8")
                connection.execute(script.replace("{schema}", self.quoted).encode(), prepare=False)
                connection.execute(
                    f"insert into {self.quoted}.workflow_schema values ({step})".encode()
                )
            return before


# What will be said the next time as well, by the server or by what reads the address.
_FOR_GOOD = (
    "authentication failed", "does not exist", "no pg_hba.conf entry", "definition of service",
    "invalid port number", "invalid sslmode value", "does not support SSL",
)  # fmt: skip


def _unreachable(reason: str) -> str:
    """What there is to do about a connection that could not be made."""
    if "authentication failed" in reason:
        return f"does not take this user and password ({reason}); correct WORKFLOW_POSTGRES_URL"
    if 'database "' in reason and "does not exist" in reason:
        return f"is not there ({reason}); create the database or correct WORKFLOW_POSTGRES_URL"
    return f"does not answer ({reason}); is it running, and is WORKFLOW_POSTGRES_URL right?"


def lost(error: BaseException) -> bool:
    """Whether an error means that the connection is of no use any more.

    Deadlocks, time-outs and a full disk are OperationalErrors too, but leave the connection alone.
    """
    if isinstance(error, psycopg.InterfaceError):
        return True
    if not isinstance(error, psycopg.OperationalError):
        return False
    state = error.sqlstate
    return state is None or state.startswith("08") or state in _SHUT_DOWN


# admin_shutdown, crash_shutdown, cannot_connect_now, idle_session_timeout, and the one for a
# transaction that was idle for too long.
_SHUT_DOWN = {"57P01", "57P02", "57P03", "57P05", "25P03"}
