"""`wfc.Builder`, as authors of integrations use it, and the example that does."""

from __future__ import annotations

import json
import os
import queue
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

import wfc
from tests.compiler.lines import Process
from tests.compiler.projects import write_project
from wfc.cli import main

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "custom_builder"
FLOW = 'async def {name}() -> int:\n    "use workflow"\n    return {value}\n'
TWO = {
    "first.py": FLOW.format(name="first", value=1),
    "second.py": FLOW.format(name="second", value=2),
}


class OnlyFirst(wfc.Builder):
    """Compiles one file of the project and adds a file of its own."""

    def get_input_files(self, project: wfc.Project) -> Sequence[wfc.InputFile]:
        return [f for f in super().get_input_files(project) if f.path == "first.py"]

    def create_app(self, compilation: wfc.Compilation) -> Mapping[str, str]:
        names = [m.qualname for m in compilation.program.marked]
        return {**super().create_app(compilation), "routes.json": json.dumps(names)}


def test_overridden_methods_decide_what_goes_in_and_what_comes_out(tmp_path: Path) -> None:
    """Input files and generated files are those of the derived builder, and the manifest lists
    them."""
    result = OnlyFirst(working_dir=write_project(tmp_path, TWO)).build()
    assert list(result.manifest["workflows"]) == ["workflow//first.py//first"]
    assert (tmp_path / "generated" / "routes.json").read_text() == '["first"]'
    assert "routes.json" in result.manifest["files"]


def test_a_file_of_another_builder_is_removed_with_the_next_build(tmp_path: Path) -> None:
    """What an integration added goes when the project is built without it."""
    OnlyFirst(working_dir=write_project(tmp_path, TWO)).build()
    assert "routes.json" in wfc.build(tmp_path).stale
    assert not (tmp_path / "generated" / "routes.json").exists()


def test_a_build_on_the_command_line_says_what_it_removed(tmp_path: Path) -> None:
    """Whoever builds a project of a framework with `wfc build` reads that its files are gone."""
    OnlyFirst(working_dir=write_project(tmp_path, TWO)).build()
    result = CliRunner().invoke(main, ["build", "--root", str(tmp_path)])
    assert result.stderr == "removed generated/routes.json: this build does not make it\n"
    assert CliRunner().invoke(main, ["build", "--root", str(tmp_path)]).stderr == ""


def test_dirs_narrow_the_search_of_one_build(tmp_path: Path) -> None:
    """`dirs` of a call stands above the setting, and a wrong one is named."""
    files = {f"{name}/flows.py": FLOW.format(name=name, value=1) for name in ("one", "two")}
    root = write_project(tmp_path, files)
    found = wfc.build(root, dirs=["two"], write=False).manifest["workflows"]
    assert list(found) == ["workflow//two/flows.py//two"]
    with pytest.raises(wfc.ProjectError, match="no folder 'three'"):
        wfc.build(root, dirs=["three"])


def test_a_rebuild_parses_only_what_changed(tmp_path: Path) -> None:
    """A builder hands out the same module again while the file has the same bytes."""
    builder = wfc.Builder(working_dir=write_project(tmp_path, TWO), cache=False)
    before = builder.build().compilation
    (tmp_path / "first.py").write_text(FLOW.format(name="first", value=3))
    after = builder.build().compilation
    assert before is not None
    assert after is not None
    assert after.program.modules["second"] is before.program.modules["second"]
    assert "return 3" in after.texts["first"]


class Telling(wfc.Builder):
    """Puts rebuilds where a test can wait for them."""

    def __init__(self, root: Path) -> None:
        super().__init__(working_dir=root, watch=True)
        self.told: queue.Queue[wfc.Rebuild] = queue.Queue()

    def rebuilt(self, rebuild: wfc.Rebuild) -> None:
        self.told.put(rebuild)

    def next(self) -> wfc.Rebuild:
        return self.told.get(timeout=60)


def test_a_watching_builder_builds_again_until_it_is_closed(tmp_path: Path) -> None:
    """Every change is told with what came of it, and an error leaves the last good build."""
    with Telling(write_project(tmp_path, TWO)) as builder:
        assert builder.build().ok
        good = FLOW.format(name="first", value=4)
        (tmp_path / "first.py").write_text(good)
        rebuild = builder.next()
        assert isinstance(rebuild.result, wfc.BuildResult)
        assert rebuild.result.ok
        (tmp_path / "first.py").write_text(good + "def (")
        rebuild = builder.next()
        assert isinstance(rebuild.result, wfc.BuildResult)
        assert [d.code for d in rebuild.result.diagnostics] == ["WF012"]
        assert "return 4" in (tmp_path / "generated/workflows/first.py").read_text()
        (tmp_path / "pyproject.toml").write_text("[tool.workflow]\ndir = 3\n")
        assert isinstance(builder.next().result, wfc.ProjectError)
    (tmp_path / "first.py").write_text(good)
    assert builder.told.empty()


def test_the_example_builds_serves_and_starts_again_with_new_code(tmp_path: Path) -> None:
    """examples/custom_builder: build on start-up, requests, a rebuild, and an error survived."""
    ignored = shutil.ignore_patterns("generated", ".workflow-*", "__pycache__")
    folder = shutil.copytree(EXAMPLE, tmp_path / "example", ignore=ignored)
    flows = folder / "workflows" / "greetings.py"
    with Process([sys.executable, "server.py", "--dev", "--port", "0"], folder) as server:
        url = re.findall(r"http://\S+", server.wait_for("serving on"))[0]

        def greeting() -> str:
            run = httpx.post(f"{url}/greet/ada", timeout=60).json()["run_id"]
            result: str = httpx.get(f"{url}/runs/{run}", timeout=60).json()["result"]
            return result

        assert greeting() == "Hello, Ada!"
        text = flows.read_text("utf-8")
        flows.write_text(text.replace("Hello", "Welcome"), "utf-8")
        server.wait_for("rebuilt in")
        server.wait_for("serving on")
        assert greeting() == "Welcome, Ada!"
        flows.write_text(text.replace("await sleep", "open(name); await sleep"), "utf-8")
        assert "greetings.py:" in server.wait_for("WF")
        server.wait_for("the last good build stays")
        assert greeting() == "Welcome, Ada!"


def test_the_example_is_a_project_of_its_own() -> None:
    """The build of this repository leaves it alone, though it lies in a folder searched."""
    found = wfc.build(ROOT, write=False, cache=False)
    assert not [path for path in found.files if "custom_builder" in path]


def test_data_of_the_compiler_is_loaded_when_it_is_used() -> None:
    """Every public name can be imported, and `import wfc` alone loads none of it."""
    code = "import sys, wfc; print([m for m in sys.modules if m.startswith('wfc.')])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout == "[]\n"
    assert all(getattr(wfc, name) is not None for name in wfc.__all__)
    assert set(wfc.__all__) <= set(dir(wfc))
