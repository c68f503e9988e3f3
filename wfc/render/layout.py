"""Where the nodes and edges of a graph go: a layered layout, from top to bottom.

The usual four steps. Cycles are broken at back edges. Every node gets a layer below all that lead
to it. Within the layers nodes are ordered so that few edges cross, by sweeps that put each node at
the mean of its neighbours. Then each gets an x: again sweeps to the mean of the neighbours, where a
least-squares fit (pool adjacent violators) keeps order and distance. Edges over several layers pass
through invisible nodes, so they have their own lanes. Back edges leave and enter at the right side:
their lanes begin in the layer of the lower node and end in that of the upper one, next to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["Box", "Layout", "Line", "Route", "arrange"]

GAP_X = 34.0
GAP_LANE = 22.0
GAP_Y = 44.0
_SWEEPS = 30
_MANY = 40_000  # nodes times sweeps: pictures that nobody can read anyway are not polished


@dataclass(frozen=True)
class Box:
    """A node to place."""

    id: str
    width: float
    height: float


@dataclass(frozen=True)
class Line:
    """An edge to route; `back` ones lead up."""

    source: str
    target: str
    back: bool = False


@dataclass(frozen=True)
class Route:
    """The points of an edge, from source to target. `lanes` are the heights of the layers that it
    passes, as (top, bottom) for each inner point."""

    points: tuple[tuple[float, float], ...]
    lanes: tuple[tuple[float, float], ...]
    back: bool


@dataclass(frozen=True)
class Layout:
    """`centres` by node id, `routes` in the order of the lines."""

    width: float
    height: float
    centres: Mapping[str, tuple[float, float]]
    routes: tuple[Route, ...]


@dataclass
class _Cell:
    key: str
    width: float
    height: float
    x: float = 0.0
    chain: int = -1  # of a lane: the line it belongs to
    beside: str = ""  # of the two ends of a back edge's lane: the node it is next to

    @property
    def is_lane(self) -> bool:
        return self.chain >= 0


def arrange(boxes: Sequence[Box], lines: Sequence[Line]) -> Layout:
    """Place `boxes`, the first of which is the start, and route `lines` between them."""
    back = _back_lines(boxes, lines)
    forward = [line for i, line in enumerate(lines) if i not in back]
    rank = _ranks(boxes, [*forward, *_after_loops([lines[i] for i in sorted(back)], forward)])
    cells = {b.id: _Cell(b.id, b.width, b.height) for b in boxes}
    layers: list[list[str]] = [[] for _ in range(max(rank.values()) + 1)]
    for box in boxes:
        layers[rank[box.id]].append(box.id)
    chains = _chains(lines, rank, cells, layers, back)
    links = [
        (a, b) for i, chain in enumerate(chains) for a, b in _pairs(chain, lines[i], i in back)
    ]
    _order(layers, links, cells)
    _place(layers, links, cells)
    tops, heights = _heights(layers, cells)
    centre_y = [top + height / 2 for top, height in zip(tops, heights, strict=True)]
    left = min(c.x - c.width / 2 for c in cells.values())
    right = max(c.x + c.width / 2 for c in cells.values())
    for cell in cells.values():
        cell.x -= left
    place = {b.id: (cells[b.id].x, centre_y[rank[b.id]]) for b in boxes}
    ports = _ports(lines, chains, cells, back)
    routes = []
    for i, (line, chain) in enumerate(zip(lines, chains, strict=True)):
        inner = chain[::-1] if i in back else chain
        lanes = [int(key.rpartition("@")[2]) for key in inner]
        spans = tuple((tops[r], tops[r] + heights[r]) for r in lanes)
        middle = [(cells[k].x, centre_y[r]) for k, r in zip(inner, lanes, strict=True)]
        start, end = _ends(line, i in back, place, cells, ports[i])
        routes.append(Route((start, *middle, end), spans, i in back))
    return Layout(right - left, tops[-1] + heights[-1], place, tuple(routes))


def _ends(
    line: Line,
    is_back: bool,
    place: Mapping[str, tuple[float, float]],
    cells: Mapping[str, _Cell],
    port: tuple[float, float],
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Where a line touches its two nodes."""
    (sx, sy), (tx, ty) = place[line.source], place[line.target]
    source, target = cells[line.source], cells[line.target]
    if is_back:
        return (sx + source.width / 2, sy + port[0]), (tx + target.width / 2, ty + port[1])
    return (sx + port[0], sy + source.height / 2), (tx + port[1], ty - target.height / 2)


def _back_lines(boxes: Sequence[Box], lines: Sequence[Line]) -> set[int]:
    """The lines marked as back edges, and those that close a cycle still."""
    back = {i for i, line in enumerate(lines) if line.back or line.source == line.target}
    leaving: dict[str, list[int]] = {}
    for i, line in enumerate(lines):
        if i not in back:
            leaving.setdefault(line.source, []).append(i)
    state: dict[str, int] = {}
    for box in boxes:
        stack = [(box.id, iter(leaving.get(box.id, ())))] if box.id not in state else []
        state.setdefault(box.id, 1)
        while stack:
            node, rest = stack[-1]
            for i in rest:
                target = lines[i].target
                if state.get(target) == 1:
                    back.add(i)
                elif target not in state:
                    state[target] = 1
                    stack.append((target, iter(leaving.get(target, ()))))
                    break
            else:
                state[node] = 2
                stack.pop()
    return back


def _after_loops(back: Sequence[Line], forward: Sequence[Line]) -> list[Line]:
    """What follows a loop goes below all of its body: lines from the ends of the body to the ways
    out of the head, for the layers only."""
    leaving: dict[str, list[str]] = {}
    for line in forward:
        leaving.setdefault(line.source, []).append(line.target)
    found: list[Line] = []
    for line in back:
        ends = {other.source for other in back if other.target == line.target}
        for target in tuple(leaving.get(line.target, ())):
            # A way that leads to the end of a round is not a way out.
            if line.source != line.target and not _behind(target, leaving) & ends:
                found.append(Line(line.source, target))
                leaving.setdefault(line.source, []).append(target)
    return found


def _behind(node: str, leaving: Mapping[str, Sequence[str]]) -> set[str]:
    seen = {node}
    queue = [node]
    while queue:
        fresh = [t for t in leaving.get(queue.pop(), ()) if t not in seen]
        seen.update(fresh)
        queue += fresh
    return seen


def _ranks(boxes: Sequence[Box], lines: Sequence[Line]) -> dict[str, int]:
    leaving: dict[str, list[str]] = {}
    waiting = dict.fromkeys((b.id for b in boxes), 0)
    for line in lines:
        leaving.setdefault(line.source, []).append(line.target)
        waiting[line.target] += 1
    rank = dict.fromkeys(waiting, 0)
    ready = [node for node, count in waiting.items() if not count]
    while ready:
        node = ready.pop()
        for target in leaving.get(node, ()):
            rank[target] = max(rank[target], rank[node] + 1)
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    return rank


def _chains(
    lines: Sequence[Line],
    rank: Mapping[str, int],
    cells: dict[str, _Cell],
    layers: list[list[str]],
    back: set[int],
) -> list[list[str]]:
    """The invisible nodes of each line, from the upper end down."""
    chains: list[list[str]] = []
    for i, line in enumerate(lines):
        upper, lower = sorted((rank[line.source], rank[line.target]))
        rows = range(upper, lower + 1) if i in back else range(upper + 1, lower)
        chain = [f"{i}@{r}" for r in rows]
        for r, key in zip(rows, chain, strict=True):
            cells[key] = _Cell(key, 2.0, 0.0, chain=i)
            layers[r].append(key)
        if i in back:
            cells[chain[0]].beside = line.target
            cells[chain[-1]].beside = line.source
        chains.append(chain)
    return chains


def _pairs(chain: Sequence[str], line: Line, is_back: bool) -> list[tuple[str, str]]:
    every = list(chain) if is_back else [line.source, *chain, line.target]
    return list(pairwise(every))


def _neighbours(
    links: Sequence[tuple[str, str]],
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for a, b in links:
        below.setdefault(a, []).append(b)
        above.setdefault(b, []).append(a)
    return above, below


def _order(
    layers: list[list[str]], links: Sequence[tuple[str, str]], cells: Mapping[str, _Cell]
) -> None:
    above, below = _neighbours(links)
    for layer in layers:
        layer[:] = _beside(layer, cells)
    best = [list(layer) for layer in layers]
    fewest = _crossings(layers, below)
    for sweep in range(_sweeps(cells)):
        downwards = sweep % 2 == 0
        around = above if downwards else below
        order = range(1, len(layers)) if downwards else range(len(layers) - 2, -1, -1)
        for r in order:
            fixed = layers[r - 1] if downwards else layers[r + 1]
            at = {key: i for i, key in enumerate(fixed)}
            here = {key: float(i) for i, key in enumerate(layers[r])}
            for key in layers[r]:
                found = [at[n] for n in around.get(key, ()) if n in at]
                if found:
                    here[key] = sum(found) / len(found)
            layers[r] = _beside(sorted(layers[r], key=here.__getitem__), cells)
        count = _crossings(layers, below)
        if count < fewest:
            best, fewest = [list(layer) for layer in layers], count
    layers[:] = best


def _sweeps(cells: Mapping[str, _Cell]) -> int:
    return 2 * max(2, min(_SWEEPS, _MANY // len(cells)) // 2)


def _beside(layer: Sequence[str], cells: Mapping[str, _Cell]) -> list[str]:
    """The layer with the ends of back edges moved to the right of their nodes."""
    ends: dict[str, list[str]] = {}
    for key in layer:
        if cells[key].beside:
            ends.setdefault(cells[key].beside, []).append(key)
    free = [key for key in layer if not cells[key].beside]
    return [k for key in free for k in (key, *ends.get(key, ()))]


def _crossings(layers: Sequence[Sequence[str]], below: Mapping[str, Sequence[str]]) -> int:
    total = 0
    for upper, lower in pairwise(layers):
        at = {key: i for i, key in enumerate(lower)}
        ends = [sorted(at[n] for n in below.get(key, ()) if n in at) for key in upper]
        flat = [e for group in ends for e in group]
        total += sum(a > b for i, a in enumerate(flat) for b in flat[i + 1 :])
    return total


def _place(
    layers: Sequence[Sequence[str]],
    links: Sequence[tuple[str, str]],
    cells: Mapping[str, _Cell],
) -> None:
    above, below = _neighbours(links)
    chains: dict[int, list[_Cell]] = {}
    for layer in layers:
        x = 0.0
        for key in layer:
            cells[key].x = x + cells[key].width / 2
            x += cells[key].width + GAP_X
            if cells[key].is_lane:
                chains.setdefault(cells[key].chain, []).append(cells[key])
    sweeps = _sweeps(cells)
    for sweep in range(3 * sweeps):
        downwards = sweep % 2 == 1  # the last one too: below one another is what reads best
        settled = sweep >= sweeps
        for layer in layers if downwards else layers[::-1]:
            around = (above, below) if downwards else (below, above)
            wanted = [_wanted(cells[key], around, chains, cells, settled) for key in layer]
            weights = [_weight(cells[key]) for key in layer]
            for key, x in zip(layer, _apart(layer, wanted, weights, cells), strict=True):
                cells[key].x = x


def _wanted(
    cell: _Cell,
    around: tuple[Mapping[str, Sequence[str]], Mapping[str, Sequence[str]]],
    chains: Mapping[int, Sequence[_Cell]],
    cells: Mapping[str, _Cell],
    settled: bool,
) -> float:
    """Where a cell would like to be: amid its neighbours; a lane, straight above itself."""
    near = around[0].get(cell.key) or around[1].get(cell.key) or ()
    xs = [cells[n].x for n in near] or [cell.x]
    middle = sum(xs) / len(xs)
    if cell.is_lane and settled:
        lane = chains[cell.chain]
        if lane[0].beside:
            # Just right of its two nodes, or where others have pushed it.
            nodes = [cells[end.beside] for end in (lane[0], lane[-1])]
            near_by = max(node.x + node.width / 2 for node in nodes) + GAP_LANE
            return 0.5 * near_by + 0.5 * sum(c.x for c in lane) / len(lane)
        return 0.9 * sum(c.x for c in lane) / len(lane) + 0.1 * middle
    return middle


def _weight(cell: _Cell) -> float:
    if cell.beside:
        return 0.2
    return 6.0 if cell.is_lane else 1.0


def _apart(
    layer: Sequence[str],
    wanted: Sequence[float],
    weights: Sequence[float],
    cells: Mapping[str, _Cell],
) -> list[float]:
    """The places nearest to the wanted ones that keep order and distance."""
    offsets = [0.0]
    for a, b in pairwise(layer):
        left, right = cells[a], cells[b]
        gap = GAP_LANE if left.is_lane or right.is_lane else GAP_X
        offsets.append(offsets[-1] + left.width / 2 + right.width / 2 + gap)
    blocks: list[tuple[float, float, int]] = []  # mean, weight, count
    for want, weight, offset in zip(wanted, weights, offsets, strict=True):
        mean, total, count = want - offset, weight, 1
        while blocks and blocks[-1][0] > mean:
            before = blocks.pop()
            mean = (mean * total + before[0] * before[1]) / (total + before[1])
            total, count = total + before[1], count + before[2]
        blocks.append((mean, total, count))
    means = [mean for mean, _, count in blocks for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]


def _heights(
    layers: Sequence[Sequence[str]], cells: Mapping[str, _Cell]
) -> tuple[list[float], list[float]]:
    heights = [max((cells[key].height for key in layer), default=0.0) for layer in layers]
    tops = []
    y = 0.0
    for height in heights:
        tops.append(y)
        y += height + GAP_Y
    return tops, heights


def _ports(
    lines: Sequence[Line],
    chains: Sequence[Sequence[str]],
    cells: Mapping[str, _Cell],
    back: set[int],
) -> list[tuple[float, float]]:
    """How far from the middle each line leaves its source and enters its target: to the side, or
    for back edges downwards."""
    tables: dict[tuple[str, str], list[tuple[float, int, int]]] = {}
    for i, line in enumerate(lines):
        first = chains[i][0] if chains[i] else line.target
        last = chains[i][-1] if chains[i] else line.source
        if i in back:
            # The outer lane arrives above the inner one, and leaves below it.
            tables.setdefault((line.source, "side"), []).append((cells[last].x, i, 0))
            tables.setdefault((line.target, "side"), []).append((-cells[first].x, i, 1))
        else:
            tables.setdefault((line.source, "out"), []).append((cells[first].x, i, 0))
            tables.setdefault((line.target, "in"), []).append((cells[last].x, i, 1))
    ports = [[0.0, 0.0] for _ in lines]
    for (node, where), found in tables.items():
        room = cells[node].height * 0.5 if where == "side" else cells[node].width * 0.6
        step = min(9.0 if where == "side" else 26.0, room / max(1, len(found) - 1))
        # Where lanes arrive and leave, arriving ones (negative keys) come first.
        for index, (_, i, end) in enumerate(sorted(found)):
            ports[i][end] = (index - (len(found) - 1) / 2) * step
    return [(a, b) for a, b in ports]
