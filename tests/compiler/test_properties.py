"""The whole compiler on drawn modules: what is promised for every input."""

from __future__ import annotations

import ast
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from hypothesis import HealthCheck, given, note, settings

import wfc
from tests.compiler.source_text import Source, sources
from wfc.builder import BuildResult

# An example is several builds: fewer of them than of other properties.
FEWER = settings(
    max_examples=max(20, settings.default.max_examples // 4) if settings.default else 25,
    suppress_health_check=[HealthCheck.too_slow],
)


def built(folder: Path, source: Source, *, cache: bool = False) -> BuildResult:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "flows.py").write_bytes(source.data)
    note(source.data.decode())
    result = wfc.build(folder, cache=cache)
    assert result.ok, [str(d) for d in result.diagnostics]
    return result


def functions(tree: ast.Module) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    return {
        node.name: node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def steps_in(workflow: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The steps that are defined in the body of a workflow."""
    for node in ast.walk(workflow):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and any(
            isinstance(s, ast.Expr)
            and isinstance(s.value, ast.Constant)
            and s.value.value == "use step"
            for s in node.body[:2]
        ):
            yield node


def definitions(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name


def calls(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and not ast.unparse(node.func).startswith("_wfc_"):
            yield node.lineno, ast.unparse(node)


@FEWER
@given(sources())
def test_workflow_mode_keeps_text_and_lines(source: Source) -> None:
    """Workflow mode parses; definitions and calls keep their lines, workflow bodies their text;
    no line of a step's body is left; and the user's file is not touched."""
    with tempfile.TemporaryDirectory() as folder:
        result = built(Path(folder), source)
        assert (Path(folder) / "flows.py").read_bytes() == source.data
    text = result.files["workflows/flows.py"]
    compile(text, "flows.py", "exec")
    assert "only in step" not in text
    user = source.data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    before, after = ast.parse(user), ast.parse(text)
    assert set(definitions(after)) <= set(definitions(before))
    assert set(calls(after)) <= set(calls(before))
    lines, kept = user.split("\n"), text.split("\n")
    by_name = functions(before)
    for entry in result.manifest["workflows"].values():
        node = by_name[entry["qualname"].rpartition(".")[2]]
        assert entry["line"] == node.lineno
        nested = {
            n for step in steps_in(node) for n in range(step.lineno, (step.end_lineno or 0) + 1)
        }
        for line in range(node.lineno, (node.end_lineno or 0) + 1):
            assert line in nested or kept[line - 1] == lines[line - 1]
    assert len(result.manifest["workflows"]) == len(source.workflows)
    assert len(result.manifest["steps"]) == len(source.steps)


@FEWER
@given(sources())
def test_same_bytes_with_and_without_cache_and_elsewhere(source: Source) -> None:
    """Cold, from the cache, without it and from a copy in another folder: the same files."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder) / "project"
        first = built(here, source, cache=True).files
        assert wfc.build(here, cache=True).stale == ()
        elsewhere = Path(folder) / "else where" / "ß"
        shutil.copytree(here, elsewhere, ignore=shutil.ignore_patterns(".*", "generated"))
        for root, cache in ((here, True), (here, False), (elsewhere, False)):
            assert wfc.build(root, cache=cache).files == first
        made = [p for p in (here / "generated").rglob("*") if p.is_file()]
        texts = {p.relative_to(here / "generated").as_posix(): p.read_bytes() for p in made}
        assert texts == {path: text.encode() for path, text in first.items()}


@FEWER
@given(sources())
def test_client_mode_holds_the_workflows_and_no_step_code(source: Source) -> None:
    """The client module runs without the user's module, has every workflow with its id, and its
    stubs parse and have them as coroutine functions."""
    with tempfile.TemporaryDirectory() as folder:
        result = built(Path(folder), source)
    text, stubs = (result.files[f"client/flows.py{end}"] for end in ("", "i"))
    assert "only in step" not in text + stubs
    module = sys.modules["client_of_flows"] = ModuleType("client_of_flows")
    try:  # dataclasses look their module up
        exec(compile(text, "client/flows.py", "exec"), module.__dict__)
    finally:
        del sys.modules["client_of_flows"]
    typed = functions(ast.parse(stubs))
    for workflow_id, entry in result.manifest["workflows"].items():
        found: object = module
        for part in entry["qualname"].split("."):
            found = getattr(found, part)
        assert getattr(found, "workflow_id", None) == workflow_id
        assert isinstance(typed[entry["qualname"].rpartition(".")[2]], ast.AsyncFunctionDef)
