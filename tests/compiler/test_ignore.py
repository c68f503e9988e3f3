"""`# wfc: ignore[CODE] reason` comments: where they work, and what is said about those that do
nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

import wfc
from tests.compiler.projects import write_project
from wfc.analyse.checks import rules
from wfc.diagnostics import Diagnostic


def findings(root: Path, body: str) -> list[Diagnostic]:
    """What is found in a workflow with this body; its first line is line 3."""
    lines = "".join(f"    {line}\n" if line else "\n" for line in body.split("\n"))
    text = f'async def main(key: str) -> None:\n    "use workflow"\n{lines}'
    return list(wfc.build(write_project(root, text), write=False, cache=False).diagnostics)


def codes(root: Path, body: str) -> list[tuple[str, int]]:
    return [(d.code, d.span.line) for d in findings(root, body)]


IGNORE = "# wfc: ignore[WF207] a reason"


@pytest.mark.parametrize(
    "body",
    [
        f"print(hash(key))  {IGNORE}",
        f"print(  {IGNORE}\n    hash(key),\n)",
        f"print(\n    hash(key),  {IGNORE}\n)",
        f"print(\n    hash(key),\n)  {IGNORE}",
        f"if (  {IGNORE}\n    hash(key)\n):\n    print(key)",
        f"if (\n    hash(key)\n):  {IGNORE}\n    # a comment\n\n    print(key)",
        f"for i in range(3):\n    print(\n        hash(key)\n    )  {IGNORE}",
        f"try:\n    pass\nexcept ValueError:\n    print(\n        hash(key)\n    )  {IGNORE}",
        f"match key:\n    case 'a':\n        print(\n            hash(key)\n        )  {IGNORE}",
        "print(hash(key))  # wfc: ignore[builtin-hash] a reason",
        "print(hash(key))  # WFC:ignore [wf207]: a reason",
        "print(hash(key))  # noqa: X1  # wfc: ignore[WF207] a reason  # type: ignore",
        "print(hash(key), open(key))  # wfc: ignore[WF207, WF301] a reason",
    ],
)
def test_comment_silences_its_statement(body: str, tmp_path: Path) -> None:
    """A comment works on the line of the finding and the first and last line of its statement."""
    assert codes(tmp_path, body) == []


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (f"print(\n    hash(key),\n    key,  {IGNORE}\n)", 5),
        (f"if key:  {IGNORE}\n    print(hash(key))", 3),
        (f"if key:\n    print(hash(key))\n    pass  {IGNORE}", 5),
        (f"print('{IGNORE}', hash(key))\nkey = key  {IGNORE}", 4),
    ],
)
def test_comment_elsewhere_silences_nothing(body: str, line: int, tmp_path: Path) -> None:
    """In the middle of another line or beside another statement a comment is unused."""
    found = codes(tmp_path, body)
    assert ("WF099", line) in found
    assert [code for code, _ in found].count("WF207") == 1


@pytest.mark.parametrize(
    ("comment", "message", "fix"),
    [
        ("wfc: ignore", "names no code", "Write `# wfc: ignore[WF207] reason`"),
        ("wfc: ignore[]", "names no code", "Write `# wfc: ignore[WF207] reason`"),
        ("wfc: ignore WF207", "names no code", "Write `# wfc: ignore[WF207] reason`"),
        ("wfc: ignore[WF20x] r", "WF20x is not a code", "Did you mean WF207?"),
        ("wfc: ignore[file-i] r", "file-i is not a code", "Did you mean file-io?"),
        ("wfc: ignore[builtin-hsh] r", "is not a code", "Did you mean builtin-hash?"),
        ("wfc: ignore[E501] r", "E501 is not a code", "Remove it; `wfc explain` lists"),
        ("wfc: ignore[WF002] r", "WF002 cannot be silenced", "Mend what it is about"),
        ("wfc: ignore[WF301] r", "WF301 silences nothing here", "Remove it from the comment."),
    ],
)
def test_comment_that_does_nothing_is_explained(
    comment: str, message: str, fix: str, tmp_path: Path
) -> None:
    """Each way of writing a comment that does nothing has its own words; the finding stays."""
    found = findings(tmp_path, f"print(hash(key))  # {comment}")
    assert [d.code for d in found] == ["WF207", "WF099"]
    assert message in found[1].message
    assert fix in found[1].fix
    assert found[1].span.column == len("    print(hash(key))  ") + 1


@pytest.mark.parametrize(
    "first",
    ["    print(os.environ)  # C\n", "    print(  # C\n        os.environ\n    )\n",
     "    print(\n        os.environ\n    )  # C\n"],
)  # fmt: skip
def test_comment_silences_no_other_use_of_the_same(first: str, tmp_path: Path) -> None:
    """Uses of one thing are one finding, but a comment beside the first is about that one only."""
    text = (
        'import os\n\n\nasync def main() -> None:\n    "use workflow"\n'
        + first.replace("# C", "# wfc: ignore[WF307] only printed")
        + "    print(os.environ)\n\n\n"
        + 'async def other() -> None:\n    "use workflow"\n    print(os.environ)\n'
    )
    found = wfc.build(write_project(tmp_path, text), write=False, cache=False).diagnostics
    last = 6 + first.count("\n")
    assert [(d.code, d.span.line) for d in found] == [("WF307", last)]


def test_reason_is_asked_for(tmp_path: Path) -> None:
    """A comment without a reason works, and is a warning that says what to write."""
    (found,) = findings(tmp_path, "print(hash(key))  # wfc: ignore[WF207]  # noqa: X1")
    assert found.code == "WF099"
    assert found.severity == "warning"
    assert "does not say why" in found.message
    assert "# wfc: ignore[WF207] reason" in found.fix


def test_silenced_findings_are_kept_with_their_reason(tmp_path: Path) -> None:
    """The result of a build has what was silenced, for formats that list it."""
    text = (
        'async def main(key: str) -> None:\n    "use workflow"\n'
        "    print(hash(key))  # wfc: ignore[WF207] only printed\n"
    )
    (silenced,) = wfc.build(write_project(tmp_path, text), write=False, cache=False).silenced
    assert (silenced.diagnostic.code, silenced.reason) == ("WF207", "only printed")


def test_comments_of_the_last_line_and_after_form_feeds_are_seen(tmp_path: Path) -> None:
    """A file that ends without a line end, or has form feeds, keeps its comments at their lines."""
    text = (
        'async def main(key: str) -> None:\n    "use workflow"\n\x0c\n'
        "    print(hash(key))  # wfc: ignore[WF207] only printed"
    )
    assert wfc.build(write_project(tmp_path, text), write=False, cache=False).diagnostics == ()


def test_what_cannot_be_silenced_says_so_on_its_page() -> None:
    """The rule about comments cannot itself be silenced."""
    assert not rules()["WF099"].silenceable
