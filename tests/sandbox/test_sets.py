"""The sets of workflow code against built-in ones, and what the codec makes of both."""

from __future__ import annotations

import operator
import pickle
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.codec import Codec
from workflow.sets import FrozenSet, Set, settled

MEMBERS = st.lists(st.one_of(st.integers(0, 9), st.text("abc", max_size=2)), max_size=12)
OPERATORS = [operator.or_, operator.and_, operator.sub, operator.xor]
METHODS = ["union", "intersection", "difference", "symmetric_difference"]
UPDATES = ["update", "intersection_update", "difference_update", "symmetric_difference_update"]


def consistent(made: Any) -> bool:
    """Whether the order and the members are of the same set, without repetition."""
    listed = list(made)
    return len(listed) == len(made) and all(item in made for item in listed)


@given(MEMBERS, MEMBERS, st.sampled_from(OPERATORS), st.booleans(), st.booleans(), st.booleans())
def test_operators_give_what_built_in_sets_give(
    one: list[Any], two: list[Any], combine: Any, frozen: bool, other_frozen: bool, native: bool
) -> None:
    """Members and type are those of the built-in operation, also in a mix with built-in sets."""
    left, right = (FrozenSet if frozen else Set)(one), (FrozenSet if other_frozen else Set)(two)
    plain_left = (frozenset if frozen else set)(one)
    plain_right = (frozenset if other_frozen else set)(two)
    wanted = combine(plain_left, plain_right)
    made = combine(left, plain_right if native else right)
    assert made == wanted
    assert consistent(made)
    assert type(made) is (FrozenSet if frozen else Set)
    first_of_each = [item for item in dict.fromkeys([*left, *right]) if item in made]
    assert native or list(made) == first_of_each


@given(MEMBERS, MEMBERS, st.integers(0, 3), st.sampled_from([list, iter, tuple, Set, set, dict]))
def test_methods_give_what_built_in_sets_give(
    one: list[Any], two: list[Any], which: int, shape: Any
) -> None:
    """Methods and their updating forms take any iterable and agree with the built-in ones."""

    def other() -> Any:
        return dict.fromkeys(two, 5) if shape is dict else shape(two)

    ours, plain = Set(one), set(one)
    made = getattr(ours, METHODS[which])(other())
    assert made == getattr(plain, METHODS[which])(other())
    assert consistent(made)
    getattr(ours, UPDATES[which])(other())
    getattr(plain, UPDATES[which])(other())
    assert ours == plain
    assert consistent(ours)
    assert all(value is None for value in ours.__order__.values())


SMALL = st.lists(st.integers(-2, 45), max_size=5)


@given(
    st.permutations(range(40)),
    SMALL,
    st.sampled_from(OPERATORS[1:]),
    st.sampled_from([Set, FrozenSet, set, dict, list]),
)
def test_a_small_set_changes_a_large_one_as_a_large_one_does(
    many: list[int], few: list[int], combine: Any, shape: Any
) -> None:
    """Where only the members of the small one are looked at, order and members are the same."""
    method = METHODS[OPERATORS.index(combine)]
    few = sorted(set(few))
    wanted = combine(set(many), set(few))
    in_order = [item for item in dict.fromkeys([*many, *few]) if item in wanted]
    other = dict.fromkeys(few, 5) if shape is dict else shape(few)
    made = getattr(Set(many), method)(other)
    assert list(made) == in_order
    assert consistent(made)
    changed = Set(many)
    getattr(changed, f"{method}_update")(other)
    assert list(changed) == in_order
    assert consistent(changed)
    assert all(value is None for value in changed.__order__.values())
    assert all(value is None for value in made.__order__.values())
    reflected = combine(FrozenSet(few), Set(many))
    assert reflected == combine(set(few), set(many))
    assert list(reflected) == [i for i in dict.fromkeys([*few, *many]) if i in reflected]


def test_a_few_members_of_a_large_set_cost_what_they_are() -> None:
    """Taking one member out of a set, or putting one in, looks at no other member."""
    looked_at = 0

    class Item(int):
        def __hash__(self) -> int:
            nonlocal looked_at
            looked_at += 1
            return int.__hash__(self)

    def cost(size: int, change: Any) -> int:
        nonlocal looked_at
        made = Set(map(Item, range(size)))
        looked_at = 0
        change(made, {Item(3)})
        return looked_at

    for change in (operator.isub, operator.ixor, operator.ior, operator.sub):
        assert cost(2000, change) == cost(20, change) > 0


@given(MEMBERS, st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9)), max_size=30))
def test_changes_keep_order_and_members_together(
    one: list[Any], changes: list[tuple[int, int]]
) -> None:
    """Whatever is added and removed, a set iterates as a dict with the same keys would."""
    ours, model = Set(one), dict.fromkeys(one)
    for kind, item in changes:
        if kind == 0:
            ours.add(item)
            model.setdefault(item)
        elif kind == 1:
            ours.discard(item)
            model.pop(item, None)
        elif kind == 2 and model:
            assert ours.pop() == model.popitem()[0]
        elif kind == 3:
            ours |= {item}
            model.setdefault(item)
        elif kind == 4 and item in model:
            ours.remove(item)
            del model[item]
    assert list(ours) == list(model)
    assert consistent(ours)
    assert ours == set(model)
    ours.clear()
    assert list(ours) == []
    assert not ours


def test_the_public_surface_is_that_of_the_real_classes() -> None:
    """Every method that could give or read an order is ours; a new one shows up here."""
    kept = """
        __and__ __or__ __sub__ __xor__ __rand__ __ror__ __rsub__ __rxor__ __iter__ __reduce__
        __repr__ copy difference intersection symmetric_difference union
    """
    changing = """
        __iand__ __init__ __ior__ __isub__ __ixor__ add clear difference_update discard
        intersection_update pop remove symmetric_difference_update update
    """
    same = """
        __class_getitem__ __contains__ __eq__ __ge__ __getattribute__ __gt__ __hash__ __le__
        __len__ __lt__ __ne__ __new__ __sizeof__ isdisjoint issubset issuperset __doc__
    """
    listed = {*kept.split(), *changing.split(), *same.split()}
    assert set(vars(set)) | set(vars(frozenset)) <= listed
    for name in kept.split():
        assert getattr(Set, name) is not getattr(set, name)
        assert getattr(FrozenSet, name) is not getattr(frozenset, name)
    for name in changing.split():
        assert getattr(Set, name) is not getattr(set, name)


def test_a_set_in_a_set_can_be_looked_for_and_removed() -> None:
    """As in built-in sets, a set stands for the frozenset that is equal to it."""
    made = Set([frozenset({1}), FrozenSet([2]), FrozenSet([3])])
    assert {1} in made
    assert Set([2]) in made
    made.remove({1})
    made.discard(Set([2]))
    assert list(made) == [frozenset({3})]
    assert consistent(made)


def test_texts_and_copies() -> None:
    """`repr` shows the order, copies keep it, pickles are of the real classes."""
    made = Set("cab")
    assert repr(made) == "{'c', 'a', 'b'}"
    assert repr(Set()) == "set()"
    assert repr(FrozenSet("ba")) == "frozenset({'b', 'a'})"
    assert repr(FrozenSet()) == "frozenset()"
    assert list(made.copy()) == list("cab")
    assert made.copy() is not made
    assert FrozenSet(frozen := FrozenSet("ba")) is frozen
    assert frozen.copy() is frozen
    outside = pickle.loads(pickle.dumps([Set("ab"), FrozenSet("b")]))
    assert outside == [{"a", "b"}, frozenset("b")]
    assert type(outside[0]) is set


def test_built_in_sets_are_taken_in_one_order() -> None:
    """Members of a built-in set come in the same order in all processes."""
    script = (
        "from workflow.sets import Set, settled\n"
        "class A: ...\n"
        "mixed = {'b', 'a', 1, 2.5, None, ('x', 'y'), b'q', frozenset('xyz'), True, A}\n"
        "print(list(Set('zyx') | set('hgf')), list(settled(mixed)), Set(map(str, mixed & {'a'})))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            check=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(outputs) == 1


@dataclass
class Older:
    """A recorded class with a set in it."""

    tags: set[str]


@dataclass
class Tagged:
    """The same class, to which a field was added."""

    tags: set[str]
    later: set[str] = field(default_factory=lambda: {"z", "a"})


def test_the_codec_keeps_the_order_of_workflow_code() -> None:
    """Ordered sets are written as they iterate and read back so; outside they are built-in ones."""
    value = {"s": Set("zyx"), "f": FrozenSet("qpo"), "n": Set([FrozenSet("ba"), ("k", 1)])}
    data = Codec().encode(value)
    inside = Codec(ordered_sets=True).decode(data)
    assert {key: list(found) for key, found in inside.items()} == {
        key: list(given) for key, given in value.items()
    }
    assert type(inside["s"]) is Set
    assert type(inside["f"]) is FrozenSet
    assert type(next(iter(inside["n"]))) is FrozenSet
    outside = Codec().decode(data)
    assert outside == value
    assert type(outside["s"]) is set
    assert type(outside["f"]) is frozenset
    assert Codec(ordered_sets=True).encode(inside) == data


def test_the_codec_arranges_built_in_sets() -> None:
    """Built-in sets are written in their fixed order, whatever reads them."""
    data = Codec().encode({"c", "a", "b"})
    assert data == Codec(ordered_sets=True).encode({"b", "c", "a"})
    assert list(Codec(ordered_sets=True).decode(data)) == ["a", "b", "c"]


def test_sets_made_while_reading_are_ordered_too() -> None:
    """Factories and defaults of recorded values give workflow code ordered sets."""
    grouped = defaultdict(Set, {"k": Set("ba")})
    back = Codec(ordered_sets=True).decode(Codec().encode(grouped))
    assert back.default_factory is Set
    assert list(back["k"]) == ["b", "a"]
    assert Codec().decode(Codec().encode(grouped)).default_factory is set
    data = Codec({"class//t//Tagged": Older}).encode(Older({"a"}))
    made = Codec({"class//t//Tagged": Tagged}, ordered_sets=True).decode(data)
    assert type(made.tags) is Set
    assert type(made.later) is Set
    assert list(made.later) == ["a", "z"]
    assert type(Codec({"class//t//Tagged": Tagged}).decode(data).later) is set


def test_a_set_around_itself_is_refused_as_before() -> None:
    """What cannot be recorded in a set is named as in any other container."""
    with pytest.raises(Exception, match="lambda"):
        Codec().encode(Set([lambda: 0]))
    assert settled([1, 2]) == [1, 2]
