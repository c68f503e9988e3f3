"""Workflow code uses the client of a service.

Behind a client library are requests over the network. A workflow body runs again at every replay
and would send them again: the mail twice, the charge twice.

Call the service in a function marked `"use step"`. If the service takes an idempotency key, give it
the `step_id` of `get_step_metadata()`: it stays the same when the step is retried.
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
