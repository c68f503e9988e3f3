"""What the facades give out, compared with the modules they stand for, name by name.

A new version of Python that adds a public name, or drops one, shows up here.
"""

from __future__ import annotations

import asyncio
import datetime
import importlib
import inspect
import types
import warnings
from typing import Any

import pytest

from tests.sandbox.left_out import LEFT_OUT
from workflow.sandbox import facades
from workflow.sandbox.facades import aio, clock, contexts, speech
from workflow.sandbox.facades.pure import PURE

# The libraries that come with the runtime have versions of their own; what is listed is all there.
LIBRARIES = {"pydantic", "typing_extensions", "workflow", "workflow.abi.flow_v1", "workflow.errors"}
MODULES = sorted(facades.names().keys() - LIBRARIES)


def public(module: Any) -> set[str]:
    """The names a module has for others."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        names = getattr(module, "__all__", None) or [
            name
            for name in dir(module)
            if not isinstance(getattr(module, name), types.ModuleType | types.GenericAlias)
        ]
    return {name for name in names if not name.startswith("_")}


def left_out(module: str) -> set[str]:
    """The names that somebody has decided about."""
    return {name for names in LEFT_OUT.get(module, {}).values() for name in names.split()}


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_is_listed_or_left_out(module: str) -> None:
    """Each name of the real module can be imported in workflow code, or has a reason why not."""
    undecided = public(importlib.import_module(module)) - facades.names()[module]
    assert undecided - left_out(module) == set()


@pytest.mark.parametrize("module", MODULES)
def test_no_name_is_listed_and_left_out(module: str) -> None:
    """The table of what is left out does not contradict the facade."""
    assert left_out(module) & facades.names()[module] == set()


def test_the_table_names_modules_that_exist() -> None:
    """No entry of the table is about a module without a facade, and each has a reason."""
    assert LEFT_OUT.keys() <= set(MODULES)
    assert PURE.keys() <= set(MODULES)
    assert all(reason for reasons in LEFT_OUT.values() for reason in reasons)


EMULATED: list[tuple[type, type, str]] = [
    (contexts.Context, type(importlib.import_module("contextvars").copy_context()), ""),
    (clock.DateTime, datetime.datetime, ""),
    (clock.Date, datetime.date, ""),
    (
        aio.LoopView,
        asyncio.AbstractEventLoop,
        """
        add_reader add_signal_handler add_writer call_exception_handler call_soon_threadsafe close
        connect_accepted_socket connect_read_pipe connect_write_pipe create_connection
        create_datagram_endpoint create_server create_unix_connection create_unix_server
        default_exception_handler get_debug get_exception_handler get_task_factory getaddrinfo
        getnameinfo remove_reader remove_signal_handler remove_writer run_forever run_in_executor
        run_until_complete sendfile set_debug set_default_executor set_exception_handler
        set_task_factory shutdown_asyncgens shutdown_default_executor sock_accept sock_connect
        sock_recv sock_recv_into sock_recvfrom sock_recvfrom_into sock_sendall sock_sendfile
        sock_sendto start_tls stop subprocess_exec subprocess_shell
        """,
    ),
    (
        speech.Logger,
        importlib.import_module("logging").Logger,
        """
        addFilter addHandler callHandlers fatal filter findCaller getChildren getEffectiveLevel
        handle hasHandlers makeRecord manager removeFilter removeHandler root setLevel warn
        """,
    ),
]


@pytest.mark.parametrize(
    ("ours", "real", "refused"), EMULATED, ids=[real.__name__ for _, real, _ in EMULATED]
)
def test_emulated_classes_have_the_methods_of_the_real_ones(
    ours: type, real: type, refused: str
) -> None:
    """Every method of the real class exists in the emulation, or is refused knowingly."""
    missing = {name for name in dir(real) if not name.startswith("_") and not hasattr(ours, name)}
    assert missing - set(refused.split()) == set()
    assert not {name for name in refused.split() if name in vars(ours)}


# What the originals take and ours do not, on purpose.
NOT_TAKEN: dict[str, str] = {
    "asyncio.iscoroutinefunction": "func",  # one positional argument, which nobody names
    "collections.namedtuple": "module",
    "functools.update_wrapper": "assigned updated",
    "functools.wraps": "assigned updated",
    "logging.Logger": "level",
    "typing.final": "f",
    "typing.overload": "func",
    "typing.override": "method",
}


def _emulated_functions() -> list[Any]:
    found = []
    for module in MODULES:
        if module.startswith("workflow"):
            continue  # there it is another thing under the name
        real = importlib.import_module(module)
        for name, ours in sorted(vars(facades.get(module)).items()):
            original = getattr(real, name, None)
            if ours is not original and callable(ours) and callable(original):
                found.append(pytest.param(ours, original, id=f"{module}.{name}"))
    return found


def _parameters(function: Any) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return []  # written in C, without a description


@pytest.mark.parametrize(("ours", "original"), _emulated_functions())
def test_emulations_take_the_arguments_of_the_originals(
    ours: Any, original: Any, request: pytest.FixtureRequest
) -> None:
    """An argument that a new Python adds, or that an emulation does not know, shows up here."""
    known = _parameters(ours)
    kinds = {each.kind for each in known}
    if not known or inspect.Parameter.VAR_KEYWORD in kinds:
        return
    positional_only = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.VAR_POSITIONAL)
    wanted = {
        each.name
        for each in _parameters(original)
        if each.kind not in (*positional_only, inspect.Parameter.VAR_KEYWORD)
        and each.name not in ("self", "cls")
        and not each.name.startswith("_")
    }
    left = NOT_TAKEN.get(request.node.callspec.id, "").split()
    assert wanted - {each.name for each in known} - set(left) == set()
