"""Classes and values that several codec tests use."""

from __future__ import annotations

import enum
import re
from array import array
from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from ipaddress import ip_address, ip_interface, ip_network
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel, PrivateAttr

from workflow.facts import StepMetadata, WorkflowMetadata
from workflow.web import FormData, FormFile, Headers, Request, Response, URLSearchParams


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1


class Access(enum.Flag):
    READ = 1
    WRITE = 2


@dataclass
class User:
    name: str
    tags: list[str] = field(default_factory=list)
    friend: User | None = None


@dataclass(frozen=True, slots=True)
class Point:
    x: float
    y: float = 0.0


class Pair(NamedTuple):
    left: Any
    right: Any = None


class Order(BaseModel):
    id: UUID
    total: Decimal
    note: str = "none"
    _seen: int = PrivateAttr(default=0)


class Money:
    """An own class that says itself how it is recorded."""

    def __init__(self, text: str) -> None:
        self.amount, self.currency = text.split()

    def __workflow_serialize__(self) -> dict[str, str]:
        return {"amount": self.amount, "currency": self.currency}

    @classmethod
    def __workflow_deserialize__(cls, data: dict[str, str]) -> Money:
        return cls(f"{data['amount']} {data['currency']}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Money) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]


class CardDeclined(Exception):
    """Its parameters are not its `args`."""

    def __init__(self, code: int, *, reason: str) -> None:
        super().__init__(f"declined: {reason}")
        self.code = code


CLASSES: dict[str, type] = {
    f"class//samples.py//{kind.__name__}": kind
    for kind in (Color, Level, Access, User, Point, Pair, Order, Money, CardDeclined)
}

ID = UUID("12345678-1234-5678-1234-567812345678")

VALUES: list[Any] = [
    None, True, 0, -1, 1.0, 1e300, -0.0, float("inf"), -float("inf"), "",
    'é"\\\n\u2028😀', "\ud800x",
    2**53, -(2**53), 10**400, [], {}, [[], {}], {"a": {"b": [1, 1.0, True, "1"]}},
    {1: "a", (1, 2): "b", None: 0}, {"__proto__": 1}, {"": 0, "a b": 1},
    (), (1,), ((), (1, (2,))), set(), {1, "a", (2,)}, frozenset(), frozenset({frozenset({1}), "x"}),
    b"", b"\x00\xff", bytearray(b"ab"), memoryview(b"cd"), array("d", [1.5]), array("B", [1]),
    Decimal("1.50"), Decimal("-Infinity"), Fraction(-1, 3), ID, 1 - 2j, range(1, 9, 2),
    date(1, 1, 1), time(1, 2, 3, 4), time(1, tzinfo=UTC), timedelta(-1, 2, 3),
    datetime(2026, 7, 1, 12, 0, 0, 123456), datetime(2026, 7, 1, tzinfo=UTC),
    datetime(2026, 7, 1, 1, 2, 3, 4, tzinfo=ZoneInfo("Europe/Berlin")),
    datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=1),
    datetime(2026, 7, 1, tzinfo=timezone(timedelta(hours=-5, seconds=-7), "X")),
    UTC, timezone(timedelta(minutes=90)), ZoneInfo("UTC"),
    Path("/a/b"), PurePosixPath("c/d"), PureWindowsPath("C:\\e"),
    ip_address("192.0.2.1"), ip_address("fe80::1%eth0"), ip_interface("192.0.2.1/24"),
    ip_interface("2001:db8::1/64"), ip_network("192.0.2.0/24"), ip_network("2001:db8::/32"),
    re.compile("a+", re.IGNORECASE | re.DOTALL), re.compile(b"a"),
    OrderedDict(b=1, a=2), Counter("aab"), deque([1, 2], maxlen=3), defaultdict(list, {1: [2]}),
    Color.RED, Level.LOW, Access.READ | Access.WRITE, User("Ann", ["x"]), Point(1.5), Pair(1, [2]),
    Order(id=ID, total=Decimal("9.90")), Money("5 EUR"), {Color.RED: Point(1)}, User, {Point(1, 2)},
    Headers([("A", "1"), ("b", "2"), ("a", "3")]), URLSearchParams("a=1&b=&a=%7E+x"),
    Request("POST", "https://x.test/a?b=c", {"X-Y": "z"}, b"\xff", reply_to="s"),
    Response.json({"a": [1]}, status=201), FormFile("ä.png", "image/png", b"\x89"),
    FormData([("a", "1"), ("file", FormFile("b", "", b"")), ("a", "2")]), FormData(),
    StepMetadata("step_1", "work", datetime(2026, 7, 1, 1, 2, 3, 4, tzinfo=UTC), 2),
    WorkflowMetadata("wrun_1", "flow", datetime(2026, 7, 1, tzinfo=UTC), "http://a.test"),
]  # fmt: skip
