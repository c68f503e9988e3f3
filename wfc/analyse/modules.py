"""Modules outside the project: what workflow code may import, and why the rest is refused.

The sandbox owns the list of importable modules and members; this file adds the reasons.
"""

from __future__ import annotations

import builtins
import difflib
from collections.abc import Iterable, Mapping
from functools import cache

__all__ = [
    "BANNED_BUILTINS",
    "MOVE",
    "Why",
    "facades",
    "is_builtin",
    "named",
    "suggest",
    "why_banned",
]

Why = tuple[str, str]
"""(why it cannot work, what to write instead)."""

MOVE = 'Move the call into a function marked "use step" and await it here.'

_NETWORK: Why = (
    "A workflow is replayed from its log, so it cannot reach the network itself.",
    MOVE,
)
_DATABASE: Why = (
    "A workflow is replayed from its log, and a query would give another answer each time.",
    MOVE,
)
_FILES: Why = (
    "A workflow may continue on another machine months later, where its files are not.",
    MOVE,
)
_PROCESS: Why = (
    "A workflow is replayed from its log, and each replay would start the process again.",
    MOVE,
)
_THREADS: Why = (
    "Threads run in an order that no replay can repeat.",
    "Use asyncio.create_task or asyncio.gather here, or do the work in a function marked "
    '"use step" and await it.',
)
_MACHINE: Why = (
    "It depends on the machine and its environment, and a later deploy would change the answer in "
    "the middle of a run.",
    'Pass the value as an argument of the workflow, or read it in a function marked "use step".',
)
_ENTROPY: Why = (
    "It draws from the operating system, so a replay would see other values.",
    'Use random or uuid, which are replayed here, or do it in a function marked "use step".',
)
_INTERNALS: Why = (
    "It reaches into the interpreter, where nothing is the same on replay.",
    "Write the code without it, or " + MOVE[0].lower() + MOVE[1:],
)
_LOOP: Why = (
    "It needs an event loop of its own, and a workflow runs on one that is replayed.",
    "Use asyncio here, or " + MOVE[0].lower() + MOVE[1:],
)
_OWN_LOOP: Why = (
    "A workflow already runs on an event loop, one that is replayed.",
    "Await the coroutine.",
)

_GROUPS: tuple[tuple[Why, str], ...] = (
    (
        _NETWORK,
        "requests httpx httpx2 aiohttp urllib.request urllib3 http.client http.server socket ssl "
        "asyncio.open_connection asyncio.start_server "
        "socketserver ftplib smtplib imaplib poplib xmlrpc "
        "websockets grpc paramiko boto3 botocore "
        "aioboto3 google.cloud azure openai anthropic stripe twilio slack_sdk nats kafka pika",
    ),
    (
        _DATABASE,
        "sqlite3 psycopg psycopg2 asyncpg sqlalchemy redis pymongo motor pymysql aiomysql "
        "aiosqlite django peewee tortoise sqlmodel elasticsearch dbm shelve",
    ),
    (
        _FILES,
        "io pathlib shutil tempfile glob fileinput mmap zipfile tarfile gzip bz2 lzma aiofiles",
    ),
    (
        _PROCESS,
        "subprocess pty sh pexpect asyncio.create_subprocess_exec asyncio.create_subprocess_shell",
    ),
    (
        _THREADS,
        "threading _thread multiprocessing concurrent concurrent.futures queue sched "
        "asyncio.to_thread asyncio.run_coroutine_threadsafe",
    ),
    (_MACHINE, "os sys platform getpass locale resource pwd grp argparse dotenv decouple"),
    (_ENTROPY, "secrets"),
    (
        _INTERNALS,
        "gc weakref inspect ctypes cffi importlib builtins types traceback pickle cloudpickle dill "
        "marshal code codeop dis ast symtable tracemalloc faulthandler signal atexit",
    ),
    (_OWN_LOOP, "asyncio.run asyncio.Runner asyncio.new_event_loop asyncio.set_event_loop"),
    (_LOOP, "trio anyio curio gevent eventlet twisted tornado uvloop selectors"),
)
_WHY = {name: why for why, names in _GROUPS for name in names.split()}


def named() -> frozenset[str]:
    """Every module name that this file knows a reason for."""
    return frozenset(_WHY)


def why_banned(module: str) -> Why | None:
    """Why a known module is not for workflow code; None if we do not know the module."""
    parts = module.split(".")
    for end in range(len(parts), 0, -1):
        if why := _WHY.get(".".join(parts[:end])):
            return why
    return None


_SEEN: Why = (
    "It runs code that the compiler has not seen and cannot check.",
    "Write the code out, or " + MOVE[0].lower() + MOVE[1:],
)
_TERMINAL: Why = (
    "A workflow has no terminal; it may wait for months and continue on another machine.",
    "Wait for the answer with a hook: `answer = await create_hook()`.",
)

BANNED_BUILTINS: Mapping[str, Why] = {
    "open": _FILES,
    "input": _TERMINAL,
    "breakpoint": _TERMINAL,
    "id": (
        "It is a memory address, and a replay runs at other addresses.",
        "Compare with `is`, or use a value of your own as the key.",
    ),
    "hash": (
        "The hash of text and objects differs from process to process.",
        "Use hashlib.sha256(...).hexdigest().",
    ),
    "eval": _SEEN,
    "exec": _SEEN,
    "compile": _SEEN,
    "__import__": ("It imports what the compiler cannot see.", "Write an import statement."),
    "globals": _INTERNALS,
    "locals": _INTERNALS,
    "vars": _INTERNALS,
    "dir": _INTERNALS,
    "memoryview": _INTERNALS,
}


@cache
def facades() -> Mapping[str, frozenset[str]]:
    """The modules that workflow code may import, with their listed members."""
    from workflow.sandbox.facades import names

    return names()


def is_builtin(name: str) -> bool:
    """Whether Python itself defines the name everywhere."""
    return hasattr(builtins, name)


def suggest(name: str, choices: Iterable[str]) -> str | None:
    """The closest of `choices`, if one is close."""
    close = difflib.get_close_matches(name, sorted(choices), n=1, cutoff=0.7)
    return close[0] if close else None
