"""What the operations of a group of calls work on: rows in memory.

A world that answers many calls with one commit lets every operation first say what it wants to know
(`Wants`), reads all of that at once, applies the operations one after the other to the rows in
memory, and writes back what has changed, one statement for each table. The rules are in `runs` and
`work`; how rows are read and written is the world's own matter.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from workflow.world.records import Micros, NewEvent, NewTask

__all__ = ["Again", "Batch", "Holder", "Operation", "Row", "Stream", "TaskRow", "Wants"]


class Again(Exception):
    """What an operation wanted has moved meanwhile; run it again in the next group."""


@dataclass(slots=True)
class Row:
    """A run as the rules see it. `changed` and `deep` say how much of it has to be written."""

    id: int
    run_id: str
    workflow: str
    status: str
    started_at: Micros | None
    completed_at: Micros | None
    output: bytes | None
    error_code: str | None
    bundle: str | None
    python: str | None
    attributes: str
    parent_run: str | None
    parent_ref: str | None
    head: int
    mail: int
    seen: int
    mailed_at: Micros
    next_timer: Micros | None
    owner: str | None
    fence: int
    claims: int
    parked: str | None
    created_at: Micros = 0
    key: str | None = None
    is_new: bool = False
    changed: bool = False
    deep: bool = False

    @property
    def is_open(self) -> bool:
        return self.completed_at is None


class Holder(NamedTuple):
    """Who holds a token."""

    run_id: str
    hook_id: str


class TaskRow(NamedTuple):
    """Whose attempt a task is."""

    id: int
    owner: str | None
    attempt: int


@dataclass(slots=True)
class Stream:
    """A stream as the rules see it."""

    id: int
    run: int
    name: str
    next: int
    closed: bool


@dataclass(slots=True)
class Wants:
    """What a group needs to know, and which runs it has to lock."""

    runs: set[str] = field(default_factory=set)
    children: set[str] = field(default_factory=set)  # runs whose parents are wanted too
    tokens: set[str] = field(default_factory=set)  # posted to: their holders are locked
    open_tokens: set[str] = field(default_factory=set)
    new_runs: list[str] = field(default_factory=list)
    keys: set[tuple[str, str]] = field(default_factory=set)  # (workflow, idempotency key)
    letter_keys: set[tuple[str, str]] = field(default_factory=set)  # (run id, dedupe)
    token_letter_keys: set[tuple[str, str]] = field(default_factory=set)  # (token, dedupe)
    tasks: set[tuple[str, str]] = field(default_factory=set)  # (run id, step id)
    last_events: set[str] = field(default_factory=set)
    streams: set[tuple[str, str]] = field(default_factory=set)  # (run id, name)

    @property
    def names(self) -> list[str]:
        """What two transactions must not insert at once."""
        return [
            *(f"token {token}" for token in self.open_tokens),
            *(f"key {workflow} {key}" for workflow, key in self.keys),
            *(f"run {run_id}" for run_id in self.new_runs),
        ]


class Operation(Protocol):
    """One call of the port that writes."""

    @property
    def exclusive(self) -> str | None:
        """A run that no other operation of the same group may be exclusive on."""

    @property
    def gives_work(self) -> bool:
        """Whether somebody may have something to claim afterwards."""

    def wants(self, wants: Wants) -> None: ...

    def apply(self, batch: Batch) -> Any:
        """Change rows of the batch; the answer. Raises before it changes anything, or not at
        all."""


class Batch:
    """The rows a group works on, and what it adds and takes away."""

    def __init__(self, now: Micros) -> None:
        self.now = now
        self.rows: dict[str, Row] = {}
        self.hooks: dict[str, Holder] = {}
        self.keys: dict[tuple[str, str], str] = {}
        self.letter_keys: dict[tuple[str, str], bool] = {}
        self.tasks: dict[tuple[str, str], TaskRow] = {}
        self.last_events: dict[str, Micros] = {}
        self.streams: dict[tuple[str, str], Stream] = {}
        self.run_ids: list[int] = []  # for new runs; whoever reads the batch fills it
        self.stream_ids: list[int] = []
        # What will be written, a tuple a row.
        self.events: list[tuple[int, int, NewEvent]] = []
        self.letters: list[tuple[Any, ...]] = []
        self.new_letter_keys: list[tuple[int, str, bool]] = []
        self.eaten: list[tuple[int, int]] = []
        self.added_tasks: list[tuple[int, NewTask]] = []
        self.dropped_tasks: list[tuple[int, str]] = []
        self.finished_tasks: list[int] = []
        self.retried_tasks: list[tuple[int, Micros, bytes | None, bool]] = []
        self.resumed: list[int] = []
        self.ended: list[int] = []
        self.new_hooks: dict[str, tuple[Any, ...]] = {}
        self.closed_hooks: list[tuple[int, str]] = []
        self.used_streams: dict[int, Stream] = {}
        self.chunks: list[tuple[int, int, str, int, bytes]] = []

    def next_run_id(self) -> int:
        return self.run_ids.pop()

    def next_stream_id(self) -> int:
        return self.stream_ids.pop()
