"""How much a run may do: the settings, from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workflow.replay.limits import ROUNDS

__all__ = ["Limits"]


@dataclass(frozen=True)
class Limits:
    """`events` bounds the log of a run, `rounds` the rounds of loops its body makes in one turn,
    `claims` how often a run is claimed without an append before it is held to kill its workers."""

    events: int = 50_000
    rounds: int = ROUNDS
    claims: int = 20

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Limits:
        """From WORKFLOW_MAX_EVENTS, WORKFLOW_MAX_ROUNDS and WORKFLOW_MAX_CLAIMS. Raises ValueError
        for what is no number, or less than 100, 100 and 2."""
        return cls(
            events=_number(environ, "WORKFLOW_MAX_EVENTS", cls.events),
            rounds=_number(environ, "WORKFLOW_MAX_ROUNDS", cls.rounds),
            claims=_number(environ, "WORKFLOW_MAX_CLAIMS", cls.claims, least=3),
        )


def _number(environ: Mapping[str, str], name: str, default: int, least: int = 100) -> int:
    text = environ.get(name) or str(default)
    if not text.isdecimal() or int(text) < least:
        raise ValueError(f"{name} is {text!r}; give a whole number of at least {least}")
    return int(text)
