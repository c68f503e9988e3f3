"""A graph while it is drawn, and where jumps lead.

`ends` are the loose ends of what is drawn so far: the next node is tied to all of them. Code that
nothing leads to has no loose ends, and nothing is drawn for it. A jump hands the loose ends to the
frame it leads to: a loop, a function, the handlers of a `try`; a `finally` on the way keeps them,
and lets them jump on when its own body is drawn.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from wfc.analyse.graph.shapes import Edge, EdgeKind, FlowGraph, Node, NodeKind

__all__ = ["Draft", "End", "FinallyFrame", "FunctionFrame", "HandlerFrame", "Jump", "LoopFrame"]


@dataclass(frozen=True)
class End:
    """A loose end: an edge whose target is not drawn yet."""

    node: str
    kind: EdgeKind = EdgeKind.NEXT
    label: str = ""


Ends = tuple[End, ...]


class Jump(Enum):
    """A way to leave the statement that would come next."""

    BREAK = "break"
    CONTINUE = "continue"
    RETURN = "return"
    RAISE = "raise"


@dataclass
class LoopFrame:
    breaks: list[End] = field(default_factory=list)
    continues: list[End] = field(default_factory=list)
    jumps: int = 0


@dataclass
class FunctionFrame:
    returns: list[End] = field(default_factory=list)


@dataclass
class HandlerFrame:
    """The handlers of a `try`, while its body is drawn: what each names, None for everything."""

    handlers: tuple[tuple[str, ...] | None, ...]
    raised: list[list[End]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.raised = [[] for _ in self.handlers]

    def catch(self, error: str, ends: Ends) -> bool:
        """Hand `ends` to the handlers that may catch `error`; whether one certainly does."""
        for names, raised in zip(self.handlers, self.raised, strict=True):
            verdicts = [True] if names is None else [_catches(name, error) for name in names]
            if any(v is not False for v in verdicts):
                raised.extend(ends)
            if True in verdicts:
                return True
        return False


@dataclass
class FinallyFrame:
    waiting: dict[tuple[Jump, str], list[End]] = field(default_factory=dict)


def _catches(handler: str, error: str) -> bool | None:
    """Whether `except handler` catches `error`, where the names tell."""
    if handler == error or handler == "BaseException":
        return True
    caught, raised = getattr(builtins, handler, None), getattr(builtins, error, None)
    if isinstance(caught, type) and isinstance(raised, type):
        return issubclass(raised, caught)
    return True if handler == "Exception" else None


Frame = LoopFrame | FunctionFrame | HandlerFrame | FinallyFrame


class Draft:
    """Nodes and edges so far. `context` is added to the data of every new node."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.edges: list[Edge] = []
        self.ends: Ends = ()
        self.frames: list[Frame] = []
        self.failed: list[End] = []
        self.jumps = 0
        self.context: dict[str, Any] = {}

    def add(
        self,
        kind: NodeKind,
        label: str,
        span: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> str:
        """Draw a node after all loose ends; it becomes the only loose end. Returns its id."""
        node = Node(f"n{len(self.nodes)}", kind, label, span, {**(data or {}), **self.context})
        self.nodes.append(node)
        self.tie(self.ends, node.id)
        self.ends = (End(node.id),)
        return node.id

    def tie(self, ends: Iterable[End], target: str, kind: EdgeKind | None = None) -> None:
        """Let loose ends lead to `target`; `kind` replaces theirs where that is `next`."""
        for end in ends:
            plain = end.kind is EdgeKind.NEXT
            edge = Edge(end.node, target, kind if kind and plain else end.kind, end.label)
            if edge not in self.edges:
                self.edges.append(edge)

    def jump(self, kind: Jump, error: str = "") -> None:
        """Leave: the loose ends go to the frame that the jump leads to. `error` is the name of the
        class that is raised, where the text tells."""
        self.jumps += 1
        for frame in reversed(self.frames):
            match frame, kind:
                case FinallyFrame(), _:
                    frame.waiting.setdefault((kind, error), []).extend(self.ends)
                    break
                case LoopFrame(), Jump.BREAK:
                    frame.breaks.extend(self.ends)
                    frame.jumps += 1
                    break
                case LoopFrame(), Jump.CONTINUE:
                    frame.continues.extend(self.ends)
                    frame.jumps += 1
                    break
                case FunctionFrame(), Jump.RETURN:
                    frame.returns.extend(self.ends)
                    break
                case HandlerFrame(), Jump.RAISE:
                    if frame.catch(error, self.ends):
                        break
        else:
            self.failed.extend(self.ends)
        self.ends = ()

    @contextmanager
    def within(self, frame: Frame) -> Iterator[None]:
        """Draw inside a frame."""
        self.frames.append(frame)
        try:
            yield
        finally:
            self.frames.pop()

    @contextmanager
    def noting(self, **context: Any) -> Iterator[None]:
        """Add to the data of the nodes drawn inside."""
        before = self.context
        self.context = {**before, **context}
        try:
            yield
        finally:
            self.context = before

    def mark(self) -> tuple[int, int, Ends, int]:
        """Where the draft is now, for `back_to`."""
        return (len(self.nodes), len(self.edges), self.ends, self.jumps)

    def back_to(self, mark: tuple[int, int, Ends, int]) -> None:
        """Undo what was drawn since `mark`."""
        nodes, edges, self.ends, self.jumps = mark
        gone = {n.id for n in self.nodes[nodes:]}  # the ids will be given out again
        for ends in self._kept_ends():
            ends[:] = [end for end in ends if end.node not in gone]
        del self.nodes[nodes:]
        del self.edges[edges:]

    def _kept_ends(self) -> Iterator[list[End]]:
        yield self.failed
        for frame in self.frames:
            match frame:
                case LoopFrame():
                    yield from (frame.breaks, frame.continues)
                case FunctionFrame():
                    yield frame.returns
                case HandlerFrame():
                    yield from frame.raised
                case FinallyFrame():
                    yield from frame.waiting.values()

    def finished(self, workflow: str, name: str) -> FlowGraph:
        """The graph of what the start leads to, numbered anew, the end last."""
        start, end = self.nodes[0].id, self.nodes[-1].id
        follow: dict[str, list[str]] = {}
        for edge in self.edges:
            follow.setdefault(edge.source, []).append(edge.target)
        seen = {start}
        queue = [start]
        while queue:
            fresh = [t for t in follow.get(queue.pop(), ()) if t not in seen]
            seen.update(fresh)
            queue.extend(fresh)
        kept = [n for n in self.nodes if n.id in seen or n.id == end]
        number = {n.id: f"n{index}" for index, n in enumerate(kept)}
        nodes = tuple(replace(n, id=number[n.id], data=_renumbered(n.data, number)) for n in kept)
        edges = tuple(
            replace(e, source=number[e.source], target=number[e.target])
            for e in self.edges
            if e.source in number and e.target in number
        )
        if end not in seen:  # a workflow that never ends by itself
            last = number[end]
            nodes = tuple(n for n in nodes if n.id != last)
        return FlowGraph(workflow, name, nodes, edges)


_IDS = ("loop_id", "parallel_group_id", "hook", "conditional_id", "try_id")


def _renumbered(data: Mapping[str, Any], number: Mapping[str, str]) -> dict[str, Any]:
    return {
        key: number.get(value, value) if key in _IDS and isinstance(value, str) else value
        for key, value in data.items()
    }
