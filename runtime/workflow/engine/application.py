"""One project on one world in one process: what `with_workflow`, the generated handlers and the
command line start and stop."""

from __future__ import annotations

import logging
import os

from workflow import web
from workflow.authoring.sources import Source, use_outside
from workflow.codec import Codec
from workflow.engine import failpoints, settings, webhooks
from workflow.engine.project import Project
from workflow.engine.sealing import sealing
from workflow.engine.worker import Worker
from workflow.errors import ContextError, WorkflowError
from workflow.world.port import World

__all__ = ["Application", "current", "current_world", "set_current_world"]

_log = logging.getLogger("workflow.engine")
_current: Application | None = None
_world: World | None = None
_chosen = False  # nobody gave the world: the environment says which
_inherited: list[World] = []
_only_steps = False


def current() -> Application | None:
    """The application that was started last in this process and not stopped."""
    return _current


def current_world() -> World | None:
    """The world of the running application, or the one that was set."""
    return _current.world if _current is not None else _world


def set_current_world(world: World | None, *, by_environment: bool = False) -> None:
    """Use `world` where no application is running.

    One `by_environment` belongs to this process: a child made by fork chooses one of its own.
    """
    global _world, _chosen
    _world, _chosen = world, by_environment


def _after_fork() -> None:
    """A world that is open cannot be used across a fork, so a server that loads its application
    and then forks would have to know. What the parent opened is kept: closing it is the parent's.
    """
    if _chosen and _world is not None:
        _inherited.append(_world)
        set_current_world(None)


os.register_at_fork(after_in_child=_after_fork)


def only_steps(application: Application | None) -> None:
    """Make this process one that runs steps for a worker elsewhere.

    `application` is the current one from here on, without being started, and no other starts.
    """
    global _current, _only_steps
    _current, _only_steps = application, True


def _source() -> Source:
    if _current is None:
        raise ContextError("no application is running here, so nothing says where this stream is")
    return Source(_current.world, _current.codec)


use_outside(_source)


class Application:
    """`project` at work on `world`. With `worker=False` it only creates, posts and answers.

    `grace` is how many seconds running steps get to finish when it stops.
    """

    def __init__(
        self, world: World, project: Project, *, worker: bool = True, grace: float = 5.0
    ) -> None:
        self._grace = grace
        self.world = sealing(failpoints.watched(world))
        self.project = project
        self.base_url = ""
        self.codec = Codec(project.registry.classes, functions=project.registry)
        self._wants_worker = worker
        self._worker: Worker | None = None
        self._before: Application | None = None

    async def start(self) -> None:
        """Open the world, keep the bundle in it, and begin to work.

        Raises WorldError, and ValueError for a setting of the environment that means nothing.
        """
        global _current
        if _only_steps:
            raise WorkflowError(
                "this process runs steps for a worker, and importing their module started an "
                'application in it. Put what starts it under `if __name__ == "__main__":`'
            )
        await self.world.open()
        try:
            settings.check(os.environ, base_url=self.base_url)
            for slip in settings.slips(os.environ):
                _log.warning("%s", slip)
            self._worker = Worker(self.world, self.project, grace=self._grace)
            await self._worker.publish()
            if self._wants_worker:
                await self._worker.start()
        except BaseException:
            await self.world.close()
            raise
        self._before, _current = _current, self

    async def stop(self) -> None:
        """Hand unfinished work over and close the world."""
        global _current
        if _current is self:
            _current = self._before
        worker, self._worker = self._worker, None
        try:
            if worker is not None and self._wants_worker:
                await worker.stop()
            elif worker is not None:
                await worker.processes.close()
        finally:
            await self.world.close()

    async def __aenter__(self) -> Application:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def reach_world(self) -> None:
        """Return when the world has answered something. Raises WorldError when it cannot."""
        await self.world.list_workers()

    async def run_once(self, run_id: str) -> bool:
        """Take turns of due runs through the ordinary claim; whether `run_id` was among them."""
        if self._worker is None or self._wants_worker:
            return False  # the worker of this process has been told by the world already
        return run_id in await self._worker.work_once()

    async def task_once(self, run_id: str, step_id: str) -> bool:
        """Run due tasks through the ordinary claim; whether that step is no task any more."""
        if self._worker is None or self._wants_worker:
            return False
        before = {task.step_id for task in await self.world.list_tasks(run_id)}
        await self._worker.work_once()
        after = {task.step_id for task in await self.world.list_tasks(run_id)}
        return step_id in before - after

    async def deliver_webhook(self, token: str, request: web.Request) -> web.Response:
        """See `workflow.engine.webhooks.deliver`."""
        return await webhooks.deliver(self.world, self.codec, token, request)
