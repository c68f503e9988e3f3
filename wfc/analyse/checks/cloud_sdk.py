"""Workflow code uses the client of a service.

Behind a client are requests over the network. When a run goes on after a crash or a long sleep, the
function of the workflow starts again at its first line, and would send them again: the mail twice,
the charge twice.

Call the service in a function marked `"use step"`, and make the client there as well: it cannot be
an argument. The result is written down, and later passes take it from there. If the call fails, or
the process dies in the middle, the step is tried again. If the service takes an idempotency key,
give it `get_step_metadata().step_id`: it is the same at every try.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF312",
    name="cloud-sdk",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
import boto3


async def archive(key: str) -> None:
    "use workflow"
    boto3.client("s3").put_object(Bucket="archive", Key=key)
""",
    good="""\
import boto3


async def put(key: str) -> None:
    "use step"
    boto3.client("s3").put_object(Bucket="archive", Key=key)


async def archive(key: str) -> None:
    "use workflow"
    await put(key)
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each file and such name that workflow code uses."""
    yield from banned(program, RULE)
