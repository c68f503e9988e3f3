"""`--fix` and `--diff`: safe edits, made to bytes, checked before anything is written."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

import wfc
from tests.compiler.projects import write_project
from wfc.cli import main
from wfc.diagnostics import Diagnostic, Edit, Severity, Span
from wfc.edits import EditError, apply_edits, compatible
from wfc.fix import find_fixes
from wfc.project import load_project

STEP = 'async def mail(a: str) -> None:\n    "use step"\n\n\n'


def build(root: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["build", "--root", str(root), *arguments])


def finding(*edits: Edit) -> Diagnostic:
    span = Span(1, 1, 1, 2)
    return Diagnostic("X", "x", Severity.ERROR, "a.py", span, "", "", "", edits=edits)


def at(line: int, start: int, end: int, text: str) -> Edit:
    return Edit(Span(line, start, line, end), text)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a\nold\n", b"a\nn\new\n"),
        (b"a\r\nold\r\nb", b"a\r\nn\r\new\r\nb"),
        (b"a\rold\rb", b"a\rn\rew\rb"),
        (b"a\nold", b"a\nn\new"),
        (b"\xef\xbb\xbfa\r\nold\n\x0c\n", b"\xef\xbb\xbfa\r\nn\new\n\x0c\n"),
        (b"# coding: latin-1\nold\r\n\xe9", b"# coding: latin-1\nn\r\new\r\n\xe9"),
    ],
)
def test_bytes_outside_an_edit_stay(before: bytes, after: bytes) -> None:
    """Line ends, the mark of UTF-8 and the encoding are kept; a new line ends as its line does."""
    assert apply_edits(before, [at(2, 1, 4, "n\new")]) == after


@given(
    st.lists(st.text("aé日🎉\x0c\x85\u2028 \t", max_size=5), min_size=1, max_size=6),
    # "\r" before an empty line that ends with "\n" would be one end of a line.
    st.just(["\r"] * 6) | st.lists(st.sampled_from(["\n", "\r\n"]), min_size=6, max_size=6),
    st.booleans(),
    st.data(),
)
def test_edit_of_any_file_changes_its_place_only(
    lines: list[str], ends: list[str], marked: bool, data: st.DataObject
) -> None:
    """What stands before and behind the place is the same bytes, whatever the lines end with."""
    line = data.draw(st.integers(1, len(lines)))
    start = data.draw(st.integers(0, len(lines[line - 1])))
    end = data.draw(st.integers(start, len(lines[line - 1])))
    whole = [text + end for text, end in zip(lines, ends, strict=False)]
    before = "".join(whole[: line - 1]) + lines[line - 1][:start]
    behind = lines[line - 1][end:] + ends[line - 1] + "".join(whole[line:])
    mark = b"\xef\xbb\xbf" if marked else b""
    made = apply_edits(mark + "".join(whole).encode(), [at(line, start + 1, end + 1, "new")])
    assert made == mark + f"{before}new{behind}".encode()


def test_columns_of_edits_count_characters() -> None:
    """Wide characters and characters outside the BMP are one column each."""
    assert apply_edits("日本🎉x = 1\n".encode(), [at(1, 4, 5, "y")]) == "日本🎉y = 1\n".encode()


def test_several_edits_of_one_line_fit_together() -> None:
    """Edits are made from the end, so that each finds its place, in whatever order they come."""
    edits = [at(1, 1, 1, "await "), at(1, 7, 8, "z"), at(1, 3, 4, "y")]
    assert apply_edits(b"f(a, b)\n", edits) == b"await f(y, bz\n"


@pytest.mark.parametrize(
    ("data", "edit"),
    [
        (b"a\n", at(3, 1, 2, "b")),
        (b"a\n", at(1, 3, 4, "b")),
        (b"# coding: latin-1\na\n", at(2, 1, 2, "日")),
        (b"# coding: nonsense\na\n", at(2, 1, 2, "b")),
        (b"\xff\n", at(1, 1, 2, "b")),
    ],
)
def test_edit_that_does_not_fit_is_refused(data: bytes, edit: Edit) -> None:
    """A place that is not there and a text that cannot be encoded are errors, not other bytes."""
    with pytest.raises(EditError):
        apply_edits(data, [edit])


def test_findings_whose_edits_overlap_wait() -> None:
    """Of overlapping edits the first finding's are made; the same edit of two findings is one;
    the edits of a finding are made all or none."""
    first, same = finding(at(1, 1, 5, "a")), finding(at(1, 1, 5, "a"))
    overlaps, half = finding(at(1, 4, 9, "b")), finding(at(1, 4, 5, "c"), at(2, 1, 2, "d"))
    beside, touching = finding(at(1, 5, 7, "e")), finding(at(1, 5, 5, "f"))
    found = [first, overlaps, same, half, beside, touching, finding()]
    assert compatible(found) == [first, same, beside]


def test_fix_mends_the_file_and_builds(tmp_path: Path) -> None:
    """What can be mended is, the rest of the file stays, and the build goes on with the result."""
    text = STEP + (
        "async def main(a: str) -> None:\n"
        '    "Use workflow."\n'
        "    mail(a)  # why\n"
        "    await mail(a)  # wfc: ignore[WF301] opens nothing\n"
    )
    root = write_project(tmp_path, text)
    result = build(root, "--fix")
    assert result.exit_code == 0, result.output
    assert result.stderr == "mended 3 findings in flows.py\n"
    assert (root / "flows.py").read_text("utf-8") == STEP + (
        "async def main(a: str) -> None:\n"
        '    "use workflow"\n'
        "    await mail(a)  # why\n"
        "    await mail(a)\n"
    )
    assert build(root, "--fix").stderr == ""


def test_diff_shows_and_writes_nothing(tmp_path: Path) -> None:
    """`--diff` prints what `patch` takes, exits with 1, and the files are as they were; where
    there is nothing to change it exits with 0."""
    text = 'async def main(a: str) -> str:\r\n    "use workflows"\r\n    return a'
    (tmp_path / "flows.py").write_bytes(text.encode())
    result = build(tmp_path, "--diff")
    assert result.exit_code == 1
    assert result.stdout_bytes == (
        b"--- flows.py\n+++ flows.py\n@@ -1,3 +1,3 @@\n async def main(a: str) -> str:\r\n"
        b'-    "use workflows"\r\n+    "use workflow"\r\n     return a\n'
        b"\\ No newline at end of file\n"
    )
    assert (tmp_path / "flows.py").read_bytes() == text.encode()
    assert not (tmp_path / "generated").exists()
    build(tmp_path, "--fix")
    again = build(tmp_path, "--diff")
    assert (again.exit_code, again.stdout) == (0, "")


def test_diff_is_taken_by_patch(tmp_path: Path) -> None:
    """The output of `--diff` applied with `patch -p0` gives what `--fix` writes."""
    text = STEP + 'async def main(a: str) -> None:\n    "use workflow"\n    mail("é\x0c\t")\n'
    one, two = write_project(tmp_path / "1", text), write_project(tmp_path / "2", text)
    diff = build(one, "--diff").stdout_bytes
    subprocess.run(["patch", "-p0", "-s"], cwd=one, input=diff, check=True, capture_output=True)
    build(two, "--fix")
    assert (one / "flows.py").read_bytes() == (two / "flows.py").read_bytes() != text.encode()


def test_permissions_stay_and_links_are_followed(tmp_path: Path) -> None:
    """A mended file keeps its permission bits, and a link to it stays a link."""
    (tmp_path / "real").mkdir()
    root = write_project(tmp_path / "project", {"pyproject.toml": ""})
    target = tmp_path / "project" / "real_flows.py"
    target.write_text('async def main() -> None:\n    "use workflows"\n', "utf-8")
    target.chmod(0o750)
    (root / "flows.py").symlink_to(target)
    target.rename(tmp_path / "real" / "flows.txt")
    (root / "flows.py").unlink()
    (root / "flows.py").symlink_to(tmp_path / "real" / "flows.txt")
    assert build(root, "--fix").exit_code == 0
    assert (root / "flows.py").is_symlink()
    assert (tmp_path / "real" / "flows.txt").stat().st_mode & 0o7777 == 0o750
    assert '"use workflow"\n' in (root / "flows.py").read_text("utf-8")
    assert os.listdir(tmp_path / "real") == ["flows.txt"]


def test_file_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    """Between the look and the writing somebody saved the file: it stays, and is named."""
    root = write_project(tmp_path, 'async def main() -> None:\n    "use workflows"\n')
    fixes = find_fixes(load_project(root))
    (root / "flows.py").write_text("x = 1\n", "utf-8")
    assert fixes.write() == {"flows.py": "it was changed meanwhile"}
    assert (root / "flows.py").read_text("utf-8") == "x = 1\n"


def test_mended_directive_shows_what_was_hidden(tmp_path: Path) -> None:
    """A function that becomes a workflow is checked as one: its findings do not undo the edit."""
    text = 'async def main() -> None:\n    "use workflows"\n    open("x")\n'
    result = build(write_project(tmp_path, text), "--fix")
    assert result.exit_code == 1
    assert '"use workflow"\n' in (tmp_path / "flows.py").read_text("utf-8")
    assert "WF301" in result.stdout


def fixed(root: Path, text: str) -> str:
    """What `--fix` makes of one file."""
    find_fixes(load_project(write_project(root, text))).write()
    return (root / "flows.py").read_text("utf-8")


def marked(*body: str, head: str = "async def f() -> None:") -> str:
    return "".join(f"{line}\n" for line in (head, *body))


@pytest.mark.parametrize(
    "written",
    [
        '"Use Step"', '"use step."', '"""use step"""', "'''\n    Use step.\n    '''", '"use-step"',
        '"useStep"', '"use_step"', '"use steps"', 'f"use step"', 'b"use step"',
        'rf"Use step"',
    ],
)  # fmt: skip
def test_spelling_is_mended_where_it_is_certain(written: str, tmp_path: Path) -> None:
    """Altered, misspelt and f-string directives become the plain one; the comment behind stays."""
    made = fixed(tmp_path, marked(f"    {written}  # why"))
    assert made == marked('    "use step"  # why')


@pytest.mark.parametrize(
    "written",
    ['"use stop"', '"use stem"', '"User workflow."', '"Use workflows."', 'f"use step{f}"'],
)
def test_spelling_that_may_mean_something_else_is_left(written: str, tmp_path: Path) -> None:
    """What may be a sentence, or has a value in it, is reported and not edited."""
    text = marked(f"    {written}", "    return", head="# use step, use workflow\ndef f(): ")
    assert fixed(tmp_path, text) == text
    assert wfc.build(tmp_path, write=False, cache=False).diagnostics


def test_directive_is_moved_to_the_top(tmp_path: Path) -> None:
    """Below other statements it goes to the top, behind the docstring, with the comments kept."""
    text = marked("    # first", "    x = 1  # one", '    "Use workflow"', "    print(x)")
    assert fixed(tmp_path / "a", text) == marked(
        "    # first", '    "use workflow"', "    x = 1  # one", "    print(x)"
    )
    text = marked('    """Doc."""  # doc', "    x = 1", '    "use step"')[:-1]
    assert fixed(tmp_path / "b", text) == marked(
        '    """Doc."""  # doc', '    "use step"', "    x = 1"
    ).removesuffix("\n")
    text = marked("\t@deco", "\tdef g(): pass", "\t'use step'", head="def f() -> None:")
    assert fixed(tmp_path / "c", text) == marked(
        '\t"use step"', "\t@deco", "\tdef g(): pass", head="def f() -> None:"
    )


def test_directive_is_taken_out_of_the_docstring(tmp_path: Path) -> None:
    """The line of the docstring that is the directive becomes a statement behind it."""
    text = marked('    """Do it.', "", "    use step", '    """', "    x = 1")
    assert fixed(tmp_path, text) == marked(
        '    """Do it.', "", '    """', '    "use step"', "    x = 1"
    )


@pytest.mark.parametrize(
    "body",
    [
        ["    x = 1", '    "use step"; y = 2'],
        ["    x = 1", "    if x:", '        "use step"', "        x = 2"],
        ['    """Do it.', '    use step"""'],
        ['    "use step"', "    x = 1", '    "use step"'],
        ["    x = 1; y = 2", '    "use step"  # why'],
    ],
)
def test_directive_that_cannot_be_moved_safely_stays(body: list[str], tmp_path: Path) -> None:
    """On a line with other code, in a block, or where there is one already, nothing is moved."""
    assert fixed(tmp_path, marked(*body)) == marked(*body)


def test_plain_workflow_becomes_async(tmp_path: Path) -> None:
    """`async` is put before `def`; a generator is left alone."""
    made = fixed(tmp_path / "a", marked('    "use workflow"', head="def f() -> None:"))
    assert made == marked('    "use workflow"')
    text = marked('    "use workflow"', "    yield 1", head="def f():")
    assert fixed(tmp_path / "b", text) == text


def test_await_is_put_before_a_call_that_is_dropped(tmp_path: Path) -> None:
    """Calls that are statements or assigned get their `await`, over several lines too; others are
    not touched."""
    text = STEP + marked(
        '    "use workflow"', "    mail(", '        "a",', "    )", '    x = mail("b")',
        '    [mail("c") for _ in "ab"]', '    return f"{x}"',
    )  # fmt: skip
    made = fixed(tmp_path, text)
    assert made == text.replace("    mail(\n", "    await mail(\n").replace("= m", "= await m")


def test_comments_become_the_directive_they_were_meant_as(tmp_path: Path) -> None:
    """A comment on a line of its own below the docstring becomes the string; one above the
    docstring or behind the head is only reported, and others are left alone."""
    doc = '    """Doc."""'
    text = marked("    # Use step.", "    return 1  # use step")
    text += marked(doc, "    # use workflow", "    return 2", head="async def below():")
    text += marked("    # use step", doc, head="async def above():")
    text += marked("    return 2", head="async def behind():  # use step")
    text += marked('    "use step"', "    # use step", head="async def has():")
    made = fixed(tmp_path, text)
    mended = text.replace("    # Use step.", '    "use step"', 1)
    assert made == mended.replace("    # use workflow", '    "use workflow"')
    found = wfc.build(tmp_path, write=False, cache=False).diagnostics
    lines = made.split("\n")
    assert [(d.code, lines[d.span.line - 1]) for d in found] == [
        ("WF002", "    # use step"),
        ("WF002", "async def behind():  # use step"),
    ]


def test_class_of_a_value_becomes_its_type(tmp_path: Path) -> None:
    """`x.__class__` becomes `type(x)`, unless the file has a `type` of its own."""
    shown = "    return str((1, 2).__class__)"
    text = marked('    "use workflow"', shown)
    made = fixed(tmp_path / "a", text)
    assert made == text.replace("(1, 2).__class__", "type((1, 2))")
    text = marked('    "use workflow"', "    type = 1", shown)
    assert fixed(tmp_path / "b", text) == text


def test_file_that_would_get_worse_stays_and_is_named(tmp_path: Path) -> None:
    """Where an edit leads to a new finding or to no Python, its file is left as it was, with the
    reason; other files are mended."""
    files = {
        "good.py": marked('    "use steps"'),
        "twice.py": marked('    "use step"') + marked('    "use steps"'),
        "broken.py": marked("    x = 1; \\", '    "use step"'),
    }
    result = build(write_project(tmp_path, files), "--fix")
    assert (tmp_path / "good.py").read_text("utf-8") == marked('    "use step"')
    assert (tmp_path / "twice.py").read_text("utf-8") == files["twice.py"]
    assert (tmp_path / "broken.py").read_text("utf-8") == files["broken.py"]
    assert "mended 1 finding in good.py\n" in result.stderr
    assert (
        "twice.py is left as it was: the edits would lead to WF006 duplicate-id in line 3\n"
        in result.stderr
    )
    assert "broken.py is left as it was: the edits would lead to WF012 syntax" in result.stderr
    assert "2 errors" in result.stdout


def test_silenced_findings_are_not_mended(tmp_path: Path) -> None:
    """What a comment silences is meant as it stands."""
    text = STEP + (
        'async def main(a: str) -> None:\n    "use workflow"\n'
        "    mail(a)  # wfc: ignore[WF506] a coroutine on purpose\n"
    )
    assert build(write_project(tmp_path, text), "--diff").exit_code == 0


def test_contradictions_are_wrong_use(tmp_path: Path) -> None:
    """Options that cannot be meant together exit with 2 and say why."""
    root = write_project(tmp_path, STEP)
    for arguments in (
        ["--fix", "--check"], ["--fix", "--diff"], ["--fix", "--watch"], ["--diff", "--watch"],
        ["--diff", "--output-format", "json"],
    ):  # fmt: skip
        result = build(root, *arguments)
        assert result.exit_code == 2, arguments
        assert "Error: --" in result.stderr
    assert build(tmp_path / "no", "--fix").exit_code == 2
    assert build(tmp_path / "no", "--diff").exit_code == 2


def test_every_mended_bad_example_is_no_worse(tmp_path: Path) -> None:
    """Where the bad example of a rule can be mended, that finding is gone afterwards."""
    from wfc.analyse.checks import rules

    mended = set()
    for rule in rules().values():
        root = write_project(tmp_path / rule.code, rule.bad)
        fixes = find_fixes(load_project(root))
        assert not fixes.refused
        if fixes.after:
            assert fixes.write() == {}
            left = wfc.build(root, write=False, cache=False).diagnostics
            assert rule.code not in {d.code for d in left}
            mended.add(rule.name)
    assert mended >= {
        "directive-misplaced", "directive-misspelt", "directive-not-plain", "directive-spelling",
        "missing-await", "unused-ignore", "workflow-not-async",
    }  # fmt: skip
