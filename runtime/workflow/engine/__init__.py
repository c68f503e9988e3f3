"""The shell around the deterministic core: turns, steps, wake-ups, hooks and streams on a world.

Start reading at `turn.py` and `session.py`; the rules are in docs/architecture.md.
"""

from workflow.engine.application import Application
from workflow.engine.project import Project

__all__ = ["Application", "Project"]
