"""Stand-ins of pydantic models, see `workflow.codec.stand_ins`: their fields, without the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from reprlib import recursive_repr
from typing import Any

from workflow.codec.stand_ins import (
    SLOTTED,
    WRITING,
    About,
    hash_of_class,
    hidden,
    plain_default,
    plain_repr,
    sealed,
    space_of,
)

__all__ = ["ModelParts", "model", "model_hash", "parts_of_model", "types_of"]


def model(kind: Any, members: Mapping[str, Any]) -> type:
    """The stand-in of a pydantic model: its fields as attributes, without its methods."""
    config = kind.model_config
    known = kind.__pydantic_fields__
    names = tuple(known)
    own_text = any(
        not getattr(kind, text).__module__.startswith("pydantic")
        for text in ("__repr__", "__str__", "__repr_args__")
    )
    closed = ""
    if config.get("validate_assignment"):
        closed = "its class checks what is assigned, and only steps have the class"
    if config.get("frozen"):
        closed = "it is frozen"
    found = {n: plain_default(info.default, info.default_factory) for n, info in known.items()}
    about = About(
        "model",
        kind.__qualname__,
        names,
        None if own_text else tuple(n for n, info in known.items() if info.repr),
        closed,
        frozenset(n for n, info in known.items() if info.frozen),
        config.get("extra") == "allow",
        {n: default for n, default in found.items() if default is not None},
        _note_given,
    )
    space = space_of(kind, members, **SLOTTED, **WRITING)
    texts = (
        {"__repr__": plain_repr} if own_text else {"__repr__": _model_repr, "__str__": _model_text}
    )
    hashed = None if kind.__hash__ is None else hash_of_class
    if config.get("frozen"):
        hashed = model_hash
    space |= {**texts, "__eq__": _model_equal, "__hash__": hashed}
    return sealed(kind.__name__, (), space, about)


def types_of(value: Any) -> tuple[Any, ...] | None:
    """What the generic model was made of, as it was recorded; None when there is nothing."""
    kept = hidden(value)
    return tuple(kept["types"]) if isinstance(kept, dict) and "types" in kept else None


def _shown(self: Any) -> list[str]:
    about, state = type(self).__about__, self.__dict__
    more = [name for name in state if name not in about.fields]
    return [f"{n}={state[n]!r}" for n in (*(about.shown or ()), *more) if n in state]


@recursive_repr()
def _model_repr(self: Any) -> str:
    return f"{type(self).__name__}({', '.join(_shown(self))})"


@recursive_repr()
def _model_text(self: Any) -> str:
    return " ".join(_shown(self))


def _model_equal(self: Any, other: object) -> Any:
    if type(other) is not type(self):
        return NotImplemented
    mine, others = hidden(self), hidden(other)
    return self.__dict__ == other.__dict__ and mine.get("private") == others.get("private")


def model_hash(self: Any) -> int:
    """The `__hash__` of frozen models; see `workflow.sandbox.hashes` for what a body gets."""
    return hash((type(self).__name__, *self.__dict__.values()))


def _note_given(self: Any, name: str) -> None:
    """pydantic knows which fields were given."""
    kept = hidden(self)
    if name not in kept["set"]:
        kept["set"] = [*kept["set"], name]


@dataclass(frozen=True)
class ModelParts:
    """What is recorded of a model, in the parts that pydantic keeps apart."""

    fields: dict[str, Any]
    given: tuple[str, ...]
    extra: dict[str, Any] | None
    private: dict[str, Any] | None


def parts_of_model(value: Any) -> ModelParts:
    """What is to be recorded of the stand-in of a model."""
    about, kept = type(value).__about__, hidden(value)
    state = value.__dict__
    return ModelParts(
        {name: item for name, item in state.items() if name in about.fields},
        tuple(sorted(kept["set"])),
        {name: item for name, item in state.items() if name not in about.fields},
        kept["private"],
    )
