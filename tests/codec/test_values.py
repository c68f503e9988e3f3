"""Values survive a round trip with their types, identities and bytes."""

from __future__ import annotations

import copy
import math
import os
import subprocess
import sys
import threading
from collections import OrderedDict
from dataclasses import make_dataclass
from datetime import UTC, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, create_model

from tests.codec.samples import CLASSES, ID, VALUES, Color, Money, Order, Pair, Point, User
from workflow import StreamChunk
from workflow.api import HookRecord, Run
from workflow.codec import Codec
from workflow.errors import SerializationError
from workflow.sets import Set
from workflow.worlds import memory

CODEC = Codec(CLASSES)

leaves = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
    | st.binary() | st.decimals(allow_nan=False) | st.uuids() | st.fractions() | st.dates()
    | st.datetimes() | st.datetimes(timezones=st.timezones()) | st.timedeltas()
    | st.complex_numbers(allow_nan=False) | st.sampled_from(Color)
)  # fmt: skip
keys = st.recursive(
    leaves,
    lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=4),
    max_leaves=6,
)
values = st.recursive(
    keys | st.sets(keys, max_size=4),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=5), inner, max_size=4)
        | st.dictionaries(keys, inner, max_size=4)
        | st.tuples(inner, inner)
        | st.builds(User, st.text(), inner, st.none())
        | st.builds(Pair, inner, inner)
    ),
    max_leaves=12,
)


def same(a: Any, b: Any) -> bool:
    """Equal, of the same types and, for numbers, of the same sign."""
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return same(list(a), list(b)) and same(list(a.values()), list(b.values()))
    if isinstance(a, float):
        return a == b and math.copysign(1, a) == math.copysign(1, b)
    return bool(a == b)


@pytest.mark.parametrize(
    "value", VALUES, ids=[f"{type(value).__name__}-{at}" for at, value in enumerate(VALUES)]
)
def test_every_supported_type_comes_back(value: Any) -> None:
    """A value comes back equal and of the same type, alone and inside containers."""
    assert same(CODEC.decode(CODEC.encode(value)), value)
    assert same(CODEC.decode(CODEC.encode({"a": [value, (value,)]})), {"a": [value, (value,)]})


@given(values)
def test_round_trip(value: Any) -> None:
    """Any nesting of the supported types comes back, and encodes to the same bytes again."""
    data = CODEC.encode(value)
    back = CODEC.decode(data)
    assert same(back, value)
    assert CODEC.encode(back) == data


@given(values)
def test_copies_have_equal_bytes(value: Any) -> None:
    """A deep copy encodes to the same bytes: what the interpreter shares does not matter."""
    assert CODEC.encode(copy.deepcopy(value)) == CODEC.encode(value)


def test_zone_keys_offsets_and_fold_are_kept() -> None:
    """A datetime keeps its zone and the second pass through a repeated hour."""
    for value in VALUES:
        if hasattr(value, "tzinfo"):
            back = CODEC.decode(CODEC.encode(value))
            assert repr(back) == repr(value)
            assert back.tzinfo is value.tzinfo or repr(back.tzinfo) == repr(value.tzinfo)


def test_interned_and_fresh_constants_are_written_alike() -> None:
    """Whether two equal immutables are one object does not show in the bytes."""
    one, text = (1, Decimal("2.5")), "long text"
    twice = [one, one, text, text]
    fresh = [(1, Decimal("2.5")), (1, Decimal("2.5")), "".join(["long ", "text"]), text]
    assert CODEC.encode(twice) == CODEC.encode(fresh)


def test_sets_do_not_depend_on_the_hash_seed() -> None:
    """Processes with different hash seeds write a set of texts to the same bytes."""
    code = (
        "from workflow.codec import Codec\n"
        "words = [f'word {n}' for n in range(50)]\n"
        "print(Codec().encode([set(words), frozenset((w, len(w)) for w in words)]).hex())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1


def test_shared_and_cyclic_objects_keep_their_identity() -> None:
    """One list in two places stays one list, and cycles through lists, dicts and fields work."""
    inner: list[Any] = [1]
    user = User("Ann")
    user.friend = User("Bob", friend=user)
    value: dict[str, Any] = {"a": inner, "b": inner, "copy": [1], "user": user}
    value["self"] = value
    back = CODEC.decode(CODEC.encode(value))
    assert back["a"] is back["b"]
    assert back["a"] is not back["copy"]
    assert back["self"] is back
    assert back["user"].friend.friend is back["user"]


def test_deeply_shared_tuples_stay_small() -> None:
    """A tuple that doubles at every level takes one entry pair per level, not two to the power."""
    value: Any = ()
    for _ in range(60):
        value = (value, value)
    assert len(CODEC.encode(value)) < 4000


def test_models_keep_fields_set_and_private_attributes() -> None:
    """A pydantic model knows which fields were given, and its private attributes."""
    order = Order(id=ID, total=Decimal(1))
    order._seen = 7
    back = CODEC.decode(CODEC.encode(order))
    assert back == order
    assert (back.model_fields_set, back._seen) == ({"id", "total"}, 7)


def test_new_fields_take_their_defaults_and_unknown_ones_are_refused() -> None:
    """New fields take their defaults; a recorded field that was removed is named with its path."""
    old = make_dataclass("Thing", [("a", int), ("gone", int)])
    new = make_dataclass("Thing", [("a", int), ("gone", int), ("b", int, 5)])
    strict = make_dataclass("Thing", [("a", int), ("gone", int), ("needed", int)])
    less = make_dataclass("Thing", [("a", int)])
    data = Codec({"thing": old}).encode({"orders": [0, old(1, 2)]})
    assert Codec({"thing": new}).decode(data) == {"orders": [0, new(1, 2)]}
    with pytest.raises(SerializationError, match="needed"):
        Codec({"thing": strict}).decode(data)
    with pytest.raises(SerializationError, match="has a field 'gone'") as caught:
        Codec({"thing": less}).decode(data, path="charge()")
    assert caught.value.path == "charge().orders[1].gone"


class _Wide(BaseModel):
    a: int = 1
    gone: int = 2


class _Narrow(BaseModel):
    a: int = 1


class _WidePair(NamedTuple):
    a: int
    gone: int


class _NarrowPair(NamedTuple):
    a: int


@pytest.mark.parametrize(("old", "new"), [(_Wide(), _Narrow), (_WidePair(1, 2), _NarrowPair)])
def test_no_kind_of_class_loses_a_field_in_silence(old: Any, new: type) -> None:
    """Models and named tuples refuse unknown fields with their path, too."""
    data = Codec({"thing": type(old)}).encode([{"deep": old}])
    with pytest.raises(SerializationError, match="has a field 'gone'") as caught:
        Codec({"thing": new}).decode(data)
    assert caught.value.path == "value[0].deep.gone"


def test_a_broken_part_of_a_model_has_its_path() -> None:
    """What is wrong inside of a model's field is named as users write it."""
    old = make_dataclass("Thing", [("gone", int)])
    holder = create_model("Holder", items=(list[Any], ...))
    data = Codec({"thing": old, "holder": holder}).encode(holder(items=[old(1)]))
    with pytest.raises(SerializationError) as caught:
        Codec({"thing": make_dataclass("Thing", []), "holder": holder}).decode(data)
    assert caught.value.path == "value.items[0].gone"


REFUSED = [
    (lambda: 0, "a lambda"), (print, "a function"), ((n for n in [1]), "a generator"),
    (threading.Lock(), "a lock"), (math, "the module math"), ({}.items(), r"list\(\.\.\.\)"),
    (object(), "make the class a dataclass"), (Path, "class pathlib"),
    (type("Sub", (dict,), {})(), r"Convert it first: dict\(value\)"),
    (make_dataclass("Local", [])(), "not in the build's manifest"),
    (10**5000, "more than 4300 digits"),
    (Run(memory.create(), CODEC, "wrun_1"), "Pass its run_id"),
    (HookRecord("wrun_1", "hook_1", "t", datetime.now(UTC), False, None, CODEC), "Pass its token"),
    (StreamChunk(0, "x", "step_1", 1), "Pass what you need of its fields"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "advice"), REFUSED, ids=[advice for _, advice in REFUSED])
def test_refusals_name_the_field_and_say_what_to_do(value: Any, advice: str) -> None:
    """What cannot be recorded is a SerializationError with the whole path and advice."""
    items = [1, 2, 3, {"callback": value}]
    with pytest.raises(SerializationError, match=advice) as caught:
        CODEC.encode({"order": User("x", items)}, path="args")  # type: ignore[arg-type]
    assert caught.value.path == "args.order.tags[3].callback"


def test_refused_files_and_coroutines(tmp_path: Path) -> None:
    """Open files and coroutines get advice of their own."""

    async def later() -> None: ...

    waiting = later()
    with pytest.raises(SerializationError, match="Await it first"):
        CODEC.encode([waiting])
    waiting.close()
    with (tmp_path / "f").open("w") as file, pytest.raises(SerializationError, match="open file"):
        CODEC.encode({1: file})


def test_paths_of_unusual_keys() -> None:
    """Keys that are no names are shown as subscripts."""
    with pytest.raises(SerializationError) as caught:
        CODEC.encode({"a b": {2: {(1,): print}}})
    assert caught.value.path == "value['a b'][2][(1,)]"


class Moody:
    """Its attributes cannot be looked at."""

    def __getattribute__(self, name: str) -> Any:
        raise OSError("not today")

    def __repr__(self) -> str:
        raise OSError("not today")


def test_code_of_a_value_that_fails_is_named() -> None:
    """Whatever code of the user's raises while a value is recorded, the error has the path."""
    with pytest.raises(SerializationError, match="OSError: not today") as caught:
        CODEC.encode({"a": [(1, Moody())]})
    assert caught.value.path == "value.a[0][1]"
    assert isinstance(caught.value.__cause__, OSError)
    with pytest.raises(SerializationError) as caught:
        CODEC.encode({"a": {(Moody(),): 1}, "b" * 300: 1})
    assert caught.value.path == "value.a[a tuple][0]"
    with pytest.raises(SerializationError) as caught:
        CODEC.encode({"b" * 300: print})
    assert len(str(caught.value.path)) < 100


@pytest.mark.parametrize(
    "value",
    [
        {float("nan"): 1, float("nan"): 2},
        {float("nan"), float("nan")},
        frozenset({(float("nan"),), (float("nan"),)}),
        OrderedDict([((Decimal("NaN"),), 1), ((Decimal("NaN"),), 2)]),
        Set([float("nan"), float("nan")]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_keys_that_would_become_one_are_refused(value: Any) -> None:
    """Two NaN are two keys, and would come back as one; nothing is lost in silence."""
    with pytest.raises(SerializationError, match="recorded alike") as caught:
        CODEC.encode([value])
    assert caught.value.path == "value[0]"
    (back,) = CODEC.decode(CODEC.encode([{float("nan"): 1}]))
    assert repr(back) == "{nan: 1}"


def test_keys_that_take_too_long_to_read_are_refused() -> None:
    """A key of many parts, or of few that stand in many places, is refused when it is written."""
    most = tuple(range(90_000))
    assert CODEC.decode(CODEC.encode({most, Point(1)})) == {most, Point(1)}
    shared: Any = (1,)
    for _ in range(20):
        shared = (shared, shared)
    for key in (tuple(range(100_001)), shared, frozenset({shared}), Pair(shared)):
        with pytest.raises(SerializationError, match="more than 100000 parts") as caught:
            CODEC.encode({"a": {1: 2, key: 3}})
        assert caught.value.path.startswith("value.a")
    small = Codec(max_size=50_000)
    many = {(most[:1000], number) for number in range(380)}
    assert small.decode(small.encode(many)) == many
    with pytest.raises(SerializationError, match="the parts of its keys"):
        small.encode({*many, *((most[:1000], -number) for number in range(1, 30))})


def test_circles_through_tuples_and_sets_are_refused() -> None:
    """A tuple, deque or own class that contains itself is refused, not recorded unreadably."""
    inner: list[Any] = []
    inner.append((inner,))
    assert CODEC.decode(CODEC.encode(inner))[0][0] is not None
    with pytest.raises(SerializationError, match="contains itself"):
        CODEC.encode(inner[0])
    money = Money("1 EUR")
    money.amount = [money]  # type: ignore[assignment]
    with pytest.raises(SerializationError, match="contains itself"):
        CODEC.encode(money)


def test_depth_and_size_are_bounded() -> None:
    """Nesting beyond the depth and values beyond the size are refused when written."""
    value: list[Any] = []
    for _ in range(199):
        value = [value]
    assert CODEC.decode(CODEC.encode(value)) == value
    with pytest.raises(SerializationError, match="entries deep"):
        CODEC.encode([value])
    with pytest.raises(SerializationError, match="more than the 100 allowed"):
        Codec(max_size=100).encode("x" * 100)


def test_a_class_with_two_ids_is_written_under_one() -> None:
    """The order of the class table does not show in the bytes."""
    one, two = Codec({"a": Point, "b": Point}), Codec({"b": Point, "a": Point})
    assert one.encode(Point(1)) == two.encode(Point(1))


def test_failing_serialize_methods_are_named() -> None:
    """An own class that cannot be written or read is a SerializationError with its cause."""
    broken = Money("1 EUR")
    del broken.currency
    with pytest.raises(SerializationError, match="__workflow_serialize__ failed") as caught:
        CODEC.encode([broken])
    assert caught.value.path == "value[0]"
    assert isinstance(caught.value.__cause__, AttributeError)
    data = CODEC.encode(Money("1 EUR")).replace(b"currency", b"other")
    with pytest.raises(SerializationError, match="cannot be rebuilt") as caught:
        CODEC.decode(data)
    assert isinstance(caught.value.__cause__, KeyError)


@pytest.mark.parametrize("text", ["2025-01-01T12:00:00Z", "2025-01-01T12:00:00-03:30"])
def test_datetimes_that_pydantic_has_read_keep_their_offset(text: str) -> None:
    """The zone class of pydantic is recorded as the fixed offset it is."""
    read = TypeAdapter(datetime).validate_json(f'"{text}"')
    codec = Codec({})
    back = codec.decode(codec.encode(read))
    assert (back, back.utcoffset()) == (read, read.utcoffset())
    assert type(back.tzinfo) is timezone
