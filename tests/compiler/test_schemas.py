"""JSON Schema from annotations; where pydantic knows the type, the two have to agree."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from tests.compiler.projects import write_project
from wfc.analyse.schemas import Schemas
from wfc.compiler import load_program
from wfc.project import load_project

TYPES = """\
import datetime
import datetime as dt
import typing as t
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum, auto
from pathlib import Path
from typing import (
    Annotated, Any, ClassVar, Generic, Literal, NamedTuple, NewType, Optional, TypeVar, Union,
)
from typing_extensions import NotRequired, Required, TypedDict

from pydantic import BaseModel, Field

UserId = NewType("UserId", str)
Pair = tuple[int, str]
Maybe = Optional[int]
T = TypeVar("T")


class Color(StrEnum):
    RED = auto()
    BLUE = "b"


class Number(IntEnum):
    ONE = 1
    TWO = auto()


class Mixed(Enum):
    _ignore_ = []
    A = 1
    B = "b"


class Computed(Enum):
    A = len("abc")


@dataclass
class Base:
    name: str
    kept: ClassVar[int] = 1


@dataclass
class Tree(Base):
    \"\"\"A tree.\"\"\"

    kids: list["Tree"] = field(default_factory=list)
    size: int = 3
    hidden: int = field(init=False, default=0)


class Model(BaseModel):
    \"\"\"A model.\"\"\"

    model_config = {"extra": "forbid"}
    first: int = Field(ge=1, lt=10, description="The first", alias="First")
    second: Annotated[str, Field(min_length=2, pattern="^x")] = "xx"
    third: list[int] = Field(default_factory=list, max_length=3)
    fourth: float = Field(...)
    fifth: Color | None = None
    _private: int = 1


class Child(Model):
    extra: Pair


class Page(BaseModel, Generic[T]):
    items: list[T]
    next: str | None = None


class Loose(TypedDict, total=False):
    must: Required[int]
    may: str


class Strict(Loose):
    more: NotRequired[bytes]
    also: "NotRequired[int]"
    sure: datetime.date


class Point(NamedTuple):
    x: int
    y: float = 1.5


class Plain:
    pass


LIMIT = 3
"""

AS_PYDANTIC = [
    "str", "int", "float", "bool", "None", "list", "dict", "list[int]", "dict[str, int]",
    "set[str]", "frozenset[int]", "tuple[int, ...]", "tuple[int, str]", "Sequence[int]",
    "Mapping[str, list[bool]]", "Optional[int]", "Union[int, str, None]", "int | str | None",
    "Literal['a']", "Literal['a', 'b']", "Any", "bytes", "uuid.UUID", "Path", "dt.datetime",
    "datetime.date", "datetime.time", "datetime.timedelta", "t.Optional[t.List[int]]",
    "Annotated[int, Field(gt=3, le=5)]", "Annotated[list[int], Field(min_length=1)]", "UserId",
    "Pair", "Maybe", "Color", "Number", "Mixed", "Tree", "list[Tree]", "Model", "Child",
    "Page[int]", "Page[Tree]", "Loose", "Strict", "Point", "dict[Color, int]",
]  # fmt: skip


def schema_of(folder: Path, annotation: str, types: str = TYPES) -> dict[str, Any]:
    text = f'{types}\n\nasync def step() -> {annotation}:\n    "use step"\n'
    program = load_program(load_project(write_project(folder, text)))
    return Schemas(program).output(program.marked[0])


def bare(schema: Any, defs: dict[str, Any] | None = None, seen: tuple[str, ...] = ()) -> Any:
    """A schema without what the two word differently: titles, and names of definitions."""
    if isinstance(schema, list):
        return [bare(s, defs, seen) for s in schema]
    if not isinstance(schema, dict):
        return schema
    defs = schema.get("$defs", {}) if defs is None else defs
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        rest = {k: bare(v, defs, seen) for k, v in schema.items() if k[0] != "$"}
        if name in seen:
            return {"again": len(seen) - seen.index(name), **rest}
        return {**bare(defs[name], defs, (*seen, name)), **rest}
    plain = {
        key: {k: bare(v, defs, seen) for k, v in value.items()}
        if key == "properties"
        else bare(value, defs, seen)
        for key, value in schema.items()
        if key not in ("$defs", "title")
    }
    if plain.get("items") == {}:
        del plain["items"]
    if plain.get("type") == "object" and plain.get("additionalProperties") is True:
        del plain["additionalProperties"]
    return plain


@pytest.mark.parametrize("annotation", AS_PYDANTIC)
def test_schema_is_the_one_of_pydantic(annotation: str, tmp_path: Path) -> None:
    """What is read from the text says the same as what pydantic says about the live type."""
    ours = schema_of(tmp_path, annotation)
    spec = importlib.util.spec_from_file_location("schema_types", tmp_path / "flows.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["schema_types"] = module
    spec.loader.exec_module(module)
    theirs = TypeAdapter(eval(annotation, vars(module))).json_schema()
    theirs = _without_factory_defaults(bare(theirs))
    assert _without_factory_defaults(bare(ours)) == theirs


def _without_factory_defaults(schema: Any) -> Any:
    # pydantic shows no default that a factory makes; we show the empty list and dict.
    if isinstance(schema, list):
        return [_without_factory_defaults(s) for s in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        k: _without_factory_defaults(v)
        for k, v in schema.items()
        if not (k == "default" and v in ([], {}))
    }


UNKNOWN = {
    "Callable[[int], str]": {"x-python": "Callable[[int], str]"},
    "list[Callable[[int], str]]": {
        "type": "array",
        "items": {"x-python": "Callable[[int], str]"},
    },
    "not_there.Thing": {"x-python": "not_there.Thing"},
    "Literal[LIMIT]": {"x-python": "LIMIT"},
    "'list[int'": {"x-python": "'list[int'"},
    "Decimal": {"anyOf": [{"type": "number"}, {"type": "string"}]},
    "'Optional[Tree]'": None,
}


@pytest.mark.parametrize("annotation", UNKNOWN)
def test_what_cannot_be_told_keeps_its_text(annotation: str, tmp_path: Path) -> None:
    """An annotation that the text does not explain gives the user's words and no claim."""
    expected = UNKNOWN[annotation]
    found = schema_of(tmp_path, annotation)
    if expected is None:
        expected = {"anyOf": [{"$ref": "#/$defs/Tree"}, {"type": "null"}]}
        found.pop("$defs")
    assert found == expected


def test_plain_and_computed_classes_make_no_claim(tmp_path: Path) -> None:
    """A class of no known kind is named, and so is an enum whose values are computed."""
    assert schema_of(tmp_path, "Plain")["$defs"]["Plain"] == {"title": "Plain", "x-python": "Plain"}
    assert schema_of(tmp_path, "Computed")["$defs"]["Computed"]["x-python"] == "Computed"


def test_recursive_alias_becomes_a_definition(tmp_path: Path) -> None:
    """An alias that names itself ends in a reference to its definition."""
    types = "from typing import Union\nJson = Union[int, 'list[Json]']\n"
    assert schema_of(tmp_path, "Json", types) == {
        "$ref": "#/$defs/Json",
        "$defs": {
            "Json": {
                "anyOf": [
                    {"type": "integer"},
                    {"type": "array", "items": {"$ref": "#/$defs/Json"}},
                ]
            }
        },
    }


def test_input_names_every_parameter(tmp_path: Path) -> None:
    """Arguments go by name; defaults make them optional; `*args` and `**options` have a place."""
    text = """\
from __future__ import annotations
from other import Item

async def step(a: int, /, b, *rest: str, c: Item | None = None, d: float = 1.5, **more: bool):
    "use step"

async def main() -> None:
    "use workflow"
    await step(1, 2)
"""
    other = "from dataclasses import dataclass\n@dataclass\nclass Item:\n    size: int\n"
    folder = write_project(tmp_path, {"flows.py": text, "other.py": other})
    program = load_program(load_project(folder))
    found = Schemas(program).input(program.marked[0])
    assert set(found.pop("$defs")) == {"Item"}
    union = [{"$ref": "#/$defs/Item"}, {"type": "null"}]
    assert found["properties"].pop("c") == {"anyOf": union, "default": None}
    assert found == {
        "type": "object",
        "properties": {
            "a": {"type": "integer"},
            "b": {},
            "*rest": {"type": "array", "items": {"type": "string"}},
            "d": {"type": "number", "default": 1.5},
        },
        "required": ["a", "b"],
        "additionalProperties": {"type": "boolean"},
    }


def test_two_classes_of_one_name_stay_apart(tmp_path: Path) -> None:
    """Definitions of the same name in two modules get names of their own."""
    one = "from dataclasses import dataclass\n@dataclass\nclass Item:\n    one: int\n"
    text = (
        'import one, two\nasync def main(a: one.Item, b: two.Item) -> None:\n    "use workflow"\n'
    )
    files = {"flows.py": text, "one.py": one, "two.py": one.replace("one", "two")}
    program = load_program(load_project(write_project(tmp_path, files)))
    found = Schemas(program).input(program.marked[0])
    assert set(found["$defs"]) == {"Item", "two.Item"}
    assert found["properties"]["b"] == {"$ref": "#/$defs/two.Item"}
