"""Types that only describe data are made once for all runs, and no run can change them for others.

Each snippet of `shared_types.json` names what its runs share, and tries to change it past what can
be seen in the text. `repeats.json` has the same for what is made for each run.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import warnings
from enum import EnumMeta
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.snippets import MODULE, VirtualRun, bundle_of
from tests.sandbox.test_repeats import outcome
from workflow.errors import BundleError, SandboxError
from workflow.sandbox import Bundle, ModuleSource, Program, check, guards
from workflow.sandbox.sharing import find_shared

CASES = json.loads((Path(__file__).parent / "shared_types.json").read_text(encoding="utf-8"))


def _shared(source: str, **options: Any) -> list[str]:
    found = find_shared({"m": (source, False)}, **options)
    return sorted(found["m"].names) if found else []


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in CASES])
def test_no_run_changes_a_type_for_the_next(case: dict[str, Any]) -> None:
    """The snippet shares what it says, and three runs of one program end alike."""
    source = case["source"]
    assert check(source, "case.py") == []
    found = find_shared({MODULE: (source, False)})
    assert sorted(case["names"]) == sorted(found[MODULE].names if found else ())
    module = ModuleSource(MODULE, "snippets/case.py", source)
    program = Program(Bundle((module,), {"main": (MODULE, "main")}))
    first, *others = (outcome(program) for _ in range(3))
    assert others == [first, first]


def test_a_shared_class_is_the_same_in_all_modules_and_runs() -> None:
    """Two instances have one class, in the module that defines it and in those that import it."""
    bundle = bundle_of(
        shop__models="from enum import Enum\nclass State(Enum):\n    NEW = 'new'\n",
        shop__orders=(
            "from dataclasses import dataclass\nfrom .models import State\n"
            "@dataclass\nclass Order:\n    state: State = State.NEW\n"
            "async def flow():\n    return Order, State\n"
        ),
    )
    bundle = Bundle(bundle.modules, {"flow": ("shop.orders", "flow")})
    program = Program(bundle)
    (order, state), again = (
        VirtualRun().drive(program.instantiate().workflow("flow")()) for _ in range(2)
    )
    assert (order, state) == again
    assert order().state is state.NEW
    assert (order.__module__, state.__module__) == ("shop.orders", "shop.models")


@pytest.mark.parametrize(
    "source",
    [
        "from pathlib import PurePath\nclass A(PurePath): pass\n",
        "from typing import Generic, TypeVar\nT = TypeVar('T')\nclass A(Generic[T]): pass\n",
        "from enum import Flag, auto\nclass A(Flag):\n    X = auto()\n",
        "class A:\n    xs = []\n",
        "class A:\n    xs: dict[str, int] = {}\n",
        "class A:\n    def f(self, x={}): return x\n",
        "class A:\n    for n in range(3): pass\n",
        "class A:\n    class B: pass\n",
        "class A:\n    def f(self):\n        import json\n        return json\n",
        "class A:\n    def f(self):\n        global N\n        N = 1\n",
        "import functools\nclass A:\n    @functools.cache\n    def f(self): return []\n",
        "from dataclasses import dataclass, field\n@dataclass\nclass A:\n"
        "    x: int = field(default=1, metadata={'a': []})\n",
        "from pydantic import BaseModel, ConfigDict\nclass A(BaseModel):\n"
        "    model_config = ConfigDict(json_schema_extra={'a': 1})\n",
        "from typing import ClassVar\nfrom pydantic import BaseModel\nclass A(BaseModel):\n"
        "    seen: ClassVar[list[int]] = []\n",
        "class A: pass\nA.n = 1\n",
        "class A: pass\ndel A.n\n",
        "class A: pass\nsetattr(A, 'n', 1)\n",
        "class A:\n    def f(self): type(self).n = 1\n",
        "class A:\n    def f(self): pass\nA.f.n = 1\n",
        "class A:\n    @classmethod\n    def f(cls): cls.n = 1\n",
        "class A: pass\nA = A\n",
        "class A: pass\ndel A\n",
        "try:\n    class A: pass\nfinally: pass\n",
        "def keep(cls): return cls\n@keep\nclass A: pass\n",
        "from x import thing\nclass A:\n    def f(self): return thing\n",
        "import x\nclass A:\n    def f(self): return x.thing\n",
        "class A:\n    def f(self): return missing\n",
        "B = C\nC = B\nclass A:\n    x = B\n",
        "from enum import Enum\nclass A(Enum):\n    X = 1\n"
        "    def __init__(self, n): self.seen = []\n",
        "from functools import cached_property\nfrom enum import Enum\nclass A(Enum):\n    X = 1\n"
        "    @cached_property\n    def f(self): return []\n",
        "import typing\nclass A:\n    x: int = 1\nKINDS = typing.get_type_hints(A)\n",
        "import json\nclass A: pass\nclass B(A):\n    xs = []\n",
        "class A: pass\ndef make():\n    class B(A): pass\n",
        "from typing import Final\nfrom pydantic import BaseModel\nclass A(BaseModel):\n"
        "    xs: Final[list[int]] = []\n",
        "class A: pass\nK = {'a': A}\nfor kind in K.values():\n    kind.label = 'x'\n",
        "from enum import Enum\nclass A(Enum):\n    X = 1\n"
        "    def f(self): setattr(self, 'n', 1)\n",
    ],
)
def test_what_is_not_data_alone_belongs_to_its_run(source: str) -> None:
    """State, other functions, unknown decorators and bases, names bound twice, and classes whose
    attributes are set make a class one of its run."""
    assert _shared(source, foreign={"x"}) == []


def test_steps_and_workflows_stay_with_their_run() -> None:
    """A class whose method is a step or a workflow is made for each run."""
    source = "class A:\n    async def run(self): pass\nclass B: pass\n"
    assert _shared(source, apart=[("m", "A.run")]) == ["B"]


@pytest.mark.parametrize(
    ("expected", "sources"),
    [
        pytest.param(
            ("not yet", 1),
            {
                "a": "from b import KNOWN\nclass A:\n    x = 1\n",
                "b": "import a\nKNOWN = 'there' if hasattr(a, 'A') else 'not yet'\n",
                "m": "from a import A, KNOWN\nasync def main():\n    return KNOWN, A.x\n",
            },
            id="not-seen-before-it-is-made",
        ),
        pytest.param(
            "B",
            {
                "a": "from .models import B\nclass A:\n    models: int = 0\n"
                "    def made(self): return models.B\n",
                "a.models": "class B: pass\n",
                "m": "from a import A\nasync def main():\n    return A().made().__name__\n",
            },
            id="sees-a-submodule-of-its-package",
        ),
        pytest.param(
            1,
            {
                "a": "from .models import D\n",
                "a.models": "class D:\n    n = 0\n",
                "m": "from a import D as K\nasync def main():\n    K.n += 1\n    return K.n\n",
            },
            id="written-by-a-name-that-was-handed-on",
        ),
        pytest.param(
            [1],
            {
                "a": "class Base:\n    def put(self):\n        self.n = 1\n        return self.n\n",
                "b": "from a import Base\nclass Sub(Base):\n    seen = []\n",
                "m": "from b import Sub\nasync def main():\n    Sub.seen.append(Sub().put())\n"
                "    return Sub.seen\n",
            },
            id="base-of-a-class-of-a-run",
        ),
    ],
)
def test_modules_share_as_if_they_did_not(expected: object, sources: dict[str, str]) -> None:
    """Runs of several modules that import each other end as they do without sharing."""
    modules = tuple(
        ModuleSource(name, f"{name.replace('.', '/')}{'/__init__' * (name == 'a')}.py", source)
        for name, source in sources.items()
    )
    bundle = Bundle(modules, {"main": ("m", "main")})
    for program in (Program(bundle), Program(bundle, sharing=False)):
        assert [outcome(program) for _ in range(2)] == [repr(expected)] * 2


def test_a_class_that_cannot_be_made_fails_in_its_run() -> None:
    """When making the shared types fails, each run meets the error where it stands in the text."""
    source = (
        "from dataclasses import dataclass\n@dataclass\nclass A:\n    x: int = 1\n    y: str\n"
        "async def main():\n    return A\n"
    )
    program = Program(Bundle((ModuleSource("m", "m.py", source),), {"main": ("m", "main")}))
    for _ in range(2):
        with pytest.raises(TypeError, match="non-default argument 'y'"):
            program.entry("main")


def test_the_refusal_says_what_to_do() -> None:
    """Whoever sets an attribute of a shared class reads that it is shared."""
    case = next(case for case in CASES if case["id"] == "field-of-a-class-as-argument")
    program = Program(
        Bundle((ModuleSource(MODULE, "m.py", case["source"]),), {"main": (MODULE, "main")})
    )
    assert outcome(program) == (
        "SandboxError: attributes of D cannot be set or deleted here: it is made once for all "
        "runs. Keep what changes in a variable of the module or in an object of the workflow"
    )


ALL_KINDS = """
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from functools import cached_property
from typing import Literal, NamedTuple, TypedDict
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, computed_field
from workflow import FatalError

class Plain:
    kind = "plain"
    _limit = (1, 2)
    @property
    def twice(self): return 2
    @cached_property
    def thrice(self): return [3]

class Base(ABC):
    @abstractmethod
    def name(self): ...

class State(StrEnum):
    NEW = "new"
    PAID = "paid"

class Level(IntEnum):
    LOW = 1

class Mixed(str, Enum):
    A = "a"

@dataclass(frozen=True, slots=True)
class Line:
    sku: str
    price: Decimal = Decimal("0")
    tags: list[str] = field(default_factory=list)

class Point(NamedTuple):
    x: int = 1
    y: Literal["a", "b"] = "a"

class Row(TypedDict, total=False):
    a: int

class Refused(FatalError):
    pass

class Customer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field(default="x", min_length=1)
    lines: list[Line] = []
    _seen: list[int] = PrivateAttr(default_factory=list)
    @computed_field
    @property
    def long(self) -> bool: return len(self.name) > 3
"""


def test_nothing_readable_of_a_shared_type_can_be_written_to() -> None:
    """No attribute of a shared class, or of a member, is a container that another run gets, too."""
    program = Program(bundle_of(m=ALL_KINDS))
    program.instantiate()
    assert program._given is not None
    types = {key.removeprefix("$given "): cls for key, cls in program._given["m"].items()}
    assert {*types} == set(re.findall(r"^class (\w+)", ALL_KINDS, re.MULTILINE))
    found = []
    for key, cls in types.items():
        members: list[Any] = list(cls) if isinstance(cls, EnumMeta) else []
        names = {name for base in (*cls.__mro__, *inspect.getmro(type(cls))) for name in vars(base)}
        for value in (cls, *members):
            for name in sorted(names):
                try:
                    first, second = guards.read(value, name, None), guards.read(value, name, None)
                except (AttributeError, SandboxError):
                    continue
                if isinstance(first, dict | list | set | bytearray) and first is second:
                    found.append(f"{key}.{name}")
    assert found == []


def test_the_lock_of_a_cached_property_is_nobody_elses() -> None:
    """A run cannot keep the lock that Python 3.11 gives a cached property from other runs."""
    source = (
        "from functools import cached_property\nclass D:\n    @cached_property\n"
        "    def f(self): return []\n"
        "async def main():\n    d = D()\n    d.f.append(1)\n"
        "    lock = getattr(D.f, 'lock', None)\n"
        "    taken = lock is not None and lock.acquire() and D.f.lock is lock\n"
        "    return taken, d.f, D().f\n"
    )
    program = Program(Bundle((ModuleSource("m", "m.py", source),), {"main": ("m", "main")}))
    assert outcome(program) == "(False, [1], [])"


def test_a_cached_property_needs_a_place_for_its_value() -> None:
    """On an object with slots it fails as in plain Python."""
    source = (
        "from functools import cached_property\nclass D:\n    __slots__ = ()\n"
        "    @cached_property\n    def f(self): return 1\n"
        "async def main():\n    return D().f\n"
    )
    program = Program(Bundle((ModuleSource("m", "m.py", source),), {"main": ("m", "main")}))
    assert outcome(program) == (
        "TypeError: No '__dict__' attribute on 'D' instance to cache 'f' property."
    )


def test_what_outlives_runs_remembers_no_class_of_a_run() -> None:
    """The methods of a shared class, which store to objects of a run, do not keep its classes."""
    case = next(case for case in CASES if case["id"] == "remembered-after-a-shared-one")
    module = ModuleSource(MODULE, "m.py", case["source"])
    program = Program(Bundle((module,), {"main": (MODULE, "main")}))
    assert outcome(program) == "[1, 2, 1]"
    assert program._given is not None
    shared = program._given[MODULE]["$given D"]
    assert shared.put.__globals__["$owned"] <= {shared}


DATA = "from dataclasses import dataclass\n@dataclass\nclass A:\n    x: int = 1\n"
FLOW = "async def main():\n    return A()\n"


def test_filters_of_warnings_do_not_keep_types_from_being_shared() -> None:
    """In a process that makes errors of warnings, a text that warns is shared as in others."""
    source = DATA + FLOW + "PATTERN = '\\d'\n"
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("error")
        program = Program(bundle_of(m=source))
        first, second = (program.instantiate()._importer.namespace("m") for _ in range(2))
    assert first["A"] is second["A"]


def test_a_module_that_shares_types_and_is_too_deep() -> None:
    """It is refused as others are."""
    source = DATA + FLOW + f"N = {'-' * 50_000}1\n"
    with pytest.raises(BundleError, match="nested too deeply"):
        Program(bundle_of(m=source))


def test_a_text_that_python_fails_to_parse_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python may say that the depth of a tree does not add up, and not say so the next time."""
    told: list[str] = []
    parse = ast.parse

    def fails_first(text: str, *more: Any) -> Any:
        if text not in told:
            told.append(text)
            raise SystemError("AST constructor recursion depth mismatch (before=102, after=37)")
        return parse(text, *more)

    monkeypatch.setattr(ast, "parse", fails_first)
    program = Program(bundle_of(m=DATA + FLOW))
    assert told == [DATA + FLOW]
    assert "A" in program._shared["m"].names
