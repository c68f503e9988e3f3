"""Which address webhook URLs begin with."""

import pytest

from tests.http.doubles import scope_of
from workflow.http.base_url import Bound, base_url, bound_by

BOUND = Bound("http://10.0.0.7:8000", "/api")


@pytest.mark.parametrize(
    ("explicit", "environ", "bound", "expected"),
    [
        (None, {}, None, "http://localhost:3000"),
        (None, {"PORT": "8080"}, None, "http://localhost:8080"),
        (None, {"PORT": "8080"}, BOUND, "http://10.0.0.7:8000/api"),
        (None, {"WORKFLOW_EMBEDDED_BASE_URL": "https://e.test"}, BOUND, "https://e.test/api"),
        (
            None,
            {"WORKFLOW_BASE_URL": "https://w.test", "WORKFLOW_EMBEDDED_BASE_URL": "https://e.test"},
            None,
            "https://w.test",
        ),
        ("https://x.test/", {"WORKFLOW_BASE_URL": "https://w.test"}, None, "https://x.test"),
        ("https://x.test/api/", {}, BOUND, "https://x.test/api"),
        ("", {"WORKFLOW_BASE_URL": "", "PORT": ""}, Bound(), "http://localhost:3000"),
        (None, {}, Bound("", "/api"), "http://localhost:3000/api"),
    ],
)
def test_the_order_of_sources(
    explicit: str | None, environ: dict[str, str], bound: Bound | None, expected: str
) -> None:
    """Argument, two settings, the server's address, PORT, 3000; a bare origin keeps root_path."""
    assert base_url(explicit, environ, bound) == expected


NONE = ["example.com", "ftp://x.test", "https://", "https://x.test?a=1", "https://x.test:http"]


@pytest.mark.parametrize("value", NONE)
def test_what_is_no_address_is_refused(value: str) -> None:
    """A value that webhook URLs cannot begin with is named together with its source."""
    with pytest.raises(ValueError, match="WORKFLOW_BASE_URL is a URL"):
        base_url(None, {"WORKFLOW_BASE_URL": value})


@pytest.mark.parametrize("value", ["http", "0", "65536", "-1", "80 ", "8" * 5000])
def test_what_is_no_port_is_refused(value: str) -> None:
    """Where it is asked for: a server that says its address needs no PORT."""
    with pytest.raises(ValueError, match="PORT is a number"):
        base_url(None, {"PORT": value})
    assert base_url(None, {"PORT": value}, BOUND) == "http://10.0.0.7:8000/api"


@pytest.mark.parametrize(
    ("parts", "origin"),
    [
        ({}, "http://10.0.0.7:8000"),
        ({"server": ("10.0.0.7", 80)}, "http://10.0.0.7"),
        ({"server": ("::1", 8000)}, "http://[::1]:8000"),
        ({"scheme": "https", "server": ("10.0.0.7", 443)}, "https://10.0.0.7"),
        (
            {"scheme": "https", "headers": [(b"x-forwarded-proto", b"https")]},
            "http://10.0.0.7:8000",
        ),
        ({"server": ("/run/app.sock", None)}, ""),
        ({"server": None}, ""),
        ({"headers": [(b"host", b"evil.test")]}, "http://10.0.0.7:8000"),
    ],
)
def test_the_address_of_the_server(parts: dict[str, object], origin: str) -> None:
    """The socket counts; headers that a caller can set do not."""
    assert bound_by(scope_of("/", **parts)).origin == origin


def test_a_mount_inside_our_own_paths_is_no_prefix() -> None:
    """A handler mounted right at its path has the prefix that stands before that path."""
    scope = scope_of("/", root_path="/api/.well-known/workflow/v1/webhook")
    assert bound_by(scope).root_path == "/api"
