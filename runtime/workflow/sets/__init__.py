"""Sets that keep their order: what `set` and `frozenset` are in workflow code."""

from workflow.sets.ordered import TWINS, FrozenSet, Set, frozen_of, ordered, settled

__all__ = ["TWINS", "FrozenSet", "Set", "frozen_of", "ordered", "settled"]
