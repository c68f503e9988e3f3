"""`pydantic.TypeAdapter` and `RootModel` for workflow code.

The originals evaluate text in the type they are given, in the namespaces of their callers. Here the
type is a type: it is looked through for text first, as an annotation of a class is.
"""

from __future__ import annotations

from typing import Any, Literal

from workflow.errors import SandboxError
from workflow.sandbox.annotations import concrete, later_names, refuse_text
from workflow.sandbox.guards import arranged, validating

__all__ = ["RootModelForm", "TypeAdapter"]


def _checked(kind: Any, of: str) -> Any:
    for name in later_names(refuse_text(kind)):
        raise SandboxError(f"the type of {of} is given as text, {name!r}; write the type")
    return concrete(kind)


class TypeAdapter:
    """`pydantic.TypeAdapter` of workflow code. `config` cannot ask for attributes to be read."""

    __slots__ = ("__native__",)
    __native__: Any

    def __init__(self, type: Any, *, config: Any = None) -> None:
        import pydantic

        validating(config or {})
        made: Any = pydantic.TypeAdapter(_checked(type, "a TypeAdapter"), config=config)
        object.__setattr__(self, "__native__", made)

    def validate_python(self, object: Any, /, **options: Any) -> Any:
        """`object` as a value of the type. Raises `ValidationError`."""
        return self.__native__.validate_python(object, **validating(options))

    def validate_json(self, data: Any, /, **options: Any) -> Any:
        """What the JSON in `data` says, as a value of the type. Raises `ValidationError`."""
        return self.__native__.validate_json(data, **options)

    def validate_strings(self, obj: Any, /, **options: Any) -> Any:
        """As `validate_python`, of values that are all text. Raises `ValidationError`."""
        return self.__native__.validate_strings(obj, **options)

    def dump_python(self, instance: Any, /, **options: Any) -> Any:
        """A value of the type as plain data."""
        return arranged(self.__native__.dump_python(instance, **options))

    def dump_json(self, instance: Any, /, **options: Any) -> bytes:
        """A value of the type as JSON."""
        found: bytes = self.__native__.dump_json(instance, **options)
        return found

    def json_schema(
        self,
        *,
        by_alias: bool = True,
        ref_template: str = "#/$defs/{model}",
        mode: Literal["validation", "serialization"] = "validation",
    ) -> Any:
        """The JSON schema of the type."""
        return self.__native__.json_schema(by_alias=by_alias, ref_template=ref_template, mode=mode)

    def __setattr__(self, name: str, value: object) -> None:
        raise SandboxError("attributes of a TypeAdapter cannot be set in workflow code")

    def __repr__(self) -> str:
        return "<TypeAdapter>"

    def __reduce_ex__(self, protocol: object) -> Any:
        raise TypeError("a TypeAdapter cannot be copied")


class RootModelForm:
    """`RootModel` of workflow code: a base class, also as `RootModel[type]`, and a class to ask
    `isinstance` for."""

    def __getitem__(self, kind: Any) -> Any:
        import pydantic

        form: Any = pydantic.RootModel  # the type checker wants a type here
        return form[_checked(kind, "a RootModel")]

    def __mro_entries__(self, bases: Any) -> Any:
        import pydantic

        return (pydantic.RootModel,)

    def __instancecheck__(self, instance: object) -> bool:
        import pydantic

        return isinstance(instance, pydantic.RootModel)

    def __subclasscheck__(self, subclass: type) -> bool:
        import pydantic

        return issubclass(subclass, pydantic.RootModel)

    def __repr__(self) -> str:
        return "<class 'pydantic.root_model.RootModel'>"
