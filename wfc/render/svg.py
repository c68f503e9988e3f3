"""A flow graph as one SVG file, which needs nothing else: no script, no font, no style sheet."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from xml.sax.saxutils import escape

from wfc.analyse.graph.shapes import Edge, EdgeKind, FlowGraph, Node, NodeKind
from wfc.render.layout import Box, Layout, Line, Route, arrange
from wfc.render.mermaid import GROUPS, edge_text

__all__ = ["render"]

_MARGIN = 24.0
_CHAR = 7.6  # the widest of the usual fixed-width fonts at 12.5 px
_SMALL = 6.7
_LIMIT = 36
_CORNER = 8.0
_STRAIGHT = 9.0  # edges that lean less than this are drawn upright
_TINY = {NodeKind.JOIN}
_ROUND = {NodeKind.START, NodeKind.END, NodeKind.RETURN, NodeKind.RAISE}
_SLANTED = {
    NodeKind.HOOK,
    NodeKind.WEBHOOK,
    NodeKind.WAIT,
    NodeKind.SLEEP,
    NodeKind.ACTION,
}
_POINTED = {NodeKind.BRANCH, NodeKind.LOOP}
_BARRED = {NodeKind.CHILD, NodeKind.CALL}
_DASHED = {EdgeKind.EXCEPT, EdgeKind.FINALLY}

_CAPTIONS = {
    NodeKind.START: "workflow",
    NodeKind.REFERENCE: "step as a value",
    NodeKind.BRANCH: "if",
    NodeKind.CHILD: "child workflow",
    NodeKind.RESPOND: "webhook",
    NodeKind.TASK: "task",
    NodeKind.RETURN: "",
    NodeKind.RAISE: "",
    NodeKind.END: "",
    NodeKind.TRY: "",
    NodeKind.EXCEPT: "",
    NodeKind.FINALLY: "",
}
_PREFIXES = {
    NodeKind.SLEEP: ("sleep ", "timeout "),
    NodeKind.FETCH: ("fetch ",),
    NodeKind.ACTION: ("ask ",),
    NodeKind.BRANCH: ("match ",),
    NodeKind.HOOK: ("await hook ", "open hook "),
}

_LIGHT = {
    "plain": ("#ffffff", "#64748b", "#0f172a"),
    "step": ("#dbeafe", "#2563eb", "#1e3a8a"),
    "waiting": ("#fef3c7", "#d97706", "#78350f"),
    "choice": ("#f1f5f9", "#64748b", "#1e293b"),
    "parallel": ("#ede9fe", "#7c3aed", "#4c1d95"),
    "error": ("#fee2e2", "#dc2626", "#7f1d1d"),
    "child": ("#dcfce7", "#16a34a", "#14532d"),
}
_DARK = {
    "plain": ("#0f172a", "#94a3b8", "#e2e8f0"),
    "step": ("#172554", "#60a5fa", "#dbeafe"),
    "waiting": ("#422006", "#f59e0b", "#fef3c7"),
    "choice": ("#1e293b", "#94a3b8", "#e2e8f0"),
    "parallel": ("#2e1065", "#a78bfa", "#ede9fe"),
    "error": ("#450a0a", "#f87171", "#fee2e2"),
    "child": ("#052e16", "#4ade80", "#dcfce7"),
}


def render(graph: FlowGraph) -> str:
    """The picture of a graph. It follows the light or dark setting of whoever looks at it."""
    nodes = {n.id: n for n in graph.nodes}
    boxes = [_box(n) for n in graph.nodes]
    merged = _merged(graph.edges)
    lines = [Line(e[0].source, e[0].target, e[0].kind is EdgeKind.BACK) for e in merged]
    layout = arrange(boxes, lines)
    sizes = {b.id: b for b in boxes}
    edges = []
    for several, route in zip(merged, layout.routes, strict=True):
        word = " / ".join(filter(None, (edge_text(e, nodes) for e in several)))
        edges.append(_edge(several[0], route, _short(word, 24), word))
    drawn = [_node(n, sizes[n.id], layout.centres[n.id]) for n in graph.nodes]
    body = [path for path, _ in edges] + drawn + [label for _, label in edges if label]
    return _document(graph, layout, body)


def _merged(edges: Sequence[Edge]) -> list[list[Edge]]:
    """Edges between the same two nodes are drawn as one line."""
    found: dict[tuple[str, str, bool], list[Edge]] = {}
    for edge in edges:
        key = (edge.source, edge.target, edge.kind is EdgeKind.BACK)
        found.setdefault(key, []).append(edge)
    return list(found.values())


def _document(graph: FlowGraph, layout: Layout, body: Sequence[str]) -> str:
    width, height = layout.width + 2 * _MARGIN, layout.height + 2 * _MARGIN
    steps = sum(n.kind is NodeKind.STEP for n in graph.nodes)
    about = f"Flow of the workflow {graph.name}: {len(graph.nodes)} nodes, {steps} calls of steps."
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" '
            f'aria-labelledby="flow-title flow-desc" width="{width:.0f}" height="{height:.0f}" '
            f'viewBox="0 0 {width:.0f} {height:.0f}">',
            f'<title id="flow-title">{_xml(graph.name)}</title>',
            f'<desc id="flow-desc">{_xml(about)}</desc>',
            f"<style>\n{_style()}</style>",
            '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" '
            'markerHeight="7" orient="auto-start-reverse">'
            '<path class="tip" d="M0 0.8 L10 5 L0 9.2 z"/></marker></defs>',
            f'<rect class="ground" width="{width:.0f}" height="{height:.0f}"/>',
            f'<g transform="translate({_MARGIN:.0f} {_MARGIN:.0f})">',
            *body,
            "</g>",
            "</svg>",
            "",
        ]
    )


def _style() -> str:
    rules = [
        "text{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;"
        "font-size:12.5px;text-anchor:middle}",
        ".caption{font-size:9px;letter-spacing:.06em;opacity:.75}",
        ".word{font-size:10.5px}",
        ".edge{fill:none;stroke-width:1.4}",
        ".dashed{stroke-dasharray:5 4}",
        ".shape{stroke-width:1.4}",
        ".bold{font-weight:600}",
    ]
    dark = [f"  {rule}" for rule in _colours(_DARK, "#020617", "#94a3b8", "#cbd5e1")]
    light = _colours(_LIGHT, "#ffffff", "#64748b", "#334155")
    return "\n".join([*rules, *light, "@media (prefers-color-scheme:dark){", *dark, "}", ""])


def _colours(
    table: dict[str, tuple[str, str, str]], ground: str, line: str, word: str
) -> list[str]:
    rules = [
        f".ground{{fill:{ground}}}",
        f".edge{{stroke:{line}}}",
        f".tip{{fill:{line}}}",
        f".word{{fill:{word}}}",
    ]
    for name, (fill, stroke, ink) in table.items():
        rules.append(f".{name} .shape{{fill:{fill};stroke:{stroke}}}.{name} text{{fill:{ink}}}")
    return rules


def _texts(node: Node) -> tuple[str, str]:
    """The caption and the text of a node."""
    caption = _CAPTIONS.get(node.kind, node.kind.value)
    text = node.label
    for prefix in _PREFIXES.get(node.kind, ()):
        if text.startswith(prefix):
            caption, text = prefix.strip(), text.removeprefix(prefix)
            break
    if node.kind is NodeKind.LOOP:
        word = next(w for w in ("while", "for", "async for") if text.startswith(f"{w} "))
        caption, text = word, text.removeprefix(f"{word} ")
    return caption, text


def _width(text: str, char: float = _CHAR) -> float:
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return (len(text) + wide) * char


def _short(text: str, limit: int = _LIMIT) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _box(node: Node) -> Box:
    caption, text = _texts(node)
    if node.kind in _TINY:
        return Box(node.id, _width(_short(text), _SMALL) + 24, 20)
    inner = max(_width(_short(text)), _width(caption, _SMALL))
    padding = 44 if node.kind in _POINTED | _SLANTED | _BARRED else 30
    return Box(node.id, max(70.0, inner + padding), 40 if caption else 32)


def _node(node: Node, box: Box, centre: tuple[float, float]) -> str:
    x, y = centre
    caption, text = _texts(node)
    group = GROUPS.get(node.kind, "plain")
    shown = _short(text)
    where = f"{node.span['path']}:{node.span['line']}" if node.span else ""
    tip = " · ".join(part for part in (node.label, str(node.data.get("step", "")), where) if part)
    bold = " bold" if node.kind in (NodeKind.STEP, NodeKind.START, NodeKind.CHILD) else ""
    parts = [f'<g class="{group}"><title>{_xml(tip)}</title>', _shape(node.kind, x, y, box)]
    if caption and node.kind not in _TINY:
        parts.append(f'<text class="caption" x="{x:.1f}" y="{y - 6:.1f}">{_xml(caption)}</text>')
        parts.append(f'<text class="label{bold}" x="{x:.1f}" y="{y + 10:.1f}">{_xml(shown)}</text>')
    elif node.kind in _TINY:
        parts.append(f'<text class="caption" x="{x:.1f}" y="{y + 3:.1f}">{_xml(shown)}</text>')
    else:
        parts.append(f'<text class="label" x="{x:.1f}" y="{y + 4.5:.1f}">{_xml(shown)}</text>')
    return "".join([*parts, "</g>"])


def _shape(kind: NodeKind, x: float, y: float, box: Box) -> str:
    left, top, w, h = x - box.width / 2, y - box.height / 2, box.width, box.height
    right, bottom = left + w, top + h
    if kind in _POINTED:
        cut = 14
        points = [(left, y), (left + cut, top), (right - cut, top)]
        points += [(right, y), (right - cut, bottom), (left + cut, bottom)]
        return _polygon(points)
    if kind in _SLANTED:
        lean = 10
        points = [(left + lean, top), (right, top), (right - lean, bottom), (left, bottom)]
        return _polygon(points)
    radius = h / 2 if kind in _ROUND | _TINY else 6
    dashed = " dashed" if kind is NodeKind.REFERENCE else ""
    shape = (
        f'<rect class="shape{dashed}" x="{left:.1f}" y="{top:.1f}" width="{w:.1f}" '
        f'height="{h:.1f}" rx="{radius:.1f}"/>'
    )
    if kind in _BARRED:
        bars = f"M{left + 7:.1f} {top:.1f}V{bottom:.1f}M{right - 7:.1f} {top:.1f}V{bottom:.1f}"
        shape += f'<path class="shape" d="{bars}"/>'
    return shape


def _polygon(points: Sequence[tuple[float, float]]) -> str:
    text = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polygon class="shape" stroke-linejoin="round" points="{text}"/>'


def _edge(edge: Edge, route: Route, word: str, whole: str) -> tuple[str, str]:
    dashed = " dashed" if edge.kind in _DASHED else ""
    path = f'<path class="edge{dashed}" marker-end="url(#tip)" d="{_path(route)}"/>'
    if not word:
        return path, ""
    x, y = _word_place(route)
    if route.back:
        x += _width(word, _SMALL) / 2
    title = f"<title>{_xml(whole)}</title>" if whole != word else ""
    width = _width(word, _SMALL) + 4
    behind = f'<rect class="ground" x="{x - width / 2:.1f}" y="{y - 9:.1f}" width="{width:.1f}" '
    behind += 'height="12" rx="3"/>'
    text = f'<text class="word" x="{x:.1f}" y="{y:.1f}">{_xml(word)}{title}</text>'
    return path, behind + text


def _path(route: Route) -> str:
    if route.back:
        return _back_path(route)
    (x, y), *rest = route.points
    if len(rest) == 1 and abs(x - rest[0][0]) < _STRAIGHT:
        x = (x + rest[0][0]) / 2
        return f"M{x:.1f} {y:.1f}V{rest[0][1]:.1f}"
    parts = [f"M{x:.1f} {y:.1f}"]
    for index, (to_x, to_y) in enumerate(rest):
        if index < len(route.lanes):
            top, to_y = route.lanes[index]
            parts.append(f"{_bend(x, y, to_x, top)}V{to_y:.1f}")
        else:
            parts.append(_bend(x, y, to_x, to_y))
        x, y = to_x, to_y
    return "".join(parts)


def _bend(x: float, y: float, to_x: float, to_y: float) -> str:
    if abs(x - to_x) < 0.5:
        return f"L{to_x:.1f} {to_y:.1f}"
    half = (y + to_y) / 2
    return f"C{x:.1f} {half:.1f} {to_x:.1f} {half:.1f} {to_x:.1f} {to_y:.1f}"


def _back_path(route: Route) -> str:
    """Out at the side, up the lanes, in at the side."""
    (x, y), *lanes, (end_x, end_y) = route.points
    at = lanes[0][0]
    if len(lanes) == 1:  # a node that leads back to itself
        return (
            f"M{x:.1f} {y + 6:.1f}C{at + 14:.1f} {y + 14:.1f} {at + 14:.1f} {end_y - 14:.1f} "
            + (f"{end_x:.1f} {end_y - 6:.1f}")
        )
    parts = [f"M{x:.1f} {y:.1f}H{at - _CORNER:.1f}Q{at:.1f} {y:.1f} {at:.1f} {y - _CORNER:.1f}"]
    height = y - _CORNER
    for index, (lane_x, _) in enumerate(lanes[1:], start=1):
        leave = route.lanes[index - 1][0]
        if leave < height:
            parts.append(f"V{leave:.1f}")
            height = leave
        last = index == len(lanes) - 1
        bottom = max(route.lanes[index][1], end_y + _CORNER) if last else route.lanes[index][1]
        parts.append(_bend(at, height, lane_x, bottom))
        at, height = lane_x, bottom
    parts.append(f"V{end_y + _CORNER:.1f}Q{at:.1f} {end_y:.1f} {at - _CORNER:.1f} {end_y:.1f}")
    return "".join([*parts, f"H{end_x:.1f}"])


def _word_place(route: Route) -> tuple[float, float]:
    (x, y), (to_x, _) = route.points[0], route.points[1]
    if route.back:
        return x + 4, y - 5
    end_y = route.lanes[0][0] if route.lanes else route.points[1][1]
    # Near the source, where edges that leave together are not crossed yet.
    t = 0.42
    curve = 3 * (1 - t) * t * t + t**3
    return x + (to_x - x) * curve, y + (end_y - y) * t + 3.5


def _xml(text: str) -> str:
    # Control characters cannot be written in XML at all.
    return escape("".join(c if c.isprintable() else " " for c in text), {'"': "&quot;"})
