"""A function with both directives."""

from __future__ import annotations

from pathlib import Path

import pytest

import wfc
from tests.compiler.projects import write_project


@pytest.mark.parametrize(("first", "second"), [("workflow", "step"), ("step", "workflow")])
def test_a_function_is_a_workflow_or_a_step(first: str, second: str, tmp_path: Path) -> None:
    """The finding names the directive that counts, and does not advise to change their order."""
    text = f'async def both() -> None:\n    "use {first}"\n    "use {second}"\n'
    result = wfc.build(write_project(tmp_path, {"flows.py": text}), write=False)
    [finding] = result.diagnostics
    assert (finding.code, finding.span.line) == ("WF001", 3)
    assert f'"use {first}" above it counts' in finding.message
    assert finding.fix.startswith("Keep one of the two")
    assert not finding.edits


def test_the_same_directive_twice(tmp_path: Path) -> None:
    """The second one is below a statement like any other."""
    text = 'async def both() -> None:\n    "use step"\n    "use step"\n'
    result = wfc.build(write_project(tmp_path, {"flows.py": text}), write=False)
    assert "has no effect here: other statements" in result.diagnostics[0].message
