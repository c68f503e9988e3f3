"""What the generated `step.py` imports, version 1: the registry, and the handler for `/step`."""

from __future__ import annotations

from typing import Any

from workflow.engine.registry import Registry

__all__ = ["Registry", "step_app"]


def step_app(registry: Registry) -> Any:
    """The ASGI application that works on tasks when they are delivered over HTTP."""
    from workflow.abi.asgi_v1 import step_handler

    return step_handler(registry)
