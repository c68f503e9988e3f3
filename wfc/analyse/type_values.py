"""The types of `types.py` as values, and what operators and unpacking make of them."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

__all__ = [
    "AWAITABLE",
    "BOOL",
    "EMPTY",
    "PENDING",
    "SETS",
    "STR",
    "Type",
    "along",
    "changed",
    "element",
    "from_template",
    "merge",
    "number",
    "operated",
    "taken",
]


@dataclass(frozen=True)
class Type:
    """A class by its dotted name, with the types of its items.

    `coroutine` is what calling an `async def` gives; its item is what awaiting it gives. `fixed`:
    a tuple whose items are listed one by one. `sure` is false where an annotation was believed.
    """

    name: str
    items: tuple[Type | None, ...] = ()
    sure: bool = True
    fixed: bool = False


PENDING = Type("?")
"""Being worked out further up; agrees with everything."""
EMPTY = Type("-")
"""The item of an empty literal; agrees with everything."""
STR = Type("builtins.str")
BOOL = Type("builtins.bool")
SETS = ("builtins.set", "builtins.frozenset")
AWAITABLE = ("coroutine", "asyncio.Task", "asyncio.Future", "collections.abc.Awaitable")

_SET_OPERATORS = ast.BitAnd | ast.BitOr | ast.BitXor | ast.Sub
_VIEWS = ("builtins.dict_keys", "builtins.dict_items")
_NUMBERS = ("builtins.bool", "builtins.int", "builtins.float", "builtins.complex")
_ITEMS_FIRST = frozenset(
    """
    builtins.list builtins.enumerate builtins.reversed builtins.range builtins.dict
    builtins.generator builtins.dict_keys builtins.dict_values builtins.set builtins.frozenset
    collections.deque collections.defaultdict collections.OrderedDict collections.Counter
    collections.abc.Iterable collections.abc.Iterator collections.abc.Sequence
    collections.abc.Collection collections.abc.Mapping collections.abc.Set
    collections.abc.AsyncIterator collections.abc.AsyncIterable collections.abc.MutableMapping
    collections.abc.MutableSequence collections.abc.MutableSet collections.abc.Generator
    """.split()  # noqa: SIM905 - one name a line would be twenty lines
)
"""Containers that give their first item type when one goes through them."""


def merge(types: Iterable[Type | None]) -> Type | None:
    """What all of `types` agree on; items they disagree on are unknown."""
    found: Type | None = PENDING
    for each in types:
        if each is None or found is None:
            return None
        if found in (PENDING, EMPTY):
            found = each if each != PENDING else found
        elif each not in (PENDING, EMPTY):
            found = _both(found, each)
    return found


def _both(one: Type, other: Type) -> Type | None:
    if one.name != other.name:
        return None
    sure = one.sure and other.sure
    if len(one.items) != len(other.items) or one.fixed != other.fixed:
        return Type(one.name, (), sure)
    pairs = zip(one.items, other.items, strict=True)
    return Type(one.name, tuple(merge(pair) for pair in pairs), sure, one.fixed)


def element(container: Type | None) -> Type | None:
    """The type of the items of a container."""
    if container is None or container == PENDING:
        return container
    if container.name == "builtins.str":
        return STR
    if container.name == "builtins.bytes":
        return Type("builtins.int")
    if container.name == "builtins.tuple" and container.items:
        return merge(container.items) if container.fixed else container.items[0]
    if container.name == "builtins.dict_items":
        return Type("builtins.tuple", container.items, container.sure, fixed=True)
    if container.name in _ITEMS_FIRST and container.items:
        return container.items[0]
    return None


def along(value: Type | None, path: tuple[int, ...]) -> Type | None:
    """What unpacking `value` gives at a place."""
    for index in path:
        if value is None or value == PENDING:
            return value
        if value.fixed:
            value = value.items[index] if index < len(value.items) else None
        else:
            value = element(value)
    return value


def taken(container: Type | None, key: ast.expr) -> Type | None:
    """What `container[key]` gives."""
    if container is None or container == PENDING:
        return container
    if isinstance(key, ast.Slice):
        if container.fixed:
            return None
        sliced = ("builtins.list", "builtins.tuple", "builtins.str", "builtins.bytes")
        return container if container.name in sliced else None
    if container.name == "builtins.dict" and len(container.items) == 2:
        return container.items[1]
    match key:
        case ast.Constant(value=int(index)) if container.fixed and index < len(container.items):
            return container.items[index]
    if container.name in ("builtins.list", "builtins.str", "builtins.bytes", "builtins.tuple"):
        return element(container)
    return None


def number(value: Type | None) -> Type | None:
    """What `-value` and `+value` give."""
    return value if value is not None and value.name in _NUMBERS[1:] else None


def operated(left: Type | None, op: ast.operator, right: Type | None) -> Type | None:
    """What `left op right` gives."""
    if left is None:
        return None
    if isinstance(op, _SET_OPERATORS):
        return _of_sets(left, op, right)
    if left == PENDING or right == PENDING:
        return None
    if left.name == "builtins.str" and isinstance(op, ast.Add | ast.Mod | ast.Mult):
        return STR
    if right is None:
        return None
    if left.name == right.name == "builtins.list" and isinstance(op, ast.Add):
        return merge([left, right])
    if left.name in _NUMBERS and right.name in _NUMBERS:
        return _arithmetic(left, op, right)
    return None


def _of_sets(left: Type, op: ast.operator, right: Type | None) -> Type | None:
    if left == PENDING:
        # `-` is for numbers too.
        return None if isinstance(op, ast.Sub) and not _is_set(right) else left
    if left.name in _VIEWS:
        item = element(left)
        keeps = isinstance(op, ast.BitAnd | ast.Sub)
        return Type("builtins.set", (item if keeps else None,), left.sure)
    if left.name in SETS:
        if isinstance(op, ast.BitAnd | ast.Sub):
            return left
        item = merge([element(left), element(right)])
        return Type(left.name, (item,), left.sure)
    return None


def _arithmetic(left: Type, op: ast.operator, right: Type) -> Type | None:
    wider = max(_NUMBERS.index(left.name), _NUMBERS.index(right.name), 1)
    if isinstance(op, ast.Div):
        wider = max(wider, 2)
    if isinstance(op, ast.Add | ast.Sub | ast.Mult | ast.Div | ast.FloorDiv | ast.Mod):
        return Type(_NUMBERS[wider], (), left.sure and right.sure)
    return None


def changed(op: ast.operator, value: Type | None) -> Type | None:
    """What is left of a name's type by `name op= value`."""
    if isinstance(op, _SET_OPERATORS) and (_is_set(value) or not isinstance(op, ast.Sub)):
        return PENDING  # what was a set stays one
    kept = ("builtins.str", "builtins.list", *_NUMBERS)
    return value if value is not None and value.name in kept else None


def _is_set(value: Type | None) -> bool:
    return value is not None and value.name in (*SETS, *_VIEWS)


def from_template(
    text: str, first: Type | None, second: Type | None, same: Type | None
) -> Type | None:
    """A type of the tables of `type_tables.py`, with the items of a container filled in."""
    fill = {"_0": first, "_1": second, "_same": same}
    return _filled(_parsed(text), fill)


@cache
def _parsed(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _filled(node: ast.expr, fill: dict[str, Type | None]) -> Type | None:
    match node:
        case ast.Name(id=name) if name in fill:
            return fill[name]
        case ast.Subscript(value=value, slice=inside):
            parts = inside.elts if isinstance(inside, ast.Tuple) else [inside]
            name = ast.unparse(value)
            items = tuple(_filled(part, fill) for part in parts)
            return Type(name, items, fixed=name == "builtins.tuple")
    return Type(ast.unparse(node))
