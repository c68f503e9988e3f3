"""What holds for all tests: how much property tests try, and what processes inherit."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.postgres import stop_shared

# Every turn of every run in the suite is replayed cold before it is recorded. A test may switch it
# off with monkeypatch; processes that tests start inherit it.
os.environ.setdefault("WORKFLOW_REPLAY_CHECK", "1")

# A shell starts what it puts into the background with SIGINT ignored, which processes that tests
# start and interrupt would inherit.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Quick by default, long under `make test-all`.
settings.register_profile("quick", deadline=None)
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile("thorough" if "WORKFLOW_TEST_THOROUGH" in os.environ else "quick")


@pytest.fixture(scope="session", autouse=True)
def _stop_postgres() -> Iterator[None]:
    """Stop the PostgreSQL that tests have started."""
    yield
    stop_shared()
