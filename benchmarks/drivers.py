"""What one statement and one batch cost with psycopg and with asyncpg, on the same server.

    python -m benchmarks.drivers URL

Needs both drivers; only this script uses asyncpg. Prints, for each: a prepared one-row statement
with its commit (per second), the same without waiting for the disk, and a batch of 100 rows sent as
arrays (rows per second). Compare figures of one run only.
"""

from __future__ import annotations

import asyncio
import sys
import time
from importlib import import_module

import psycopg

from workflow.worlds.postgres.arrays import Blobs, Ints, Texts, register

_ASYNC = "set synchronous_commit = off"
ROWS = 100
SECONDS = 2.0


def with_psycopg(url: str) -> list[float]:
    """The figures of psycopg, used as the PostgreSQL world does."""
    rows = list(range(ROWS))
    texts, blobs = [str(n) for n in rows], [b"x" * 200] * ROWS
    found = []
    with psycopg.connect(url, autocommit=True) as connection:
        connection.prepare_threshold = 0
        register(connection)
        connection.execute("create table if not exists bench_t (a bigint, b text, c bytea)")

        def one() -> int:
            connection.execute(
                "insert into bench_t values (%s, %s, %s)", (1, "1", b"x" * 200), binary=True
            )
            return 1

        def many() -> int:
            connection.execute(
                "insert into bench_t select * from unnest(%s::bigint[], %s::text[], %s::bytea[])",
                (Ints(rows), Texts(texts), Blobs(blobs)),
                binary=True,
            )
            return ROWS

        found.append(_rate(one))
        connection.execute(_ASYNC)
        found.append(_rate(one))
        found.append(_rate(many))
        connection.execute("drop table bench_t")
    return found


def _rate(work: object) -> float:
    count, began = 0, time.perf_counter()
    while time.perf_counter() - began < SECONDS:
        count += work()  # type: ignore[operator]
    return count / (time.perf_counter() - began)


async def with_asyncpg(url: str) -> list[float]:
    """The figures of asyncpg."""
    asyncpg = import_module("asyncpg")
    rows = list(range(ROWS))
    texts, blobs = [str(n) for n in rows], [b"x" * 200] * ROWS
    found = []
    connection = await asyncpg.connect(url)
    await connection.execute("create table if not exists bench_t (a bigint, b text, c bytea)")
    single = await connection.prepare("insert into bench_t values ($1, $2, $3)")
    batch = await connection.prepare(
        "insert into bench_t select * from unnest($1::bigint[], $2::text[], $3::bytea[])"
    )
    for number, (statement, values, count) in enumerate(
        (
            (single, (1, "1", b"x" * 200), 1),
            (single, (1, "1", b"x" * 200), 1),
            (batch, (rows, texts, blobs), ROWS),
        )
    ):
        if number == 1:
            await connection.execute(_ASYNC)
        done, began = 0, time.perf_counter()
        while time.perf_counter() - began < SECONDS:
            await statement.fetch(*values)
            done += count
        found.append(done / (time.perf_counter() - began))
    await connection.execute("drop table bench_t")
    await connection.close()
    return found


def main() -> None:
    """Print both."""
    url = sys.argv[1]
    titles = ("one row and its commit, /s", "the same without the disk, /s", "rows in batches, /s")
    for name, figures in (
        ("psycopg", with_psycopg(url)),
        ("asyncpg", asyncio.run(with_asyncpg(url))),
    ):
        print(name)
        for title, figure in zip(titles, figures, strict=True):
            print(f"  {title:<32} {figure:>12,.0f}")


if __name__ == "__main__":
    main()
