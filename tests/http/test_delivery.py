"""`POST /flow` and `POST /step`: off, signed or refused; a stranger makes nothing run."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from tests.http.doubles import BASE, NOW, Keys, Recorder, call, lifecycle_of
from workflow.errors import (
    StepNotRegisteredError,
    WorkflowRunNotFoundError,
    WorldError,
)
from workflow.http.delivery import delivery_keys
from workflow.http.generated import GeneratedApp
from workflow.http.signing import sign

FLOW, STEP = BASE + "/flow", BASE + "/step"
MESSAGES = {FLOW: {"run_id": "wrun_1"}, STEP: {"run_id": "wrun_1", "step_id": "step_1"}}


def handlers(app: Recorder, transport: str | None = "http") -> GeneratedApp:
    return GeneratedApp(lifecycle_of(*[app] * 9, transport=transport), ("flow", "step"))


def signature(path: str, body: bytes, **changes: Any) -> dict[str, str]:
    (key_id, key), *_ = asyncio.run(delivery_keys(Keys())).items()
    call = {"method": "POST", "message_id": "m", "attempt": 1, "now": NOW, "path": path}
    return sign(**{"key_id": key_id, "key": key, "body": body, **call, **changes})


def deliver(app: Recorder, path: str, body: bytes, **changes: Any) -> httpx.Response:
    headers = signature(path, body, **changes)
    return call(handlers(app), changes.get("method", "POST"), path, content=body, headers=headers)


@pytest.mark.parametrize("path", [FLOW, STEP])
def test_a_signed_delivery_runs_what_it_names(path: str) -> None:
    """The ids reach the application, and the answer says whether there was something to do."""
    app = Recorder()
    for run_id, ran in (("wrun_1", True), ("wrun_2", False)):
        message = MESSAGES[path] | {"run_id": run_id}
        answer = deliver(app, path, json.dumps(message).encode())
        assert (answer.status_code, answer.json()) == (200, {"ran": ran})
        assert app.log[-1][1:] == tuple(message.values())


@pytest.mark.parametrize("path", [FLOW, STEP])
@pytest.mark.parametrize("method", ["POST", "GET", "HEAD", "PUT"])
def test_where_delivery_is_off_there_is_nothing(path: str, method: str) -> None:
    """Without the http transport even a signed call gets the 404 of a path that never existed."""
    app = Recorder()
    off = handlers(app, transport=None)
    body = json.dumps(MESSAGES[path]).encode()
    answer = call(off, method, path, content=body, headers=signature(path, body, method=method))
    other = call(off, method, BASE + "/other")
    assert answer.status_code == 404
    assert (answer.content, answer.headers) == (other.content, other.headers)
    assert set(app.log) == {"start"}


@pytest.mark.fault("F46")
@pytest.mark.parametrize("path", [FLOW, STEP])
def test_what_is_not_rightly_signed_gets_one_answer_and_runs_nothing(path: str) -> None:
    """Missing, malformed, old, moved and wrong signatures cannot be told apart."""
    app = Recorder()
    body = json.dumps(MESSAGES[path]).encode()
    other = STEP if path == FLOW else FLOW
    bad = [
        {},
        {"x-workflow-signature": "nonsense"},
        signature(path, body, now=NOW - 301),
        signature(path, body, now=NOW + 301),
        signature(other, body),
        signature(path, body + b" "),
        signature(path, body, key=b"x" * 32),
        signature(path, body, key_id="2"),
        signature(path, body) | {"x-workflow-attempt": "2"},
    ]
    answers = [call(handlers(app), "POST", path, content=body, headers=headers) for headers in bad]
    answers.append(call(handlers(app), "POST", path, content=b"not json"))
    assert {answer.status_code for answer in answers} == {401}
    assert len({(a.content, str(a.headers)) for a in answers}) == 1
    assert answers[0].json()["error"]["code"] == "unauthorized"
    assert set(app.log) == {"start"}


def test_a_repeated_signature_header_is_refused() -> None:
    """Two signatures in one call do not give an attacker two tries."""
    body = json.dumps(MESSAGES[FLOW]).encode()
    headers = list(signature(FLOW, body).items())
    headers.append(("x-workflow-signature", "t=1,k=1,v1=" + "0" * 64))
    app = Recorder()
    assert call(handlers(app), "POST", FLOW, content=body, headers=headers).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"run_id": 1}',
        b'{"run_id": ""}',
        b'{"run_id": "wrun_1", "step": "x"}',
        b'{"run_id": "\xff"}',
        b'{"run_id": ' + b"[" * 20_000,
        b'{"other": ' + b"[" * 20_000,
    ],
)
def test_a_signed_body_that_says_nothing_is_a_bad_request(body: bytes) -> None:
    """Only an object with exactly the ids is taken, however deep the rest is nested."""
    app = Recorder()
    answer = deliver(app, FLOW, body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad-request")
    assert app.log == ["start"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods_are_refused_after_the_signature(method: str) -> None:
    """405 is for callers with a key; without one the answer is 401 as ever."""
    app = Recorder()
    assert deliver(app, FLOW, b"", method=method).status_code == 405
    assert call(handlers(app), method, FLOW).status_code == 401
    assert set(app.log) == {"start"}


@pytest.mark.fault("F47")
def test_a_large_body_is_refused_before_it_is_read() -> None:
    """64 KiB is the limit: by content-length at once, otherwise as soon as it is passed."""
    app = Recorder()
    answer = deliver(app, FLOW, b"x" * (64 * 1024 + 1))
    assert answer.status_code == 413
    read: list[int] = []

    async def endless() -> Any:
        while True:
            read.append(1024)
            yield b"x" * 1024

    assert call(handlers(app), "POST", FLOW, content=endless()).status_code == 413
    assert len(read) == 65


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (WorkflowRunNotFoundError("wrun_1"), 404, "run-not-found"),
        (StepNotRegisteredError("no such step here"), 500, "step-not-registered"),
        (WorldError("disk full at /secret/place"), 503, "unavailable"),
        (RuntimeError("secret"), 500, "internal"),
    ],
)
def test_failures_are_told_without_their_insides(error: Exception, status: int, code: str) -> None:
    """Known errors keep their codes; nothing of the others leaves the process."""
    app = Recorder()
    body = json.dumps(MESSAGES[FLOW]).encode()

    async def main() -> httpx.Response:
        served = handlers(app)
        transport = httpx.ASGITransport(app=served)
        async with served.lifespan(), httpx.AsyncClient(transport=transport) as client:
            app.fails = error
            headers = signed
            return await client.post("http://server.test" + FLOW, content=body, headers=headers)

    signed = signature(FLOW, body)
    answer = asyncio.run(main())
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert "secret" not in answer.text


def test_a_mount_prefix_is_not_part_of_the_signature() -> None:
    """The same signed call is good behind a proxy that adds or strips a prefix."""
    app = Recorder()
    body = json.dumps(MESSAGES[FLOW]).encode()
    answer = call(
        handlers(app),
        "POST",
        "/api" + FLOW,
        root_path="/api",
        content=body,
        headers=signature(FLOW, body),
    )
    assert answer.json() == {"ran": True}


def test_keys_are_rotated_by_naming_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `WORKFLOW_HTTP_KEYS=2,1` both keys are good, and different."""
    keys = asyncio.run(delivery_keys(Keys(), ("2", "1")))
    assert keys["1"] != keys["2"]
    body = json.dumps(MESSAGES[FLOW]).encode()
    monkeypatch.setenv("WORKFLOW_HTTP_KEYS", "2,1")
    for key_id, key in keys.items():
        answer = deliver(Recorder(), FLOW, body, key_id=key_id, key=key)
        assert answer.status_code == 200
    monkeypatch.setenv("WORKFLOW_HTTP_KEYS", "2")
    assert deliver(Recorder(), FLOW, body).status_code == 401
