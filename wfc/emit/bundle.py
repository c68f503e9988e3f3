"""The bundle: what is hashed, stored in the world, and run."""

from __future__ import annotations

from collections.abc import Mapping

from wfc.emit.manifest import class_id
from wfc.model import Kind, Program
from workflow.sandbox.bundle import Bundle, ModuleSource

__all__ = ["Bundle", "make_bundle"]


def make_bundle(program: Program, texts: Mapping[str, str]) -> Bundle:
    """The bundle of the given workflow-mode texts, by module name."""
    modules = {m.name: m for m in program.bundled}
    return Bundle(
        modules=tuple(
            ModuleSource(name=name, path=modules[name].path, source=texts[name])
            for name in sorted(modules)
        ),
        workflows={m.id: (m.module.name, m.qualname) for m in program.of(Kind.WORKFLOW)},
        classes={
            class_id(program, key): key for key, bundled in program.classes.items() if bundled
        },
        steps={
            m.id: (m.module.name, m.qualname)
            for m in program.of(Kind.STEP)
            if m.key in program.reach.parents
        },
    )
