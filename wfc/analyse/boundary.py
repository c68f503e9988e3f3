"""Which types cannot be written to the log, and why, as far as annotations say it for certain.

What crosses a boundary (arguments and results of steps and workflows) is recorded by the codec.
This is the codec's answer for types instead of values. Where a type might have a subclass, a
serialiser or an alternative that can be recorded, nothing is claimed.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from wfc.analyse.names import ProjectName, Target
from wfc.analyse.type_tables import canonical
from wfc.analyse.types import Types, types_of
from wfc.model import External, Form, Function, Key, Kind, Marked, Module, Program
from wfc.nodes import walk

__all__ = ["Boundary", "Found", "Obstacle", "boundary_of", "crossed", "required"]


@dataclass(frozen=True)
class Obstacle:
    """Why values of a type cannot be recorded, and what to use instead."""

    why: str
    instead: str


@dataclass(frozen=True, eq=False)
class Found:
    """Something that cannot be recorded in a type: `path` leads to it (`.order.lock`), and
    `field` is where a class of the project declares it."""

    type: str
    obstacle: Obstacle
    path: str = ""
    field: tuple[Module, ast.AST] | None = None


_LOCK = Obstacle(
    "a lock or other synchronisation object, which only means something in one process",
    "Create it where it is used.",
)
_TASK = Obstacle("something to be awaited, not a value", "Await it first and pass the result.")
_ITERATOR = Obstacle("an iterator, which is gone once it is read", "Use a list.")
_FILE = Obstacle(
    "an open file", "Pass its path and open it in the step, or pass the bytes it holds."
)
_CONNECTION = Obstacle(
    "an open connection", "Pass what is needed to connect, and open it in the step that uses it."
)
_RESPONSE = Obstacle(
    "the answer of an HTTP library", "Use what you need of it: its JSON, text or status."
)
_PROCESS = Obstacle("a part of a process", "Keep it inside one step.")
_LOGGER = Obstacle("a logger, which belongs to a process", "Call logging.getLogger() in the step.")
_TABLE = Obstacle("a table or array in memory", "Use lists or bytes, or pass the path of a file.")
_HOOK = Obstacle("a hook, which belongs to its run", "Pass its token.")
_RUN = Obstacle("a run, which belongs to the run that started it", "Pass its run_id.")
_MATCH = Obstacle("a match, which belongs to its text", "Use its groups: `match.groups()`.")
_MUTE = Obstacle(
    "a class that says nothing about its data",
    "Make it a dataclass, or give it __workflow_serialize__ and __workflow_deserialize__.",
)
_BARE = Obstacle("which holds nothing", "Use None, or a constant of your own.")
_SECRET = Obstacle(
    "a secret",
    "Pass the name it is kept under, and read the secret in the step that needs it.",
)

_GROUPS: tuple[tuple[Obstacle, str], ...] = (
    (
        _LOCK,
        "asyncio.Barrier asyncio.BoundedSemaphore asyncio.Condition asyncio.Event "
        "asyncio.LifoQueue asyncio.Lock asyncio.PriorityQueue asyncio.Queue asyncio.Semaphore "
        "multiprocessing.Lock multiprocessing.Queue queue.LifoQueue queue.PriorityQueue "
        "queue.Queue queue.SimpleQueue threading.Barrier threading.BoundedSemaphore "
        "threading.Condition threading.Event threading.Lock threading.RLock threading.Semaphore "
        "threading.local",
    ),
    (
        _TASK,
        "asyncio.Future asyncio.Task asyncio.TaskGroup collections.abc.Awaitable "
        "collections.abc.Coroutine concurrent.futures.Future coroutine",
    ),
    (
        _ITERATOR,
        "builtins.enumerate builtins.filter builtins.generator builtins.map builtins.reversed "
        "builtins.zip collections.abc.Generator collections.abc.ItemsView "
        "collections.abc.Iterator collections.abc.KeysView collections.abc.ValuesView "
        "builtins.dict_items builtins.dict_keys builtins.dict_values",
    ),
    (
        _FILE,
        "io.BufferedReader io.BufferedWriter io.BytesIO io.FileIO io.IOBase io.RawIOBase "
        "io.StringIO io.TextIOBase io.TextIOWrapper tempfile.SpooledTemporaryFile "
        "tempfile.TemporaryDirectory typing.BinaryIO typing.IO typing.TextIO zipfile.ZipFile "
        "tarfile.TarFile",
    ),
    (
        _CONNECTION,
        "aiohttp.ClientSession aiosqlite.Connection asyncio.StreamReader asyncio.StreamWriter "
        "asyncpg.Connection asyncpg.Pool ftplib.FTP httpx.AsyncClient httpx.Client imaplib.IMAP4 "
        "psycopg.AsyncConnection psycopg.Connection psycopg.Cursor psycopg2.extensions.connection "
        "redis.Redis redis.asyncio.Redis requests.Session smtplib.SMTP smtplib.SMTP_SSL "
        "socket.socket sqlalchemy.Connection sqlalchemy.Engine sqlalchemy.engine.Connection "
        "sqlalchemy.engine.Engine sqlalchemy.ext.asyncio.AsyncEngine "
        "sqlalchemy.ext.asyncio.AsyncSession sqlalchemy.orm.Session sqlalchemy.orm.sessionmaker "
        "sqlite3.Connection sqlite3.Cursor ssl.SSLContext ssl.SSLSocket",
    ),
    (_RESPONSE, "aiohttp.ClientResponse httpx.Response requests.Response"),
    (
        _PROCESS,
        "asyncio.AbstractEventLoop asyncio.subprocess.Process contextvars.Context "
        "contextvars.ContextVar multiprocessing.Process subprocess.Popen threading.Thread "
        "concurrent.futures.Executor concurrent.futures.ThreadPoolExecutor "
        "concurrent.futures.ProcessPoolExecutor types.CodeType types.FrameType types.ModuleType "
        "types.TracebackType weakref.ReferenceType weakref.ref",
    ),
    (_LOGGER, "logging.Handler logging.Logger logging.LoggerAdapter"),
    (
        _TABLE,
        "numpy.ndarray pandas.DataFrame pandas.Series polars.DataFrame polars.LazyFrame "
        "torch.Tensor PIL.Image.Image",
    ),
    (_HOOK, "workflow.Hook workflow.Webhook"),
    (_RUN, "workflow.api.Run"),
    (_MATCH, "re.Match"),
)
_OBSTACLES: Mapping[str, Obstacle] = {
    name: obstacle for obstacle, names in _GROUPS for name in names.split()
}
_SECRETS = frozenset(
    {"pydantic.Secret", "pydantic.SecretBytes", "pydantic.SecretStr"}
    | {"pydantic.types.SecretBytes", "pydantic.types.SecretStr"}
)

_CONTAINERS = """
builtins.dict builtins.frozenset builtins.list builtins.set builtins.tuple collections.OrderedDict
collections.abc.Collection collections.abc.Iterable collections.abc.Mapping
collections.abc.MutableMapping collections.abc.MutableSequence collections.abc.Sequence
collections.abc.Set collections.defaultdict collections.deque
"""
_HOLDS_ITEMS = frozenset(_CONTAINERS.split())
_WRAPPERS = ("typing.Annotated", "typing.Final", "typing.Optional", "typing.Union")
_FIELDS_FROM = ("pydantic.BaseModel", "typing.NamedTuple", "typing.TypedDict")
_HARMLESS_BASES = (*_FIELDS_FROM, "abc.ABC", "builtins.object", "typing.Generic")


_Judge = Callable[[str], Found | None]
_CACHE: WeakKeyDictionary[Program, Boundary] = WeakKeyDictionary()


def boundary_of(program: Program) -> Boundary:
    """The boundary of a program; the same object for the same program."""
    found = _CACHE.get(program)
    if found is None:
        found = _CACHE[program] = Boundary(program)
    return found


class Boundary:
    """Answers for the annotations of one program."""

    def __init__(self, program: Program) -> None:
        self._types: Types = types_of(program)
        self._modules = program.modules
        self._open: set[Key] = set()
        self._known: dict[tuple[Key, _Judge], Found | None] = {}

    def refused(self, module: Module, annotation: ast.expr | None) -> Found | None:
        """What in the annotated type cannot be recorded for certain."""
        return None if annotation is None else self._first(module, annotation, _refused_name)

    def secret(self, module: Module, annotation: ast.expr | None) -> Found | None:
        """What in the annotated type is a secret."""
        return None if annotation is None else self._first(module, annotation, _secret_name)

    def of_value(self, module: Module, value: ast.expr) -> Found | None:
        """Why `value` itself cannot be recorded, where its class is known for sure."""
        found = self._types.type(module, value)
        if found is None or not found.sure:
            return None
        home, _, name = found.name.rpartition(".")
        if home in self._modules:
            return self._project((home, name), _refused_name)
        return _refused_name(canonical(found.name))

    def of_self(self, step: Marked) -> Found | None:
        """Why the object that a step is called on cannot be recorded; None for other steps."""
        home = step.module
        match step.sighting.enclosing:
            case [ast.ClassDef() as made] if step.form is Form.INSTANCE:
                pass
            case _:
                return None
        if self._is_record(home, made):
            return self._class(home, made, _refused_name)
        # A base or a decorator may say it, and a subclass be what it is called on.
        unclear = made.bases or made.decorator_list or _says_how(made)
        return None if unclear or self._has_subclass(made.name) else Found(made.name, _MUTE)

    def made(self, module: Module, call: ast.Call) -> Found | None:
        """Why what a call of a class gives cannot be recorded; None for calls of anything else."""
        if not isinstance(call.func, ast.Name | ast.Attribute):
            return None
        if self._dotted(module, call.func) == "builtins.object":
            return Found("object", _BARE)
        return self._named(module, call.func, _refused_name)

    def holds_data(self, module: Module, annotation: ast.expr | None) -> bool:
        """Whether the annotated values are certainly nothing but data: containers of Python, and
        records of the project."""
        if isinstance(annotation, ast.Subscript):
            annotation = annotation.value
        if not isinstance(annotation, ast.Name | ast.Attribute):
            return False
        if self._dotted(module, annotation) in _HOLDS_ITEMS:
            return True
        match self._types.target(module, annotation):
            case ProjectName(key=(name, top), rest=()):
                home = self._modules.get(name)
                for index in home.bindings.get(top, ()) if home is not None else ():
                    cls = home.tree.body[index] if home is not None else None
                    if home is not None and isinstance(cls, ast.ClassDef):
                        return self._is_record(home, cls) and not _says_how(cls)
        return False

    def _first(self, module: Module, node: ast.expr, judge: _Judge) -> Found | None:
        match node:
            case ast.Constant(value=str(text)):
                try:
                    parsed = ast.parse(text.strip(), mode="eval").body
                except SyntaxError:
                    return None
                return self._first(module, parsed, judge)
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return self._either(module, [left, right], judge)
            case ast.Subscript(value=value, slice=inside):
                parts = inside.elts if isinstance(inside, ast.Tuple) else [inside]
                return self._generic(module, value, parts, judge)
            case ast.Name() | ast.Attribute():
                return self._named(module, node, judge)
        return None

    def _either(self, module: Module, parts: list[ast.expr], judge: _Judge) -> Found | None:
        """Of a union: a secret is one in any part, but all of them have to be refused."""
        real = [p for p in parts if not (isinstance(p, ast.Constant) and p.value is None)]
        found = [self._first(module, part, judge) for part in real]
        if judge is _secret_name:
            return next(filter(None, found), None)
        # `X | None`: None alone would make the annotation pointless, but it can be recorded.
        return found[0] if len(real) == len(parts) and all(found) else None

    def _generic(
        self, module: Module, value: ast.expr, parts: list[ast.expr], judge: _Judge
    ) -> Found | None:
        name = self._dotted(module, value)
        if name in _WRAPPERS:
            none: list[ast.expr] = [ast.Constant(None)] if name == "typing.Optional" else []
            only_first = name in ("typing.Annotated", "typing.Final")
            return self._either(module, [*(parts[:1] if only_first else parts), *none], judge)
        if name is not None and (found := judge(name)):
            return found
        if name in _HOLDS_ITEMS:
            for part in parts:
                if found := self._first(module, part, judge):
                    return Found(found.type, found.obstacle, "[…]" + found.path, found.field)
            return None
        return self._named(module, value, judge) if name is None else None

    def _named(self, module: Module, node: ast.expr, judge: _Judge) -> Found | None:
        match self._types.target(module, node):
            case External() as outside:
                return judge(canonical(str(outside)))
            case ProjectName(key=key, rest=()):
                return self._project(key, judge)
        return None

    def _dotted(self, module: Module, node: ast.expr) -> str | None:
        target: Target = self._types.target(module, node)
        return canonical(str(target)) if isinstance(target, External) else None

    # -- names of the project ---------------------------------------------------------------------

    def _project(self, key: Key, judge: _Judge) -> Found | None:
        place = (key, judge)
        if place not in self._known and key not in self._open:
            self._open.add(key)
            self._known[place] = self._defined(key, judge)
            self._open.discard(key)
        return self._known.get(place)

    def _defined(self, key: Key, judge: _Judge) -> Found | None:
        home = self._modules.get(key[0])
        indexes = home.bindings.get(key[1], ()) if home is not None else ()
        if home is None or len(indexes) != 1:
            return None
        match home.tree.body[indexes[0]]:
            case ast.ClassDef() as cls:
                return self._class(home, cls, judge)
            case ast.Assign(value=ast.Name() | ast.Attribute() | ast.Subscript() as value):
                return self._first(home, value, judge)  # an alias
        return None

    def _class(self, home: Module, cls: ast.ClassDef, judge: _Judge) -> Found | None:
        if _says_how(cls) or not self._is_seen_whole(home, cls):
            return None
        if not self._is_record(home, cls):
            # Without any __init__ it may be a marker or a base of what is really passed.
            has_state = any(isinstance(s, Function) and s.name == "__init__" for s in cls.body)
            mute = judge is _refused_name and has_state and not cls.decorator_list
            is_base = self._has_subclass(cls.name)
            return Found(cls.name, _MUTE) if mute and not cls.bases and not is_base else None
        for statement in cls.body:
            match statement:
                case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                    if not self._is_field(home, annotation):
                        continue
                    found = self._first(home, annotation, judge)
                    if found is not None:
                        field = found.field or (home, statement)
                        return Found(found.type, found.obstacle, f".{name}{found.path}", field)
        return None

    def _is_seen_whole(self, home: Module, cls: ast.ClassDef) -> bool:
        """Whether nothing about its data can come from a base that is not looked at."""
        bases = [b.value if isinstance(b, ast.Subscript) else b for b in cls.bases]
        return all(self._dotted(home, base) in _HARMLESS_BASES for base in bases)

    def _is_record(self, home: Module, cls: ast.ClassDef) -> bool:
        """Whether the annotated names of a class are the fields that are recorded."""
        for decorator in cls.decorator_list:
            made = decorator.func if isinstance(decorator, ast.Call) else decorator
            if self._dotted(home, made) == "dataclasses.dataclass":
                return True
        return any(self._dotted(home, base) in _FIELDS_FROM for base in cls.bases)

    def _is_field(self, home: Module, annotation: ast.expr) -> bool:
        made = annotation.value if isinstance(annotation, ast.Subscript) else annotation
        return self._dotted(home, made) not in ("typing.ClassVar", "dataclasses.InitVar")

    def _has_subclass(self, name: str) -> bool:
        return any(
            isinstance(base, ast.Name | ast.Attribute)
            and name == (base.id if isinstance(base, ast.Name) else base.attr)
            for module in self._modules.values()
            for node in walk(module.tree)
            if isinstance(node, ast.ClassDef)
            for base in node.bases
        )


def _says_how(cls: ast.ClassDef) -> bool:
    return any(isinstance(s, Function) and s.name == "__workflow_serialize__" for s in cls.body)


def required(function: Function) -> list[ast.arg]:
    """The parameters that every call has to give a value for."""
    spec = function.args
    listed = [*spec.posonlyargs, *spec.args]
    without = listed[: len(listed) - len(spec.defaults)]
    keywords = zip(spec.kwonlyargs, spec.kw_defaults, strict=True)
    return [*without, *(arg for arg, default in keywords if default is None)]


def crossed(program: Program) -> tuple[Marked, ...]:
    """The workflows, and the steps that workflow code names: what they take and give is
    recorded."""
    named = {m for m in program.reach.meaning.values() if isinstance(m, Marked)}
    return tuple(m for m in program.marked if m.kind is Kind.WORKFLOW or m in named)


def _refused_name(name: str) -> Found | None:
    obstacle = _OBSTACLES.get(name)
    return Found(_short(name), obstacle) if obstacle is not None else None


def _secret_name(name: str) -> Found | None:
    return Found(_short(name), _SECRET) if name in _SECRETS else None


def _short(name: str) -> str:
    return name.removeprefix("builtins.")
