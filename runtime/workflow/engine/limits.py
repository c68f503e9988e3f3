"""How much a run may do: the settings, from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workflow.replay.limits import ROUNDS

__all__ = ["Limits"]


@dataclass(frozen=True)
class Limits:
    """`events` bounds the log of a run, `rounds` the rounds of loops its body makes in one turn."""

    events: int = 50_000
    rounds: int = ROUNDS

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Limits:
        """From WORKFLOW_MAX_EVENTS and WORKFLOW_MAX_ROUNDS. Raises ValueError for what is no number
        of at least 100."""
        return cls(
            events=_number(environ, "WORKFLOW_MAX_EVENTS", cls.events),
            rounds=_number(environ, "WORKFLOW_MAX_ROUNDS", cls.rounds),
        )


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(default)
    if not text.isdecimal() or int(text) < 100:
        raise ValueError(f"{name} is {text!r}; give a whole number of at least 100")
    return int(text)
