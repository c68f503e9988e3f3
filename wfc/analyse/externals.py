"""Whether workflow code may use something from outside the project, and if not, why not."""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from wfc.analyse.bans import BANS, BUILTINS, MOVE, Ban
from wfc.analyse.modules import ban_of, facades, member_advice, names_only
from wfc.model import External, Key, Module, Program, Reference

__all__ = [
    "BANNED",
    "UNKNOWN",
    "UNLISTED",
    "Refusal",
    "Refused",
    "chain_notes",
    "refusal",
    "refused",
]

BANNED, UNKNOWN, UNLISTED = "WF701", "WF702", "WF710"
"""The rules for what has none of its own: the rest of Python, packages nobody knows, and members
that the sandbox's version of a module does not have."""

_SHARED_STATE = frozenset({"numpy.random"})
"""What `passthrough` of the package around it does not let in."""


@dataclass(frozen=True)
class Refusal:
    """A use that is not allowed: why, and what to write instead.

    `thing` is what the finding is about: the package, or the one member of a module of Python.
    """

    code: str
    thing: str
    why: str
    instead: str


@dataclass(frozen=True)
class Refused:
    """One finding's worth of uses in a file: the first, and one for each function more."""

    first: Reference
    refusal: Refusal
    others: tuple[Reference, ...]


def refusal(target: External, passthrough: frozenset[str]) -> Refusal | None:
    """None if workflow code may use `target`."""
    module, member = target.module, target.member
    if module in ("builtins", "__future__"):
        return None
    known = ban_of(str(target))
    if _covers(passthrough, module):
        if known is None or known[0] not in _SHARED_STATE - passthrough:
            return None
        return _banned(target, *known)
    table = facades()
    full = f"{module}.{member}"
    if module in table:
        if member is None:
            return None
        if full not in BANS and (member in table[module] or full in table):
            return None
        if module == "workflow.api":
            return Refusal(UNKNOWN, "workflow", "", MOVE)
        if known is not None:
            return _banned(target, *known)
        why = f"Of {module}, workflow code gets only what a replay can repeat."
        return Refusal(UNLISTED, str(target), why, member_advice(module, member) or MOVE)
    if member is None and any(name.startswith(module + ".") for name in table):
        return None
    if known is not None:
        return _banned(target, *known)
    if _is_python(module):
        why = f"{module} is not among the modules that a replay can repeat."
        return Refusal(BANNED, full if member else module, why, MOVE)
    return Refusal(UNKNOWN, module.partition(".")[0], "", MOVE)


def _banned(target: External, name: str, ban: Ban) -> Refusal:
    member = f"{target.module}.{target.member}" if target.member else target.module
    thing = member if _is_python(name) and len(member) > len(name) else name
    return Refusal(ban.code, thing, ban.why, ban.instead)


def _is_python(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names


def _covers(passthrough: frozenset[str], module: str) -> bool:
    return any(module == name or module.startswith(name + ".") for name in passthrough)


def refused(program: Program, code: str) -> tuple[Refused, ...]:
    """The refused uses that the rule `code` speaks about, one for each file and thing used."""
    found = _CACHE.get(program)
    if found is None:
        found = _CACHE[program] = _all_refused(program)
    return found.get(code, ())


_CACHE: WeakKeyDictionary[Program, Mapping[str, tuple[Refused, ...]]] = WeakKeyDictionary()


def _all_refused(program: Program) -> Mapping[str, tuple[Refused, ...]]:
    groups: dict[tuple[str, str, str], list[tuple[Reference, Refusal]]] = {}
    for reference in sorted(program.reach.references, key=_place):
        refusing = _from_module(reference) or refusal(reference.target, program.passthrough)
        if refusing is not None:
            key = (reference.module.path, refusing.code, refusing.thing)
            groups.setdefault(key, []).append((reference, refusing))
    found: dict[str, list[Refused]] = {}
    for (_, code, _), uses in groups.items():
        first, refusing = uses[0]
        others = {use.owner: use for use, _ in reversed(uses) if use.owner != first.owner}
        found.setdefault(code, []).append(
            Refused(first, refusing, tuple(sorted(others.values(), key=_place)))
        )
    return {code: tuple(each) for code, each in found.items()}


def _from_module(reference: Reference) -> Refusal | None:
    """For a name of a module that workflow code has only without the module: those of `builtins` as
    plain names, those of `types` by their own imports."""
    target = reference.target
    whole = target.module in names_only() and isinstance(reference.imported, ast.Import)
    if whole and target.member and refusal(target, frozenset()) is None:
        why = f"Workflow code gets names of {target.module}, and not the module itself."
        instead = f"Write `from {target.module} import {target.member}`."
        return Refusal(UNLISTED, str(target), why, instead)
    if target.module != "builtins" or target.member in BUILTINS or reference.imported is None:
        return None
    return Refusal(BANNED, str(target), BANS["builtins"].why, "Write the name without the module.")


def _place(reference: Reference) -> tuple[str, int]:
    return reference.module.path, getattr(reference.node, "lineno", 0)


def chain_notes(program: Program, owner: Key) -> list[tuple[Module, int, str]]:
    """How workflow code gets to `owner`, as (module, line, words); empty if `owner` is one."""
    steps = program.chain(owner)
    ends = [*[key for key, _ in steps], owner]
    return [
        (program.modules[key[0]], line, f"{key[1]} uses {after[1]}")
        for (key, line), after in zip(steps, ends[1:], strict=True)
    ]
