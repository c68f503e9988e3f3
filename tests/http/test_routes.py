"""Which paths are ours, under every convention for mounts."""

import pytest

from tests.http.doubles import BASE, scope_of
from workflow.http.routes import mounted_path, public_path, webhook_token


@pytest.mark.parametrize(
    ("root_path", "path", "expected"),
    [
        ("", BASE + "/flow", BASE + "/flow"),
        ("/api", "/api" + BASE + "/flow", BASE + "/flow"),  # the ASGI convention
        ("/api", BASE + "/flow", BASE + "/flow"),  # Hypercorn, Litestar: already stripped
        ("/api/", "/api" + BASE + "/flow", BASE + "/flow"),
        (BASE, BASE + "/flow", BASE + "/flow"),  # mounted at our base path
        (BASE + "/flow", BASE + "/flow", BASE + "/flow"),  # a handler at its own path
        (BASE + "/flow", BASE + "/flow/", BASE + "/flow"),
        ("/api" + BASE + "/webhook", "/api" + BASE + "/webhook/a/b", BASE + "/webhook/a/b"),
        ("", BASE, BASE),
        ("", BASE + "/", BASE + "/"),
        ("", BASE + "x/flow", ""),
        ("", "/api" + BASE + "/flow", ""),
        ("/ap", "/api" + BASE + "/flow", ""),
        ("", "/", ""),
        ("", "", ""),
        ("", "/x" + BASE[1:] + "/flow", ""),
    ],
)
def test_the_path_from_our_base_on(root_path: str, path: str, expected: str) -> None:
    """Prefixes of mounts and servers are left out; other paths are not ours."""
    assert public_path(scope_of(path, root_path=root_path)) == expected


@pytest.mark.parametrize(
    ("scope", "token"),
    [
        ({"raw_path": f"/a{BASE}/webhook/x%2Fy".encode(), "path": "/webhook/x/y"}, "x/y"),
        ({"raw_path": f"{BASE}/webhook/x?y=1".encode()}, "x"),
        ({"raw_path": None, "path": BASE + "/webhook/100%"}, "100%"),
        ({"raw_path": b"/.well%2Dknown/workflow/v1/webhook/x", "path": BASE + "/webhook/x"}, "x"),
        ({"raw_path": f"{BASE}/webhook/%FF".encode()}, None),
        ({"raw_path": f"{BASE}/webhook/".encode()}, None),
    ],
)
def test_the_token_comes_from_the_raw_path(scope: dict[str, object], token: str | None) -> None:
    """What frameworks do to `path` does not matter where the server gives the raw one."""
    assert webhook_token(scope_of(BASE + "/webhook/", **{"raw_path": None, **scope})) == token


def test_a_mount_that_leaves_no_trace() -> None:
    """Litestar strips its mount from the path and names it nowhere; the raw path still has it."""
    raw = b"/api/.well-known/workflow/v1/webhook/a%2Fb?x=1"
    scope = scope_of("/webhook/a/b/", raw_path=raw)
    assert mounted_path(scope) == BASE + "/webhook/a/b"
    assert public_path(scope) == ""
    assert mounted_path(scope_of("/other")) == ""
