"""The flow graph of a workflow, its Mermaid text and its picture."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.compiler.projects import write_project
from wfc.analyse.graph import EdgeKind, FlowGraph, NodeKind, flow_graph, steps_reached
from wfc.cli import main
from wfc.compiler import load_program
from wfc.model import Kind, Program
from wfc.project import load_project
from wfc.render import mermaid, svg

CASES = Path(__file__).parent / "cases"
GRAPHS = sorted(p.name for p in CASES.glob("graph_*"))
UPDATE = os.environ.get("UPDATE_GOLDEN") == "1"

HEADER = """\
import asyncio
from workflow import create_hook, create_webhook, define_hook, fetch, sleep
from workflow.api import start

async def a(x=0):
    "use step"

async def b(x=0):
    "use step"

async def child():
    "use workflow"
    await a()

async def main(n, items):
    "use workflow"
"""


def program_of(folder: Path) -> Program:
    return load_program(load_project(folder))


def case_program(name: str, to: Path) -> Program:
    """A golden project without what was built from it."""
    shutil.copytree(CASES / name, to / name, ignore=shutil.ignore_patterns("expected"))
    return program_of(to / name)


def graph_of(folder: Path, body: str, name: str = "main", before: str = "") -> FlowGraph:
    lines = "".join(f"    {line}\n" for line in body.strip("\n").split("\n"))
    program = program_of(write_project(folder, before + HEADER + lines))
    (workflow,) = (w for w in program.of(Kind.WORKFLOW) if w.node.name == name)
    return flow_graph(program, workflow)


def arrows(graph: FlowGraph) -> list[str]:
    """Each edge as `label kind[:word] label`."""
    labels = {n.id: n.label for n in graph.nodes}
    return [
        f"{labels[e.source]} -{e.kind.value}{':' + e.label if e.label else ''}> {labels[e.target]}"
        for e in graph.edges
    ]


def unreached(graph: FlowGraph) -> set[str]:
    """The nodes that nothing leads to from the start."""
    seen = {graph.nodes[0].id}
    for _ in graph.nodes:
        seen |= {e.target for e in graph.edges if e.source in seen}
    return {n.id for n in graph.nodes} - seen


def check_invariants(program: Program) -> None:
    for workflow in program.of(Kind.WORKFLOW):
        graph = flow_graph(program, workflow)
        ids = [n.id for n in graph.nodes]
        assert len(set(ids)) == len(ids)
        assert {i for e in graph.edges for i in (e.source, e.target)} <= set(ids)
        assert not unreached(graph)
        assert graph.nodes[0].kind is NodeKind.START
        drawn = {n.data.get("step") for n in graph.nodes}
        assert {s.id for s in steps_reached(program, workflow)} <= drawn
        json.dumps(graph.to_data())
        ElementTree.fromstring(svg.render(graph))


@pytest.mark.parametrize("name", sorted(p.name for p in CASES.iterdir()))
def test_every_step_is_drawn_and_every_node_is_reached(name: str, tmp_path: Path) -> None:
    """Each step that a workflow reaches is in its graph, and each node follows from the start."""
    check_invariants(case_program(name, tmp_path))


@pytest.mark.parametrize("name", GRAPHS)
def test_mermaid_text_is_as_expected(name: str, tmp_path: Path) -> None:
    """The graphs of a golden project, as Mermaid, are those in `graphs/NAME.mmd`."""
    program = case_program(name, tmp_path)
    folder = Path(__file__).parent / "graphs"
    text = "".join(
        f"%% {w.name}\n{mermaid.render(flow_graph(program, w))}" for w in program.of(Kind.WORKFLOW)
    )
    if UPDATE:
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.mmd").write_text(text, "utf-8")
    assert text == (folder / f"{name}.mmd").read_text("utf-8")


BODIES: dict[str, tuple[str, list[str]]] = {
    "sequence": ("await a()\nawait b()", ["main -next> a", "a -next> b", "b -next> end"]),
    "nothing durable is left out": (
        "for i in items:\n    n += i\nif n:\n    n = 1\nawait a()",
        ["main -next> a", "a -next> end"],
    ),
    "early return": (
        "if n:\n    return 1\nawait a()",
        ["main -next> n", "n -then> return 1", "n -else> a", "return 1 -next> end", "a -next> end"],
    ),
    "conditional expression": (
        "x = await a() if n else await b()",
        ["main -next> n", "n -then> a", "n -else> b", "a -next> end", "b -next> end"],
    ),
    "a coroutine runs where it is awaited": (
        "later = a()\nawait b()\nawait later",
        ["main -next> b", "b -next> a", "a -next> end"],
    ),
    "endless loop has no end": (
        "while True:\n    await a()",
        ["main -next> while True", "while True -loop> a", "a -back> while True"],
    ),
    "break leaves through finally": (
        "while True:\n    try:\n        await a()\n        break\n    finally:\n        await b()",
        [
            "main -next> while True",
            "while True -loop> try",
            "try -next> a",
            "a -next> finally",
            "try -finally> finally",
            "finally -next> b",
            "b -next:break> end",
        ],
    ),
    "raise goes to the handler that names it": (
        "try:\n    await a()\n    raise ValueError\nexcept KeyError:\n    await b()\n"
        "except Exception:\n    pass",
        [
            "main -next> try",
            "try -next> a",
            "a -next> raise ValueError",
            "try -except> except KeyError",
            "except KeyError -next> b",
            "try -except> except Exception",
            "raise ValueError -except> except Exception",
            "b -next> end",
            "except Exception -next> end",
        ],
    ),
    "gather": (
        "await asyncio.gather(a(1), b(await a(2)))",
        [
            "main -next> a",
            "a -next> gather",
            "gather -parallel> a",
            "gather -parallel> b",
            "a -next> all",
            "b -next> all",
            "all -next> end",
        ],
    ),
    "fan-out": (
        "await asyncio.gather(*[a(i) for i in items])",
        [
            "main -next> gather",
            "gather -parallel:for i in items> a",
            "a -next> all",
            "all -next> end",
        ],
    ),
    "race": (
        "await asyncio.wait_for(a(), 5)",
        [
            "main -next> wait_for",
            "wait_for -parallel> a",
            "wait_for -parallel> timeout 5",
            "a -next> end",
            "timeout 5 -except> end",
        ],
    ),
    "task": (
        "t = asyncio.create_task(a())\nawait b()\nawait t",
        [
            "main -next> start task",
            "start task -parallel> a",
            "start task -next> b",
            "b -next> await t",
            "a -next> await t",
            "await t -next> end",
        ],
    ),
    "child": (
        "run = await start(child)\nawait run.return_value",
        [
            "main -next> child",
            "child -next> await run.return_value",
            "await run.return_value -next> end",
        ],
    ),
    "condition that awaits": (
        "if n and await a():\n    await b()",
        [
            "main -next> n",
            "n -then> a",
            "a -next> await a()",
            "await a() -then> b",
            "b -next> end",
            "n -else> end",
            "await a() -else> end",
        ],
    ),
    "match": (
        "match n:\n    case 1:\n        await a()\n    case _:\n        await b()",
        [
            "main -next> match n",
            "match n -case:1> a",
            "match n -case:_> b",
            "a -next> end",
            "b -next> end",
        ],
    ),
    "step as a value": (
        "helper = print\nhelper(a)\nsorted(items, key=lambda i: b(i))",
        ["main -next> a", "a -next> b", "b -next> end"],
    ),
    "loop over a hook": (
        "async for x in create_hook():\n    await a(x)",
        [
            "main -next> open hook",
            "open hook -next> async for x in create_hook()",
            "async for x in create_hook() -loop> a",
            "a -back> async for x in create_hook()",
            "async for x in create_hook() -next> end",
        ],
    ),
    "comprehension": (
        "x = [await a(i) for i in items if i]",
        [
            "main -next> for i in items",
            "for i in items -loop> i",
            "i -then> a",
            "a -back> for i in items",
            "i -back:else> for i in items",
            "for i in items -next> end",
        ],
    ),
}


@pytest.mark.parametrize("name", BODIES)
def test_construct_is_drawn(name: str, tmp_path: Path) -> None:
    """Each construct gives exactly the edges that it should."""
    body, expected = BODIES[name]
    assert sorted(arrows(graph_of(tmp_path, body))) == sorted(expected)


def test_recursive_helpers_end_in_a_call(tmp_path: Path) -> None:
    """Helpers that call each other are drawn once, and the call that goes round is only named."""
    before = """\
async def ping(n):
    await a()
    await pong(n)

async def pong(n):
    await ping(n - 1)

"""
    graph = graph_of(tmp_path, "await ping(n)", before=before)
    assert arrows(graph) == ["main -next> a", "a -next> ping()", "ping() -next> end"]
    assert graph.nodes[2].data["recursive"] is True


def test_helpers_do_not_make_the_graph_explode(tmp_path: Path) -> None:
    """Ten helpers that each call the next one three times give hundreds of nodes, not 3^10."""
    before = (
        "".join(f"async def h{i}():\n" + f"    await h{i + 1}()\n" * 3 for i in range(10))
        + "async def h10():\n    await a()\n"
    )
    graph = graph_of(tmp_path, "await h0()", before=before)
    assert 100 < len(graph.nodes) < 400


def test_kinds_carry_their_data(tmp_path: Path) -> None:
    """Sleeps have their duration, hooks their token, waits their hook, steps their id."""
    body = """
await sleep("5m")
hook = create_hook(token="t")
await hook
await a()
async for x in hook:
    await b()
"""
    graph = graph_of(tmp_path, body)
    sleep, hook, wait, step, loop = graph.nodes[1:6]
    assert (sleep.data["duration"], sleep.data["text"]) == ("5m", '"5m"')
    assert (hook.data["token"], wait.data["hook"]) == ('"t"', hook.id)
    assert step.data == {"step": "step//flows.py//a"}
    assert (loop.data["loop_is_await"], loop.data["waits"]) == (True, True)
    assert graph.nodes[6].data["loop_id"] == loop.id
    assert step.span == {
        "path": "flows.py",
        "line": 20,
        "column": 11,
        "end_line": 20,
        "end_column": 14,
    }


FORMS = [
    "if n:\n{0}\nelif n > 1:\n{1}\nelse:\n{2}",
    "for i in items:\n{0}\n    if n: continue\n{1}\nelse:\n{2}",
    "while n:\n{0}\n    if n > 3: break\n{1}",
    "try:\n{0}\nexcept ValueError:\n{1}\nfinally:\n{2}",
    "try:\n{0}\nexcept ValueError:\n{1}\nelse:\n{2}",
    "async with asyncio.TaskGroup() as g:\n{0}\n    g.create_task(b())\n{1}",
    "async with asyncio.timeout(5):\n{0}",
    "match n:\n  case 1:\n{0}\n  case 2:\n{1}",
    "while True:\n  try:\n{0}\n    if n: break\n  finally:\n{1}",
]

STATEMENTS: st.SearchStrategy[str] = st.deferred(
    lambda: st.one_of(
        st.sampled_from(
            [
                "await a()",
                "await b()",
                "n += 1",
                "await sleep(1)",
                "if n: return",
                "raise ValueError(n)",
                "await asyncio.gather(a(), b())",
                "await asyncio.wait_for(a(), 3)",
                "t = asyncio.create_task(a())",
                "c = b()",
                "x = [await a(i) for i in items if await b()]",
            ]
        ),
        st.builds(_compound, st.sampled_from(FORMS), st.lists(BLOCKS, min_size=3, max_size=3)),
    )
)
BLOCKS: st.SearchStrategy[str] = st.lists(STATEMENTS, min_size=1, max_size=3).map("\n".join)


def _compound(form: str, blocks: list[str]) -> str:
    inner = ["\n".join(f"    {line}" for line in block.split("\n")) for block in blocks]
    return form.format(*inner)


@settings(max_examples=60, deadline=None)
@given(BLOCKS)
def test_any_nesting_keeps_the_invariants(
    tmp_path_factory: pytest.TempPathFactory, body: str
) -> None:
    """However constructs are nested, ids are unique, all nodes are reached, all steps drawn, and
    the picture is well-formed."""
    lines = "".join(f"    {line}\n" for line in body.split("\n"))
    folder = write_project(tmp_path_factory.mktemp("nest"), HEADER + lines)
    check_invariants(program_of(folder))


def wfc(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["graph", *map(str, arguments)])


def test_graph_command_writes_every_format(tmp_path: Path) -> None:
    """`wfc graph` takes a name or an id and prints Mermaid, SVG or JSON, or writes a file."""
    root = write_project(tmp_path, HEADER + "    await a()\n")
    text = wfc("main", "--root", root).output
    assert text.startswith("flowchart TD\n")
    assert wfc("workflow//flows.py//main", "--root", root).output == text
    data = json.loads(wfc("main", "--root", root, "--format", "json").output)
    assert [n["kind"] for n in data["nodes"]] == ["start", "step", "end"]
    target = tmp_path / "main.svg"
    assert wfc("main", "--root", root, "--format", "svg", "--output", target).output == ""
    assert ElementTree.parse(target).getroot().tag.endswith("svg")
    assert not (root / "generated").exists()


def test_graph_command_helps_with_names(tmp_path: Path) -> None:
    """An unknown name gets a suggestion, an ambiguous one the ids, no name the list; exit 2."""
    other = "async def main():\n    'use workflow'\n"
    root = write_project(tmp_path, {"flows.py": HEADER + "    await a()\n", "more.py": other})
    unknown = wfc("mian", "--root", root)
    assert unknown.exit_code == 2
    assert "Did you mean main?" in unknown.output
    several = wfc("main", "--root", root)
    assert several.exit_code == 2
    assert "workflow//more.py//main" in several.output
    assert wfc("workflow//more.py//main", "--root", root).exit_code == 0
    assert "which workflow?" in wfc("--root", root).output
    empty = write_project(tmp_path / "empty", "x = 1\n")
    assert "no workflows found" in wfc("--root", empty).output
    assert wfc("child", "--root", root, "--output", tmp_path / "no" / "x").exit_code == 2


def test_picture_needs_nothing_else_and_escapes(tmp_path: Path) -> None:
    """The SVG names no other file, escapes the user's text, follows dark mode and has a title."""
    graph = graph_of(tmp_path, 'if n < 3 and "<&\\"]" != \'--\' + "長い名前":\n    await a()')
    text = svg.render(graph)
    root = ElementTree.fromstring(text)
    assert root.findtext("{http://www.w3.org/2000/svg}title") == "main"
    assert "prefers-color-scheme:dark" in text
    assert not re.findall(r"(?:href|src|url\((?!#))", text)
    assert "script" not in text
    assert text.count("http") == 1  # the namespace
    quoted = mermaid.render(graph)
    assert "#lt;#amp;" in quoted
    assert all(line.count('"') in (0, 2) for line in quoted.splitlines())


def test_picture_does_not_overlap_nodes(tmp_path: Path) -> None:
    """No two boxes of any golden graph cover each other, and all lie inside of the picture."""
    for name in GRAPHS:
        program = case_program(name, tmp_path)
        for workflow in program.of(Kind.WORKFLOW):
            boxes = _boxes(svg.render(flow_graph(program, workflow)))
            assert len(boxes) > 2
            for i, (left, top, right, bottom) in enumerate(boxes):
                assert left >= -0.1
                assert top >= -0.1
                for other in boxes[i + 1 :]:
                    apart_x = right <= other[0] or other[2] <= left
                    assert apart_x or bottom <= other[1] or other[3] <= top


def _boxes(text: str) -> list[tuple[float, float, float, float]]:
    boxes = []
    for shape in ElementTree.fromstring(text).iter():
        if "shape" not in shape.get("class", "").split():
            continue
        if points := shape.get("points"):
            xs, ys = zip(*(map(float, p.split(",")) for p in points.split()), strict=True)
            boxes.append((min(xs), min(ys), max(xs), max(ys)))
        elif shape.get("x"):
            x, y, w, h = (float(shape.attrib[k]) for k in ("x", "y", "width", "height"))
            boxes.append((x, y, x + w, y + h))
    return boxes


def test_edges_of_kind_back_lead_up(tmp_path: Path) -> None:
    """Only loops have back edges, and each leads to the head of a loop."""
    graph = graph_of(tmp_path, "for i in items:\n    for j in items:\n        await a()")
    heads = {e.target for e in graph.edges if e.kind is EdgeKind.BACK}
    assert heads == {n.id for n in graph.nodes if n.kind is NodeKind.LOOP}


def test_a_question_to_a_person_is_a_node(tmp_path: Path) -> None:
    """It has the name of the question; in a gather it is one of the branches."""
    ask = "from workflow import pending_action\n"
    body = """
await pending_action("approval", message="?", options=["yes", "no"])
await asyncio.gather(pending_action(step=n), a())
"""
    graph = graph_of(tmp_path, body, before=ask)
    found = [n for n in graph.nodes if n.kind is NodeKind.ACTION]
    assert [n.label for n in found] == ['ask "approval"', "ask n"]
    assert found[0].data["step_name"] == '"approval"'
    assert "parallel_group_id" in found[1].data
    assert "[/" in mermaid.render(graph)
    assert ">ask<" in svg.render(graph)
