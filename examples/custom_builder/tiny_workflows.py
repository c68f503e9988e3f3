"""Workflows for Tiny: what the author of a framework writes, once for all its users.

`TinyBuilder` builds into the layout the framework likes, `mount` serves what was built. Only the
public names of `wfc` are used, and the ASGI applications that the build generates.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tiny import Tiny

from wfc import Builder, Compilation, ProjectError, Rebuild, Severity

PREFIX = "/.well-known/workflow/v1"


class TinyBuilder(Builder):
    """Builds the folder `workflows/` of a Tiny application, in development whenever it changes.

    `on_change` is called from another thread after each good rebuild.
    """

    def __init__(
        self, root: Path, *, dev: bool = False, on_change: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(dirs=["workflows"], working_dir=root, watch=dev)
        self.on_change = on_change

    def create_app(self, compilation: Compilation) -> Mapping[str, str]:
        """Beside `app.py` a table of routes, which is how Tiny mounts things."""
        table = {f"{PREFIX}/{name}": f"{name}.py" for name in ("flow", "step", "webhook")}
        return {**super().create_app(compilation), "routes.json": json.dumps(table, indent=2)}

    def rebuilt(self, rebuild: Rebuild) -> None:
        """Tell the developer what a change did."""
        if isinstance(rebuild.result, ProjectError):
            say(str(rebuild.result))
        elif explain(rebuild.result.diagnostics):
            say(f"rebuilt in {rebuild.seconds:.2f} s")
            self.on_change()
        else:
            say("the last good build stays")


def explain(findings: tuple[Any, ...]) -> bool:
    """Print what was found; whether there was no error."""
    for finding in findings:
        say(f"{finding.path}:{finding.span.line}: {finding.code} {finding.message} {finding.fix}")
    return all(finding.severity is not Severity.ERROR for finding in findings)


def say(text: str) -> None:
    """One line for the developer, at once."""
    print(text, flush=True)


def mount(app: Tiny, generated: Path) -> None:
    """Serve the built handlers, and let the engine live as long as the application."""
    table: dict[str, str] = json.loads((generated / "routes.json").read_text("utf-8"))
    for prefix, file in table.items():
        handler = load(generated / file).app
        app.mounts[prefix] = handler
    app.lifetimes.append(handler.lifespan)  # one for all: they share the engine


def load(file: Path) -> Any:
    """Import a generated module; it lies on no path, so that it can shadow nothing."""
    name = f"tiny_generated_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
