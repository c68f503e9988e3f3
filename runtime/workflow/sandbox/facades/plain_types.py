"""`types.SimpleNamespace` of workflow code, whose attributes are held to the names of others."""

from __future__ import annotations

from reprlib import recursive_repr
from typing import Any

from workflow.sandbox import guards, names
from workflow.sandbox.facades.facade import named_like
from workflow.sandbox.ownership import claim, share

__all__ = ["SimpleNamespace"]


class SimpleNamespace:
    """As `types.SimpleNamespace`. It has no attributes with special names: copying, for one, would
    call some of them."""

    def __init__(self, /, **attributes: Any) -> None:
        for name in attributes:
            if names.is_dunder(name) or name in names.FORBIDDEN:
                guards.refuse(name)
        self.__dict__.update(attributes)

    @recursive_repr("namespace(...)")
    def __repr__(self) -> str:
        name = "namespace" if type(self) is SimpleNamespace else type(self).__name__
        return f"{name}({', '.join(f'{key}={value!r}' for key, value in self.__dict__.items())})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SimpleNamespace):
            return NotImplemented
        return self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]  # as there: it can change

    def __replace__(self, /, **changes: Any) -> Any:
        """What `copy.replace` of Python 3.13 calls."""
        return type(self)(**{**self.__dict__, **changes})


named_like(SimpleNamespace, "types", "SimpleNamespace")
claim(SimpleNamespace)
share(SimpleNamespace)
