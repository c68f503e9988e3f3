"""HTTP clients in the body of a workflow."""

from __future__ import annotations

from pathlib import Path

import pytest

import wfc


@pytest.mark.parametrize(
    ("module", "call"),
    [
        ("httpx", "httpx.get(url)"),
        ("requests", "requests.get(url)"),
        ("aiohttp", "aiohttp.ClientSession()"),
        ("urllib3", "urllib3.request('GET', url)"),
        ("urllib.request", "urllib.request.urlopen(url)"),
        ("http.client", "http.client.HTTPSConnection(url)"),
    ],
)
def test_a_client_in_a_body_is_an_error_that_names_fetch(
    module: str, call: str, tmp_path: Path
) -> None:
    """The finding stands at the call and says what to write instead, also below a helper."""
    source = f"""
import {module}


def ask(url: str) -> object:
    return {call}


async def flow(url: str) -> None:
    "use workflow"
    ask(url)
"""
    (tmp_path / "flows.py").write_text(source)
    (finding,) = wfc.build(tmp_path, write=False).diagnostics
    assert finding.code in ("WF302", "WF303")
    assert (finding.severity, finding.span.line) == ("error", 6)
    assert "fetch" in (finding.fix or "")
