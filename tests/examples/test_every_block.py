"""No page shows code that nobody runs, commands that do not exist, or links that lead nowhere.

A Python block is either a file (`<!-- file: flows.py -->`), and then the files of its page are
built here and played through by the test of that page; or it stands on a page whose test takes all
blocks of it; or it is a `<!-- fragment -->`, which cannot run by itself, and is compiled.
"""

from __future__ import annotations

import ast
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

import wfc
import workflow
import workflow.api
from tests.examples.pages import DOCS, files_of, write
from wfc.cli import main

ROOT = DOCS.parent
PAGES = [
    ROOT / "README.md",
    *sorted(DOCS.glob("*.md")),
    *sorted(ROOT.glob("examples/*/README.md")),
    ROOT / "benchmarks" / "README.md",
]
# The test that plays the files of a page through, or that takes every block of it.
PLAYED = {
    "cookbook": "examples/test_cookbook.py",
    "fetch": "http/test_fetch_in_workflows.py",
    "frameworks": "http/test_frameworks.py",
    "hooks": "examples/test_hooks_page.py",
    "idempotency": "examples/test_pages.py",
    "runs": "examples/test_runs_page.py",
    "streams": "examples/test_streams_page.py",
    "values": "examples/test_other_pages.py",
    "workflows-and-steps": "examples/test_workflows_page.py",
}
WHOLE = {
    "README": "examples/test_other_pages.py",
    "builders": "examples/test_other_pages.py",
    "building-a-world": "worlds/test_building_a_world.py",
    "client": "examples/test_other_pages.py",
}
# Findings and errors have pages of their own, made from their sources: tests/compiler has theirs.
_BLOCK = re.compile(
    r"(?:<!-- (?P<mark>[^>]*) -->\n)?^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.S | re.M
)


@dataclass(frozen=True)
class Block:
    """A block of code: its language, the mark above it, its text."""

    kind: str
    mark: str
    text: str


def blocks(page: Path) -> list[Block]:
    found = _BLOCK.finditer(page.read_text("utf-8"))
    return [Block(one["kind"], one["mark"] or "", one["text"]) for one in found]


def name_of(page: Path) -> str:
    return page.stem if page.parent in (ROOT, DOCS) else f"{page.parent.name}/{page.stem}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_somebody_runs_every_python_block(page: Path) -> None:
    """Each block is a file of a page that is played, or on a page taken whole, or a fragment."""
    name = name_of(page)
    files = [block for block in blocks(page) if block.mark.startswith("file: ")]
    assert len(files) == len(files_of(page))
    for block in blocks(page):
        if block.kind != "python":
            continue
        ast.parse(block.text)
        if block not in files and block.mark != "fragment":
            assert name in WHOLE, f"nobody runs this block of {name}:\n{block.text}"
    if files or name in WHOLE:
        test = ROOT / "tests" / (PLAYED | WHOLE)[name]
        assert f"{page.name}" in test.read_text("utf-8"), f"{test} does not look at {page.name}"


@pytest.mark.parametrize("name", PLAYED)
def test_the_files_of_a_page_are_built(name: str, tmp_path: Path) -> None:
    """All files of a page together make a project without findings."""
    write(DOCS / f"{name}.md", tmp_path)
    result = wfc.build(tmp_path)
    assert [str(d) for d in result.diagnostics] == []
    assert result.manifest["workflows"]


def test_every_public_function_is_shown() -> None:
    """docs/README.md has a row for each function, and the page that it names uses it in code."""
    index = (DOCS / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \| .* \| \[([\w-]+\.md)\]", index, re.M)
    for name, page in rows:
        code = [block.text for block in blocks(DOCS / page) if block.kind == "python"]
        assert any(re.search(rf"\b{name}\(", text) for text in code), (name, page)
    public = [name for name in (*workflow.__all__, *workflow.api.__all__) if name.islower()]
    missing = set(public) - {name for name, _ in rows}
    assert missing == {"resume_run", "set_world"}
    assert all(f"`{name}(" in index for name in missing)
    assert {page.name for page in DOCS.glob("*.md")} - set(
        re.findall(r"\(([\w-]+\.md)", index)
    ) <= {"README.md", "rules-on-real-code.md"}


def commands(page: Path) -> list[str]:
    """Every line or phrase that begins with `wfc ` and a word."""
    text = page.read_text("utf-8")
    lines = [
        line.strip().removeprefix("$ ")
        for block in blocks(page)
        if block.kind != "python"
        for line in block.text.splitlines()
    ]
    # Indented lines are blocks as well; phrases in the text may be broken over two lines.
    lines += [line.strip() for line in re.findall(r"^    (\S.*)$", text, re.M)]
    prose = re.sub(r"```.*?^```$", "", text, flags=re.S | re.M)
    lines += [" ".join(phrase.split()) for phrase in re.findall(r"`(wfc [^`]+)`", prose)]
    lines = [re.sub(r"^([A-Z_]+=\S+ )+", "", line) for line in lines]
    return [line for line in lines if re.match(r"wfc [a-z-]", line)]


def mistake(line: str) -> str:
    """What `wfc` would have against a command line, or nothing."""
    words = shlex.split(line.replace("[", "").replace("]", "").replace("\\|", "|"), comments=True)
    command: click.Command = main
    context = click.Context(main)
    words = words[1:]
    try:
        while isinstance(command, click.Group) and words and not words[0].startswith("-"):
            found = command.get_command(context, words[0])
            if found is None:
                return f"there is no command {words[0]}"
            command, words = found, words[1:]
            context = click.Context(command, parent=context)
        _, left, _ = command.make_parser(context).parse_args(words)
    except click.UsageError as error:
        return error.message
    return f"{left[0]} is too much" if left and not isinstance(command, click.Group) else ""


@pytest.mark.parametrize("page", [*PAGES, *DOCS.glob("errors/*.md")], ids=name_of)
def test_every_command_of_a_page_exists(page: Path) -> None:
    """Commands and options are those that `wfc` has."""
    assert {line: mistake(line) for line in commands(page) if mistake(line)} == {}


def test_wrong_commands_are_noticed() -> None:
    """The check above is one: it refuses what does not exist."""
    assert not mistake("wfc build --watch # a comment")
    assert not mistake("wfc inspect run ID --json")
    for wrong in ("wfc biuld", "wfc build --wach", "wfc world nothing", "wfc graph a b c"):
        assert mistake(wrong), wrong
    assert len(commands(ROOT / "README.md")) > 5


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as Git hosts make them."""
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.S | re.M)
    heads = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", [*PAGES, *DOCS.glob("errors/*.md")], ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    """Relative links name files that are there, and headings that are in them."""
    text = re.sub(r"```.*?^```$|`[^`\n]*`", "", page.read_text("utf-8"), flags=re.S | re.M)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith(("http:", "https:")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link
