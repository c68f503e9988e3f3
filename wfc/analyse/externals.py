"""Whether workflow code may use something from outside the project, and if not, why not."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from enum import Enum, auto

from wfc.analyse.modules import MOVE, Why, facades, why_banned
from wfc.model import External, Key, Module, Program, Reference

__all__ = ["Reason", "Refusal", "chain_notes", "refusal", "refused"]


class Reason(Enum):
    """Which rule speaks."""

    BANNED = auto()
    UNKNOWN = auto()
    UNLISTED = auto()


@dataclass(frozen=True)
class Refusal:
    """A use that is not allowed; `why` has the reason and what to write instead."""

    reason: Reason
    why: Why


def refusal(target: External, passthrough: frozenset[str]) -> Refusal | None:
    """None if workflow code may use `target`."""
    module, member = target.module, target.member
    if module in ("builtins", "__future__") or _covers(passthrough, module):
        return None
    table = facades()
    if module in table:
        if member is None or member in table[module]:
            return None
        if f"{module}.{member}" in table:
            return None
        why: Why = why_banned(f"{module}.{member}") or (
            f"Of {module}, workflow code gets only what a replay can repeat.",
            MOVE,
        )
        return Refusal(Reason.UNLISTED, why)
    if member is None and any(name.startswith(module + ".") for name in table):
        return None
    if (known := why_banned(str(target))) is not None:
        return Refusal(Reason.BANNED, known)
    if module.partition(".")[0] in sys.stdlib_module_names:
        general = f"{module} is not among the modules that a replay can repeat."
        return Refusal(Reason.BANNED, (general, MOVE))
    return Refusal(Reason.UNKNOWN, ("", MOVE))


def _covers(passthrough: frozenset[str], module: str) -> bool:
    return any(module == name or module.startswith(name + ".") for name in passthrough)


def refused(program: Program, reason: Reason) -> list[tuple[Reference, Refusal]]:
    """The refused uses of one kind, one for each function and thing used."""
    found: dict[tuple[Key, str], tuple[Reference, Refusal]] = {}
    for reference in program.reach.references:
        refused = refusal(reference.target, program.passthrough)
        if refused is not None and refused.reason is reason:
            target = reference.target
            what = {
                Reason.UNKNOWN: target.module,
                Reason.BANNED: f"{target.module}.{target.member}",
                Reason.UNLISTED: str(target),
            }[reason]
            found.setdefault((reference.owner, what), (reference, refused))
    return list(found.values())


def chain_notes(program: Program, owner: Key) -> list[tuple[Module, int, str]]:
    """How workflow code gets to `owner`, as (module, line, words); empty if `owner` is one."""
    steps = program.chain(owner)
    ends = [*[key for key, _ in steps], owner]
    return [
        (program.modules[key[0]], line, f"{key[1]} uses {after[1]}")
        for (key, line), after in zip(steps, ends[1:], strict=True)
    ]
