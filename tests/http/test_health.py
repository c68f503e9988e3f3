"""What probes are told."""

from __future__ import annotations

import pytest

from tests.http.doubles import BASE, Recorder, call, lifecycle_of
from workflow.http.generated import GeneratedApp


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "PUT"])
@pytest.mark.parametrize("part", ["flow", "step"])
def test_a_healthy_application_says_so(method: str, part: str) -> None:
    """Any method, without a signature, also where no work is delivered over HTTP."""
    app = Recorder()
    served = GeneratedApp(lifecycle_of(app), {"flow", "step"})
    answer = call(served, method, f"{BASE}/{part}?__health")
    assert answer.status_code == 200
    if method != "HEAD":
        assert answer.json() == {"healthy": True, "endpoint": part}
    assert [entry for entry in app.log if entry != "start"] == []


def test_a_world_that_is_away() -> None:
    """The probe gets 503 and no detail; the log has the reason."""
    app = Recorder()
    app.away = True
    answer = call(GeneratedApp(lifecycle_of(app), {"flow"}), "GET", f"{BASE}/flow?a=1&__health=1")
    assert (answer.status_code, answer.json()) == (503, {"healthy": False, "endpoint": "flow"})


def test_other_queries_ask_for_nothing() -> None:
    """`__health` is the whole name; and a handler only answers for its own part."""
    served = GeneratedApp(lifecycle_of(*[Recorder()] * 3), {"flow"})
    assert call(served, "GET", f"{BASE}/flow?x__health").status_code == 404
    assert call(served, "GET", f"{BASE}/step?__health").status_code == 404
    assert call(served, "GET", f"{BASE}/webhook/t?__health").status_code == 404
