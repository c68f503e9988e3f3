"""The whole analysis: modules with directives in, `Program` out."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping

from wfc.analyse import decorators, ids, reach
from wfc.analyse.externals import refusal
from wfc.analyse.field_classes import field_classes, signature_classes
from wfc.analyse.forms import is_generic_model
from wfc.analyse.keeping import Keeper
from wfc.analyse.modules import external_modules
from wfc.analyse.names import Names
from wfc.model import Form, Key, Kind, Marked, Module, Program, Reach

__all__ = ["analyse"]

Find = Callable[[str], Module | None]
_OUTWARD = {f"builtins.{name}" for name in ("open", "input", "exec", "eval", "breakpoint")}


def analyse(
    modules: Iterable[Module],
    *,
    find: Find,
    is_folder: Callable[[str], bool],
    accepts: Callable[[Module, Key], bool],
    passthrough: frozenset[str] = frozenset(),
    shadows: tuple[Module, ...] = (),
    resumes_hooks: bool = True,
    oldest_python: tuple[int, int] | None = None,
    package: str = "",
) -> Program:
    """Analyse `modules`, the ones with directives.

    `find` gives further modules of the project by import name, `is_folder` tells namespace
    packages, `accepts` says whether the sandbox would take a top-level class as it stands,
    `passthrough` names modules the user vouches for, `shadows` are files that hide ours. The
    rest is handed on.
    """
    seen: dict[str, Module] = {m.name: m for m in modules}

    def remembering(name: str) -> Module | None:
        if name not in seen and (found := find(name)) is not None:
            seen[name] = found
        return seen.get(name)

    def obstacle(before: Reach, after: Reach) -> str:
        """What of the things that are reached in addition workflow code cannot have."""
        if len(after.missing) > len(before.missing):
            return f"it needs {after.missing[-1].name}, which is not there"
        known = {r.node for r in before.references}
        fresh = [r for r in after.references if r.node not in known]
        for reference in fresh:
            if refusal(reference.target, passthrough):
                return f"it needs {reference.target}, which no workflow may use"
        for key in after.parents:
            if key not in before.parents and not accepts(seen[key[0]], key):
                return f"it needs the class {key[1]}, which workflow code cannot have"
            if key not in before.parents and is_generic_model(names, key):
                return f"{key[1]} is a generic model, and workflow code cannot make one"
        return ""

    def is_clean(before: Reach, after: Reach) -> bool:
        return not obstacle(before, after)

    def may_run(before: Reach, after: Reach) -> str:
        known = {r.node for r in before.references}
        for reference in after.references:
            if reference.node not in known and str(reference.target) in _OUTWARD:
                return f"it calls {reference.target.member}()"
        return obstacle(before, after)

    outside = external_modules() | passthrough
    names = Names(remembering, is_folder, outside)
    glimpses = Names(lambda name: seen.get(name) or find(name), is_folder, outside)
    marked = ids.marked(seen.values())
    while True:
        foreign = decorators.foreign(names, marked, passthrough)
        left_out: frozenset[ast.AST] = frozenset(foreign)
        # A module found on the way may bring steps of its own, whose bodies must not be followed.
        reached = reach.walk(names, marked, left_out=left_out)
        keeper = Keeper(names, glimpses, seen.values, may_run, left_out)
        reached = keeper.settle(marked, reached)
        more = ids.marked(seen.values())
        if len(more) == len(marked):
            break
        marked = more
    steps = _steps_reached(marked, reached)
    signatures = [m for m in marked if m.id in steps or m.kind is Kind.WORKFLOW]
    receivers = _receivers(marked)
    # An instance may come to a workflow as the result of a step whose signature does not say so.
    near = {key for key in receivers if key[0] in reached.keep}
    given = reach.given_classes(names, (m for m in signatures if m.kind is Kind.STEP))
    wanted = sorted({*signature_classes(names, signatures), *near, *given})

    reached, tried = reach.trial(names, marked, reached, wanted, is_clean, left_out, keeper.kept)
    reached = keeper.settle(marked, reached, [key for key, there in tried.items() if there])
    classes = {
        **dict.fromkeys(
            reach.made_classes(names, (m for m in marked if m.kind is Kind.STEP)), False
        ),
        **dict.fromkeys(receivers, False),
        **_own_classes(seen, reached),
        **tried,
    }
    return Program(
        modules=dict(sorted(seen.items())),
        marked=marked,
        reach=reached,
        classes={**dict.fromkeys(field_classes(names, classes), False), **classes},
        passthrough=passthrough,
        shadows=shadows,
        decorators={
            decorator: name
            for m in marked
            for decorator in m.node.decorator_list
            if (name := decorators.name_of(names, m.module, decorator))
        },
        foreign=foreign,
        resumes_hooks=resumes_hooks,
        oldest_python=oldest_python,
        package=package,
    )


def _steps_reached(marked: tuple[Marked, ...], reached: Reach) -> set[str]:
    return {m.id for m in marked if m.key in reached.parents}


def _receivers(marked: tuple[Marked, ...]) -> set[Key]:
    """The classes whose instances, or which themselves, are arguments of their own steps."""
    return {
        m.key
        for m in marked
        if m.kind is Kind.STEP
        and m.key[1] != m.qualname.partition(".<locals>")[0]
        and (m.form in (Form.INSTANCE, Form.CLASS) or m.captured)
    }


def _own_classes(modules: Mapping[str, Module], reached: Reach) -> dict[Key, bool]:
    found: dict[Key, bool] = {}
    for module, name in sorted(reached.parents):
        home = modules.get(module)
        for index in home.bindings.get(name, ()) if home is not None else ():
            if home is not None and isinstance(home.tree.body[index], ast.ClassDef):
                found[(module, name)] = True
    return found
