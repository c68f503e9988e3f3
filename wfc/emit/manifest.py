"""manifest.json: what was built from what, for the runtime, the console and other tools.

The format is described in docs/manifest.md.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Mapping
from json.encoder import encode_basestring
from pathlib import PurePosixPath
from typing import Any

from wfc.analyse.graph import flow_graphs, steps_reached
from wfc.analyse.graph.shapes import FlowGraph
from wfc.analyse.options import step_options
from wfc.analyse.schemas import Schemas
from wfc.analyse.spans import span_data
from wfc.model import Key, Kind, Marked, Module, Program

__all__ = ["class_id", "client_path", "make_manifest", "sha256", "steps_reached", "to_text"]

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def sha256(text: str) -> str:
    """Hex digest of a text's UTF-8 bytes."""
    return hashlib.sha256(text.encode()).hexdigest()


def class_id(program: Program, key: Key) -> str:
    """`class//path//Name`."""
    return f"class//{program.modules[key[0]].path}//{key[1]}"


def client_path(module: Module) -> str:
    """Where the client stubs of a module go, relative to the generated folder."""
    return f"client/{module.path}"


def make_manifest(
    program: Program,
    *,
    version: str,
    bundle_hash: str,
    source_roots: tuple[str, ...],
    generated: str,
    files: Mapping[str, str],
) -> dict[str, Any]:
    """The manifest as JSON data. `files` maps what was made to its text."""
    depth = len(PurePosixPath(generated).parts)
    schemas = Schemas(program)
    workflows = program.of(Kind.WORKFLOW)
    graphs = flow_graphs(program, workflows)
    return {
        "format": 1,
        "wfc": version,
        "bundle": bundle_hash,
        "json_schema": DIALECT,
        "root": "/".join([".."] * depth),
        "source_roots": list(source_roots),
        "passthrough": sorted(program.passthrough),
        "packages": sorted(set(program.installed.values())),
        "modules": [
            {
                "name": m.name,
                "path": m.path,
                "text": f"workflows/{m.path}",
                "source_sha256": m.sha256,
            }
            for m in program.bundled
        ],
        "workflows": {
            m.id: _workflow(program, m, schemas, graph)
            for m, graph in zip(workflows, graphs, strict=True)
        },
        "steps": {m.id: _step(program, m, schemas) for m in program.of(Kind.STEP)},
        "classes": {
            class_id(program, key): _class(program, key, bundled, schemas)
            for key, bundled in program.classes.items()
        },
        "files": {path: sha256(text) for path, text in files.items()},
    }


def to_text(manifest: Mapping[str, Any]) -> str:
    """The manifest as it is written: as `json.dumps` indents it by two, in a quarter of the time,
    which for a large project is most of a second."""
    out: list[str] = []
    _write(manifest, "\n", out)
    return "".join(out) + "\n"


def _write(value: Any, line: str, out: list[str]) -> None:
    """Add the JSON of `value`; `line` begins a line as far in as it stands."""
    if isinstance(value, str):
        out.append(encode_basestring(value))
    elif isinstance(value, Mapping) and value:
        inner = line + "  "
        before = "{" + inner
        for key in sorted(value):
            out += (before, encode_basestring(key), ": ")
            _write(value[key], inner, out)
            before = "," + inner
        out += (line, "}")
    elif isinstance(value, list | tuple) and value:
        inner = line + "  "
        before = "[" + inner
        for item in value:
            out.append(before)
            _write(item, inner, out)
            before = "," + inner
        out += (line, "]")
    else:
        out.append(json.dumps(value, ensure_ascii=False))


def _function(m: Marked, schemas: Schemas) -> dict[str, Any]:
    return {
        "module": m.module.name,
        "qualname": m.qualname,
        "path": m.module.path,
        "line": m.node.lineno,
        "span": span_data(m.module, m.node),
        "doc": m.doc,
        "parameters": [
            {"name": p.name, "kind": p.kind, "annotation": p.annotation, "default": p.default}
            for p in m.parameters
        ],
        "returns": m.returns,
        "input": schemas.input(m),
        "output": schemas.output(m),
    }


def _step(program: Program, m: Marked, schemas: Schemas) -> dict[str, Any]:
    return {
        **_function(m, schemas),
        "async": isinstance(m.node, ast.AsyncFunctionDef),
        "bundled": m.key in program.reach.parents,
        "captured": list(m.captured),
        "form": m.form.value,
        "options": step_options(m),
    }


def _workflow(program: Program, m: Marked, schemas: Schemas, graph: FlowGraph) -> dict[str, Any]:
    return {
        **_function(m, schemas),
        # Which method `item.push()` is, only the graph asks.
        "steps": sorted(
            {step.id for step in steps_reached(program, m)}
            | {str(node.data["step"]) for node in graph.nodes if "step" in node.data}
        ),
        "graph": graph.to_data(),
    }


def _class(program: Program, key: Key, bundled: bool, schemas: Schemas) -> dict[str, Any]:
    module = program.modules[key[0]]
    statements = [module.tree.body[index] for index in module.bindings[key[1]]]
    definition = next((s for s in statements if isinstance(s, ast.ClassDef)), statements[0])
    doc = ast.get_docstring(definition) if isinstance(definition, ast.ClassDef) else None
    return {
        "module": module.name,
        "qualname": key[1],
        "path": module.path,
        "line": statements[0].lineno,
        "span": span_data(module, definition),
        "doc": doc,
        "bundled": bundled,
        "schema": schemas.of_class(key),
    }
