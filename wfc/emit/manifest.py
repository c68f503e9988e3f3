"""manifest.json: what was built from what, for the runtime, the console and other tools."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from wfc.analyse.ids import is_static
from wfc.model import External, Key, Kind, Marked, Module, Program

__all__ = ["class_id", "client_path", "make_manifest", "sha256", "steps_reached", "to_text"]

_DURABLE = {"sleep", "create_hook", "create_webhook", "fetch"}


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
    return {
        "format": 1,
        "wfc": version,
        "bundle": bundle_hash,
        "root": "/".join([".."] * depth),
        "source_roots": list(source_roots),
        "passthrough": sorted(program.passthrough),
        "modules": [
            {
                "name": m.name,
                "path": m.path,
                "text": f"workflows/{m.path}",
                "source_sha256": m.sha256,
            }
            for m in program.bundled
        ],
        "workflows": {m.id: _workflow(program, m) for m in program.of(Kind.WORKFLOW)},
        "steps": {m.id: _step(m) for m in program.of(Kind.STEP)},
        "classes": {
            class_id(program, key): _class(program, key, bundled)
            for key, bundled in program.classes.items()
        },
        "files": {path: sha256(text) for path, text in files.items()},
    }


def to_text(manifest: Mapping[str, Any]) -> str:
    """The manifest as it is written."""
    return json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _function(m: Marked) -> dict[str, Any]:
    return {
        "module": m.module.name,
        "qualname": m.qualname,
        "path": m.module.path,
        "line": m.node.lineno,
        "doc": m.doc,
        "parameters": [
            {"name": p.name, "kind": p.kind, "annotation": p.annotation, "default": p.default}
            for p in m.parameters
        ],
        "returns": m.returns,
    }


def _step(m: Marked) -> dict[str, Any]:
    is_async = isinstance(m.node, ast.AsyncFunctionDef)
    return {**_function(m), "async": is_async, "static": is_static(m.node)}


def _workflow(program: Program, m: Marked) -> dict[str, Any]:
    return {
        **_function(m),
        "steps": [step.id for step in steps_reached(program, m)],
        "graph": {"calls": _calls(program, m)},
    }


def _class(program: Program, key: Key, bundled: bool) -> dict[str, Any]:
    module = program.modules[key[0]]
    line = module.tree.body[module.bindings[key[1]][0]].lineno
    return {
        "module": module.name,
        "qualname": key[1],
        "path": module.path,
        "line": line,
        "bundled": bundled,
    }


def steps_reached(program: Program, workflow: Marked) -> list[Marked]:
    """The steps that a workflow can call, itself or through helpers, by id."""
    seen = {workflow.key}
    queue = [workflow.key]
    while queue:
        for key in program.reach.edges.get(queue.pop(), ()):
            if key not in seen:
                seen.add(key)
                queue.append(key)
    return [m for m in program.of(Kind.STEP) if m.key in seen]


def _calls(program: Program, workflow: Marked) -> list[dict[str, Any]]:
    """Steps, sleeps and hooks in the body of a workflow, in source order."""
    found: list[tuple[int, int, dict[str, Any]]] = []
    for node in ast.walk(workflow.node):
        if not isinstance(node, ast.Call):
            continue
        line, column = node.lineno, node.col_offset
        match program.reach.meaning.get(node.func):
            case Marked(kind=Kind.STEP, id=step):
                found.append((line, column, {"kind": "step", "line": line, "id": step}))
            case External(module="workflow", member=str(name)) if name in _DURABLE:
                found.append((line, column, {"kind": name, "line": line}))
    return [call for _, _, call in sorted(found, key=lambda f: f[:2])]
