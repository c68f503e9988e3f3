"""Exceptions cross the log with what can be kept of them."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import threading
from dataclasses import dataclass
from typing import Any

import pytest

from tests.codec.samples import CLASSES, CardDeclined
from workflow.codec import Codec
from workflow.codec.failures import qualified
from workflow.errors import (
    FatalError,
    HookConflictError,
    RetryableError,
    SerializationError,
    StepFailedError,
    StepTimeoutError,
)

CODEC = Codec(CLASSES)


def back(error: BaseException) -> Any:
    """The error after a round trip."""
    return CODEC.decode_error(CODEC.encode_error(error))


@pytest.mark.parametrize(
    "error",
    [
        ValueError("wrong", 1, (2,)),
        KeyError("key"),
        FileNotFoundError(2, "missing", "name"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
        ExceptionGroup("many", [ValueError(1), ExceptionGroup("more", [KeyError("k")])]),
        FatalError("no"),
        RetryableError("later", retry_after="5m"),
        StepTimeoutError("slow"),
        HookConflictError("token", "run_1"),
        CardDeclined(51, reason="limit"),
        StepFailedError("x", type_name="a.B"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_known_classes_come_back(error: BaseException) -> None:
    """Builtin classes, ours and registered ones keep class, message, arguments and attributes."""
    found = back(error)
    assert type(found) is type(error)
    assert str(found) == str(error)
    assert repr(found) == repr(error)
    assert vars(found) == vars(error)


def test_unknown_classes_become_step_failed() -> None:
    """An exception of a class nobody registered keeps its message and its class's name."""

    class Strange(ValueError):
        pass

    found = back(Strange("odd"))
    assert isinstance(found, StepFailedError)
    assert type(found).__qualname__ == "StepFailedError"
    assert str(found) == "Strange: odd"
    assert str(back(Strange())) == "Strange"
    assert str(back(found)) == "Strange: odd"
    assert found.type_name == f"{__name__}.{Strange.__qualname__}"


class Declined(FatalError):
    def __init__(self, code: int, *, why: str) -> None:
        super().__init__(f"{code}: {why}")


class Wrong(UnicodeDecodeError):
    pass


class Group(ExceptionGroup[ValueError]):
    pass


class Missing(LookupError, OSError):
    pass


@pytest.mark.parametrize(
    ("error", "bases"),
    [
        (Declined(7, why="no"), (FatalError,)),
        (json.JSONDecodeError("m", "d", 0), (ValueError,)),
        (subprocess.CalledProcessError(1, "ls"), ()),
        (Missing("x"), (LookupError, OSError)),
        (Wrong("ascii", b"x", 0, 1, "odd"), ()),
        (Group("g", [ValueError("x")]), ()),
    ],
)
def test_an_unknown_class_is_caught_by_its_bases(
    error: Exception, bases: tuple[type[Exception], ...]
) -> None:
    """Whoever catches a base class that everybody knows catches the stand-in, however often it was
    recorded; where that cannot be, it is a StepFailedError all the same."""
    found = back(error)
    wanted: tuple[type[Exception], ...] = (StepFailedError, *bases)
    each: Any
    for each in (found, back(found), copy.copy(found)):
        assert all(isinstance(each, base) for base in wanted)
        assert type(each).__name__ == "StepFailedError"
        assert str(each) == f"{type(error).__name__}: {error}"
        assert each.type_name == qualified(error)


def test_an_unknown_class_has_the_attributes_of_its_bases() -> None:
    """What catches it by one of them finds there what it looks for; the name of its class stays."""

    class Taken(HookConflictError):
        type_name = "mine"

    error: Any = Taken("t", "wrun_1")
    error.type_name = "no"
    found = back(error)
    for each in (found, back(found)):
        assert (each.token, each.run_id) == ("t", "wrun_1")
        assert each.type_name == qualified(error)


def test_an_unknown_class_is_caught_by_a_known_one_of_the_project() -> None:
    """A class that the reader has catches those derived from it, unless code would run for it."""

    class Known(Exception):
        pass

    class Picky(Known):
        def __init_subclass__(cls) -> None:
            raise RuntimeError("run")

    odd = type.__new__(type, "Odd", (Known,), {})
    codec = Codec({"class//x.py//Known": Known})
    found = codec.decode_error(codec.encode_error(odd("x")))
    assert isinstance(found, StepFailedError)
    assert isinstance(found, Known)
    data = codec.encode_error(odd("x")).replace(b"//Known", b"//Picky")
    found = Codec({"class//x.py//Picky": Picky}).decode_error(data)
    assert type(found) is StepFailedError


def test_a_failure_that_is_too_large_is_caught_by_its_class() -> None:
    """What is left out of an exception does not change which `except` gets it."""
    codec = Codec(max_size=20_000)
    found = codec.decode_error(codec.encode_error(ValueError("x", "y" * 40_000), traceback=""))
    assert isinstance(found, StepFailedError)
    assert isinstance(found, ValueError)


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_exceptions_that_end_processes_are_not_revived(kind: type[BaseException]) -> None:
    """Reading a record never makes an exception that would stop the reader."""
    found = back(kind("x"))
    assert type(found) is StepFailedError
    assert found.type_name == f"builtins.{kind.__name__}"


def test_traceback_cause_and_notes_are_kept() -> None:
    """The text of the traceback, the chain of causes and the notes survive."""
    caught: BaseException | None = None
    try:
        try:
            raise KeyError("inner")
        except KeyError as inner:
            raise ValueError("outer") from inner
    except ValueError as outer:
        outer.add_note("seen at noon")
        caught = outer
    found = back(caught)
    assert "raise KeyError" in found.workflow_traceback
    assert "ValueError: outer" in found.workflow_traceback
    assert type(found.__cause__) is KeyError
    assert found.__notes__ == ["seen at noon"]
    assert not hasattr(caught, "workflow_traceback")
    again = back(found)
    assert again.workflow_traceback == found.workflow_traceback


def test_a_given_traceback_wins() -> None:
    """The caller may pass the text itself."""
    data = CODEC.encode_error(ValueError("x"), traceback="line 1")
    found: Any = CODEC.decode_error(data)
    assert found.workflow_traceback == "line 1"


def test_suppressed_context_is_kept() -> None:
    """`raise ... from None` stays that way."""
    with pytest.raises(ValueError, match="x") as caught:
        raise ValueError("x") from None
    assert back(caught.value).__suppress_context__


def test_what_cannot_be_recorded_is_left_out() -> None:
    """Unencodable arguments and attributes do not lose the failure."""
    error = ValueError("bad", threading.Lock())
    error.lock, error.code = threading.Lock(), 7  # type: ignore[attr-defined]
    found = back(error)
    assert type(found) is ValueError
    assert str(found) == re.sub(" at 0x[0-9a-f]+", "", str(error))
    assert vars(found) == {"code": 7}


def test_an_error_within_itself() -> None:
    """Circles through causes, arguments and attributes end."""
    error = ValueError("x")
    error.__cause__ = error
    assert back(error).__cause__.args == ("x",)
    looped = ValueError("y")
    looped.args = (looped, "y")
    assert type(back(looped)) is ValueError
    member = ValueError("member")
    member.__cause__ = group = ExceptionGroup("all", [member])
    assert repr(back(group)) == repr(group)


def test_endless_chains_and_broken_messages_still_encode() -> None:
    """encode_error gives a readable record whatever the exception is like."""
    error = ValueError(0)
    for number in range(1, 500):
        error, error.__cause__ = ValueError(number), error
    found = back(error)
    length = 0
    while found is not None:
        found, length = found.__cause__, length + 1
    assert 10 <= length <= 30

    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert "Mute" in str(back(Mute()))
    small = Codec(max_size=20_000)
    big = small.decode_error(small.encode_error(ValueError("x" * 50_000)))
    assert isinstance(big, StepFailedError)


class Frozen(Exception):
    def __setattr__(self, name: str, value: object) -> None:
        raise TypeError("frozen")


@dataclass(frozen=True)
class Refusal(Exception):
    reason: str
    code: int = 7


def test_a_frozen_exception_keeps_all_it_has() -> None:
    """A class that lets nobody set attributes is recorded and read with its notes and causes."""
    codec = Codec({"class//x.py//Refusal": Refusal})
    error = Refusal("no")
    vars(error)["__notes__"] = ["a note"]
    try:
        raise error from ValueError("why")
    except Refusal as raised:
        found: Any = codec.decode_error(codec.encode_error(raised))
    assert found == Refusal("no")
    assert (found.__notes__, repr(found.__cause__)) == (["a note"], "ValueError('why')")
    assert found.workflow_traceback.splitlines()[-1] == "a note"
    assert "workflow_traceback" not in vars(error)


class NoArguments(Exception):
    args = property(lambda self: 1 / 0)


class NoNotes(Exception):
    def __getattribute__(self, name: str) -> Any:
        if name == "__notes__":
            raise RuntimeError("no notes")
        return super().__getattribute__(name)


class Unreadable(OSError):
    def __init__(self, path: str) -> None:
        super().__init__(13, "not allowed", path)


@pytest.mark.parametrize("kind", [Frozen, NoArguments, NoNotes])
def test_code_of_an_exception_cannot_lose_it(kind: type[Exception]) -> None:
    """An exception whose own code raises is still recorded, by its name and text."""
    try:
        raise kind("what went wrong")
    except kind as error:
        found = back(error)
    assert isinstance(found, StepFailedError)
    assert f"{kind.__name__}: what went wrong" in str(found)
    known = Codec({f"class//x.py//{kind.__name__}": kind})
    assert "what went wrong" in str(known.decode_error(known.encode_error(kind("what went wrong"))))


@pytest.mark.parametrize("notes", [None, 5, "text", ["kept", 5]])
def test_notes_may_be_anything(notes: Any) -> None:
    """Whatever somebody has put where notes are, the exception is recorded."""
    error = ValueError("x")
    error.__notes__ = notes
    assert getattr(back(error), "__notes__", []) == (["kept"] if type(notes) is list else [])


def test_an_own_error_of_the_system_keeps_its_file() -> None:
    """The file name of an OSError is none of its arguments, also in a subclass."""
    codec = Codec({"class//x.py//Unreadable": Unreadable})
    found = codec.decode_error(codec.encode_error(Unreadable("/a")))
    assert (type(found), str(found)) == (Unreadable, "[Errno 13] not allowed: '/a'")
    assert (found.errno, found.filename) == (13, "/a")  # type: ignore[attr-defined]


def test_errors_are_values_too() -> None:
    """An exception inside another value comes back in its place."""
    found = CODEC.decode(CODEC.encode({"errors": [ValueError("a")]}))
    assert repr(found) == "{'errors': [ValueError('a')]}"


def test_other_values_are_no_errors() -> None:
    """decode_error refuses bytes that hold something else."""
    with pytest.raises(SerializationError, match="an error was expected"):
        CODEC.decode_error(CODEC.encode("x"))
