"""The world and the codec that calls of this process use, with or without an application."""

from __future__ import annotations

from workflow import local_build
from workflow.classes import ClientCodec
from workflow.codec import Codec
from workflow.connect import connect
from workflow.engine.application import current, current_world, set_current_world
from workflow.engine.sealing import sealing
from workflow.world.port import World

__all__ = ["codec_here", "get_world", "open_world", "set_world"]


def get_world() -> World:
    """The world of the running application; else the one set, or chosen by the environment.

    A child made by fork chooses one of its own by the environment. A world that was set or belongs
    to an application cannot be used across a fork once it is open: set one in the child.
    """
    world = current_world()
    if world is None:
        world = connect()
        set_current_world(world, by_environment=True)
    return sealing(world)


def set_world(world: World | None) -> None:
    """Use `world` in this process where no application is running; None forgets it.

    Raises TypeError for anything but a world.
    """
    if world is not None and not hasattr(world, "claim_runs"):
        raise TypeError(
            "set_world() takes a world such as create_local_world() of workflow.worlds.local, not "
            f"{type(world).__name__}. A name such as 'postgres' belongs into WORKFLOW_TARGET_WORLD"
        )
    set_current_world(world)


async def open_world() -> World:
    """The world, open."""
    world = get_world()
    if current() is None:
        await world.open()
    return world


def codec_here() -> Codec:
    """The codec with the classes of the running application, or of the build that is found."""
    application = current()
    if application is not None:
        return application.codec
    local_build.know_classes()
    return ClientCodec()
