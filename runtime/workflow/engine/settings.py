"""Settings that are used long after the start, and have to be right at the start.

What a worker needs at once is read where it begins, and a wrong value stops it there. A wrong limit
for answers to webhooks would be found by the first caller instead, perhaps weeks later.
"""

from __future__ import annotations

from collections.abc import Mapping

from workflow.authoring.requests import max_bytes_of, private_of
from workflow.engine import failpoints
from workflow.engine.webhooks import answer_timeout
from workflow.policy.actions import lifetime_setting
from workflow.policy.base_url import local_url, url_setting
from workflow.policy.variables import misspelt

__all__ = ["check", "slips"]

_told: set[str] = set()


def check(environ: Mapping[str, str], *, base_url: str = "") -> None:
    """Raise ValueError, whose text names the setting, for a value that means nothing.

    With a `base_url` of the application's own, the settings of it do not count.
    """
    failpoints.check(environ)
    if not base_url and url_setting(environ) is None:
        local_url(environ)
    answer_timeout(environ)
    lifetime_setting(environ)
    max_bytes_of(environ)
    private_of(environ)


def slips(environ: Mapping[str, str]) -> list[str]:
    """A sentence about each variable that looks misspelt; once for each in a process."""
    fresh = {name: ours for name, ours in misspelt(environ).items() if name not in _told}
    _told.update(fresh)
    return [
        f"the environment variable {name} means nothing here; did you mean {ours}?"
        for name, ours in fresh.items()
    ]
