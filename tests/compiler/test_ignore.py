"""`# wfc: ignore[CODE] reason` comments: where they work, and what is said about those that do
nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

import wfc
from tests.compiler.projects import write_project
from wfc.analyse.checks import rules
from wfc.diagnostics import Diagnostic, Rule


def findings(root: Path, body: str) -> list[Diagnostic]:
    """What is found in a workflow with this body; its first line is line 3."""
    lines = "".join(f"    {line}\n" if line else "\n" for line in body.split("\n"))
    text = f'async def main(key: Any) -> None:\n    "use workflow"\n{lines}'
    return list(wfc.build(write_project(root, text), write=False, cache=False).diagnostics)


def codes(root: Path, body: str) -> list[tuple[str, int]]:
    return [(d.code, d.span.line) for d in findings(root, body)]


DAY = "key.strftime('%A')"
IGNORE = "# wfc: ignore[WF106] a reason"


@pytest.mark.parametrize(
    "body",
    [
        f"print(key.strftime('%A'))  {IGNORE}",
        f"print(  {IGNORE}\n    key.strftime('%A'),\n)",
        f"print(\n    key.strftime('%A'),  {IGNORE}\n)",
        f"print(\n    key.strftime('%A'),\n)  {IGNORE}",
        f"if (  {IGNORE}\n    key.strftime('%A')\n):\n    print(key)",
        f"if (\n    key.strftime('%A')\n):  {IGNORE}\n    # a comment\n\n    print(key)",
        f"for i in range(3):\n    print(\n        key.strftime('%A')\n    )  {IGNORE}",
        f"try:\n    pass\nexcept ValueError:\n    print(\n        {DAY}\n    )  {IGNORE}",
        f"match key:\n    case 'a':\n        print(\n            {DAY}\n        )  {IGNORE}",
        "print(key.strftime('%A'))  # wfc: ignore[default-date-format] a reason",
        "print(key.strftime('%A'))  # WFC:ignore [wf106]: a reason",
        "print(key.strftime('%A'))  # noqa: X1  # wfc: ignore[WF106] a reason  # type: ignore",
        "print(key.strftime('%A'), main(key))  # wfc: ignore[WF106, WF515] a reason",
    ],
)
def test_comment_silences_its_statement(body: str, tmp_path: Path) -> None:
    """A comment works on the line of the finding and the first and last line of its statement."""
    assert codes(tmp_path, body) == []


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (f"print(\n    key.strftime('%A'),\n    key,  {IGNORE}\n)", 5),
        (f"if key:  {IGNORE}\n    print(key.strftime('%A'))", 3),
        (f"if key:\n    print(key.strftime('%A'))\n    pass  {IGNORE}", 5),
        (f"print('{IGNORE}', key.strftime('%A'))\nkey = key  {IGNORE}", 4),
    ],
)
def test_comment_elsewhere_silences_nothing(body: str, line: int, tmp_path: Path) -> None:
    """In the middle of another line or beside another statement a comment is unused."""
    found = codes(tmp_path, body)
    assert ("WF099", line) in found
    assert [code for code, _ in found].count("WF106") == 1


@pytest.mark.parametrize(
    ("comment", "message", "fix"),
    [
        ("wfc: ignore", "names no code", "Write `# wfc: ignore[WF106] reason`"),
        ("wfc: ignore[]", "names no code", "Write `# wfc: ignore[WF106] reason`"),
        ("wfc: ignore WF106", "names no code", "Write `# wfc: ignore[WF106] reason`"),
        ("wfc: ignore[WF10x] r", "WF10x is not a code", "Did you mean WF106?"),
        ("wfc: ignore[history-grow] r", "is not a code", "Did you mean history-growth?"),
        ("wfc: ignore[default-dat-format] r", "is not a code", "Did you mean default-date-format?"),
        ("wfc: ignore[E501] r", "E501 is not a code", "Remove it; `wfc explain` lists"),
        ("wfc: ignore[WF301] r", "WF301 cannot be silenced", "Mend what it is about"),
        ("wfc: ignore[WF002] r", "WF002 cannot be silenced", "Mend what it is about"),
        ("wfc: ignore[WF510] r", "WF510 silences nothing here", "Remove it from the comment."),
    ],
)
def test_comment_that_does_nothing_is_explained(
    comment: str, message: str, fix: str, tmp_path: Path
) -> None:
    """Each way of writing a comment that does nothing has its own words; the finding stays."""
    found = findings(tmp_path, f"print(key.strftime('%A'))  # {comment}")
    assert [d.code for d in found] == ["WF106", "WF099"]
    assert message in found[1].message
    assert fix in found[1].fix
    assert found[1].span.column == len("    print(key.strftime('%A'))  ") + 1


def test_reason_is_asked_for(tmp_path: Path) -> None:
    """A comment without a reason works, and is a warning that says what to write."""
    (found,) = findings(tmp_path, "print(key.strftime('%A'))  # wfc: ignore[WF106]  # noqa: X1")
    assert found.code == "WF099"
    assert found.severity == "warning"
    assert "does not say why" in found.message
    assert "# wfc: ignore[WF106] reason" in found.fix


def test_silenced_findings_are_kept_with_their_reason(tmp_path: Path) -> None:
    """The result of a build has what was silenced, for formats that list it."""
    text = (
        'async def main(key: Any) -> None:\n    "use workflow"\n'
        "    print(key.strftime('%A'))  # wfc: ignore[WF106] only printed\n"
    )
    (silenced,) = wfc.build(write_project(tmp_path, text), write=False, cache=False).silenced
    assert (silenced.diagnostic.code, silenced.reason) == ("WF106", "only printed")


def test_comments_of_the_last_line_and_after_form_feeds_are_seen(tmp_path: Path) -> None:
    """A file that ends without a line end, or has form feeds, keeps its comments at their lines."""
    text = (
        'async def main(key: Any) -> None:\n    "use workflow"\n\x0c\n'
        "    print(key.strftime('%A'))  # wfc: ignore[WF106] only printed"
    )
    assert wfc.build(write_project(tmp_path, text), write=False, cache=False).diagnostics == ()


@pytest.mark.parametrize(
    "rule", [r for r in rules().values() if r.silenceable], ids=lambda r: r.code
)
def test_what_is_silenced_can_be_built(rule: Rule, tmp_path: Path) -> None:
    """Of each rule that can be silenced, the bad example is built once a comment silences it."""
    files = {"flows.py": rule.bad} if isinstance(rule.bad, str) else dict(rule.bad)
    root = write_project(tmp_path / "found", files)
    for found in wfc.build(root, write=False, cache=False).diagnostics:
        lines = files[found.path].split("\n")
        if "# wfc" not in lines[found.span.line - 1]:
            lines[found.span.line - 1] += f"  # wfc: ignore[{rule.code}] because"
        files[found.path] = "\n".join(lines)
    result = wfc.build(write_project(tmp_path / "silenced", files), write=False, cache=False)
    assert result.ok
    assert {one.diagnostic.code for one in result.silenced} == {rule.code}


def test_what_cannot_be_silenced_says_so_on_its_page() -> None:
    """The rule about comments cannot itself be silenced."""
    assert not rules()["WF099"].silenceable
