"""Choose a world: the one place where a concrete one is picked."""

from __future__ import annotations

import os
from importlib import import_module
from importlib.metadata import entry_points
from inspect import iscoroutinefunction
from typing import Any, cast

from workflow.errors import WorldError
from workflow.world.port import World

__all__ = ["connect", "opening"]

_BUILT_IN = {
    "local": "workflow.worlds.local:create",
    "embedded": "workflow.worlds.local:create",  # the Workflow DevKit's name for it
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
                "the PostgreSQL world needs psycopg: pip install 'workflow-compiler[postgres]'"
            ) from error
        raise WorldError(f"the world {name!r} cannot be loaded: {error}") from error


def opening(world: World) -> World:
    """The world, opened by the first call that needs it: for handles made before anything awaits.

    Opening a world that is open is harmless, so it may be somebody else's as well.
    """
    return cast(World, _Opening(world))


class _Opening:
    def __init__(self, world: World) -> None:
        self._world = world
        self._is_open = False

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._world, name)
        if self._is_open or not iscoroutinefunction(getattr(World, name, None)):
            return found

        async def after_opening(*args: Any, **kwargs: Any) -> Any:
            await self._world.open()
            self._is_open = True
            return await found(*args, **kwargs)

        return after_opening
