"""`set` and `frozenset` of workflow code: they keep the order in which members were put in.

The order of a built-in set follows the hashes of its members, and those of text, bytes and plain
objects are others in every process. These are subclasses with a record of the order beside the
members, so C code finds what it expects, everything that iterates sees that order, and membership,
length and comparison cost what they always did. Members of a built-in set that comes from elsewhere
are taken in a fixed order: that of their types and texts.
"""

from __future__ import annotations

import builtins
from abc import ABCMeta
from collections.abc import Callable, ItemsView, Iterable, Iterator, KeysView
from copy import deepcopy
from itertools import filterfalse, islice
from reprlib import recursive_repr
from typing import Any

from workflow.addresses import without_addresses

__all__ = ["TWINS", "FrozenSet", "Set", "frozen_of", "ordered", "settled"]

# `set` and `frozenset` are methods and names below.
_set, _frozenset = builtins.set, builtins.frozenset
_BUILTIN = (_set, _frozenset)
_VIEWS = (KeysView, ItemsView)

_new = _set.__new__
_fill = _set.update
_add = _set.add
_remove = _set.remove
_clear = _set.clear
_new_frozen = _frozenset.__new__


def _canonical(members: Iterable[Any]) -> dict[Any, None]:
    """The members of a built-in set in an order that is the same in every process."""

    def place(member: Any) -> tuple[str, str]:
        kind = type(member)
        if isinstance(member, _BUILTIN):
            return kind.__name__, repr(list(_order_of(member)))
        return f"{kind.__module__}.{kind.__qualname__}", without_addresses(repr(member))

    # A set in a set is always a frozenset, and has an order of its own.
    items = [FrozenSet(m) if type(m) is _frozenset else m for m in members]
    if len(items) < 2:
        return dict.fromkeys(items)
    kinds = {type(item) for item in items}
    if len(kinds) == 1 and kinds < {str, bytes, int}:
        return dict.fromkeys(sorted(items))
    return dict.fromkeys(sorted(items, key=place))


def _order_of(items: Iterable[Any]) -> dict[Any, None]:
    """The members of anything as the keys of a dict, which the caller must not change."""
    kind = type(items)
    if kind is Set or kind is FrozenSet:
        found: dict[Any, None] = items.__order__  # type: ignore[attr-defined]
        return found
    if kind is dict:
        return items  # type: ignore[return-value]  # only its keys are looked at
    if isinstance(items, _BUILTIN):
        own: dict[Any, None] | None = getattr(items, "__order__", None)
        return own if own is not None else _canonical(items)
    return dict.fromkeys(items)


def _fresh(items: Iterable[Any]) -> dict[Any, None]:
    """As `_order_of`, a dict of the caller's own."""
    kind = type(items)
    if kind is list or kind is tuple:
        return dict.fromkeys(items)
    found = _order_of(items)
    if kind is dict:
        return dict.fromkeys(found)
    return found.copy() if isinstance(items, _BUILTIN) else found


def _members(items: Iterable[Any]) -> Any:
    """Something with a fast `in`."""
    return items if isinstance(items, (_set, _frozenset, dict)) else _set(items)


def ordered(order: dict[Any, None]) -> Set:
    """A set of the keys of `order`, a dict that nobody else keeps and whose values are None."""
    made = _new(Set)
    made.__order__ = order
    _fill(made, order)
    return made


def frozen_of(order: dict[Any, None]) -> FrozenSet:
    """As `ordered`, frozen."""
    made: FrozenSet = _new_frozen(FrozenSet, order)
    made.__order__ = order
    return made


def settled(value: Any, *sources: Any) -> Any:
    """`value`; a built-in set gets the order in which its members come up in `sources`."""
    kind = type(value)
    if kind is not _set and kind is not _frozenset:
        return value
    order = {item: None for source in sources for item in _order_of(source) if item in value}
    if len(order) < len(value):
        order.update(_canonical(item for item in value if item not in order))
    return ordered(order) if kind is _set else frozen_of(order)


class _Twin(ABCMeta):
    """Instances of the real class count as instances of its twin."""

    _real: type

    def __instancecheck__(cls, instance: object) -> bool:
        if cls in _BOTH:
            return isinstance(instance, cls._real)
        return super().__instancecheck__(instance)

    def __subclasscheck__(cls, subclass: type) -> bool:
        if cls in _BOTH:
            return issubclass(subclass, cls._real)
        return super().__subclasscheck__(subclass)


_Order = dict[Any, None]
_Make = Callable[[_Order], Any]


def _make_of(value: Any) -> _Make:
    return frozen_of if isinstance(value, _frozenset) else ordered


# -- what makes new sets: always of the base class, as for built-in sets ---------------------------


def _plain(items: Iterable[Any]) -> _Order:
    """As `_order_of`, with no values of the caller's dict."""
    return dict.fromkeys(items) if type(items) is dict else _order_of(items)


def _union(make: _Make, order: _Order, *others: Iterable[Any]) -> Any:
    order = order.copy()
    for other in others:
        order.update(_plain(other))
    return make(order)


def _is_small(other: Any, order: _Order) -> bool:
    return len(other) * 4 < len(order)


def _intersection(make: _Make, order: _Order, *others: Iterable[Any]) -> Any:
    for other in others:
        members = _members(other)
        if _is_small(members, order):
            # All that can be left is known; to find their order, the last of them ends the search.
            members = _set(filter(order.__contains__, members))
            found = filter(members.__contains__, order) if len(members) > 1 else members
            order = dict.fromkeys(islice(found, len(members)))
        else:
            order = dict.fromkeys(filter(members.__contains__, order))
    return make(order if others else dict(order))


def _difference(make: _Make, order: _Order, *others: Iterable[Any]) -> Any:
    for other in others:
        members = _members(other)
        if _is_small(members, order):
            order = order.copy()
            for item in filter(order.__contains__, members):
                del order[item]
        else:
            order = dict.fromkeys(filterfalse(members.__contains__, order))
    return make(order if others else dict(order))


def _symmetric_difference(make: _Make, order: _Order, other: Iterable[Any], /) -> Any:
    theirs = _order_of(other)
    if _is_small(theirs, order):
        only = order.copy()
        for item in theirs:
            if item in order:
                del only[item]
            else:
                only[item] = None
    else:
        only = dict.fromkeys(filterfalse(theirs.__contains__, order))
        only.update(dict.fromkeys(filterfalse(order.__contains__, theirs)))
    return make(only)


def _operator(combine: Callable[..., Any], *, reflected: bool = False) -> Callable[[Any, Any], Any]:
    def operate(self: Any, other: Any, /) -> Any:
        if not isinstance(other, _BUILTIN) and not isinstance(other, _VIEWS):
            return NotImplemented
        if reflected:
            self, other = other, self
        return combine(_make_of(self), _order_of(self), other)

    return operate


def _method(combine: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, *others: Any) -> Any:
        return combine(_make_of(self), _order_of(self), *others)

    call.__name__ = call.__qualname__ = combine.__name__[1:]
    call.__doc__ = getattr(_set, call.__name__).__doc__
    return call


class _Ordered:
    """What both have. `__order__` is a name that workflow code can neither read nor write."""

    __slots__ = ()
    __order__: _Order

    def __iter__(self) -> Iterator[Any]:
        return iter(self.__order__)

    def __copy__(self) -> Any:
        kind: Any = type(self)
        made = kind(self.__order__)
        if hasattr(self, "__dict__"):  # a subclass of the workflow's own
            made.__dict__.update(self.__dict__)
        return made

    def __deepcopy__(self, memo: Any) -> Any:
        kind: Any = type(self)
        made = kind([deepcopy(item, memo) for item in self.__order__])
        memo[id(self)] = made
        if hasattr(self, "__dict__"):
            made.__dict__.update(deepcopy(self.__dict__, memo))
        return made

    def __reduce__(self) -> Any:
        kind = type(self)
        # Outside of workflow code it is the real class that has the name.
        made = kind if kind not in _BOTH else kind._real  # type: ignore[attr-defined]
        return made, (list(self.__order__),), getattr(self, "__dict__", None)

    @recursive_repr("set(...)")
    def __repr__(self) -> str:
        inside = ", ".join(map(repr, self.__order__))
        if type(self) is Set and inside:
            return f"{{{inside}}}"
        name = type(self).__name__
        return f"{name}({{{inside}}})" if inside else f"{name}()"

    __or__ = _operator(_union)
    __and__ = _operator(_intersection)
    __sub__ = _operator(_difference)
    __xor__ = _operator(_symmetric_difference)
    __ror__ = _operator(_union, reflected=True)
    __rand__ = _operator(_intersection, reflected=True)
    __rsub__ = _operator(_difference, reflected=True)
    __rxor__ = _operator(_symmetric_difference, reflected=True)

    union = _method(_union)
    intersection = _method(_intersection)
    difference = _method(_difference)
    symmetric_difference = _method(_symmetric_difference)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """In a model: what pydantic does for the real class, in the order of the input."""
        from workflow.sets.fields import schema

        return schema(cls, source, handler)


def _in_place(combine: Callable[..., Any]) -> tuple[Callable[..., None], Callable[..., Any]]:
    """The method that changes a set, and the operator."""

    def change(self: Any, *others: Any) -> None:
        order = combine(dict, self.__order__, *others)
        _clear(self)
        _fill(self, order)
        self.__order__ = order

    return _changing(change, combine)


def _by_members(
    combine: Callable[..., Any],
    listed: Callable[[Any], Any],
    change_one: Callable[[Any, Any], None],
) -> tuple[Callable[..., None], Callable[..., Any]]:
    """As `_in_place`, but one by one with the members of a small set: they are all that changes."""
    everything, _ = _in_place(combine)

    def change(self: Any, *others: Any) -> None:
        if len(others) == 1:
            members = listed(others[0])
            if _is_small(members, self.__order__):
                for item in members:
                    change_one(self, item)
                return
            others = (members,)
        everything(self, *others)

    return _changing(change, combine)


def _changing(
    change: Callable[..., None], combine: Callable[..., Any]
) -> tuple[Callable[..., None], Callable[..., Any]]:
    def operate(self: Any, other: Any, /) -> Any:
        if not isinstance(other, _BUILTIN) and not isinstance(other, _VIEWS):
            return NotImplemented
        change(self, other)
        return self

    change.__name__ = change.__qualname__ = f"{combine.__name__[1:]}_update"
    return change, operate


def _leave_out(self: Any, item: Any) -> None:
    if item in self.__order__:
        _remove(self, item)
        del self.__order__[item]


def _turn(self: Any, item: Any) -> None:
    if item in self.__order__:
        _leave_out(self, item)
    else:
        _add(self, item)
        self.__order__[item] = None


class Set(_Ordered, set, metaclass=_Twin):  # type: ignore[type-arg]
    """`set` of workflow code."""

    __slots__ = ("__order__",)
    _real = _set

    def __init__(self, iterable: Iterable[Any] = (), /) -> None:
        if self:
            _clear(self)
        if type(iterable) is tuple and not iterable:
            self.__order__ = {}
        else:
            self.__order__ = order = _fresh(iterable)
            _fill(self, order)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.__new__ = _new_empty  # type: ignore[method-assign]

    def copy(self) -> Any:
        made = _new(Set)
        made.__order__ = self.__order__.copy()
        _fill(made, self)  # from a set: its table is copied
        return made

    def add(self, item: Any, /) -> None:
        _add(self, item)
        self.__order__[item] = None

    def remove(self, item: Any, /) -> None:
        _remove(self, item)
        try:
            del self.__order__[item]
        except TypeError:  # a set stands for the frozenset that is equal to it
            del self.__order__[_frozenset(item)]

    def discard(self, item: Any, /) -> None:
        if item in self:
            _remove(self, item)
            try:
                del self.__order__[item]
            except TypeError:
                del self.__order__[_frozenset(item)]

    def pop(self) -> Any:
        """Remove and return the newest member."""
        if not self:
            raise KeyError("pop from an empty set")
        item = self.__order__.popitem()[0]
        _remove(self, item)
        return item

    def clear(self) -> None:
        _clear(self)
        self.__order__.clear()

    def update(self, *others: Iterable[Any]) -> None:
        for other in others:
            order = _plain(other)
            _fill(self, order)
            self.__order__.update(order)

    def __ior__(self, other: Any, /) -> Any:
        if not isinstance(other, _BUILTIN) and not isinstance(other, _VIEWS):
            return NotImplemented
        self.update(other)
        return self

    intersection_update, __iand__ = _in_place(_intersection)
    difference_update, __isub__ = _by_members(_difference, _members, _leave_out)
    symmetric_difference_update, __ixor__ = _by_members(_symmetric_difference, _order_of, _turn)


class FrozenSet(_Ordered, frozenset, metaclass=_Twin):  # type: ignore[type-arg]
    """`frozenset` of workflow code."""

    __slots__ = ("__order__",)
    _real = _frozenset

    def __new__(cls, iterable: Iterable[Any] = (), /) -> Any:
        if cls is FrozenSet and type(iterable) is FrozenSet:
            return iterable
        order = _fresh(iterable)
        made = _new_frozen(cls, order)
        made.__order__ = order
        return made

    def copy(self) -> Any:
        return self if type(self) is FrozenSet else frozen_of(self.__order__)


def _new_empty(cls: Any, *_: Any, **__: Any) -> Any:
    """Subclasses may leave out `super().__init__()`."""
    made = _new(cls)
    made.__order__ = {}
    return made


for _twin in (Set, FrozenSet):
    # What `repr`, `type` and error messages show.
    _twin.__name__ = _twin.__qualname__ = _twin._real.__name__
    _twin.__module__ = "builtins"

_BOTH = frozenset({Set, FrozenSet})
TWINS: dict[type, type] = {_set: Set, _frozenset: FrozenSet}
"""The twin of each of the two built-in classes."""
