"""What the rules share that speak about a name of `bans.py`."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from weakref import WeakKeyDictionary

from wfc.analyse.bans import BUILTINS, METHODS, Ban
from wfc.analyse.checks.use_notes import also_notes, notes_for
from wfc.analyse.externals import refused
from wfc.analyse.modules import ban_of
from wfc.analyse.types import types_of
from wfc.diagnostics import Diagnostic, Rule
from wfc.model import Module, Program

__all__ = ["banned", "banned_builtins", "sort_keys"]

_NAMES = {name for names in METHODS.values() for name in names}


def banned(program: Program, rule: Rule) -> Iterator[Diagnostic]:
    """The findings of `rule`: a finding for each file and thing its bans are on, for each use of
    a builtin, and for each use of a method."""
    for use in refused(program, rule.code):
        yield rule.at(
            use.first.module,
            use.first.node,
            f"Workflow code cannot use {use.first.target}. {use.refusal.why}",
            use.refusal.instead,
            [*notes_for(program, use.first), *also_notes(use.others)],
        )
    yield from banned_builtins(program, rule)
    for module, node, owner, ban in _method_uses(program).get(rule.code, ()):
        kind = owner.rpartition(".")[2]
        yield rule.at(
            module,
            node,
            f"Workflow code cannot use {kind}.{node.attr}. {ban.why}",
            ban.instead,
        )


def banned_builtins(program: Program, rule: Rule) -> Iterator[Diagnostic]:
    """A finding of `rule` for each use of a builtin that it speaks about."""
    if all(ban.code != rule.code for ban in BUILTINS.values()):
        return
    keys = sort_keys(program)
    for reference in program.reach.references:
        name = reference.target.member
        if reference.target.module != "builtins" or name is None or reference.node in keys:
            continue
        ban = BUILTINS.get(name)
        if ban is not None and ban.code == rule.code:
            yield rule.at(
                reference.module,
                reference.node,
                f"Workflow code cannot use {name}(). {ban.why}",
                ban.instead,
                notes_for(program, reference),
            )


def sort_keys(program: Program) -> Mapping[ast.AST, tuple[Module, ast.Call]]:
    """The names `id` where they say how to sort: a rule of its own speaks about them."""
    found: dict[ast.AST, tuple[Module, ast.Call]] = {}
    builtins = {r.node for r in program.reach.references if str(r.target) == "builtins.id"}
    if builtins:
        for module, node in program.workflow_code():
            if isinstance(node, ast.Call):
                for keyword in node.keywords:
                    if keyword.arg == "key" and keyword.value in builtins:
                        found[keyword.value] = (module, node)
    return found


_MethodUse = tuple[Module, ast.Attribute, str, Ban]
_CACHE: WeakKeyDictionary[Program, Mapping[str, list[_MethodUse]]] = WeakKeyDictionary()


def _method_uses(program: Program) -> Mapping[str, list[_MethodUse]]:
    found = _CACHE.get(program)
    if found is None:
        made: dict[str, list[_MethodUse]] = {}
        types = types_of(program)
        for module, node in program.workflow_code():
            if isinstance(node, ast.Attribute) and node.attr in _NAMES:
                owner = types.type(module, node.value)
                ban = METHODS.get(owner.name, {}).get(node.attr) if owner is not None else None
                # One that is made here is spoken about where its class is named.
                if owner is None or ban is None or (owner.sure and ban_of(owner.name)):
                    continue
                made.setdefault(ban.code, []).append((module, node, owner.name, ban))
        found = _CACHE[program] = made
    return found
