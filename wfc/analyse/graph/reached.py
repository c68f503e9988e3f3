"""Which steps a workflow can call."""

from __future__ import annotations

from wfc.model import Kind, Marked, Program

__all__ = ["steps_reached"]


def steps_reached(program: Program, workflow: Marked) -> list[Marked]:
    """The steps that a workflow can call, itself or through helpers, by id.

    Those of workflows that it starts are not among them: they belong to other runs.
    """
    seen = {workflow.key}
    queue = [workflow.key]
    while queue:
        for key in program.reach.edges.get(queue.pop(), ()):
            if key not in seen and key not in program.started:
                seen.add(key)
                queue.append(key)
    return sorted(
        (
            m
            for module in {program.modules.get(key[0]) for key in seen}
            for m in (program.marked_in(module) if module else ())
            if m.kind is Kind.STEP and m.key in seen
        ),
        key=lambda m: m.id,
    )
