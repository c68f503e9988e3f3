"""The types that authors give to hooks and pending actions, and values held against them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ForwardRef

if TYPE_CHECKING:
    from pydantic import TypeAdapter

__all__ = ["adapter_of", "validated"]


def adapter_of(type: Any, where: str) -> TypeAdapter[Any]:
    """What holds values against `type` and turns them into it, made by pydantic.

    Raises TypeError, which names `where` the type was given, for what is no type, for a type that
    pydantic knows nothing about, and for one given as text: pydantic would evaluate it.
    """
    from pydantic import PydanticUserError, TypeAdapter

    if isinstance(type, TypeAdapter):
        return type
    if isinstance(type, str | ForwardRef):
        raise TypeError(f"{where}: the payload's type must be a class, not the text {type!r}")
    try:
        return TypeAdapter(type)
    except PydanticUserError as error:
        name = getattr(type, "__name__", None) or repr(type)
        if error.code == "typed-dict-version":
            raise TypeError(
                f"{where}: before Python 3.12 a TypedDict of typing cannot be checked. Write `from "
                f"typing_extensions import TypedDict` where {name}, or the one in it, is defined"
            ) from None
        raise TypeError(
            f"{where}: pydantic cannot check {name}. Give a dataclass, a pydantic model, a "
            "TypedDict or a built-in type such as dict[str, int]; without a type, any payload is "
            "taken"
        ) from None


def validated(type: Any, payload: Any, where: str = "") -> Any:
    """`payload` held against `type`. Raises pydantic's ValidationError, TypeError as above."""
    return adapter_of(type, where).validate_python(payload)
