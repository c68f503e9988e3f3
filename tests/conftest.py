"""What holds for all tests: how much property tests try, and what processes inherit."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests import forks
from tests.postgres import stop_shared

# Every turn of every run in the suite is replayed cold before it is recorded. A test may switch it
# off with monkeypatch; processes that tests start inherit it.
os.environ.setdefault("WORKFLOW_REPLAY_CHECK", "1")

# A shell starts what it puts into the background with SIGINT ignored, which processes that tests
# start and interrupt would inherit.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Quick by default, and the same each time; long and by chance under `make test-all`.
settings.register_profile("quick", deadline=None, derandomize=True)
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile("thorough" if "WORKFLOW_TEST_THOROUGH" in os.environ else "quick")


# What is collected is kept as bytecode, whatever the environment says. Projects that tests write
# are not: Python would take the bytecode of a module for that of one which a test has put into its
# place in the same second, if both have the same length.
sys.dont_write_bytecode = False
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"


def pytest_collection_finish() -> None:
    """Take what exists before the first test out of the garbage collector's sight.

    Thousands of collected tests are no garbage, and many tests have it collected: it took most of
    their time to look through the former.
    """
    sys.dont_write_bytecode = True
    gc.freeze()


@pytest.fixture(scope="module", autouse=True)
def _forget_modules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Each file of tests imports without the modules of other files' projects: there is more than
    one `orders`."""
    path = list(sys.path)
    yield
    sys.path[:] = path
    folders = (str(tmp_path_factory.getbasetemp()), str(Path(__file__).parents[1] / "examples"))
    for name, module in list(sys.modules.items()):
        places = [getattr(module, "__file__", None), *getattr(module, "__path__", ())]
        if any(place and place.startswith(folders) for place in places):
            del sys.modules[name]


@pytest.fixture(scope="session", autouse=True)
def _stop_processes() -> Iterator[None]:
    """Stop the PostgreSQL and the forked commands that tests have started."""
    yield
    forks.stop()
    stop_shared()
