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
from functools import cached_property

from wfc.nodes import children

__all__ = [
    "External",
    "Form",
    "Function",
    "Ignore",
    "Key",
    "Kind",
    "Lost",
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


class Form(StrEnum):
    """How a workflow or step is defined, which says how its function is found again."""

    FUNCTION = "function"  # of a module
    STATIC = "static"
    CLASS = "class"  # a method that gets the class
    INSTANCE = "instance"  # a method that gets the instance, which is recorded
    NESTED = "nested"  # in another function, whose variables it may use


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
    """A `# wfc: ignore[CODE] reason` comment. Columns count characters from 1, the end is
    exclusive; a rule's name may stand for its code."""

    line: int
    codes: tuple[str, ...]
    reason: str = ""
    column: int = 1
    end_column: int = 1


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

    def segment(self, node: ast.AST) -> str:
        """The source text of a node that has a place; `ast.get_source_segment` splits the whole
        file anew for each."""
        first: int = getattr(node, "lineno", 1)
        last: int = getattr(node, "end_lineno", None) or first
        lines = [line.encode() for line in self.lines[first - 1 : last]]
        lines[-1] = lines[-1][: getattr(node, "end_col_offset", None)]
        lines[0] = lines[0][getattr(node, "col_offset", 0) :]
        return b"\n".join(lines).decode()

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
    """A workflow or step that got an id.

    `qualname` is what Python calls it (`outer.<locals>.inner`). `captured` are the variables of
    enclosing functions that a nested step uses, by name; their values are recorded with a call.
    """

    kind: Kind
    id: str
    module: Module
    qualname: str
    node: Function
    sighting: Sighting
    parameters: tuple[Parameter, ...]
    returns: str | None
    doc: str | None
    form: Form = Form.FUNCTION
    captured: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name in the id: `create_user`, `Cart.make`, `Cart#add`, `outer/inner`."""
        return self.id.split("//", 2)[2]

    @property
    def key(self) -> Key:
        """The top-level name that binds it: itself, or the class or function around it."""
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
class Lost:
    """A place at the top of a module that changes what workflow code uses, and cannot run there.

    `key` is the name whose value it changes; `decorator` is set where a decorator does, on the
    function called `on`; `why` says in a few words what stands in the way.
    """

    module: Module
    node: ast.AST
    key: Key
    why: str
    decorator: ast.expr | None = None
    on: str = ""


@dataclass(frozen=True, eq=False)
class Reach:
    """What workflow code reaches.

    `keep`: kept top-level statements per module; `aliases`: kept names of kept imports; `edges`:
    name → names it uses; `parents`: how each name was first reached; `meaning`: what an
    expression in workflow code stands for, where that is a workflow, a step or something
    external; `dropped`: methods of kept classes that only steps use, which are left out;
    `decorated`: the decorators that stay on a step, by their index, because they register it;
    `lost`: what changes something reached, and is left out all the same; `undefined`: names that
    nothing binds, as far as the text tells; `loaded`: modules that the bodies of functions import.
    """

    keep: Mapping[str, frozenset[int]]
    aliases: Mapping[tuple[str, int], frozenset[str]]
    edges: Mapping[Key, tuple[Key, ...]]
    parents: Mapping[Key, tuple[Key, int] | None]
    references: tuple[Reference, ...]
    missing: tuple[Missing, ...]
    meaning: Mapping[ast.AST, Marked | External]
    dropped: frozenset[Function] = frozenset()
    decorated: Mapping[Function, frozenset[int]] = field(default_factory=dict)
    lost: tuple[Lost, ...] = ()
    undefined: tuple[Missing, ...] = ()
    loaded: frozenset[str] = frozenset()


@dataclass(frozen=True, eq=False)
class Program:
    """Everything analysis found; checks and later stages read it.

    `modules` holds every parsed module by name, `marked` all workflows and steps by id order,
    `classes` the project classes that may cross a boundary and whether workflow code has them,
    `decorators` the full names of the decorators of workflows and steps that are not the
    project's own, `foreign` those of workflows that lead to code no workflow may run.
    `resumes_hooks` is false where no file of the project mentions that it resumes a hook,
    `oldest_python` the lowest version that `requires-python` allows, if the project says so.
    `package` is the name of the outermost package that the project's folder is or is inside of,
    `installed` has the installed packages that are compiled with the project: for the path of each
    module out of one, its name.
    """

    modules: Mapping[str, Module]
    marked: tuple[Marked, ...]
    reach: Reach
    classes: Mapping[Key, bool]
    passthrough: frozenset[str]
    shadows: tuple[Module, ...] = ()
    decorators: Mapping[ast.expr, str] = field(default_factory=dict)
    foreign: Mapping[ast.expr, External] = field(default_factory=dict)
    resumes_hooks: bool = True
    oldest_python: tuple[int, int] | None = None
    package: str = ""
    installed: Mapping[str, str] = field(default_factory=dict)

    @property
    def bundled(self) -> tuple[Module, ...]:
        """The modules of the bundle, by name."""
        return tuple(self.modules[name] for name in sorted(self.reach.keep))

    def workflow_code(self) -> Iterator[tuple[Module, ast.AST]]:
        """Every syntax node of the code that runs as part of a workflow; step bodies do not."""
        return iter(self._workflow_nodes)

    @cached_property
    def _workflow_nodes(self) -> tuple[tuple[Module, ast.AST], ...]:
        # Two dozen rules look at all of it.
        return tuple(self._walk_workflow_code())

    def _walk_workflow_code(self) -> Iterator[tuple[Module, ast.AST]]:
        elsewhere = self.elsewhere
        nested: dict[ast.AST, Function] = {m.node: m.node for m in self.nested}
        for module in self.bundled:
            for index in sorted(self.reach.keep[module.name]):
                stack: list[ast.AST] = [module.tree.body[index]]
                while stack:
                    node = stack.pop()
                    if node not in elsewhere:
                        yield module, node
                        stack.extend(reversed(children(node)))
                    elif node in nested:
                        # Its defaults are evaluated where it is defined: in workflow code.
                        args = nested[node].args
                        stack.extend(filter(None, [*args.kw_defaults, *args.defaults]))

    def chain(self, owner: Key) -> tuple[tuple[Key, int], ...]:
        """How workflow code gets to `owner`: names from a workflow on, each with the line at
        which the next one is used."""
        steps: list[tuple[Key, int]] = []
        parent = self.reach.parents.get(owner)
        while parent is not None:
            steps.append(parent)
            parent = self.reach.parents.get(parent[0])
        return tuple(reversed(steps))

    @cached_property
    def elsewhere(self) -> frozenset[Function]:
        """The functions in kept statements that are no workflow code: steps, and methods that only
        steps use."""
        return self.reach.dropped | {m.node for m in self.of(Kind.STEP)}

    @cached_property
    def nested(self) -> tuple[Marked, ...]:
        """The steps that are defined in other functions."""
        return tuple(m for m in self.marked if m.form is Form.NESTED)

    @cached_property
    def started(self) -> frozenset[Key]:
        """The names of the workflows that are functions of a module: a use of one starts a run of
        its own."""
        return frozenset(m.key for m in self.of(Kind.WORKFLOW) if m.form is Form.FUNCTION)

    def of(self, kind: Kind) -> tuple[Marked, ...]:
        """All workflows, or all steps."""
        return self._by_kind[kind]

    def marked_in(self, module: Module) -> tuple[Marked, ...]:
        """The workflows and steps of one module."""
        return self._by_module.get(module, ())

    @cached_property
    def _by_kind(self) -> Mapping[Kind, tuple[Marked, ...]]:
        return {kind: tuple(m for m in self.marked if m.kind is kind) for kind in Kind}

    @cached_property
    def _by_module(self) -> Mapping[Module, tuple[Marked, ...]]:
        found: dict[Module, list[Marked]] = {}
        for m in self.marked:
            found.setdefault(m.module, []).append(m)
        return {module: tuple(inside) for module, inside in found.items()}
