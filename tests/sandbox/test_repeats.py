"""What a run leaves behind is not seen by the next run of the same process.

Each snippet of `repeats.json` changes something that outlives its `main()` in plain Python: a class
attribute, the value of an enum, a default, a cache, an iterator. The outcome of a run must be the
same however many runs were before it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.snippets import MODULE, VirtualRun
from workflow.errors import SandboxError
from workflow.sandbox import Bundle, ModuleSource, Program, check

CASES = json.loads((Path(__file__).parent / "repeats.json").read_text(encoding="utf-8"))


def outcome(program: Program) -> str:
    run = VirtualRun()

    async def body() -> Any:
        return await program.entry("main")()

    try:
        return repr(run.drive(body()))
    except (AttributeError, SandboxError, TypeError) as error:  # a change that is refused
        return f"{type(error).__name__}: {error}"
    finally:
        run.loop.close()


@pytest.mark.parametrize("registered", [False, True], ids=["unregistered", "registered"])
@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in CASES])
def test_a_run_sees_nothing_of_those_before(case: dict[str, str], registered: bool) -> None:
    """Three runs of one program end alike, whether its classes are registered to be recorded or
    not."""
    source = case["source"]
    assert check(source, "case.py") == []
    names = re.findall(r"^class (\w+)", source, re.MULTILINE) if registered else []
    classes = {f"class//{name}": (MODULE, name) for name in names}
    module = ModuleSource(MODULE, "snippets/case.py", source)
    program = Program(Bundle((module,), {"main": (MODULE, "main")}, classes))
    first, *others = (outcome(program) for _ in range(3))
    assert others == [first, first]
    assert " 0x" not in first
