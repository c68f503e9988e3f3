"""The cache can be damaged, faked or deleted; helpers can fail; builds can run at the same time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import wfc
from tests.compiler.lines import Process
from tests.compiler.projects import write_project
from wfc.transform import batch
from workflow.engine import project as loader
from workflow.errors import BundleError
from workflow.manifest import read_manifest

FLOW = """\
async def work_{n}(name: str) -> str:
    "use step"
    return name


async def main_{n}(name: str) -> str:
    "use workflow"
    return await work_{n}(name)
"""


def many(root: Path, count: int) -> Path:
    return write_project(root, {f"flows_{n}.py": FLOW.format(n=n) for n in range(count)})


def entries(root: Path) -> list[Path]:
    return list((root / ".workflow-cache").rglob("*.json"))


@pytest.mark.parametrize("damage", [b"", b"\xff\x00", b"[1, 2]", b'["a", [[1]]]', b"[" * 100_000])
def test_damaged_entries_are_made_again(damage: bytes, tmp_path: Path) -> None:
    """Whatever an entry holds, the build is the same."""
    files = wfc.build(many(tmp_path, 2)).files
    assert entries(tmp_path)
    for entry in entries(tmp_path):
        entry.write_bytes(damage)
    assert wfc.build(tmp_path).files == files


def test_a_cache_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    """A file where the folder should be only costs the time."""
    (tmp_path / ".workflow-cache").write_text("in the way")
    assert wfc.build(many(tmp_path, 1)).ok


def test_a_faked_entry_cannot_reach_out_of_the_sandbox(tmp_path: Path) -> None:
    """Code put into the cache runs nowhere but where workflow code does, and fails the build."""
    wfc.build(many(tmp_path, 1))
    touched = tmp_path / "touched"
    text = f"import os\nos.system('touch {touched}')\nopen({str(touched)!r}, 'w')\n"
    for entry in entries(tmp_path):
        kept = json.loads(entry.read_bytes())
        if isinstance(kept, list) and "work_0" in kept[0]:
            entry.write_text(json.dumps([text, []]))
        else:
            entry.unlink()  # that the bundle was loaded before, and that nothing changed
    result = wfc.build(tmp_path)
    assert not result.ok
    assert not touched.exists()


def test_helpers_make_the_same_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With other processors, without, and with helpers that fail, the files are the same."""
    alone = wfc.build(many(tmp_path, 6), cache=False).files
    monkeypatch.setattr(batch, "_WORTH_IT", 2)
    monkeypatch.setattr(batch, "_processors", lambda: 3)
    assert wfc.build(tmp_path, cache=False).files == alone
    for program in ("/no/such/python3", str(tmp_path / "python3")):
        monkeypatch.setattr(sys, "executable", program)
        assert wfc.build(tmp_path, cache=False).files == alone


def test_a_script_may_build_at_its_top_level(tmp_path: Path) -> None:
    """Helpers do not run the script again, as those of multiprocessing would."""
    many(tmp_path, 4)
    script = write_project(
        tmp_path / "elsewhere",
        {
            "script.py": "import wfc\n"
            "from wfc.transform import batch\n"
            "batch._WORTH_IT = 2\n"
            "batch._processors = lambda: 2\n"
            f"print(len(wfc.build({str(tmp_path)!r}, cache=False).manifest['workflows']))\n"
        },
    )
    done = subprocess.run(
        [sys.executable, script / "script.py"], capture_output=True, text=True, check=True
    )
    assert done.stdout == "4\n"


WRITER = """\
import sys
from pathlib import Path
from wfc.emit import writer
import hashlib, json
folder, mark = Path(sys.argv[1]), sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
for n in range(40):
    step = f"# Made by wfc\\n# {mark} {n}\\n" + "x = 1\\n" * 2000
    texts = {f"workflows/m{i}.py": f"value = '{mark} {n}'\\n" for i in range(20)}
    from workflow.sandbox.bundle import Bundle, ModuleSource
    bundle = Bundle(tuple(ModuleSource(f"m{i}", f"m{i}.py", texts[f"workflows/m{i}.py"])
                          for i in range(20)))
    files = {**texts, "step.py": step}
    manifest = {
        "format": 1, "wfc": "x", "bundle": bundle.hash, "root": "..", "workflows": {},
        "classes": {}, "steps": {}, "files": {p: hashlib.sha256(t.encode()).hexdigest()
                                              for p, t in files.items()},
        "modules": [{"name": f"m{i}", "path": f"m{i}.py", "text": f"workflows/m{i}.py"}
                    for i in range(20)],
    }
    writer.write(folder, {**files, "manifest.json": json.dumps(manifest)})
print("done", flush=True)
"""


def test_two_builds_and_a_server_do_not_see_each_others_halves(tmp_path: Path) -> None:
    """While two processes write different builds into one folder, a server that starts always
    finds files that belong together."""
    folder = tmp_path / "generated"
    folder.mkdir()
    command = [sys.executable, "-c", WRITER, str(folder)]
    popens = [
        subprocess.Popen([*command, mark], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for mark in "ab"
    ]
    for popen in popens:
        assert popen.stdout is not None
        assert popen.stdout.readline() == "ready\n"
    for popen in popens:
        assert popen.stdin is not None
        popen.stdin.write("go\n")
        popen.stdin.flush()
    seen = set()
    while any(popen.poll() is None for popen in popens):
        with loader._no_build_meanwhile(folder):
            if (folder / "manifest.json").exists():
                manifest = read_manifest(folder)
                seen.add((loader._bundle(folder, manifest).hash, loader._step(folder, manifest)))
    for popen in popens:
        assert popen.communicate()[0] == "done\n"
        assert popen.returncode == 0
    assert seen
    assert not list(folder.rglob(".wfc-*"))


def test_files_of_different_builds_are_refused(tmp_path: Path) -> None:
    """A folder that a killed build left half-written does not start a server."""
    wfc.build(many(tmp_path, 1))
    step = tmp_path / "generated" / "step.py"
    step.write_text(step.read_text() + "# of another build\n")
    with pytest.raises(BundleError, match=r"belong to different builds: run `wfc build` again"):
        loader.Project.load(tmp_path / "generated")


def test_a_killed_build_leaves_nothing_behind_for_good(tmp_path: Path) -> None:
    """Temporary files of a build that died are gone after the next one that writes."""
    wfc.build(many(tmp_path, 1))
    left = tmp_path / "generated" / ".wfc-abc"
    left.write_text("half")
    (tmp_path / "flows_0.py").write_text(FLOW.format(n=1))
    wfc.build(tmp_path)
    assert not left.exists()


def test_two_builds_of_one_project_at_once(tmp_path: Path) -> None:
    """Both succeed, and what is there is a whole build."""
    many(tmp_path, 3)
    command = [Path(sys.executable).with_name("wfc"), "build"]
    with Process(command, tmp_path) as one, Process(command, tmp_path) as two:
        one.wait_for("built 3 workflows")
        two.wait_for("built 3 workflows")
        assert one.popen.wait(60) == two.popen.wait(60) == 0
    assert wfc.build(tmp_path, write=False).stale == ()
