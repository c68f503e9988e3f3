"""Signatures of deliveries: what is signed, and what is refused."""

import hashlib
import hmac

import pytest

from workflow.http.signing import WINDOW, sign, verify

KEY = b"k" * 32
CALL = {"method": "POST", "path": "/.well-known/workflow/v1/flow", "body": b'{"run_id":"wrun_1"}'}
KEYS = {"1": KEY}
NOW = 1_800_000_000


def signed(**changes: object) -> dict[str, str]:
    arguments = {"key_id": "1", "key": KEY, "now": NOW, "message_id": "m-1", "attempt": 1, **CALL}
    return sign(**{**arguments, **changes})  # type: ignore[arg-type]


def test_the_format_is_the_documented_one() -> None:
    """The digest can be computed by anybody from the documented seven lines."""
    body_hash = hashlib.sha256(CALL["body"]).hexdigest()  # type: ignore[arg-type]
    text = f"v1\n{NOW}\nPOST\n/.well-known/workflow/v1/flow\nm-1\n1\n{body_hash}"
    digest = hmac.new(KEY, text.encode(), "sha256").hexdigest()
    assert signed() == {
        "x-workflow-signature": f"t={NOW},k=1,v1={digest}",
        "x-workflow-message-id": "m-1",
        "x-workflow-attempt": "1",
    }


def test_a_signed_call_is_accepted() -> None:
    """What `sign` makes, `verify` accepts."""
    assert verify(signed(), keys=KEYS, now=NOW, **CALL)  # type: ignore[arg-type]


@pytest.mark.fault("F46")
@pytest.mark.parametrize(
    "change",
    [
        {"method": "PUT"},
        {"path": "/.well-known/workflow/v1/step"},
        {"body": b'{"run_id":"wrun_2"}'},
        {"keys": {"1": b"x" * 32}},
        {"keys": {"2": KEY}},
        {"keys": {}},
    ],
)
def test_a_signature_fits_one_call_and_one_key(change: dict[str, object]) -> None:
    """Another method, path, body or key makes the signature worthless."""
    assert not verify(signed(), **{"keys": KEYS, "now": NOW, **CALL, **change})  # type: ignore[arg-type]


@pytest.mark.parametrize("header", ["x-workflow-message-id", "x-workflow-attempt"])
def test_a_body_cannot_move_to_another_delivery(header: str) -> None:
    """The message id and the attempt are part of what is signed."""
    headers = signed() | {header: "7"}
    assert not verify(headers, keys=KEYS, now=NOW, **CALL)  # type: ignore[arg-type]


@pytest.mark.fault("F46")
@pytest.mark.parametrize(
    ("seconds", "good"),
    [(0, True), (WINDOW, True), (-WINDOW, True), (WINDOW + 1, False), (-WINDOW - 1, False)],
)
def test_a_signature_is_good_for_five_minutes(seconds: int, good: bool) -> None:
    """Old signatures, and those from a future, are refused."""
    assert verify(signed(), keys=KEYS, now=NOW + seconds, **CALL) is good  # type: ignore[arg-type]


def test_two_keys_are_good_during_a_rotation() -> None:
    """Calls signed with the old and with the new key are both accepted."""
    keys = {"2": b"n" * 32, "1": KEY}
    new = signed(key_id="2", key=keys["2"])
    assert verify(signed(), keys=keys, now=NOW, **CALL)  # type: ignore[arg-type]
    assert verify(new, keys=keys, now=NOW, **CALL)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v1=abc",
        "{good},{good}",
        "{good} ",
        " {good}",
        "{good}\n",
        "k=1,{good}",
        "t=x,k=1,v1={digest}",
        "t=1800000000,k=1,v1=",
        "t=1800000000,k=1,v1={DIGEST}",
        "t=1800000000,k=1,v1={digest}0",
        "t=1800000000,k=,v1={digest}",
        "t=-1,k=1,v1={digest}",
        "t=١,k=1,v1={digest}",
        "t=99999999999999999999,k=1,v1={digest}",
    ],
)
def test_malformed_signatures_are_refused(text: str) -> None:
    """Anything but the exact format is refused, and nothing raises."""
    headers = signed()
    good = headers["x-workflow-signature"]
    digest = good.rpartition("=")[2]
    headers["x-workflow-signature"] = text.format(
        good=good, digest=digest, DIGEST=digest.upper() + ""
    )
    assert headers["x-workflow-signature"] != good
    assert not verify(headers, keys=KEYS, now=NOW, **CALL)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", list(signed()))
def test_every_header_is_needed(name: str) -> None:
    """A call without any one of the three headers is refused."""
    headers = signed()
    del headers[name]
    assert not verify(headers, keys=KEYS, now=NOW, **CALL)  # type: ignore[arg-type]
