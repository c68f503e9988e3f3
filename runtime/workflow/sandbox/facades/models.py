"""What workflow code gets of pydantic.

Where pydantic would evaluate the return annotation of a function, which is text, in the module the
host has under that name, it is told the type instead: any, unless the decorator says it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import FunctionType
from typing import Any

from workflow.errors import SandboxError
from workflow.sandbox import guards
from workflow.sandbox.annotations import later_names, refuse_text
from workflow.sandbox.facades.adapters import RootModelForm, TypeAdapter
from workflow.sandbox.ownership import owns

__all__ = ["PYDANTIC", "pydantic_replaced"]

_AS_THEY_ARE = """
AliasChoices AliasPath AnyHttpUrl AnyUrl AwareDatetime Base64Bytes Base64Str BaseModel ConfigDict
EmailStr Field FieldSerializationInfo FiniteFloat HttpUrl NaiveDatetime NegativeFloat
NegativeInt NonNegativeFloat NonNegativeInt NonPositiveFloat NonPositiveInt PositiveFloat
PositiveInt PrivateAttr SerializationInfo SerializerFunctionWrapHandler Strict StrictBool
StrictBytes StrictFloat StrictInt StrictStr StringConstraints UUID1 UUID3 UUID4 UUID5
ValidationError ValidationInfo ValidatorFunctionWrapHandler conbytes condate condecimal confloat
conint constr field_validator model_validator
"""
_VALIDATORS = ("AfterValidator", "BeforeValidator", "PlainValidator", "WrapValidator")
_SERIALIZERS = ("PlainSerializer", "WrapSerializer")
_REPLACED = f"""
RootModel TypeAdapter computed_field field_serializer model_serializer
{" ".join(_VALIDATORS)} {" ".join(_SERIALIZERS)}
"""
PYDANTIC = frozenset(f"{_AS_THEY_ARE} {_REPLACED}".split())
"""The names of pydantic that workflow code may import."""


def _type(given: Any) -> Any:
    for name in later_names(refuse_text(given)):
        raise SandboxError(f"return_type= is given as text, {name!r}; write the type")
    return given


def _own(function: Any) -> Any:
    """The function or property, when workflow code has made it."""
    inner = function
    if isinstance(inner, property):
        inner = inner.fget
    elif isinstance(inner, functools.cached_property):
        inner = inner.func
    if type(guards.writable(inner)) is not FunctionType:
        raise SandboxError("this decorator is for functions and properties of the workflow")
    return function


def _written(function: Any) -> Any:
    # `str`, for one, would make texts with addresses.
    if type(function) is not FunctionType or not owns(function):
        raise SandboxError("give it a function of the workflow: `lambda value: …`")
    return function


def _validator(name: str) -> Callable[[Any], Any]:
    def make(func: Any) -> Any:
        import pydantic

        return getattr(pydantic, name)(_written(func))

    make.__doc__ = f"`pydantic.{name}` with a function of the workflow."
    return make


def _serializer(name: str) -> Callable[..., Any]:
    def make(func: Any, return_type: Any = Any, **options: Any) -> Any:
        import pydantic

        return getattr(pydantic, name)(_written(func), return_type=_type(return_type), **options)

    make.__doc__ = f"`pydantic.{name}` with a function of the workflow."
    return make


def computed_field(func: Any = None, /, *, return_type: Any = Any, **options: Any) -> Any:
    """`pydantic.computed_field` for properties of the workflow."""
    import pydantic

    kind = _type(return_type)

    def decorate(target: Any) -> Any:
        return pydantic.computed_field(return_type=kind, **options)(_own(target))

    return decorate if func is None else decorate(func)


def field_serializer(*fields: str, return_type: Any = Any, **options: Any) -> Callable[[Any], Any]:
    """`pydantic.field_serializer` for functions of the workflow."""
    import pydantic

    make: Any = pydantic.field_serializer
    decorate = make(*fields, return_type=_type(return_type), **options)
    return lambda function: decorate(_own(function))


def model_serializer(func: Any = None, /, *, return_type: Any = Any, **options: Any) -> Any:
    """`pydantic.model_serializer` for functions of the workflow."""
    import pydantic

    make: Any = pydantic.model_serializer
    decorate = make(return_type=_type(return_type), **options)
    return (lambda function: decorate(_own(function))) if func is None else decorate(_own(func))


def pydantic_replaced() -> dict[str, Any]:
    """The members that stand in for those of pydantic."""
    return {
        **{name: _validator(name) for name in _VALIDATORS},
        **{name: _serializer(name) for name in _SERIALIZERS},
        "RootModel": RootModelForm(),
        "TypeAdapter": TypeAdapter,
        "computed_field": computed_field,
        "field_serializer": field_serializer,
        "model_serializer": model_serializer,
    }
