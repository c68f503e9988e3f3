"""docs/errors is what the rules say, and its pages hold together."""

from __future__ import annotations

import re
from pathlib import Path

from click.testing import CliRunner

from wfc.analyse.checks import rules
from wfc.cli import main
from wfc.render.pages import markdown_pages

FOLDER = Path(__file__).parent.parent.parent / "docs" / "errors"


def test_pages_are_those_of_the_rules() -> None:
    """The files are current; `wfc explain --write docs/errors` makes them."""
    there = {path.name: path.read_text("utf-8") for path in FOLDER.iterdir()}
    assert there == dict(markdown_pages(rules()))


def test_links_of_the_pages_lead_somewhere() -> None:
    """Every relative link of a page names a file that exists."""
    for path in FOLDER.glob("*.md"):
        text = re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text("utf-8"), flags=re.DOTALL)
        for link in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (FOLDER / link).is_file(), (path.name, link)


def test_index_has_each_rule_once() -> None:
    """The table lists every code with its name and severity."""
    index = (FOLDER / "README.md").read_text("utf-8")
    for rule in rules().values():
        start = f"| [{rule.code}]({rule.code}.md) | {rule.name} | {rule.severity.value} | "
        assert index.count(start) == 1


def test_write_replaces_pages_and_takes_away_old_ones(tmp_path: Path) -> None:
    """`--write` makes the folder, and removes the page of a rule that is no more."""
    folder = tmp_path / "a" / "errors"
    folder.mkdir(parents=True)
    (folder / "WF998.md").write_text("old", "utf-8")
    (folder / "notes.md").write_text("mine", "utf-8")
    assert CliRunner().invoke(main, ["explain", "--write", str(folder)]).exit_code == 0
    assert not (folder / "WF998.md").exists()
    assert (folder / "notes.md").read_text("utf-8") == "mine"
    assert (folder / "WF701.md").read_text("utf-8").startswith("# WF701: banned-import\n")


def test_pages_that_say_replay_say_what_it_is() -> None:
    """Whoever reads a page first learns on it what the word means; others do without."""
    for path in FOLDER.glob("WF*.md"):
        text = path.read_text("utf-8")
        assert ("replay" in rules()[path.stem].page) == (
            text.count("\nReplay: a run outlives") == 1
        )
