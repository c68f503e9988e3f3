"""`wfc build --watch`: real files, a real process, and what its lines say."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path, PurePosixPath

import pytest

from tests.compiler.lines import Process
from tests.compiler.projects import write_project
from wfc.cli import main
from wfc.watch import matters

FLOW = """\
async def work(name: str) -> str:
    "use step"
    return name


async def main(name: str) -> str:
    "use workflow"
    return await work(name)
"""
WATCH = [Path(sys.executable).with_name("wfc"), "build", "--watch"]


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("flows.py", True),
        ("package/flows.py", True),
        ("pyproject.toml", True),
        ("generated/step.py", False),
        ("generated", False),
        (".workflow-cache/ab/x.json", False),
        (".git/index.py", False),
        ("__pycache__/flows.cpython-311.pyc", False),
        ("flows.py~", False),
        ("#flows.py#", False),
        (".#flows.py", False),
        (".flows.py.swp", False),
        ("flows.py.tmp.4711", False),
        ("notes.txt", False),
        ("4913", False),
    ],
)
def test_only_what_a_build_reads_counts(path: str, counts: bool, tmp_path: Path) -> None:
    """Generated files, caches and what editors leave behind are no changes."""
    assert matters(tmp_path / path, tmp_path, "generated") is counts


def test_a_folder_that_is_gone_or_new_counts(tmp_path: Path) -> None:
    """Renaming a folder says nothing of the files in it, so the folder itself counts."""
    (tmp_path / "package").mkdir()
    assert matters(tmp_path / "package", tmp_path, "generated")
    assert matters(tmp_path / "gone", tmp_path, "generated", is_gone=True)
    assert not matters(PurePosixPath("/elsewhere/flows.py"), tmp_path, "generated")


def test_the_last_good_build_stays_until_the_error_is_mended(tmp_path: Path) -> None:
    """An error is printed and changes no generated file; mending it builds again."""
    root = write_project(tmp_path, FLOW)
    text = root / "generated" / "workflows" / "flows.py"
    with Process(WATCH, root) as watch:
        watch.wait_for("built 1 workflow")
        watch.wait_for("watching for changes")
        before = text.read_bytes()
        (root / "flows.py").write_text(FLOW + "x = (\n")
        watch.wait_for(" changed; checked in ")
        watch.wait_for("syntax-error")
        watch.wait_for("nothing written")
        assert text.read_bytes() == before
        (root / "flows.py").write_text(FLOW.replace("work(", "toil("))
        watch.wait_for(" changed; built again in ")
        watch.wait_for("built 1 workflow")
        assert b"toil" in text.read_bytes()
        assert watch.end(signal.SIGINT) == 0


def test_files_come_go_and_are_replaced(tmp_path: Path) -> None:
    """Renamed folders, deleted files, editors that replace a file, and files that cannot be read
    are all survived."""
    root = write_project(tmp_path, {"a/flows.py": FLOW, "pyproject.toml": ""})
    with Process(WATCH, root) as watch:
        watch.wait_for("watching for changes")
        (root / "a").rename(root / "b")
        watch.wait_for("b/flows.py:6")
        (root / "b" / "new.py").write_text(FLOW.replace("main", "other"))
        os.replace(root / "b" / "new.py", root / "b" / "flows.py")
        watch.wait_for("other")
        (root / "b" / "broken.py").write_bytes(b'"use step"\n\xff')
        watch.wait_for("is not UTF-8")
        (root / "b" / "broken.py").unlink()
        watch.wait_for("built 1 workflow")
        (root / "b" / "flows.py").unlink()
        watch.wait_for("No workflows found")
        (root / "b" / "flows.py").write_text(FLOW)
        watch.wait_for("built 1 workflow")
        assert watch.end(signal.SIGTERM) == 0


def test_settings_are_read_again(tmp_path: Path) -> None:
    """A changed pyproject.toml counts, and a wrong one is reported and survived."""
    root = write_project(tmp_path, {"flows.py": FLOW, "pyproject.toml": ""})
    with Process(WATCH, root) as watch:
        watch.wait_for("watching for changes")
        (root / "pyproject.toml").write_text('[tool.workflow]\ngenerate = "out"\n')
        watch.wait_for("did you mean 'generated'?")
        (root / "pyproject.toml").write_text('[tool.workflow]\ngenerated = "out"\n')
        watch.wait_for("-> out/")
        assert (root / "out" / "manifest.json").exists()


def test_watching_what_is_no_project_is_wrong_use(tmp_path: Path) -> None:
    """Without a folder there is nothing to wait for; --check has no place beside --watch."""
    from click.testing import CliRunner

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        for arguments in (["--root", str(tmp_path / "no")], ["--check"]):
            assert CliRunner().invoke(main, ["build", "--watch", *arguments]).exit_code == 2
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
