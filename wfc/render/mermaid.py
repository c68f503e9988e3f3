"""A flow graph as Mermaid text, which many Markdown viewers draw."""

from __future__ import annotations

from wfc.analyse.graph.shapes import Edge, EdgeKind, FlowGraph, Node, NodeKind

__all__ = ["edge_text", "render"]

_SHAPES = {
    NodeKind.START: ("([", "])"),
    NodeKind.END: ("([", "])"),
    NodeKind.RETURN: ("([", "])"),
    NodeKind.RAISE: ("([", "])"),
    NodeKind.BRANCH: ("{", "}"),
    NodeKind.LOOP: ("{{", "}}"),
    NodeKind.SLEEP: ("(", ")"),
    NodeKind.HOOK: ("[/", "/]"),
    NodeKind.WEBHOOK: ("[/", "/]"),
    NodeKind.WAIT: ("[/", "/]"),
    NodeKind.ACTION: ("[/", "/]"),
    NodeKind.CHILD: ("[[", "]]"),
    NodeKind.CALL: ("[[", "]]"),
}
_BOX = ("[", "]")
_STYLES = {
    "step": "fill:#dbeafe,stroke:#2563eb,color:#1e3a8a",
    "waiting": "fill:#fef3c7,stroke:#d97706,color:#78350f",
    "choice": "fill:#f3f4f6,stroke:#6b7280,color:#1f2937",
    "parallel": "fill:#ede9fe,stroke:#7c3aed,color:#4c1d95",
    "error": "fill:#fee2e2,stroke:#dc2626,color:#7f1d1d",
    "child": "fill:#dcfce7,stroke:#16a34a,color:#14532d",
}
GROUPS = {
    NodeKind.STEP: "step",
    NodeKind.REFERENCE: "step",
    NodeKind.RESPOND: "step",
    NodeKind.FETCH: "step",
    NodeKind.SLEEP: "waiting",
    NodeKind.HOOK: "waiting",
    NodeKind.WEBHOOK: "waiting",
    NodeKind.WAIT: "waiting",
    NodeKind.ACTION: "waiting",
    NodeKind.BRANCH: "choice",
    NodeKind.LOOP: "choice",
    NodeKind.PARALLEL: "parallel",
    NodeKind.TASK: "parallel",
    NodeKind.JOIN: "parallel",
    NodeKind.TRY: "error",
    NodeKind.EXCEPT: "error",
    NodeKind.FINALLY: "error",
    NodeKind.RAISE: "error",
    NodeKind.CHILD: "child",
    NodeKind.CALL: "child",
}
"""What kinds of nodes share a colour."""

_DASHED = {EdgeKind.BACK, EdgeKind.EXCEPT, EdgeKind.FINALLY}
_WORDS = {
    EdgeKind.THEN: "yes",
    EdgeKind.ELSE: "no",
    EdgeKind.LOOP: "each",
    EdgeKind.EXCEPT: "error",
}
_LIMIT = 60


def render(graph: FlowGraph) -> str:
    """A flowchart, top to bottom."""
    nodes = {n.id: n for n in graph.nodes}
    used = sorted({GROUPS[n.kind] for n in graph.nodes if n.kind in GROUPS})
    lines = ["flowchart TD"]
    lines += [f"    {_node(n)}" for n in graph.nodes]
    lines += [f"    {_edge(e, nodes)}" for e in graph.edges]
    lines += [f"    classDef {name} {_STYLES[name]}" for name in used]
    for name in used:
        members = ",".join(n.id for n in graph.nodes if GROUPS.get(n.kind) == name)
        lines.append(f"    class {members} {name}")
    return "\n".join(lines) + "\n"


def edge_text(edge: Edge, nodes: dict[str, Node]) -> str:
    """The words on an edge: its label, or what its kind means at the node it leaves."""
    if edge.kind is EdgeKind.BACK:
        return {"then": "yes", "else": "no"}.get(edge.label, edge.label)
    source = nodes[edge.source]
    if edge.label:
        return edge.label
    if edge.kind is EdgeKind.ELSE and source.data.get("match"):
        return "no case"
    if edge.kind is EdgeKind.ELSE and source.kind is NodeKind.LOOP:
        return "done"
    if edge.kind is EdgeKind.LOOP and source.label.startswith("while "):
        return "yes" if source.label not in ("while True", "while 1") else ""
    if edge.kind is EdgeKind.NEXT and source.kind is NodeKind.LOOP:
        return "no" if source.label.startswith("while ") else "done"
    if edge.kind is EdgeKind.EXCEPT and nodes[edge.target].kind is NodeKind.END:
        return "fails"
    return _WORDS.get(edge.kind, "")


def _node(node: Node) -> str:
    opening, closing = _SHAPES.get(node.kind, _BOX)
    text = node.label
    if node.kind is NodeKind.REFERENCE:
        text += " (as a value)"
    return f'{node.id}{opening}"{_escaped(text)}"{closing}'


def _edge(edge: Edge, nodes: dict[str, Node]) -> str:
    text = _escaped(edge_text(edge, nodes))
    arrow = "-.->" if edge.kind in _DASHED else "-->"
    label = f'|"{text}"|' if text else ""
    return f"{edge.source} {arrow}{label} {edge.target}"


def _escaped(text: str) -> str:
    text = text if len(text) <= _LIMIT else text[: _LIMIT - 1] + "…"
    # Mermaid's own entities; & and # first, because they begin entities.
    table = {"&": "#amp;", "#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "`": "#96;"}
    return "".join(table.get(c, c) for c in text)
