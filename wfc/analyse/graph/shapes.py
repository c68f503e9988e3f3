"""The flow graph as data: what `build` makes and the renderers draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

__all__ = ["Edge", "EdgeKind", "FlowGraph", "Node", "NodeKind"]


class NodeKind(StrEnum):
    """What happens at a node."""

    START = "start"
    END = "end"
    STEP = "step"
    REFERENCE = "reference"  # a step that is handed on as a value
    SLEEP = "sleep"
    HOOK = "hook"
    WEBHOOK = "webhook"
    WAIT = "wait"  # for the payload of a hook, or the result of a child
    ACTION = "action"  # a question to a person
    RESPOND = "respond"
    FETCH = "fetch"
    CHILD = "child"
    CALL = "call"  # chosen at run time, or not drawn a second time
    BRANCH = "branch"
    LOOP = "loop"
    PARALLEL = "parallel"
    TASK = "task"
    JOIN = "join"
    TRY = "try"
    EXCEPT = "except"
    FINALLY = "finally"
    RETURN = "return"
    RAISE = "raise"


class EdgeKind(StrEnum):
    """Why the flow goes from one node to another."""

    NEXT = "next"
    THEN = "then"
    ELSE = "else"
    LOOP = "loop"
    BACK = "back"
    PARALLEL = "parallel"
    EXCEPT = "except"
    FINALLY = "finally"
    CASE = "case"


@dataclass(frozen=True)
class Node:
    """`id` is unique in its graph; `span` is the JSON form of a place in a file, None for the
    two ends; `data` depends on the kind, see docs/manifest.md."""

    id: str
    kind: NodeKind
    label: str
    span: Mapping[str, Any] | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Edge:
    """`source` and `target` are ids of nodes; `label` says what the kind alone does not."""

    source: str
    target: str
    kind: EdgeKind
    label: str = ""


@dataclass(frozen=True)
class FlowGraph:
    """The graph of one workflow. The first node is the start, the last one the end."""

    workflow: str
    name: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    def to_data(self) -> dict[str, Any]:
        """The graph as the manifest has it."""
        return {
            "nodes": [
                {
                    "id": n.id,
                    "kind": n.kind.value,
                    "label": n.label,
                    "span": None if n.span is None else dict(n.span),
                    "data": dict(n.data),
                }
                for n in self.nodes
            ],
            "edges": [
                {"source": e.source, "target": e.target, "kind": e.kind.value, "label": e.label}
                for e in self.edges
            ],
        }
