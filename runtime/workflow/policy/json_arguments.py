"""Arguments that come as JSON, turned into what the parameters of a function are annotated with."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, get_type_hints

__all__ = ["arguments_from_json"]

_ABSENT = object()


def arguments_from_json(
    function: Callable[..., Any], given: Mapping[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """The positional and keyword arguments of a call of `function`, made by pydantic.

    `given` is JSON data by parameter name, in the form of the manifest's `input` schema:
    values for `*lines` are a list under `"*lines"`, and `**options` takes what is left. A value
    without an annotation, or with one that pydantic knows nothing about, stays as it is. Names that
    the function does not have, and those that are missing, are left for the call to complain about.
    Raises ValueError, with the path to each value that does not fit.
    """
    left = dict(given)
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    problems: list[str] = []
    parameters = inspect.signature(function).parameters.values()
    more = any(p.kind is p.VAR_POSITIONAL and left.get(f"*{p.name}") for p in parameters)
    for parameter in parameters:
        name, kind = parameter.name, parameter.kind
        hint = _hint(function, name)
        if kind is parameter.VAR_POSITIONAL:
            items = _made(list[hint], left.pop(f"*{name}", []), f"*{name}", problems)  # type: ignore[valid-type]
            args.extend(items)
        elif kind is parameter.VAR_KEYWORD:
            kwargs |= {n: _made(hint, v, n, problems) for n, v in left.items()}
            left = {}
        else:
            value = left.pop(name, _ABSENT)
            if value is not _ABSENT:
                value = _made(hint, value, name, problems)
            elif more and parameter.default is not parameter.empty:
                value = parameter.default  # what `*lines` takes comes behind it
            if value is _ABSENT:
                continue
            if kind is parameter.POSITIONAL_ONLY or (more and kind is not parameter.KEYWORD_ONLY):
                args.append(value)
            else:
                kwargs[name] = value
    if problems:
        raise ValueError("\n".join(problems))
    return args, {**kwargs, **left}


def _hint(function: Callable[..., Any], name: str) -> Any:
    """The annotation of a parameter, `Any` where there is none or it cannot be read here."""
    function = inspect.unwrap(function)
    function = getattr(function, "__func__", function)
    annotation = getattr(function, "__annotations__", {}).get(name, Any)
    try:
        found = get_type_hints(
            SimpleNamespace(__annotations__={name: annotation}),
            getattr(function, "__globals__", {}),
            include_extras=True,
        )
    except Exception:  # such as a name that is imported for type checkers alone
        return Any
    return found[name]


def _made(hint: Any, value: Any, name: str, problems: list[str]) -> Any:
    """The value as pydantic makes it; what does not fit goes to `problems`."""
    from pydantic import TypeAdapter, ValidationError
    from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError

    try:
        adapter = TypeAdapter[Any](hint)
    except (PydanticUserError, PydanticUndefinedAnnotation):
        return value
    try:
        return adapter.validate_json(json.dumps(value))
    except ValidationError as error:
        problems += [f"{_path(name, e['loc'])}: {e['msg']}" for e in error.errors()]
        return value


def _path(name: str, location: tuple[int | str, ...]) -> str:
    return name + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in location)
