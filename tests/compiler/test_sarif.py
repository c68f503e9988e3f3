"""SARIF logs are valid by the schema, and say where, why and how to mend."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.compiler.projects import write_project
from tests.compiler.schemas import violations
from wfc.analyse.checks import rules
from wfc.cli import main

SCHEMA: dict[str, Any] = json.loads(
    (Path(__file__).parent / "sarif-2.1.0-subset.schema.json").read_text("utf-8")
)
FILES = {
    "flows.py": """\
from größen.prices import lookup


async def main(item):
    "use workflow"
    print(item.strftime("%A"))  # wfc: ignore[WF106] one locale everywhere
    x = "🎉" + str(open(item))
    return lookup(
        item.strftime("%A")
    )  # wfc: ignore[WF106]


async def other() -> None:
    "use workflow"
    return  # wfc: ignore[WF106] no date is written any more
""",
    "größen/prices.py": """\
import os


def lookup(item: str) -> str:
    return os.environ[item]
""",
}


def sarif(root: Path, *arguments: str) -> dict[str, Any]:
    command = ["build", "--root", str(root), "--output-format", "sarif", *arguments]
    log: dict[str, Any] = json.loads(CliRunner().invoke(main, command).stdout)
    assert list(violations(SCHEMA, log)) == []
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run


def test_log_of_many_kinds_is_valid_and_complete(tmp_path: Path) -> None:
    """Findings, notes in other files, edits and silenced findings make a valid log."""
    run = sarif(write_project(tmp_path, FILES))
    found = {(r["ruleId"], r["level"], "suppressions" in r) for r in run["results"]}
    assert {
        ("WF106", "warning", True),
        ("WF301", "error", False),
        ("WF099", "warning", False),
    } <= found
    banned = next(
        r
        for r in run["results"]
        if r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        == "gr%C3%B6%C3%9Fen/prices.py"
    )
    assert [place["message"]["text"] for place in banned["relatedLocations"]][-1] == "imported here"
    unused = next(r for r in run["results"] if "silences nothing" in r["message"]["text"])
    (change,) = unused["fixes"][0]["artifactChanges"]
    assert change["replacements"][0]["insertedContent"] == {"text": ""}
    reasons = {s["justification"] for r in run["results"] for s in r.get("suppressions", ())}
    assert reasons == {"one locale everywhere", ""}


def test_paths_lead_from_the_working_directory(tmp_path: Path) -> None:
    """Run at the root of a repository, the log names files from there, in notes and edits too."""
    write_project(tmp_path / "my app", FILES)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        log = json.dumps(sarif(Path("my app")))
    uris = re.findall(r'"uri": "([^"]*)"', log)
    assert set(uris) == {"my%20app/flows.py", "my%20app/gr%C3%B6%C3%9Fen/prices.py"}


def test_columns_count_characters_and_the_log_says_so(tmp_path: Path) -> None:
    """A character outside the BMP is one column, and the log declares that way of counting."""
    run = sarif(write_project(tmp_path, FILES))
    assert run["columnKind"] == "unicodeCodePoints"
    (opened,) = [r for r in run["results"] if r["ruleId"] == "WF301"]
    line = FILES["flows.py"].split("\n")[6]
    start = line.index("open") + 1
    region = opened["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 7, "startColumn": start, "endLine": 7, "endColumn": start + 4}


def test_rules_are_all_there_and_results_point_at_theirs(tmp_path: Path) -> None:
    """The log describes every rule, and the index of a result is that of its rule."""
    run = sarif(write_project(tmp_path, FILES))
    described = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in described] == list(rules())
    for rule in described:
        assert {
            "name",
            "shortDescription",
            "fullDescription",
            "defaultConfiguration",
        } <= rule.keys()
    for result in run["results"]:
        assert described[result["ruleIndex"]]["id"] == result["ruleId"]


def test_fingerprint_outlives_lines_above(tmp_path: Path) -> None:
    """A finding keeps its fingerprint when lines are added above it; two alike differ."""
    text = 'async def main() -> None:\n    "use workflow"\n    open("x")\n    open("x")\n'
    before = sarif(write_project(tmp_path / "a", text))["results"]
    after = sarif(write_project(tmp_path / "b", "# new\n\n" + text))["results"]
    prints = [[r["partialFingerprints"]["finding/v1"] for r in all_] for all_ in (before, after)]
    assert prints[0] == prints[1]
    assert len(set(prints[0])) == 2


def test_wrong_setting_is_a_notification(tmp_path: Path) -> None:
    """Where nothing could be looked at, the log is valid and says that the tool did not succeed."""
    files = {"pyproject.toml": '[tool.workflow]\ndir = ["a"]\n'}
    (invocation,) = sarif(write_project(tmp_path, files))["invocations"]
    assert invocation["executionSuccessful"] is False
    (notification,) = invocation["toolConfigurationNotifications"]
    assert "dir" in notification["message"]["text"]


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (["version"], "2.0", "$.version is '2.0'"),
        (["runs", 0, "columnKind"], "bytes", "$.runs[0].columnKind is 'bytes'"),
        (["runs", 0, "extra"], 1, "$.runs[0] has an unknown property extra"),
        (["runs", 0, "results"], [{}], "$.runs[0].results[0] lacks message"),
        (
            ["runs", 0, "results"],
            [{"message": {}}],
            "$.runs[0].results[0].message fits none of anyOf",
        ),
    ],
)
def test_schema_refuses_what_is_not_sarif(
    path: list[Any], value: Any, expected: str, tmp_path: Path
) -> None:
    """The validator finds what the schema forbids, so that a valid log means something."""
    log: Any = {"version": "2.1.0", "runs": [sarif(write_project(tmp_path, FILES))]}
    *outer, last = path
    inner = log
    for key in outer:
        inner = inner[key]
    inner[last] = value
    assert list(violations(SCHEMA, log)) == [expected]
