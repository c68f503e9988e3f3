"""`logging` and `print`: kept by the loop until the turn is recorded, so a replay repeats nothing.

Outside of a run (while a module of the bundle is being imported) there is nobody to keep it, and
every replay would say it again: it is dropped.
"""

from __future__ import annotations

import logging as real
import sys
import traceback
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from workflow.errors import SandboxError
from workflow.replay.loop import running

__all__ = ["PRINT_LOGGER", "Logger", "logging_members", "speak_print"]

PRINT_LOGGER = "print"
"""The logger name that printed text is spoken under."""

_LEVELS = "CRITICAL DEBUG ERROR FATAL INFO NOTSET WARN WARNING"


_PLAIN = frozenset(
    {bool, bytes, date, datetime, Decimal, float, int, str, timedelta, type(None), UUID}
)
_OF_RECORDS = frozenset({*vars(real.makeLogRecord({})), "asctime", "message", "taskName"})


def _speak(logger: str, level: int, message: str, extra: Mapping[str, Any] | None = None) -> None:
    loop = running()
    if loop is not None:
        loop.speak(logger, level, message, extra)


def speak_print(
    *values: object,
    sep: str | None = " ",
    end: str | None = "\n",
    file: Any = None,
    flush: bool = False,
) -> None:
    """`print` of workflow code. Only the standard output can be printed to."""
    if file is not None:
        raise SandboxError("print(file=…) is not available in workflow code")
    text = (" " if sep is None else sep).join(map(str, values))
    _speak(PRINT_LOGGER, real.INFO, text + ("" if end in (None, "\n") else str(end)))


def _text_of(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)).rstrip("\n")


class _Levels:
    """The calls that name their level, by way of `log`."""

    __slots__ = ()

    log: Callable[..., None]

    def debug(self, msg: object, *args: Any, **options: Any) -> None:
        self.log(real.DEBUG, msg, *args, **options)

    def info(self, msg: object, *args: Any, **options: Any) -> None:
        self.log(real.INFO, msg, *args, **options)

    def warning(self, msg: object, *args: Any, **options: Any) -> None:
        self.log(real.WARNING, msg, *args, **options)

    def error(self, msg: object, *args: Any, **options: Any) -> None:
        self.log(real.ERROR, msg, *args, **options)

    def exception(self, msg: object, *args: Any, exc_info: Any = True, **options: Any) -> None:
        self.log(real.ERROR, msg, *args, exc_info=exc_info, **options)

    def critical(self, msg: object, *args: Any, **options: Any) -> None:
        self.log(real.CRITICAL, msg, *args, **options)


class Logger(_Levels):
    """What `logging.getLogger` gives workflow code: it speaks, and cannot be configured."""

    __slots__ = ("name",)

    name: str

    def __init__(self, name: str) -> None:
        object.__setattr__(self, "name", name)

    def __setattr__(self, attribute: str, value: object) -> None:
        raise SandboxError(
            "loggers cannot be configured in workflow code; do it in the application"
        )

    def __repr__(self) -> str:
        return f"<Logger {self.name}>"

    def __eq__(self, other: object) -> bool:
        # In logging there is one for each name.
        return isinstance(other, Logger) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def log(
        self,
        level: int,
        msg: object,
        *args: Any,
        exc_info: Any = None,
        stack_info: bool = False,
        stacklevel: int = 1,
        extra: Any = None,
    ) -> None:
        text = _message(msg, args)
        if exc_info:
            error = exc_info if isinstance(exc_info, BaseException) else _current_error()
            text += f"\n{_text_of(error)}" if error is not None else ""
        _speak(self.name, level, text, _plain_extra(extra))

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - the name is logging's
        """Always true: whether a record is shown is for the application, not for the replay."""
        return True

    def getChild(self, suffix: str) -> Logger:  # noqa: N802 - the name is logging's
        return Logger(suffix if self.name == "root" else f"{self.name}.{suffix}")


class LoggerAdapter(_Levels):
    """`logging.LoggerAdapter`: a logger whose messages go through `process`, for subclasses."""

    def __init__(
        self, logger: Any, extra: Mapping[str, Any] | None = None, merge_extra: bool = False
    ) -> None:
        self.logger = logger
        self.extra = extra
        self.merge_extra = merge_extra

    @property
    def name(self) -> str:
        """The name of the logger."""
        return str(self.logger.name)

    def process(self, msg: Any, kwargs: Any) -> tuple[Any, Any]:
        """The message and the options to log with."""
        given = kwargs.get("extra") or {} if self.merge_extra else {}
        return msg, {**kwargs, "extra": {**(self.extra or {}), **given}}

    def log(self, level: int, msg: object, *args: Any, **options: Any) -> None:
        msg, options = self.process(msg, options)
        self.logger.log(level, msg, *args, **options)

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - the name is logging's
        """As that of the logger."""
        return bool(self.logger.isEnabledFor(level))


def _message(msg: object, args: tuple[Any, ...]) -> str:
    """The text of a message. As in logging, a mistake in it does not disturb the workflow."""
    try:
        text = str(msg)
        # A single mapping is for %(name)s.
        single = len(args) == 1 and isinstance(args[0], dict) and args[0]
        return text % (args[0] if single else args) if args else text
    except Exception:
        try:
            return f"{msg} {args!r}"
        except Exception as error:
            return f"a message that cannot be shown: {type(error).__name__}"


def _plain_extra(extra: Any) -> dict[str, Any]:
    """What records get as attributes, as it is when they are made: plain data, and the text of the
    rest. Names that records have themselves are left out, as nothing may fail in logging."""
    try:
        given = dict(extra or ())
    except Exception:
        return {}
    return {
        name: _plain(value)
        for name, value in given.items()
        if type(name) is str and name not in _OF_RECORDS
    }


def _plain(value: Any, depth: int = 4) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        return value
    if depth and (kind is list or kind is tuple):
        return kind(_plain(item, depth - 1) for item in value)
    if depth and kind is dict:
        return {_plain(key, 0): _plain(item, depth - 1) for key, item in value.items()}
    return _message(value, ())


def _current_error() -> BaseException | None:
    return sys.exc_info()[1]


def _get_logger(name: str | None = None) -> Logger:
    return Logger(name or "root")


def logging_members() -> dict[str, Any]:
    """The members of the `logging` facade."""
    root = Logger("root")
    speakers = "critical debug error exception info log warning"
    return {
        **{level: getattr(real, level) for level in _LEVELS.split()},
        **{name: getattr(root, name) for name in speakers.split()},
        "Logger": Logger,
        "LoggerAdapter": LoggerAdapter,
        "getLevelName": real.getLevelName,
        "getLogger": _get_logger,
    }
