"""What functions, methods and constructors of Python and of the runtime give back.

Types are written as in an annotation; `_0` is the item type of what a method belongs to, `_1` its
second one (the value of a dictionary).
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from functools import cache

__all__ = ["FUNCTIONS", "METHODS", "canonical", "is_class"]

_TYPING = {
    "AbstractSet": "collections.abc.Set",
    "ChainMap": "collections.ChainMap",
    "ContextManager": "contextlib.AbstractContextManager",
    "Counter": "collections.Counter",
    "DefaultDict": "collections.defaultdict",
    "Deque": "collections.deque",
    "Dict": "builtins.dict",
    "FrozenSet": "builtins.frozenset",
    "List": "builtins.list",
    "OrderedDict": "collections.OrderedDict",
    "Set": "builtins.set",
    "Text": "builtins.str",
    "Tuple": "builtins.tuple",
    "Type": "builtins.type",
}
_ABSTRACT = (
    "AsyncGenerator AsyncIterable AsyncIterator Awaitable Callable Collection Container Coroutine "
    "Generator Hashable ItemsView Iterable Iterator KeysView Mapping MappingView MutableMapping "
    "MutableSequence MutableSet Reversible Sequence Sized ValuesView"
)
_SAME = {
    **{f"typing.{name}": real for name, real in _TYPING.items()},
    **{f"typing.{name}": f"collections.abc.{name}" for name in _ABSTRACT.split()},
    "asyncio.tasks.Task": "asyncio.Task",
    "asyncio.futures.Future": "asyncio.Future",
    "datetime.UTC": "datetime.timezone",
    "pathlib._local.Path": "pathlib.Path",
}


def canonical(name: str) -> str:
    """One name for a type that has several: `typing.Set` is `builtins.set`."""
    return _SAME.get(name, name)


_TASKS = "builtins.set[asyncio.Task]"

FUNCTIONS: Mapping[str, str] = {
    "asyncio.create_task": "asyncio.Task",
    "asyncio.current_task": "asyncio.Task",
    "asyncio.get_event_loop": "asyncio.AbstractEventLoop",
    "asyncio.get_running_loop": "asyncio.AbstractEventLoop",
    "asyncio.sleep": "coroutine",
    "asyncio.wait": f"coroutine[builtins.tuple[{_TASKS}, {_TASKS}]]",
    "builtins.abs": "_same",
    "builtins.all": "builtins.bool",
    "builtins.any": "builtins.bool",
    "builtins.ascii": "builtins.str",
    "builtins.bin": "builtins.str",
    "builtins.callable": "builtins.bool",
    "builtins.chr": "builtins.str",
    "builtins.format": "builtins.str",
    "builtins.hash": "builtins.int",
    "builtins.hex": "builtins.str",
    "builtins.id": "builtins.int",
    "builtins.isinstance": "builtins.bool",
    "builtins.issubclass": "builtins.bool",
    "builtins.len": "builtins.int",
    "builtins.oct": "builtins.str",
    "builtins.ord": "builtins.int",
    "builtins.repr": "builtins.str",
    "builtins.sorted": "builtins.list[_0]",
    "copy.copy": "_same",
    "copy.deepcopy": "_same",
    "datetime.date.fromisoformat": "datetime.date",
    "datetime.date.fromtimestamp": "datetime.date",
    "datetime.date.today": "datetime.date",
    "datetime.datetime.combine": "datetime.datetime",
    "datetime.datetime.fromisoformat": "datetime.datetime",
    "datetime.datetime.fromtimestamp": "datetime.datetime",
    "datetime.datetime.now": "datetime.datetime",
    "datetime.datetime.strptime": "datetime.datetime",
    "datetime.datetime.today": "datetime.datetime",
    "datetime.datetime.utcnow": "datetime.datetime",
    "json.dumps": "builtins.str",
    "logging.getLogger": "logging.Logger",
    "random.randint": "builtins.int",
    "random.random": "builtins.float",
    "random.randrange": "builtins.int",
    "random.uniform": "builtins.float",
    "time.monotonic": "builtins.float",
    "time.perf_counter": "builtins.float",
    "time.time": "builtins.float",
    "time.time_ns": "builtins.int",
    "uuid.uuid1": "uuid.UUID",
    "uuid.uuid3": "uuid.UUID",
    "uuid.uuid4": "uuid.UUID",
    "uuid.uuid5": "uuid.UUID",
    "workflow.api.start": "coroutine[workflow.api.Run]",
    "workflow.create_hook": "workflow.Hook",
    "workflow.create_webhook": "workflow.Webhook",
    "workflow.fetch": "coroutine[workflow.Response]",
    "workflow.pending_action": "coroutine",
    "workflow.sleep": "coroutine",
}
"""What calling a function gives; `_same` is the type of its first argument."""

_TEXT = (
    "capitalize casefold center expandtabs format format_map join ljust lower lstrip removeprefix "
    "removesuffix replace rjust rstrip strip swapcase title translate upper zfill"
)
_TESTS = "endswith isalnum isalpha isdecimal isdigit islower isspace istitle isupper startswith"

METHODS: Mapping[str, Mapping[str, str]] = {
    "workflow.api.Run": {"cancel": "coroutine", "result": "coroutine"},
    "builtins.str": {
        **dict.fromkeys(_TEXT.split(), "builtins.str"),
        **dict.fromkeys(_TESTS.split(), "builtins.bool"),
        **dict.fromkeys(("split", "rsplit", "splitlines"), "builtins.list[builtins.str]"),
        **dict.fromkeys(("count", "find", "index", "rfind", "rindex"), "builtins.int"),
        "encode": "builtins.bytes",
    },
    "builtins.bytes": {"decode": "builtins.str", "hex": "builtins.str"},
    "builtins.list": {
        "copy": "builtins.list[_0]",
        "count": "builtins.int",
        "index": "builtins.int",
        "pop": "_0",
    },
    "builtins.dict": {
        "copy": "builtins.dict[_0, _1]",
        "items": "builtins.dict_items[_0, _1]",
        "keys": "builtins.dict_keys[_0]",
        "values": "builtins.dict_values[_1]",
    },
    **{
        f"builtins.{kind}": {
            "copy": f"builtins.{kind}[_0]",
            "difference": f"builtins.{kind}[_0]",
            "intersection": f"builtins.{kind}[_0]",
            "isdisjoint": "builtins.bool",
            "issubset": "builtins.bool",
            "issuperset": "builtins.bool",
            "pop": "_0",
            "symmetric_difference": f"builtins.{kind}",
            "union": f"builtins.{kind}",
        }
        for kind in ("set", "frozenset")
    },
    "asyncio.TaskGroup": {"create_task": "asyncio.Task"},
    "asyncio.Task": {"result": "_0", "done": "builtins.bool", "cancelled": "builtins.bool"},
    "datetime.datetime": {
        "astimezone": "datetime.datetime",
        "date": "datetime.date",
        "isoformat": "builtins.str",
        "replace": "datetime.datetime",
        "strftime": "builtins.str",
        "timestamp": "builtins.float",
    },
    "datetime.date": {"isoformat": "builtins.str", "strftime": "builtins.str"},
    "datetime.timedelta": {"total_seconds": "builtins.float"},
    **{
        f"collections.{kind}": {
            "items": "builtins.dict_items[_0, _1]",
            "keys": "builtins.dict_keys[_0]",
            "values": "builtins.dict_values[_1]",
        }
        for kind in ("ChainMap", "Counter", "OrderedDict", "defaultdict")
    },
}
"""What calling a method gives, by the type it belongs to."""

_LOOKED_INTO = frozenset(
    """
    asyncio builtins collections concurrent.futures contextlib contextvars dataclasses datetime
    decimal enum fractions functools io ipaddress itertools logging pathlib queue random re socket
    sqlite3 string subprocess tempfile threading types uuid weakref zoneinfo
    """.split()  # noqa: SIM905 - one name a line would be thirty lines
)


@cache
def is_class(module: str, member: str) -> bool:
    """Whether `module.member` is a class, of a few harmless modules of Python."""
    if module not in _LOOKED_INTO:
        return False
    return inspect.isclass(getattr(importlib.import_module(module), member, None))
