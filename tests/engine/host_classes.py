"""The project of `test_host_classes.py`: classes that only steps name, of every kind."""

from __future__ import annotations

__all__ = ["FLOWS", "KINDS"]

KINDS = (
    "user",
    "frozen",
    "slotted",
    "model",
    "open_model",
    "frozen_model",
    "form",
    "color",
    "level",
    "rights",
    "pair",
    "token",
    "failure",
    "strange_failure",
    "not_found",
    "class",
    "nested",
)
"""What the step `give` can be asked for."""

FLOWS = """
import asyncio
import copy
import dataclasses
import enum
import os
import threading
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, PrivateAttr

from workflow import FatalError, create_hook
from workflow.api import resume_hook, start

ran = []
revived = []
T = TypeVar("T")


def note(name):
    # Remember that code of these classes ran while a body did.
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return
    if type(loop).__module__ == "workflow.replay.loop":
        ran.append(name)


@dataclass(order=True)
class User:
    id: int
    name: str = "ann"
    tags: list = field(default_factory=list)
    password: str = field(default="hidden", repr=False)

    @property
    def full_name(self):
        note("full_name")
        return f"{self.name} {os.getpid()}"

    def where(self):
        note("where")
        return os.getcwd()


@dataclass(frozen=True)
class Frozen:
    n: int
    text: str = ""

    def __eq__(self, other):
        note("__eq__")
        return True

    def __hash__(self):
        note("__hash__")
        return 1


@dataclass(slots=True)
class Slotted:
    n: int

    def __repr__(self):
        note("__repr__")
        return f"Slotted of {os.getpid()}"


class Model(BaseModel):
    n: int
    text: str = "t"
    _own: int = PrivateAttr(default=7)

    def where(self):
        note("where")
        return os.getcwd()


class OpenModel(BaseModel):
    model_config = ConfigDict(extra="allow")
    n: int


class FrozenModel(BaseModel):
    model_config = ConfigDict(frozen=True)
    n: int
    text: str


class Form(BaseModel, Generic[T]):
    held: T


class Color(enum.Enum):
    RED = "red"
    ODD = ["list"]

    def where(self):
        note("where")
        return os.getcwd()


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Rights(enum.Flag):
    READ = enum.auto()
    WRITE = enum.auto()


class Pair(NamedTuple):
    a: int
    b: str = "b"

    def where(self):
        note("where")
        return os.getcwd()


class Token:
    hits = []

    def __init__(self, text):
        self.text = text

    def __workflow_serialize__(self):
        return {"text": self.text}

    @classmethod
    def __workflow_deserialize__(cls, data):
        note("__workflow_deserialize__")
        revived.append(data)
        return cls(data["text"])


class Failure(LookupError):
    hits = []

    def __str__(self):
        note("__str__")
        return f"failed with {self.args}"

    def where(self):
        note("where")
        return os.getcwd()


class StrangeFailure(Exception):
    def __init__(self, lock):
        super().__init__(lock)
        self.code = 5


class AppError(Exception):
    kind = "app"

    def told(self):
        return f"told {self.args}"

    def advice(self):
        return "the base's"


class NotFound(AppError):
    def advice(self):
        note("advice")
        return f"{os.getpid()}"


class Final(FatalError):
    def where(self):
        return os.getcwd()


@dataclass
class Part:
    n: int

    def doubled(self):
        return 2 * self.n


class Declined(ValueError):
    def told(self):
        return f"declined {self.args[0]}"


async def gives(failing):
    "use step"
    if failing:
        raise Declined("x")
    return Part(4)


gives.max_retries = 0


async def give(kind):
    "use step"
    failure = Failure("x", 3)
    failure.user = User(2)
    failure.add_note("a note")
    failure.__cause__ = NotFound("deeper")
    made = {
        "user": User(1, tags=["t"]),
        "frozen": Frozen(3, "x"),
        "slotted": Slotted(4),
        "model": Model(n=5),
        "open_model": OpenModel(n=5, more=[1]),
        "frozen_model": FrozenModel(n=1, text="x"),
        "form": Form[int](held=4),
        "color": Color.RED,
        "level": Level.HIGH,
        "rights": Rights.READ | Rights.WRITE,
        "pair": Pair(1),
        "token": Token("t"),
        "failure": failure,
        "strange_failure": StrangeFailure(threading.Lock()),
        "not_found": NotFound("nobody"),
        "class": User,
    }
    same = User(9)
    made["nested"] = [same, {"k": (same, Model(n=1), [Color.RED])}, {Frozen(3, "x"): Pair(1)}]
    return made[kind]


async def fail(kind):
    "use step"
    failure = Failure("x", 3)
    final = Final("no")
    missing = NotFound("nobody")
    failure.user = User(2)
    failure.__cause__ = ValueError("why")
    failure.add_note("a note")
    failure.max_retries = 0
    raise {"failure": failure, "final": final, "not_found": missing}[kind]


fail.max_retries = 0


async def see(value):
    "use step"
    ours = type(value).__module__ == __name__
    shown = value.name if isinstance(value, enum.Enum) else getattr(value, "__dict__", value)
    return f"{ours} {type(value).__name__} {shown}"


async def resume(token):
    "use step"
    user = User(6)
    await resume_hook(token, {"user": user})


async def passes(kind):
    "use workflow"
    return await give(kind)


async def reads():
    "use workflow"
    user, again = await give("user"), await give("user")
    model, pair = await give("model"), await give("pair")
    more, form = await give("open_model"), await give("form")
    level, color, rights = await give("level"), await give("color"), await give("rights")
    match user:
        case object(id=1, name=name):
            matched = name
    kinds = [type(each).__name__ for each in (user, model, pair, color)]
    return [
        [user.id, user.tags, user.password, matched, kinds],
        [repr(user), str(model), repr(model), repr(pair), repr(more), repr(form)],
        [user == again, user is again, user != model, user < again, isinstance(user, type(again))],
        [model.n, more.more, form.held, hasattr(user, "where"), getattr(user, "gone", "none")],
        [pair.a, pair[1], pair == (1, "b"), tuple(pair), isinstance(pair, tuple)],
        [level == 2, level.name, level.value, color.name, color.value, color is type(color)["RED"]],
        [rights.value, f"{color!r} {level:d}", dataclasses.asdict(user)],
        [repr(await give("slotted")) == f"<{__name__}.Slotted object>"],
    ]


async def asks(kind, name):
    "use workflow"
    value = await give(kind)
    try:
        return getattr(value, name)
    except AttributeError as error:
        return str(error)


async def sets():
    "use workflow"
    user = await give("user")
    user.id = 42
    user.tags.append("more")
    refused = []
    try:
        user.gone = 1
    except AttributeError as error:
        refused.append(str(error))
    for kind in ("frozen", "frozen_model", "token"):
        value = await give(kind)
        try:
            value.n = 2
        except AttributeError as error:
            refused.append(type(error).__name__)
    more = await give("open_model")
    more.other = 5
    more.n = 6
    failure = await give("failure")
    failure.tries = 3
    return [await see(user), refused, await see(more), await see(failure)]


async def copies():
    "use workflow"
    found = []
    for kind in ("user", "frozen", "slotted", "model", "form", "color", "pair", "token"):
        value = await give(kind)
        other = copy.deepcopy([value, value])
        same = kind in ("color",)
        found.append([other[0] is other[1], (other[0] is value) == same, await see(other[0])])
        found.append(await see(copy.copy(value)))
    failure = await give("failure")
    deep = copy.deepcopy(failure)
    deep.user.id = 50
    return [found, str(deep), failure.user.id, deep.args, repr(copy.copy(failure))]


async def catches(kind):
    "use workflow"
    try:
        await fail(kind)
    except LookupError as error:
        return [
            "lookup",
            str(error),
            f"{error}",
            repr(error),
            list(error.args),
            type(error).__name__,
            error.user.id,
            str(error.__cause__),
            error.__notes__,
        ]
    except AppError as error:
        found = [type(error).__name__, str(error), error.told(), error.kind]
        try:
            error.advice()
        except AttributeError as missing:
            found.append("NotFound.advice is not part" in str(missing))
        return found
    except FatalError as error:
        return ["fatal", str(error), type(error).__name__]


async def lets_through():
    "use workflow"
    await fail("failure")


async def fails_with_token():
    "use workflow"
    raise ValueError("no", await give("token"))


async def given():
    "use workflow"
    try:
        await gives(True)
    except Declined as error:
        text = error.told()
    return [text, (await gives(False)).doubled()]


async def listens():
    "use workflow"
    hook = create_hook(token="listens")
    await resume("listens")
    payload = await hook
    return [payload["user"].id, hasattr(payload["user"], "where"), await see(payload["user"])]


async def starts():
    "use workflow"
    user = await (await start(passes, "user"))
    other = await (await start(takes, user))
    return [user.id, hasattr(user, "where"), other]


async def takes(user):
    "use workflow"
    return [user.id, hasattr(user, "where"), user.tags]


async def uses_class(how):
    "use workflow"
    user, cls = await give("user"), await give("class")
    match how:
        case "identity":
            return [type(user) is cls, isinstance(user, cls), cls.__name__, repr(cls)]
        case "call":
            return cls(1)
        case "call_type":
            return type(user)(1)
        case "replace":
            return dataclasses.replace(user, id=2)
        case "set":
            cls.shared = []
        case "set_pair":
            type(await give("pair")).shared = []
        case "set_color":
            type(await give("color")).shared = []
        case "set_member":
            (await give("color")).shared = []
        case "set_default":
            dataclasses.fields(user)[0].shared = []
        case "inherit_pair":
            class Three(type(await give("pair"))):
                pass
        case "set_by_type":
            setattr(type(user), "id", 5)
        case "delete":
            del cls.name
        case "inherit":
            class Mine(cls):
                pass
        case "inherit_error":
            try:
                await fail("failure")
            except Exception as error:
                class Other(type(error)):
                    pass
        case "raise":
            try:
                await fail("failure")
            except Exception as error:
                failure = type(error)
            raise failure
        case "hits":
            return (await give("token")).hits
        case "error_hits":
            return (await give("failure")).hits
        case "recorded":
            return getattr(await give("token"), "__recorded__")
        case "serialize":
            return getattr(await give("token"), "__workflow_serialize__")()


async def odd_color():
    "use workflow"
    odd = type(await give("color"))["ODD"]
    return [odd.name, repr(odd.value), (await see(copy.deepcopy(odd)))]


async def hashes():
    "use workflow"
    frozen, again = await give("frozen_model"), await give("frozen_model")
    table = {frozen: 1, await give("color"): 2}
    return [hash(frozen), table[again], len({frozen, again})]
"""
