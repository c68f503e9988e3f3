"""Misspelt environment variables: which are ours, which were meant to be, and which are others'."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from workflow.policy.variables import NAMES, misspelt

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_all_variables_are_known() -> None:
    """The list is the one that is documented."""
    assert set(re.findall(r"WORKFLOW_[A-Z_]+[A-Z]", PAGE.read_text("utf-8"))) == NAMES


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("WORKFLOW_TARGET_WOLRD", "WORKFLOW_TARGET_WORLD"),
        ("WORKFLOW_WORLD", "WORKFLOW_TARGET_WORLD"),
        ("WORKFLOW_WORLD_TARGET", "WORKFLOW_TARGET_WORLD"),
        ("WORKFLOW_LAESE", "WORKFLOW_LEASE"),
        ("WORKFLOWS_LEASE", "WORKFLOW_LEASE"),
        ("workflow_lease", "WORKFLOW_LEASE"),
        ("WORKFLOW_DATA_DIR", "WORKFLOW_EMBEDDED_DATA_DIR"),
        ("WORKFLOW_LOCAL_DATA_DIR", "WORKFLOW_EMBEDDED_DATA_DIR"),
        ("WORKFLOW_BASEURL", "WORKFLOW_BASE_URL"),
        ("WORKFLOW_POSTGRESQL_URL", "WORKFLOW_POSTGRES_URL"),
        ("WORKFLOW_ENCRYPTION_KEY", "WORKFLOW_ENCRYPTION_KEYS"),
    ],
)
def test_slips_are_found(name: str, meant: str) -> None:
    """Wrong letters, words left out, another order, a missing underscore."""
    assert misspelt([name, "WORKFLOW_LEASE", "PATH"]) == {name: meant}


@pytest.mark.parametrize(
    "name",
    [
        *sorted(NAMES),
        "WORKFLOW_LOCAL_WORKER_CONCURRENCY",  # of any world
        "WORKFLOW_POSTGRES_TEST_URL",
        "WORKFLOW_RUN_ID",
        "WORKFLOW_RELEASE",
        "WORKFLOW_TIMEOUT",  # two of ours end so
        "WORKFLOW_TARGET",
        "WORKFLOW_LOG_LEVEL",
        "WORKFLOW",
        "WORKFLOW_",
        "GITHUB_WORKFLOW",
        "MY_WORKFLOW_LAESE",
    ],
)
def test_other_names_are_left_alone(name: str) -> None:
    """Ours, and what looks like a variable of somebody else."""
    assert misspelt([name]) == {}
