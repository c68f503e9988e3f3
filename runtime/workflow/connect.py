"""Choose a world: the one place where a concrete one is picked."""

from __future__ import annotations

import os
from importlib import import_module
from importlib.metadata import entry_points
from typing import cast

from workflow.errors import WorldError
from workflow.world.port import World

__all__ = ["connect"]

_BUILT_IN = {
    "local": "workflow.worlds.local:create",
    "embedded": "workflow.worlds.local:create",  # the reference's name for it
    "memory": "workflow.worlds.memory:create",
    "postgres": "workflow.worlds.postgres:create",
}


def connect(target: str | None = None) -> World:
    """A world that is not open yet.

    `target` is `local` (alias `embedded`), `memory`, `postgres`, the name of an entry point of the
    group `workflow.worlds`, or `module:factory`; default WORKFLOW_TARGET_WORLD, then `local`.
    Raises WorldError for a target that cannot be found.
    """
    name = target or os.environ.get("WORKFLOW_TARGET_WORLD") or "local"
    place = _BUILT_IN.get(name)
    if place is None and ":" in name:
        place = name
    if place is None:
        found = entry_points(group="workflow.worlds", name=name)
        if not found:
            known = sorted({*_BUILT_IN, *(e.name for e in entry_points(group="workflow.worlds"))})
            raise WorldError(
                f"no world is called {name!r}. WORKFLOW_TARGET_WORLD takes {', '.join(known)}, "
                "or module:factory"
            )
        return cast(World, next(iter(found)).load()())
    module, _, factory = place.partition(":")
    try:
        return cast(World, getattr(import_module(module), factory)())
    except (ImportError, AttributeError) as error:
        if isinstance(error, ModuleNotFoundError) and (error.name or "").startswith("psycopg"):
            raise WorldError(
                "the PostgreSQL world needs psycopg; install workflow-compiler[postgres]"
            ) from error
        raise WorldError(f"the world {name!r} cannot be loaded: {error}") from error
