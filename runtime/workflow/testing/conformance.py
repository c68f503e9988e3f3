"""The suite that every world passes.

A world of your own is held to the port like this, in a test module of yours::

    from workflow.testing import WorldConformance

    class TestMyWorld(WorldConformance):
        async def make_world(self, clock):
            return MyWorld(url, clock=clock)

`make_world` is called for every test and gives a new, empty world that takes its time from
`clock`. With `make_twin(world, clock)` it also gives a second object on the same store, which is
used like that of another process. The tests are plain methods; they need a runner such as pytest,
but no plug-in.
"""

from __future__ import annotations

from workflow.testing.cases.control import ParkCases, TerminateCases, TokenCases
from workflow.testing.cases.reads import LifeCases, ReadCases, WaitCases
from workflow.testing.cases.retention import BundleCases, PruneCases
from workflow.testing.cases.runs import ClaimCases, CreateCases, MailCases
from workflow.testing.cases.shared import SharedCases
from workflow.testing.cases.streams import OwnStreamCases, StreamCases
from workflow.testing.cases.turns import AppendCases, RefusalCases
from workflow.testing.cases.values import ValueCases
from workflow.testing.cases.work import LeaseCases, TaskCases

__all__ = ["WorldConformance"]


class WorldConformance(
    CreateCases,
    MailCases,
    ClaimCases,
    AppendCases,
    RefusalCases,
    TokenCases,
    ParkCases,
    TerminateCases,
    TaskCases,
    LeaseCases,
    StreamCases,
    OwnStreamCases,
    ReadCases,
    ValueCases,
    SharedCases,
    BundleCases,
    PruneCases,
    WaitCases,
    LifeCases,
):
    """Subclass it, name the class `Test…`, and give it a `make_world`, and a
    `make_twin` if several processes can share a store."""
