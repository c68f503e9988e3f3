"""The flow graph of a workflow: what it does, in which order, under which conditions."""

from wfc.analyse.graph.build import flow_graph, flow_graphs
from wfc.analyse.graph.reached import steps_reached
from wfc.analyse.graph.shapes import Edge, EdgeKind, FlowGraph, Node, NodeKind

__all__ = [
    "Edge",
    "EdgeKind",
    "FlowGraph",
    "Node",
    "NodeKind",
    "flow_graph",
    "flow_graphs",
    "steps_reached",
]
