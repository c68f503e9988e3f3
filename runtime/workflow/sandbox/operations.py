"""What compiled workflow code calls instead of an operator, where the native one gives the result
an order, or a text, of this process.

The views of dicts (`orders.keys() - paid`) give built-in sets, whatever they meet; so does a
built-in frozenset on the left. `template % values` is formatting.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, ItemsView, KeysView
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from workflow.sandbox import texts
from workflow.sets import FrozenSet, Set, settled

__all__ = ["HARMLESS", "IN_PLACE", "NUMBERS", "OPERATIONS", "remainder", "remainder_in_place"]

_VIEWS = (KeysView, ItemsView)
NUMBERS = frozenset({bool, int, float, complex, date, datetime, timedelta, Decimal, Fraction})
"""On the right of an operator, these make no set, and their text is the same everywhere."""

HARMLESS = NUMBERS | {Set, FrozenSet}
"""Operators of these give no built-in set and no text, whatever stands on the other side."""


def _operation(native: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    special = f"__{native.__name__.strip('_').removeprefix('i')}__"

    def operate(left: Any, right: Any) -> Any:
        if type(left) in HARMLESS:
            return native(left, right)
        if _is_set(left):
            return settled(native(left, right), left, right)
        if isinstance(left, _VIEWS):
            return _of_view(native, left, right)
        # Whatever has no such operator is asked to stand for a set by the view on its right.
        if isinstance(right, _VIEWS) and (type(left) is dict or not hasattr(left, special)):
            return native(Set(left), Set(right))
        return native(left, right)

    operate.__name__ = operate.__qualname__ = native.__name__
    operate.__doc__ = native.__doc__
    return operate


def _is_set(value: Any) -> bool:
    return isinstance(value, set | frozenset)


def _of_view(native: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    if not _is_set(right):
        right = Set(right)  # a view takes anything that can be iterated
    try:
        left = Set(left)
    except TypeError:  # items whose values have no hash can still be looked for
        return settled(native(left, right), right)
    return native(left, right)


OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    sign: _operation(native)
    for sign, native in {
        "BitAnd": operator.and_,
        "BitOr": operator.or_,
        "BitXor": operator.xor,
        "Sub": operator.sub,
    }.items()
}
"""What stands for the operators that also combine sets, by the name of their syntax node."""

IN_PLACE: dict[str, Callable[[Any, Any], Any]] = {
    sign: _operation(native)
    for sign, native in {
        "BitAnd": operator.iand,
        "BitOr": operator.ior,
        "BitXor": operator.ixor,
        "Sub": operator.isub,
    }.items()
}
"""The same for `&=` and its kind."""


_TEXTS = (str, bytes, bytearray)


def remainder(left: Any, right: Any) -> Any:
    """`left % right`: arithmetic, or formatting when `left` is text."""
    if isinstance(left, _TEXTS):
        return texts.percent(left, right)
    return left % right


def remainder_in_place(left: Any, right: Any) -> Any:
    """What `left %= right` makes of `left`."""
    if isinstance(left, _TEXTS) and not hasattr(left, "__imod__"):
        return texts.percent(left, right)
    left %= right
    return left
