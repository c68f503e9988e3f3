"""What recording a value costs by its size: figures of one machine at one moment.

    python -m benchmarks.codec [--seconds 0.3]

Values of 10 bytes to 10 megabytes of JSON: a list of orders as a step might return it, and the same
as one text. Beside this project's codec the `json` module, msgspec and pickle, none of which keeps
types, identities and cycles in a form that other languages read. Then what the layers cost that are
off by default, and values with types of their own. Best of several rounds; compare figures of one
run only.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from workflow.codec import Codec
from workflow.codec.compression import compressed, uncompressed
from workflow.codec.encryption import opened, run_key, sealed

SIZES = (10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000)
Coder = tuple[Callable[[Any], bytes], Callable[[bytes], Any]]


@dataclass
class Order:
    id: UUID
    total: Decimal
    placed: datetime
    lines: tuple[tuple[str, int], ...]


CLASSES: dict[str, type] = {"class//orders.py//Order": Order}


def orders(size: int) -> Any:
    """Plain data of about `size` bytes as JSON."""
    if size < 100:
        return {"id": 7}
    found: list[Any] = []
    length = 0
    while length < size:
        n = len(found)
        found.append(
            {
                "id": n,
                "name": f"order {n}",
                "total": n * 1.25,
                "paid": n % 3 == 0,
                "note": None,
                "lines": [{"sku": f"sku-{n % 97}", "count": n % 7}],
            }
        )
        length += len(json.dumps(found[-1]))
    return found


def typed(count: int) -> Any:
    """Dataclasses with the types that JSON does not have."""
    return [
        Order(UUID(int=n), Decimal(n) / 4, datetime(2026, 1, 1, tzinfo=UTC), (("sku", n),))
        for n in range(count)
    ]


def best(call: Callable[[], Any], seconds: float) -> float:
    """Seconds of one call, the best of as many rounds as fit into `seconds`."""
    call()
    started = time.perf_counter()
    call()
    once = time.perf_counter() - started
    turns = max(1, int(0.005 / max(once, 1e-9)))
    found = once
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        started = time.perf_counter()
        for _ in range(turns):
            call()
        found = min(found, (time.perf_counter() - started) / turns)
    return found


def figure(seconds: float) -> str:
    return f"{seconds * 1e6:>13,.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=0.3, help="for each figure")
    seconds = parser.parse_args().seconds
    print(
        f"Python {platform.python_version()}, {platform.machine()}, msgspec {msgspec.__version__}"
    )
    codec = Codec(CLASSES)
    coders: dict[str, Coder] = {
        "codec": (codec.encode, codec.decode),
        "json": (lambda value: json.dumps(value).encode(), json.loads),
        "msgspec": (msgspec.json.encode, msgspec.json.decode),
        "pickle": (pickle.dumps, pickle.loads),
    }
    shapes: tuple[tuple[str, Callable[[int], Any]], ...] = (
        ("orders", orders),
        ("one text", lambda size: "a word or two, " * (size // 15) or "a word"),
    )
    for title, make in shapes:
        print(f"\n{title}: us to encode, then us to decode")
        print("      bytes" + "".join(f"{name:>13}" for name in coders) * 2)
        for size in SIZES:
            value = make(size)
            row = [best(lambda c=c, v=value: c[0](v), seconds) for c in coders.values()]  # type: ignore[misc]
            for encode, decode in coders.values():
                data = encode(value)
                assert decode(data) == value
                row.append(best(lambda d=decode, b=data: d(b), seconds))  # type: ignore[misc]
            print(f"{size:>11,}" + "".join(map(figure, row)))

    print("\ndataclasses with UUID, Decimal, datetime and tuples: us to encode, us to decode")
    for count in (1, 100, 10_000):
        value = typed(count)
        data = codec.encode(value)
        assert codec.decode(data) == value
        packed = pickle.dumps(value)
        row = [
            best(lambda v=value: codec.encode(v), seconds),  # type: ignore[misc]
            best(lambda d=data: codec.decode(d), seconds),  # type: ignore[misc]
            best(lambda v=value: pickle.dumps(v), seconds),  # type: ignore[misc]
            best(lambda d=packed: pickle.loads(d), seconds),  # type: ignore[misc]
        ]
        shown = "".join(map(figure, row))
        print(f"{count:>7} of them, {len(data):>9,} bytes {shown}  (the last two: pickle)")

    print("\nlayers around recorded orders: us to add, us to take off, share of the bytes")
    key = run_key(os.urandom(32), "wrun_a")
    for size in SIZES[2:]:
        data = codec.encode(orders(size))
        small = compressed(data, 0)
        hidden = sealed(data, key, "wrun_a", os.urandom)
        row = [
            best(lambda d=data: compressed(d, 0), seconds),  # type: ignore[misc]
            best(lambda d=small: uncompressed(d, 2**30), seconds),  # type: ignore[misc]
            best(lambda d=data: sealed(d, key, "wrun_a", os.urandom), seconds),  # type: ignore[misc]
            best(lambda d=hidden: opened(d, [key], "wrun_a"), seconds),  # type: ignore[misc]
        ]
        gzip, aes = "".join(map(figure, row[:2])), "".join(map(figure, row[2:]))
        share = f"{len(small) / len(data):>6.0%}"
        print(f"{len(data):>11,}  gzip {gzip} {share}   AES-256-GCM {aes}")


if __name__ == "__main__":
    main()
