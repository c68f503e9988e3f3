"""What manifest.json says beyond hashes: places, forms, options, graphs, and that it is stable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import wfc
from tests.compiler.projects import write_project
from wfc.analyse.options import step_options
from wfc.compiler import load_program
from wfc.model import Kind
from wfc.project import load_project

SOURCE = '''\
from dataclasses import dataclass

from workflow import Backoff, step_options
from workflow import step_options as options

LIMIT = 3


@dataclass(frozen=True)
class Order:
    """An order."""

    id: str


@step_options(max_retries=5, timeout="30s", backoff=Backoff(initial=0.5, factor=3))
async def charge(order: Order) -> int:
    """Charge the card."""
    "use step"
    return 1


@options(max_retries=LIMIT, backoff="1s")
def ship(order: Order) -> None:
    "use step"


ship.timeout = 60
charge.max_retries = LIMIT + 1


class Mail:
    @staticmethod
    async def send(to: str) -> None:
        "use step"


async def ünïcode(order: Order) -> str: "use workflow"; await charge(order); return "é"


async def main(order: Order) -> str:
    """Ship it."""
    "use workflow"
    await charge(order)
    await ship(order)
    await Mail.send("x")
    return "done"
'''


@pytest.fixture
def manifest(tmp_path: Path) -> dict[str, Any]:
    result = wfc.build(write_project(tmp_path, SOURCE), cache=False)
    assert result.ok, result.diagnostics
    return dict(result.manifest)


def test_places_say_line_column_and_end(manifest: dict[str, Any]) -> None:
    """Spans count characters from 1, also behind letters that are several bytes."""
    main = manifest["workflows"]["workflow//flows.py//main"]
    lines = SOURCE.split("\n")
    assert main["span"] == {
        "path": "flows.py",
        "line": lines.index("async def main(order: Order) -> str:") + 1,
        "column": 1,
        "end_line": len(lines) - 1,
        "end_column": len('    return "done"') + 1,
    }
    assert main["line"] == main["span"]["line"]
    other = manifest["workflows"]["workflow//flows.py//ünïcode"]
    line = next(text for text in lines if "ünïcode" in text)
    call = next(n for n in other["graph"]["nodes"] if n["kind"] == "step")
    assert call["span"]["column"] == line.index("charge") + 1
    assert other["span"]["end_column"] == len(line) + 1
    assert manifest["classes"]["class//flows.py//Order"]["span"]["end_line"] == 13


def test_step_options_are_values_or_text(manifest: dict[str, Any]) -> None:
    """Literal options have a value, computed ones only their text; an attribute wins."""
    steps = manifest["steps"]
    assert steps["step//flows.py//charge"]["options"] == {
        "max_retries": {"value": None, "source": "LIMIT + 1"},
        "timeout": {"value": "30s", "source": '"30s"'},
        "backoff": {
            "value": {"initial": 0.5, "factor": 3},
            "source": "Backoff(initial=0.5, factor=3)",
        },
    }
    assert steps["step//flows.py//ship"]["options"] == {
        "max_retries": {"value": None, "source": "LIMIT"},
        "backoff": {"value": "1s", "source": '"1s"'},
        "timeout": {"value": 60, "source": "60"},
    }
    assert steps["step//flows.py//Mail.send"]["options"] == {}


def test_options_of_nested_steps_and_methods(tmp_path: Path) -> None:
    """An attribute counts where the step is defined: in its class, or the function around it."""
    text = """\
class Mail:
    @staticmethod
    async def send(to: str) -> None:
        "use step"
    send.max_retries = 1

async def main() -> None:
    "use workflow"
    async def inner() -> None:
        "use step"
    inner.max_retries = 2
    await inner()
    await Mail.send("x")

Mail.send.timeout = 3
"""
    program = load_program(load_project(write_project(tmp_path, text)))
    found = {m.name: step_options(m) for m in program.of(Kind.STEP)}
    assert {name: {k: v["value"] for k, v in o.items()} for name, o in found.items()} == {
        "Mail.send": {"max_retries": 1, "timeout": 3},
        "main/inner": {"max_retries": 2},
    }


def test_functions_say_how_they_are_defined(manifest: dict[str, Any]) -> None:
    """Each step has its form and whether it is a coroutine function."""
    forms = {k.rpartition("/")[2]: (s["form"], s["async"]) for k, s in manifest["steps"].items()}
    assert forms == {
        "charge": ("function", True),
        "ship": ("function", False),
        "Mail.send": ("static", True),
    }


def test_inputs_outputs_and_classes_have_schemas(manifest: dict[str, Any]) -> None:
    """Functions have schemas of both ends, classes one of their own, docstrings go along."""
    charge = manifest["steps"]["step//flows.py//charge"]
    order = {
        "title": "Order",
        "description": "An order.",
        "type": "object",
        "properties": {"id": {"type": "string"}},
        "required": ["id"],
    }
    assert charge["output"] == {"type": "integer"}
    assert charge["input"]["properties"] == {"order": {"$ref": "#/$defs/Order"}}
    assert charge["input"]["$defs"] == {"Order": order}
    assert manifest["classes"]["class//flows.py//Order"]["schema"] == order
    assert manifest["classes"]["class//flows.py//Order"]["doc"] == "An order."
    assert manifest["json_schema"].endswith("2020-12/schema")


def test_graph_of_a_workflow_is_in_the_manifest(manifest: dict[str, Any]) -> None:
    """The graph has nodes and edges, and its step nodes are the steps that are listed."""
    main = manifest["workflows"]["workflow//flows.py//main"]
    drawn = [n["data"]["step"] for n in main["graph"]["nodes"] if n["kind"] == "step"]
    assert sorted(drawn) == main["steps"]
    assert {e["kind"] for e in main["graph"]["edges"]} == {"next"}


def test_manifest_is_the_same_in_another_folder(manifest: dict[str, Any], tmp_path: Path) -> None:
    """Nothing in it depends on where the project lies."""
    again = wfc.build(write_project(tmp_path / "elsewhere" / "deep", SOURCE), cache=False)
    assert json.dumps(again.manifest, sort_keys=True) == json.dumps(manifest, sort_keys=True)
    assert str(tmp_path) not in json.dumps(manifest)


def test_data_that_only_a_step_body_makes_can_be_recorded(tmp_path: Path) -> None:
    """Classes of data and exceptions that a step makes are listed, other classes are not."""
    text = """
from dataclasses import dataclass
from workflow import get_writable

class Mailer:
    pass

@dataclass
class Part:
    n: int

class Declined(ValueError):
    pass

class Unused(ValueError):
    pass

async def work() -> None:
    "use step"
    Mailer()
    await get_writable().write(Part(1))
    declined = Declined()
    raise declined

async def main() -> None:
    "use workflow"
    await work()
"""
    manifest = wfc.build(write_project(tmp_path, text), cache=False).manifest
    assert {key: entry["bundled"] for key, entry in manifest["classes"].items()} == {
        "class//flows.py//Part": False,
        "class//flows.py//Declined": False,
    }


def test_what_a_reached_step_gives_is_bundled_where_it_can_be(tmp_path: Path) -> None:
    """Classes named where a step returns or raises, without what no workflow can have."""
    text = """
import enum
import os
from dataclasses import dataclass

@dataclass
class Part:
    n: int

class Declined(ValueError):
    def told(self):
        return "declined"

@dataclass
class Place:
    n: int

    @property
    def path(self):
        return os.getcwd()

    def __post_init__(self):
        os.getcwd()

class Color(enum.Enum):
    RED = 1

class Unreached(ValueError):
    pass

async def work(n):
    "use step"
    if n > 1:
        raise Declined
    if n > 2:
        return Place(1)
    def inner():
        return Unreached()
    return [Part(1), Color.RED]

async def other():
    "use step"
    raise Unreached

async def main() -> None:
    "use workflow"
    await work(1)
"""
    manifest = wfc.build(write_project(tmp_path, text), cache=False).manifest
    assert {key[17:]: entry["bundled"] for key, entry in manifest["classes"].items()} == {
        "Color": True,
        "Declined": True,
        "Part": True,
        "Place": False,
        "Unreached": False,
    }
