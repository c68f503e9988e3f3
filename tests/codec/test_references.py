"""Functions as parts of values: any nesting of them, in any container."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import FunctionType, MethodType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.codec import Codec
from workflow.codec.closures import captured_by, find_code, rebuild
from workflow.codec.references import Known, NoFunctions, StepReference, WorkflowReference
from workflow.errors import SerializationError


def double(n: Any) -> Any:
    return 2 * n


def plain(n: int) -> int:
    return n


def flow() -> None: ...


def nest(first: Any, second: Any, default: Any, keyword: Any) -> Callable[..., Any]:
    def inner(a: Any = default, *, b: Any = keyword) -> Any:
        return inner, first, second, a, b

    return inner


@dataclass
class Cart:
    items: list[Any]

    def add(self, item: Any) -> None:
        self.items.append(item)


INNER = find_code(nest.__code__, "nest.<locals>.inner")
assert INNER is not None


class Table(NoFunctions):
    """The functions of this file, as a registry would know them."""

    steps = {"double": double, "Cart#add": Cart.add}

    def identify(self, function: Any) -> Known | None:
        if function is flow:
            return Known("workflow", "flow")
        if isinstance(function, FunctionType) and function.__code__ is INNER:
            return Known("step", "nest/inner", nested=True)
        for name, known in self.steps.items():
            if function is known:
                return Known("step", name)
        return None

    def find_function(self, reference: StepReference) -> Any:
        if reference.id == "nest/inner" and INNER is not None:
            return rebuild(
                INNER, globals(), reference.captured, reference.defaults, reference.kwdefaults
            )
        return self.steps.get(reference.id, reference)

    def find_workflow(self, workflow_id: str) -> Any:
        return flow if workflow_id == "flow" else None


CODEC = Codec({"class//x.py//Cart": Cart}, functions=Table())
BLIND = Codec({"class//x.py//Cart": Cart})

leaves = (
    st.none()
    | st.integers()
    | st.text(max_size=3)
    | st.sampled_from([double, flow, Cart])
    | st.builds(StepReference, st.sampled_from(["gone", "away"]))
    | st.builds(WorkflowReference, st.just("gone"))
)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
        | st.dictionaries(st.sampled_from([double, flow, 1]), inner, max_size=2)
        | st.builds(nest, inner, inner, inner, inner)
        | st.builds(partial, st.just(double), inner, key=inner)
        | st.builds(lambda f, x: partial(f, x), st.builds(nest, inner, inner, inner, inner), inner)
        | st.builds(lambda items: Cart(items).add, st.lists(inner, max_size=2))
        | st.builds(StepReference, st.just("gone"), st.dictionaries(st.text("ab"), inner))
    ),
    max_leaves=10,
)


def same(a: Any, b: Any) -> bool:
    """Equal in structure; a bound method comes back as a partial of its function."""
    if isinstance(a, MethodType):
        a = partial(a.__func__, a.__self__)
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return same(list(a), list(b)) and same(list(a.values()), list(b.values()))
    if isinstance(a, partial):
        return same((a.func, a.args, a.keywords), (b.func, b.args, b.keywords))
    if isinstance(a, Cart):
        return same(a.items, b.items)
    if isinstance(a, StepReference):
        return a.id == b.id and same(a.captured, b.captured)
    if isinstance(a, FunctionType) and a.__code__ is INNER:
        return a.__code__ is b.__code__ and same(
            (captured_by(a), a.__defaults__, a.__kwdefaults__),
            (captured_by(b), b.__defaults__, b.__kwdefaults__),
        )
    return bool(a == b)


@given(values)
def test_round_trip(value: Any) -> None:
    """Any nesting of references and data comes back, and encodes to the same bytes again."""
    data = CODEC.encode(value)
    back = CODEC.decode(data)
    assert same(value, back)
    assert CODEC.encode(back) == data


@given(values)
def test_who_knows_no_function_can_pass_it_on(value: Any) -> None:
    """A process without the project reads references and writes the same bytes."""
    data = CODEC.encode(value)
    assert BLIND.encode(BLIND.decode(data)) == data


@given(values)
def test_without_references_data_only(value: Any) -> None:
    """What is written without references can be read without them, and nothing else can."""
    data = CODEC.encode(value)
    if any(tag in data for tag in (b'["Step"', b'["Workflow"', b'["Partial"')):
        with pytest.raises(SerializationError, match="hook's payload"):
            CODEC.encode(value, references=False)
        with pytest.raises(SerializationError, match="hook's payload"):
            CODEC.decode(data, references=False)
    else:
        assert CODEC.encode(value, references=False) == data
        assert same(value, CODEC.decode(data, references=False))


def test_equal_references_share_an_entry() -> None:
    """Two partials of the same content are written once; that they are two does not show."""
    one, two = partial(double, 1), partial(double, 1)
    assert CODEC.encode([one, one]) == CODEC.encode([one, two])


def test_a_rebuilt_function_calls_itself_by_its_own_name() -> None:
    """The name of a nested function inside of itself is the rebuilt function."""
    again = CODEC.decode(CODEC.encode(nest(1, "x", 3, 4)))
    assert again() == (again, 1, "x", 3, 4)


def test_captured_sets_are_canonical() -> None:
    """The bytes of a closure do not depend on the hash seed of the process."""
    code = (
        "from tests.codec.test_references import CODEC, nest\n"
        "print(CODEC.encode(nest({'a', 'b', 'c'}, 1, frozenset('xyz'), None)).hex())"
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


@pytest.mark.parametrize(
    ("value", "path", "advice"),
    [
        (plain, "", 'Mark it "use step"'),
        (partial(plain, 1), ".func", r"test_references\.plain is none"),
        (partial(double, plain), ".args[0]", "step or workflow of the build"),
        (partial(double, n={"f": lambda: 0}), ".keywords.n.f", "a lambda"),
        (partial(print), ".func", "a function such as print"),
        (nest(1, {"g": plain}, 0, 0), ".captured.second.g", "is none"),
        (nest(1, 2, [plain], 0), ".__defaults__[0][0]", "is none"),
        (nest(1, 2, 0, plain), ".__kwdefaults__.b", "is none"),
        (Cart([plain]).add, ".args[0].items[0]", "is none"),
        (Cart([]).__eq__, "", r"Cart\.__eq__ is none"),
        ([].append, "", "a function such as list.append"),
        (functools.lru_cache(plain), "", "cannot be recorded"),
        (Table, "", "not in the build's manifest"),
    ],
)
def test_refusals_lead_to_the_function(value: Any, path: str, advice: str) -> None:
    """The path goes through partials, defaults and captured variables."""
    with pytest.raises(SerializationError, match=advice) as caught:
        CODEC.encode({"tool": value}, path="args")
    assert caught.value.path == f"args.tool{path}"


def test_depth_is_bounded_through_closures() -> None:
    """A chain of closures counts as nesting, when written and when read."""
    value: Any = 0
    for _ in range(40):
        value = nest(value, 0, 0, 0)
    assert same(value, CODEC.decode(CODEC.encode(value)))
    for _ in range(200):
        value = nest(value, 0, 0, 0)
    with pytest.raises(SerializationError, match="entries deep"):
        CODEC.encode(value)
    chain: list[Any] = []
    for n in range(0, 9000, 3):
        chain += [["Step", n + 1], {"id": 9000, "captured": n + 2}, {"x": n + 3}]
    with pytest.raises(SerializationError, match="too deeply"):
        CODEC.decode(b"devl" + json.dumps([*chain, "gone"]).encode())


def test_find_code_takes_functions_only() -> None:
    """A class of the same name is no function; of two definitions the last one counts."""
    space: dict[str, Any] = {}
    text = (
        "def outer(n):\n"
        "    class inner: pass\n"
        "    if n:\n"
        "        def twice(): return 1\n"
        "    else:\n"
        "        def twice(): return 2\n"
    )
    exec(text, space)
    code = space["outer"].__code__
    assert find_code(code, "outer.<locals>.inner") is None
    found = find_code(code, "outer.<locals>.twice")
    assert found is not None
    assert found.co_firstlineno == 6


def test_mangled_names_of_nested_functions() -> None:
    """In a class the compiler spells a private name with the class; it is still its own name."""

    class Box:
        def make(self) -> Any:
            def __again(n: int) -> Any:
                return __again(n - 1) if n else self

            return __again

    again = Box().make()
    assert list(captured_by(again)) == ["self"]
    made = rebuild(again.__code__, globals(), captured_by(again))
    assert isinstance(made(2), Box)
