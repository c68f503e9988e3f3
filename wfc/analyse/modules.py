"""Modules outside the project: which there are, and what workflow code finds in them.

The sandbox owns the list of importable modules and members; `bans.py` has the reasons for what is
not among them.
"""

from __future__ import annotations

import builtins
import difflib
from collections.abc import Iterable, Mapping
from functools import cache

from wfc.analyse.bans import BANS, MODULES_BELOW, Ban

__all__ = [
    "ban_of",
    "external_modules",
    "facades",
    "is_builtin",
    "member_advice",
    "names_only",
    "suggest",
]


@cache
def facades() -> Mapping[str, frozenset[str]]:
    """The modules that workflow code may import, with their listed members."""
    from workflow.sandbox.facades import names

    return names()


def names_only() -> frozenset[str]:
    """Those of them that cannot be imported themselves, only names out of them."""
    from workflow.sandbox.facades import NAMES_ONLY

    return NAMES_ONLY


def member_advice(module: str, member: str) -> str | None:
    """What the sandbox says to do instead of using a member that it leaves out, as sentences."""
    from workflow.sandbox.facades import member_advice

    said = member_advice(module, member)
    return said and f"{said[0].upper()}{said[1:]}."


@cache
def external_modules() -> frozenset[str]:
    """The dotted names that are modules outside the project, as far as the compiler knows any."""
    return frozenset(facades()) | {n for n in BANS if "." not in n} | MODULES_BELOW


def ban_of(dotted: str) -> tuple[str, Ban] | None:
    """The ban on a name, with the part of the name it is on; None if nothing is known about it."""
    parts = dotted.split(".")
    for end in range(len(parts), 0, -1):
        name = ".".join(parts[:end])
        if (ban := BANS.get(name)) is not None:
            return name, ban
    return None


def is_builtin(name: str) -> bool:
    """Whether Python itself defines the name everywhere."""
    return hasattr(builtins, name) or name in _OF_SITE


# The module `site` puts these there, unless Python was started without it.
_OF_SITE = ("exit", "help", "quit")


def suggest(name: str, choices: Iterable[str]) -> str | None:
    """The closest of `choices`, if one is close."""
    close = difflib.get_close_matches(name, sorted(choices), n=1, cutoff=0.7)
    return close[0] if close else None
