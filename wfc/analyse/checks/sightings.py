"""What the directive rules share: all directives and near-misses of a program."""

from __future__ import annotations

from collections.abc import Iterator

from wfc.model import Module, Program, Sighting

__all__ = ["directives"]


def directives(program: Program) -> Iterator[tuple[Module, Sighting]]:
    """Every sighting with its module, in order of modules and lines."""
    for module in program.modules.values():
        for sighting in module.sightings:
            yield module, sighting
