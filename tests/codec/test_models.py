"""Dataclasses and pydantic models in the forms that people write them in."""

from __future__ import annotations

from dataclasses import InitVar, dataclass, field
from datetime import datetime
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar
from uuid import UUID

import pytest
from pydantic import (
    AnyUrl,
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    PostgresDsn,
    PrivateAttr,
    RootModel,
    SecretStr,
    computed_field,
    field_validator,
)

from workflow.codec import Codec
from workflow.errors import SerializationError

T = TypeVar("T")


@dataclass(slots=True)
class Slotted:
    a: int
    b: list[int] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Frozen:
    a: int
    b: str = "x"


@dataclass(slots=True, frozen=True)
class Derived(Frozen):
    z: int = 1


@dataclass
class Computed:
    a: int
    b: int = field(init=False)
    hidden: int = field(default=3, repr=False, compare=False)
    given: InitVar[int] = 0
    SHARED: ClassVar[int] = 5

    def __post_init__(self, given: int) -> None:
        self.b = self.a * 2 + given


class Aliased(BaseModel):
    """Its validator would change the value again if it ran."""

    model_config = ConfigDict(extra="allow", frozen=True)
    id: int = Field(alias="orderId")
    when: datetime | None = None
    _seen: int = PrivateAttr(default=4)

    @field_validator("id")
    @classmethod
    def shifted(cls, value: int) -> int:
        return value + 1

    @computed_field  # type: ignore[prop-decorator]
    @property
    def double(self) -> int:
        return self.id * 2


class Box(BaseModel, Generic[T]):
    item: T


class Numbers(RootModel[list[int]]):
    pass


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    home: HttpUrl = HttpUrl("https://cats.test/a")


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"


class Owner(BaseModel):
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]


class Secretive(BaseModel):
    word: SecretStr


KINDS = (Slotted, Frozen, Derived, Computed, Aliased, Box, Numbers, Cat, Dog, Owner, Secretive)
CODEC = Codec({f"class//models.py//{kind.__name__}": kind for kind in KINDS})


def back(value: Any) -> Any:
    return CODEC.decode(CODEC.encode([value]))[0]


@pytest.mark.parametrize(
    "value",
    [
        Slotted(1, [2]),
        Frozen(a=1),
        Derived(a=1, z=2),
        Computed(3, given=4),
        Aliased.model_validate({"orderId": 5, "more": [1]}),
        Box(item=3),
        Box[int](item=3),
        Box[Dog](item=Dog()),
        Box[UUID](item=UUID(int=3)),
        Numbers([1, 2]),
        Owner(pet=Dog()),
        Owner(pet=Cat()),
        AnyUrl("ftp://a.test/x"),
        PostgresDsn("postgresql://a.test,b.test:5433/x"),
    ],
    ids=lambda value: f"{type(value).__name__} {value!r:.25}",
)
def test_models_of_all_forms_come_back(value: Any) -> None:
    """Equal, of the very same class, and with the same bytes when written again."""
    found = back(value)
    assert type(found) is type(value)
    assert found == value
    assert CODEC.encode([found]) == CODEC.encode([value])


def test_nothing_is_run_and_nothing_is_lost() -> None:
    """Validators and initialisers do not run again; hidden, extra and private parts are kept."""
    order = Aliased.model_validate({"orderId": 5, "more": [1]})
    order._seen = 9
    found = back(order)
    assert (found.id, found.double, found._seen, found.model_extra) == (6, 12, 9, {"more": [1]})
    assert found.model_fields_set == {"id", "more"}
    assert found.model_dump(by_alias=True)["orderId"] == 6
    computed = Computed(3, given=4)
    computed.hidden = 8
    assert vars(back(computed)) == {"a": 3, "b": 10, "hidden": 8}
    with pytest.raises(AttributeError):
        back(Slotted(1)).other = 1


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        (Box[list[int]](item=[1]), r"class Named\(Box\[list\[int\]\]\)"),
        (Secretive(word=SecretStr("x")), "look the secret up inside a step"),
    ],
)
def test_what_has_no_name_or_hides_is_refused(value: Any, advice: str) -> None:
    """A form of a generic model that is made of no class, and secrets."""
    with pytest.raises(SerializationError, match=advice) as caught:
        CODEC.encode({"a": value})
    assert caught.value.path.startswith("value.a")


@pytest.mark.parametrize(
    "text",
    [
        '[["pydantic.Url",1],[2,3],"UrlConstraints","http://a"]',
        '[["pydantic.Url",1],[2,3],"_BaseUrl","http://a"]',
        '[["pydantic.Url",1],[2,3],"HttpUrl","no url"]',
        '[["Instance",1],{"classId":2,"data":3,"types":4},"class//models.py//Box",{},[5],"eval"]',
        '[["Instance",1],{"classId":2,"data":3,"types":4},"class//models.py//Dog",{},[5],"int"]',
    ],
)
def test_recorded_types_are_looked_up_in_tables(text: str) -> None:
    """Names in recorded bytes make no other class than those of URLs and of plain types."""
    with pytest.raises(SerializationError, match="cannot be rebuilt"):
        CODEC.decode(b"devl" + text.encode())
