"""The whole analysis: modules with directives in, `Program` out."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping

from wfc.analyse import ids, reach
from wfc.analyse.externals import refusal
from wfc.analyse.modules import facades, named
from wfc.analyse.names import Names
from wfc.model import Key, Marked, Module, Program, Reach

__all__ = ["analyse"]

Find = Callable[[str], Module | None]


def analyse(
    modules: Iterable[Module],
    *,
    find: Find,
    is_folder: Callable[[str], bool],
    accepts: Callable[[Module, Key], bool],
    passthrough: frozenset[str] = frozenset(),
    shadows: tuple[Module, ...] = (),
) -> Program:
    """Analyse `modules`, the ones with directives.

    `find` gives further modules of the project by import name, `is_folder` tells namespace
    packages, `accepts` says whether the sandbox would take a top-level class as it stands,
    `passthrough` names modules the user vouches for, `shadows` are files that hide ours.
    """
    seen: dict[str, Module] = {m.name: m for m in modules}

    def remembering(name: str) -> Module | None:
        if name not in seen and (found := find(name)) is not None:
            seen[name] = found
        return seen.get(name)

    names = Names(remembering, is_folder, _external_modules() | passthrough)
    marked = ids.marked(seen.values())
    while True:
        # A module found on the way may bring steps of its own, whose bodies must not be followed.
        reached = reach.walk(names, marked)
        more = ids.marked(seen.values())
        if len(more) == len(marked):
            break
        marked = more
    steps = _steps_reached(marked, reached)
    signatures = [m for m in marked if m.id in steps or m.kind == "workflow"]
    wanted = sorted(reach.signature_classes(names, signatures))

    def is_clean(before: Reach, after: Reach) -> bool:
        if len(after.missing) > len(before.missing):
            return False
        known = {r.node for r in before.references}
        fresh = [r for r in after.references if r.node not in known]
        return not any(refusal(r.target, passthrough) for r in fresh) and all(
            accepts(seen[key[0]], key) for key in after.parents if key not in before.parents
        )

    reached, classes = reach.trial(names, marked, reached, wanted, is_clean)
    return Program(
        modules=dict(sorted(seen.items())),
        marked=marked,
        reach=reached,
        classes={**_own_classes(seen, reached), **classes},
        passthrough=passthrough,
        shadows=shadows,
    )


def _external_modules() -> frozenset[str]:
    known = frozenset(facades())
    # What is named with a reason may also be a member of a module that has a facade.
    return known | {name for name in named() if name.rpartition(".")[0] not in known}


def _steps_reached(marked: tuple[Marked, ...], reached: Reach) -> set[str]:
    return {m.id for m in marked if m.key in reached.parents}


def _own_classes(modules: Mapping[str, Module], reached: Reach) -> dict[Key, bool]:
    found: dict[Key, bool] = {}
    for module, name in sorted(reached.parents):
        home = modules.get(module)
        for index in home.bindings.get(name, ()) if home is not None else ():
            if home is not None and isinstance(home.tree.body[index], ast.ClassDef):
                found[(module, name)] = True
    return found
