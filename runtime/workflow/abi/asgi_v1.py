"""What the generated `app.py`, `flow.py` and `webhook.py` import. Version 1; it only grows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.http.generated import GeneratedApp, generated_app

if TYPE_CHECKING:
    from workflow.engine.registry import Registry

__all__ = ["flow_app", "step_handler", "webhook_app", "whole_app"]


def flow_app(file: str) -> GeneratedApp:
    """`POST /.well-known/workflow/v1/flow` for the generated folder that holds `file`."""
    return generated_app(file, "flow")


def webhook_app(file: str) -> GeneratedApp:
    """Any method on `/.well-known/workflow/v1/webhook/{token}` for the folder that holds `file`."""
    return generated_app(file, "webhook")


def whole_app(file: str) -> GeneratedApp:
    """All handlers for the generated folder that holds `file`."""
    return generated_app(file)


def step_handler(registry: Registry) -> GeneratedApp:
    """`POST /.well-known/workflow/v1/step` for the folder of the registry's file.

    Raises ValueError when the registry was made without one.
    """
    if registry.folder is None:
        raise ValueError("step_app() needs a registry made with Registry(__file__)")
    return generated_app(str(registry.folder / "step.py"), "step")
