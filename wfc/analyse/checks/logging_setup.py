"""Workflow code sets up logging, or uses a logger that cannot be replayed.

How records are shown is a matter of the process. A workflow body runs again at every replay and
would set it up each time, for all the other runs as well.

Call `logging.basicConfig()` and the like where the application starts. In a workflow, write
`logging.getLogger(__name__).info(...)`: each line is shown once and not again on replay.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF308",
    name="logging-handler",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
import logging


async def sign_up(email: str) -> None:
    "use workflow"
    logging.basicConfig(level=logging.INFO)
    logging.info("new user %s", email)
""",
    good="""\
import logging

log = logging.getLogger(__name__)


async def sign_up(email: str) -> None:
    "use workflow"
    log.info("new user %s", email)
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each file and such name that workflow code uses."""
    yield from banned(program, RULE)
