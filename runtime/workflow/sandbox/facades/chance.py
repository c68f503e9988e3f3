"""`random` and `uuid` drawn from the generator of the run, seeded from its log."""

from __future__ import annotations

import random as real
import uuid as real_uuid
from typing import Any, NoReturn

from workflow.errors import SandboxError
from workflow.sandbox.facades.clock import active
from workflow.sandbox.facades.facade import named_like

__all__ = ["DRAWS", "TWINS", "Random", "random_members", "uuid_members"]

_DRAWS = """
betavariate binomialvariate choice choices expovariate gammavariate gauss getrandbits lognormvariate
normalvariate paretovariate randbytes randint random randrange sample shuffle triangular uniform
vonmisesvariate weibullvariate
"""
DRAWS = [name for name in _DRAWS.split() if hasattr(real.Random, name)]
"""The functions of `random` that draw from the generator of the run."""

_GREGORIAN = 0x01B21DD213814000  # 100 ns intervals from 1582-10-15 to 1970-01-01


def _generator() -> real.Random:
    return active("a random number").random


class Random(real.Random):
    """`random.Random` of workflow code: without a seed it is seeded from the run."""

    def __new__(cls, *args: Any, **options: Any) -> Any:
        # Seeded at once: a subclass that leaves out `super().__init__()` would otherwise get what
        # the machine has, or the hash of its first argument.
        made = super().__new__(cls)
        real.Random.seed(made, 0)
        return made

    def __init__(self, x: Any = None) -> None:
        super().__init__(_generator().getrandbits(128) if x is None else x)

    def seed(self, a: Any = None, version: int = 2) -> None:
        if version not in (1, 2):
            raise SandboxError("random numbers are seeded by version 1 or 2 in workflow code")
        super().seed(_generator().getrandbits(128) if a is None else a, version)


named_like(Random, "random", "Random")
TWINS: dict[type, type] = {real.Random: Random}


def _draw(name: str) -> Any:
    def draw(*args: Any, **kwargs: Any) -> Any:
        return getattr(_generator(), name)(*args, **kwargs)

    draw.__name__ = draw.__qualname__ = name
    draw.__doc__ = getattr(real.Random, name).__doc__
    return draw


def _system_random(*_: Any, **__: Any) -> NoReturn:
    raise SandboxError(
        "random.SystemRandom is different on every replay; "
        "use random.Random(), or draw it in a step"
    )


def _reseed(*_: Any, **__: Any) -> NoReturn:
    raise SandboxError("the random numbers of a run cannot be reseeded; use random.Random(seed)")


def random_members() -> dict[str, Any]:
    """The members of the `random` facade."""
    return {
        **{name: _draw(name) for name in DRAWS},
        "Random": Random,
        "SystemRandom": _system_random,
        "seed": _reseed,
    }


def uuid4() -> real_uuid.UUID:
    """A random UUID, the same at every replay."""
    return real_uuid.UUID(int=_generator().getrandbits(128), version=4)


def uuid1(node: int | None = None, clock_seq: int | None = None) -> real_uuid.UUID:
    """A time-based UUID from the clock of the run, with a random node."""
    draw = _generator().getrandbits
    stamp = active("the current time").now * 10 + _GREGORIAN
    sequence = draw(14) if clock_seq is None else clock_seq & 0x3FFF
    low, middle, high = stamp & 0xFFFFFFFF, (stamp >> 32) & 0xFFFF, (stamp >> 48) & 0x0FFF
    # The multicast bit tells a random node from the address of a network card (RFC 4122, 4.5).
    place = (draw(48) | 1 << 40) if node is None else node
    fields = (low, middle, high, sequence >> 8, sequence & 0xFF, place)
    return real_uuid.UUID(fields=fields, version=1)


def uuid_members() -> dict[str, Any]:
    """The members of the `uuid` facade."""
    names = "NAMESPACE_DNS NAMESPACE_OID NAMESPACE_URL NAMESPACE_X500 SafeUUID UUID uuid3 uuid5"
    return {
        **{name: getattr(real_uuid, name) for name in names.split()},
        "uuid1": uuid1,
        "uuid4": uuid4,
    }
