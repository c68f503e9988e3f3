"""Where workflow bodies execute: a policy for their source, guards and facades for their objects.

A boundary for determinism and accidents, not a prison for hostile code: one process cannot stop
its own code from using up processor and memory, or from meeting a bug of the interpreter.

Start with `policy.py` (what may be written), then `program.py` (how a bundle is executed).
"""

from workflow.sandbox.bundle import Bundle, ModuleSource
from workflow.sandbox.compiling import PolicyError, check, compile_module
from workflow.sandbox.program import Instance, Program

__all__ = [
    "Bundle",
    "Instance",
    "ModuleSource",
    "PolicyError",
    "Program",
    "check",
    "compile_module",
]
