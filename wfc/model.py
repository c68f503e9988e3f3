"""The frozen data that stages hand to each other.

parse makes `Module`s with the `Sighting`s of directives in them; analyse makes a `Program` of
`Marked` functions and of what workflow code reaches (`Reach`); transform and emit only read
these.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto

__all__ = [
    "External",
    "Function",
    "Ignore",
    "Key",
    "Kind",
    "Marked",
    "Missing",
    "Module",
    "Parameter",
    "Place",
    "Program",
    "Reach",
    "Reference",
    "Sighting",
    "SourceError",
    "Spelling",
]

Function = ast.FunctionDef | ast.AsyncFunctionDef
Key = tuple[str, str]
"""A top-level name: (module name, name)."""


class Kind(StrEnum):
    """What a directive makes of a function."""

    WORKFLOW = "workflow"
    STEP = "step"


class Spelling(Enum):
    """How a directive was written."""

    EXACT = auto()
    ALTERED = auto()  # a formatter capitalised it, added a full stop, or tripled the quotes
    MISSPELT = auto()
    NOT_PLAIN = auto()  # an f-string or bytes
    IN_DOCSTRING = auto()


class Place(Enum):
    """Where a directive stands."""

    FUNCTION = auto()  # first statement, or second after the docstring
    LATER = auto()  # further down in a function
    CLASS = auto()
    MODULE = auto()


@dataclass(frozen=True)
class Sighting:
    """A string statement that is a directive or was probably meant as one."""

    kind: Kind
    spelling: Spelling
    place: Place
    text: str
    statement: ast.stmt
    function: Function | None
    enclosing: tuple[ast.stmt, ...]  # outermost first: classes, functions, if/try/with/for


@dataclass(frozen=True)
class Ignore:
    """A `# wfc: ignore[CODE]` comment."""

    line: int
    codes: tuple[str, ...]


@dataclass(frozen=True)
class SourceError:
    """Why a file could not be read as Python."""

    line: int
    column: int
    message: str
    fix: str = "Correct the syntax and build again."


@dataclass(frozen=True, eq=False)
class Module:
    """One source file. `path` is POSIX and relative to the project root.

    `bindings` maps each top-level name to the indexes into `tree.body` that bind it;
    `typing_only` holds the names bound under `if TYPE_CHECKING:` only.
    """

    name: str
    path: str
    text: str
    tree: ast.Module
    sightings: tuple[Sighting, ...] = ()
    ignores: tuple[Ignore, ...] = ()
    error: SourceError | None = None
    bindings: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    typing_only: Mapping[str, ast.Import | ast.ImportFrom] = field(default_factory=dict)
    lines: tuple[str, ...] = ()
    sha256: str = ""  # of the bytes as they are on disk

    @property
    def is_package(self) -> bool:
        """Whether the file is an `__init__.py`."""
        return self.path.endswith("__init__.py")


@dataclass(frozen=True)
class Parameter:
    """One parameter; annotation and default are source text."""

    name: str
    kind: str  # "positional-only" | "positional-or-keyword" | "var-positional" | …
    annotation: str | None
    default: str | None


@dataclass(frozen=True, eq=False)
class Marked:
    """A workflow or step that got an id."""

    kind: Kind
    id: str
    module: Module
    qualname: str
    node: Function
    sighting: Sighting
    parameters: tuple[Parameter, ...]
    returns: str | None
    doc: str | None

    @property
    def key(self) -> Key:
        """The top-level name that binds it: itself, or its class."""
        return (self.module.name, self.qualname.partition(".")[0])


@dataclass(frozen=True)
class External:
    """Something outside the project: a module, or a member of it. Builtins are in `builtins`."""

    module: str
    member: str | None = None
    rest: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ".".join([self.module, *([self.member] if self.member else []), *self.rest])


@dataclass(frozen=True, eq=False)
class Reference:
    """Workflow code uses something external. `node` is the use, `imported` its import."""

    module: Module
    owner: Key
    node: ast.AST
    target: External
    imported: ast.stmt | None = None


@dataclass(frozen=True, eq=False)
class Missing:
    """Workflow code uses a name that the project module it should come from does not define."""

    module: Module
    owner: Key
    node: ast.AST
    wanted_from: str
    name: str
    star: ast.ImportFrom | None = None


@dataclass(frozen=True, eq=False)
class Reach:
    """What workflow code reaches.

    `keep`: kept top-level statements per module; `aliases`: kept names of kept imports; `edges`:
    name → names it uses; `parents`: how each name was first reached; `meaning`: what an
    expression in workflow code stands for, where that is a workflow, a step or something
    external.
    """

    keep: Mapping[str, frozenset[int]]
    aliases: Mapping[tuple[str, int], frozenset[str]]
    edges: Mapping[Key, tuple[Key, ...]]
    parents: Mapping[Key, tuple[Key, int] | None]
    references: tuple[Reference, ...]
    missing: tuple[Missing, ...]
    meaning: Mapping[ast.AST, Marked | External]


@dataclass(frozen=True, eq=False)
class Program:
    """Everything analysis found; checks and later stages read it.

    `modules` holds every parsed module by name, `marked` all workflows and steps by id order,
    `classes` the project classes that may cross a boundary and whether workflow code has them.
    """

    modules: Mapping[str, Module]
    marked: tuple[Marked, ...]
    reach: Reach
    classes: Mapping[Key, bool]
    passthrough: frozenset[str]
    shadows: tuple[Module, ...] = ()

    @property
    def bundled(self) -> tuple[Module, ...]:
        """The modules of the bundle, by name."""
        return tuple(self.modules[name] for name in sorted(self.reach.keep))

    def workflow_code(self) -> Iterator[tuple[Module, ast.AST]]:
        """Every syntax node of the code that runs as part of a workflow; step bodies do not."""
        steps = {m.node for m in self.of(Kind.STEP)}
        for module in self.bundled:
            for index in sorted(self.reach.keep[module.name]):
                stack: list[ast.AST] = [module.tree.body[index]]
                while stack:
                    node = stack.pop()
                    if node not in steps:
                        yield module, node
                        stack.extend(reversed(list(ast.iter_child_nodes(node))))

    def chain(self, owner: Key) -> tuple[tuple[Key, int], ...]:
        """How workflow code gets to `owner`: names from a workflow on, each with the line at
        which the next one is used."""
        steps: list[tuple[Key, int]] = []
        parent = self.reach.parents.get(owner)
        while parent is not None:
            steps.append(parent)
            parent = self.reach.parents.get(parent[0])
        return tuple(reversed(steps))

    def of(self, kind: Kind) -> tuple[Marked, ...]:
        """All workflows, or all steps."""
        return tuple(m for m in self.marked if m.kind is kind)
