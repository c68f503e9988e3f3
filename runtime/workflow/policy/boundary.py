"""Arguments whose annotations pydantic can hold them to.

An annotation that names a pydantic model or another type of pydantic's, such as `HttpUrl`, or
carries a constraint (`Annotated[int, Gt(0)]`), at its top, inside of `list[...]`, `X | None` and
the like, or in a field of a dataclass or a TypedDict, is a promise that somebody wrote to be kept:
such an argument is validated, and turned into what the annotation says, where a call crosses into a
workflow or a step. What is an instance of a dataclass already is left as it is. Defaults are not
validated: whoever wrote the function chose them. All other annotations are hints for readers and
type checkers, and stay that. Annotations that cannot be evaluated, because what they name is only
imported for type checkers, say nothing.
"""

from __future__ import annotations

import dataclasses
import inspect
import sys
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from types import SimpleNamespace
from typing import Annotated, Any, TypeAlias, get_args, get_origin, get_type_hints
from weakref import WeakKeyDictionary

from workflow.policy.arguments import is_default

__all__ = ["checked_by", "fit"]

Checks: TypeAlias = "Mapping[str, Any]"  # pydantic's TypeAdapter by the name of the parameter

_known: WeakKeyDictionary[Any, Checks] = WeakKeyDictionary()


def checked_by(function: Callable[..., Any]) -> Checks:
    """What the arguments of a function are held to, by parameter; empty for most functions.

    Raises TypeError for an annotation that needs a package which is not installed.
    """
    written = inspect.unwrap(function)
    found = _known.get(written)
    if found is None:
        found = _known[written] = _make(written)
    return found


def fit(
    function: Callable[..., Any],
    checks: Checks,
    recorded: Mapping[str, Any],
    passed: Collection[str] | None = None,
) -> dict[str, Any]:
    """Arguments by parameter name, as `workflow.policy.arguments.record` gives them, made to fit.

    `passed` are the parameters that the caller gave; the others keep their defaults as they are.
    Where that is not known any more, None, a value that equals the default counts as the default.
    Raises TypeError that names every part of an argument which does not.
    """
    from pydantic import ValidationError

    fitting = dict(recorded)
    wrong: list[str] = []
    for name, adapter in checks.items():

        def made(value: Any, *, at: str, adapter: Any = adapter) -> Any:
            try:
                return adapter.validate_python(value)
            except ValidationError as error:
                wrong.extend(f"{_path(at, each['loc'])}: {each['msg']}" for each in error.errors())

        if passed is None:
            given_here = name in fitting and not is_default(function, name, fitting[name])
        else:
            given_here = name in fitting and name in passed
        if given_here:
            fitting[name] = made(fitting[name], at=name)
        if "*" + name in fitting:
            several = enumerate(fitting["*" + name])
            fitting["*" + name] = tuple([made(each, at=f"{name}[{n}]") for n, each in several])
        if "**" + name in fitting:
            given = fitting["**" + name].items()
            fitting["**" + name] = {key: made(each, at=key) for key, each in given}
    if wrong:
        called = getattr(function, "__qualname__", repr(function))
        raise TypeError(f"the arguments of {called}() do not fit their types: {'; '.join(wrong)}")
    return fitting


def _make(function: Any) -> Checks:
    if "pydantic" not in sys.modules:  # then no annotation can have to do with it
        return {}
    hints = _hints(function)
    hints.pop("return", None)
    held = {name: hint for name, hint in hints.items() if _binding(hint)}
    if not held:
        return {}
    from pydantic import PydanticUndefinedAnnotation, PydanticUserError, TypeAdapter

    made: dict[str, Any] = {}
    for name, hint in held.items():
        try:
            made[name] = TypeAdapter(hint)
        except (PydanticUserError, PydanticUndefinedAnnotation):
            # a part of it is nothing that pydantic knows, or only known to type checkers
            continue
        except ImportError as error:  # such as that of EmailStr, which needs another package
            called = getattr(function, "__qualname__", repr(function))
            said = getattr(hint, "__name__", hint)
            raise TypeError(
                f"{called}() says that {name} is {said}, which cannot be checked: {error}"
            ) from error
    return made


def _hints(function: Any) -> dict[str, Any]:
    """The annotations that can be evaluated; one that cannot does not take the others with it."""
    try:
        return get_type_hints(function, include_extras=True)
    except Exception:  # annotations are any expression
        pass
    found: dict[str, Any] = {}
    known = getattr(function, "__globals__", {})
    for name, annotation in getattr(function, "__annotations__", {}).items():
        one = SimpleNamespace(__annotations__={name: annotation})
        with suppress(Exception):
            found |= get_type_hints(one, globalns=known, include_extras=True)
    return found


def _binding(hint: Any, depth: int = 8, above: tuple[Any, ...] = ()) -> bool:
    """Whether an annotation says something that only validation can keep.

    `above` are the classes whose fields are being looked at.
    """
    if isinstance(hint, type) and (
        hasattr(hint, "__pydantic_validator__") or hasattr(hint, "__get_pydantic_core_schema__")
    ):
        return True
    if get_origin(hint) is Annotated:
        first, *extras = get_args(hint)
        ours = ("pydantic", "annotated_types")
        if any(type(extra).__module__.partition(".")[0] in ours for extra in extras):
            return True
        return _binding(first, depth - 1, above)
    if depth <= 0:
        return False
    kind = get_origin(hint) or hint
    parts = list(get_args(hint))
    if isinstance(kind, type) and _has_fields(kind):
        if kind in above:
            return False
        above = (*above, kind)
        parts += _hints(kind).values()
    return any(_binding(part, depth - 1, above) for part in parts)


def _has_fields(kind: type) -> bool:
    # a TypedDict of `typing_extensions` is none to `typing`
    return dataclasses.is_dataclass(kind) or hasattr(kind, "__required_keys__")


def _path(name: str, where: tuple[int | str, ...]) -> str:
    parts = (f"[{each}]" if isinstance(each, int) else f".{each}" for each in where)
    return name + "".join(parts)
