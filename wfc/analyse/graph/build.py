"""The flow graph of a workflow, from its syntax."""

from __future__ import annotations

from wfc.analyse.graph.draft import Draft, End, FunctionFrame
from wfc.analyse.graph.expressions import awaited, value
from wfc.analyse.graph.flow import Flow
from wfc.analyse.graph.reached import steps_reached
from wfc.analyse.graph.resolve import Resolver, Scope
from wfc.analyse.graph.shapes import EdgeKind, FlowGraph, NodeKind
from wfc.analyse.graph.statements import block
from wfc.depth import deep_enough
from wfc.model import Marked, Program

__all__ = ["flow_graph", "flow_graphs"]


def flow_graphs(program: Program, workflows: tuple[Marked, ...]) -> list[FlowGraph]:
    """The graphs of several workflows, in their order."""
    resolver = Resolver(program)
    return [_graph(resolver, workflow) for workflow in workflows]


@deep_enough
def flow_graph(program: Program, workflow: Marked) -> FlowGraph:
    """The control flow of one workflow, with the helpers it calls; see docs/manifest.md."""
    return _graph(Resolver(program), workflow)


def _graph(resolver: Resolver, workflow: Marked) -> FlowGraph:
    draft = Draft()
    top = workflow.module.tree.body[workflow.module.bindings[workflow.key[1]][0]]
    scope = Scope(workflow.module, top, workflow.node)
    flow = Flow(draft, resolver, scope, value, awaited, block, stack=[workflow.node])
    frame = FunctionFrame()
    start = draft.add(NodeKind.START, workflow.qualname)
    with draft.within(frame):
        block(flow, workflow.node.body)
    ends = [*draft.ends, *frame.returns]
    _rest(flow, workflow, start)
    draft.ends = tuple(ends)
    end = draft.add(NodeKind.END, "end")
    draft.tie(draft.failed, end, EdgeKind.EXCEPT)
    return draft.finished(workflow.id, workflow.qualname)


def _rest(flow: Flow, workflow: Marked, start: str) -> None:
    """Steps that the workflow can reach in ways the text does not tell, beside the flow."""
    draft = flow.draft
    drawn = {n.data.get("step") for n in draft.nodes}
    for step in steps_reached(flow.resolver.program, workflow):
        if step.id not in drawn:
            draft.ends = (End(start, EdgeKind.CASE, "may call"),)
            data = {"step": step.id, "is_step_reference": True}
            flow.add(NodeKind.REFERENCE, step.name, step.node, data)
