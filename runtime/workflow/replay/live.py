"""One workflow body, suspended between facts.

`feed(fact)` applies one fact of the log (a step's result, a payload, the end of a wait …), lets the
body run until nothing is ready any more, and returns the decisions that this caused, the run's end
among them. The same facts in the same order give the same decisions: that is what makes a replayed
run indistinguishable from one that never stopped.
"""

from __future__ import annotations

import asyncio
import hashlib
import heapq
from collections.abc import Callable, Coroutine, Mapping
from random import Random
from typing import Any

import msgspec

from workflow.codec import Codec
from workflow.errors import (
    ContextError,
    DivergenceError,
    InternalError,
    SerializationError,
    WorkflowBlockedError,
)
from workflow.events import Micros, NewEvent
from workflow.policy.arguments import with_captured
from workflow.policy.names import short_name
from workflow.replay.beginning import first_call
from workflow.replay.children import ChildState
from workflow.replay.deadlines import Deadline
from workflow.replay.failing import recorded_failure
from workflow.replay.frames import standing_line, user_line
from workflow.replay.hooks import HookState
from workflow.replay.ids import child_id, correlation_id
from workflow.replay.loop import DetFuture, DetLoop, DetTask, Handle
from workflow.replay.pauses import waits_for_people
from workflow.replay.uttered import Utterance

__all__ = ["LiveRun", "describe", "meta_of", "pack"]

pack = msgspec.json.Encoder().encode
_unpack = msgspec.json.Decoder().decode


def meta_of(event: NewEvent) -> dict[str, Any]:
    """An event's meta object, empty when there is none."""
    return _unpack(event.meta) if event.meta else {}


def describe(event: NewEvent) -> str:
    """An event in words, for error messages."""
    return f"{event.type} {short_name(event.name)}".strip() + (
        f" ({event.ref})" if event.ref else ""
    )


class LiveRun:
    """The live copy of a run: its coroutine, and everything the body waits for.

    `entry` is the workflow function, `codec` reads and writes its values. With `trace` set, the
    user's line behind every decision is kept (`source_of`), at some cost per decision.
    """

    def __init__(
        self,
        run_id: str,
        workflow: str,
        entry: Callable[..., Coroutine[Any, Any, Any]],
        codec: Codec,
        *,
        trace: bool = False,
    ) -> None:
        self.run_id = run_id
        self.workflow = workflow
        self.codec = codec
        self.trace = trace
        self.head = 0
        self.started_at: Micros = 0
        self.base_url = ""
        self.parent: str | None = None
        self.root = run_id
        self.settings: dict[str, Any] = {}  # of the run's first event
        self.ended = False
        self.cancel_requested = False
        self.cancel_reason = ""
        self.steps: dict[str, DetFuture[Any]] = {}  # open step calls
        self.abandoned: list[str] = []  # step calls the body gave up, since last taken
        self.hooks: dict[str, HookState] = {}
        self.actions: dict[str, HookState] = {}  # open pending actions by their step names
        self.children: dict[str, ChildState] = {}
        self.loop = DetLoop(self)  # type: ignore[abstract]  # what it lacks, it refuses
        self._entry = entry
        self._main: DetTask[Any] | None = None
        self._decisions: list[NewEvent] = []
        self._sources: list[tuple[NewEvent, str]] = []
        self._counter = 0
        self._tokens = 0
        self._seed = b""
        self._waits: dict[str, Handle] = {}
        self._timers: list[tuple[Micros, int, str]] = []
        self._kinds: dict[str, str] = {}  # of the open waits that are no time-outs
        self.deadline = Deadline(self)
        self._aborted: BaseException | None = None
        self._closing = False

    # -- the engine's side ---------------------------------------------------------------------

    def feed(self, fact: NewEvent) -> list[NewEvent]:
        """Apply one fact and return the decisions it caused, in order.

        Raises DivergenceError for a fact nobody waits for, SerializationError for a value that
        cannot be read, WorkflowNotRegisteredError for arguments that the workflow does not take.
        Nothing may be fed after the run has ended.
        """
        if self.ended:
            raise InternalError(f"{self.run_id} was fed {fact.type} after its end")
        if self._sources and not self.trace:
            self._sources.clear()
        loop = self.loop
        if fact.at > loop.now:
            loop.now = fact.at
        with loop:
            try:
                self._apply(fact)
            except Exception:
                raise
            except BaseException as error:  # out of a `__workflow_deserialize__` of the user's
                raise SerializationError(f"reading {fact.type} ended with {error!r}") from error
            loop.run_until_idle()
            if self._main is not None and (self._main.done() or self._aborted is not None):
                self._end()
            elif not self._waiting():
                self._fail(WorkflowBlockedError(self._blocked_message()))
        decisions = self._decisions
        self._decisions = []
        return decisions

    def next_timer(self) -> Micros | None:
        """When the earliest open wait is due."""
        timers = self._timers
        while timers and timers[0][2] not in self._waits:
            heapq.heappop(timers)
        return timers[0][0] if timers else None

    def first_due(self, now: Micros) -> tuple[str, Micros] | None:
        """The correlation id and due time of the wait to end first, if it is due at `now`."""
        due = self.next_timer()
        return (self._timers[0][2], due) if due is not None and due <= now else None

    def sleeps(self) -> list[str]:
        """Open durable sleeps (not time-outs), in the order they were begun."""
        return [ref for ref in self._waits if self._kinds.get(ref) == "sleep"]

    @property
    def paused(self) -> bool:
        """Whether the body waits for people only."""
        return waits_for_people(self, (self._kinds.get(ref, "timer") for ref in self._waits))

    def take_abandoned(self) -> list[str]:
        refs, self.abandoned = self.abandoned, []
        return refs

    def take_utterances(self) -> list[Utterance]:
        said, self.loop.utterances = self.loop.utterances, []
        return said

    def source_of(self, decision: NewEvent | None) -> str:
        """`path:line` of the user's code that made the decision, when tracing, or where it is."""
        line = next((line for made, line in self._sources if made is decision), "")
        return line or standing_line(self._main, self._entry)

    def standing(self) -> dict[str, object]:
        """What the body waits for, and what its next decisions depend on beside its variables.

        By names for people. Two copies fed with the same facts have equal ones.
        """
        return {
            "the end": self.ended,
            "the cancel request": self.cancel_requested,
            "open steps": list(self.steps),
            "open sleeps and time-outs": [(r, h.when()) for r, h in self._waits.items()],
            "hooks": [hook.standing() for hook in self.hooks.values()],
            "children": [child.standing() for child in self.children.values()],
            "the count of calls": (self._counter, self._tokens),
            "the time": self.loop.now,
            "what is printed and logged": self.loop.said,
            "random numbers drawn": self.loop.random.getstate(),
        }

    def close(self) -> None:
        """Drop the body. Its `finally` blocks run, and nothing they ask for is recorded."""
        if not self._closing:
            with self.loop:
                self._dismiss()
        self.loop.close()

    def abort(self, error: BaseException) -> None:
        """The body raised something that is not an Exception: end the run with it."""
        self._aborted = error

    # -- what the body asks for ----------------------------------------------------------------

    def call_step(
        self, name: str, arguments: dict[str, Any], captured: Mapping[str, Any] | None = None
    ) -> DetFuture[Any]:
        """Record a step call; `captured` are the variables a nested step uses from around it.

        Raises SerializationError when an argument or captured value cannot be recorded.
        """
        if self._closing:
            return self.loop.create_future()
        try:
            payload = self.codec.encode(with_captured(arguments, captured), path="args")
        except SerializationError:
            if captured:  # if the fault is there, its path should begin with the variable
                self.codec.encode(captured, path="captured")
            raise
        ref = self._ref("step")
        future = self.loop.create_future()
        self.steps[ref] = future
        future._on_cancel = lambda: self._abandon(ref)
        self._decide("step_created", ref, name=name, payload=payload)
        return future

    def stop(self, reason: str) -> None:
        """Let the body see CancelledError, unless it has been asked to stop before."""
        if self._main is not None and not self.cancel_requested:
            self._main.cancel(reason or None)

    def open_wait(self, due: Micros, handle: Handle, *, kind: str = "timer") -> str:
        """Record a durable wait that runs `handle` when it is over.

        `kind` is `sleep`, `timer` (a time-out), `lifetime` (of a pending action), `deadline` or
        `grace`.
        """
        if self._closing:
            return ""
        ref = self._ref("wait")
        self._waits[ref] = handle
        handle._on_cancel = lambda: self._forget_wait(ref)
        heapq.heappush(self._timers, (due, self._counter, ref))
        if kind != "timer":
            self._kinds[ref] = kind
        self._decide("wait_created", ref, name=kind, meta={"due": due})
        return ref

    def sleep_until(self, due: Micros) -> DetFuture[None]:
        """A future that is done at `due`; done already when that has passed."""
        future = self.loop.create_future()
        if due <= self.loop.now:
            future.set_result(None)
            return future
        handle = Handle(_finish, (future,), None, due / 1_000_000)
        future._on_cancel = handle.cancel
        self.open_wait(due, handle, kind="sleep")
        return future

    def request_hook(
        self,
        token: str,
        *,
        webhook: bool,
        metadata: bytes | None,
        meta: dict[str, Any],
        step: str | None = None,
    ) -> HookState:
        """Ask for a token. The answer (open or conflict) comes as a fact.

        With `step` it is the pending action of that name, which must not be open.
        """
        if self._closing:
            return HookState(self.loop, "", token, step)
        ref = self._ref("hook")
        hook = self.hooks[ref] = HookState(self.loop, ref, token, step)
        if step is not None:
            self.actions[step] = hook
        self._decide(
            "hook_requested", ref, name=token, payload=metadata, meta={"webhook": webhook, **meta}
        )
        return hook

    def dispose_hook(self, hook: HookState) -> None:
        """Free the token. Payloads that were delivered before can still be taken."""
        if not hook.disposed:
            hook.dispose()
            if hook.step is not None:
                self.actions.pop(hook.step, None)
            self._decide("hook_disposed", hook.ref, name=hook.token)

    def start_child(
        self, workflow: str, arguments: dict[str, Any], options: dict[str, Any]
    ) -> ChildState:
        """Record the start of a run of another workflow. `options` go into the decision's meta:
        `attributes`, `start_at`, `deadline` and `grace` in microseconds, and `cancel_with_parent`.

        Raises SerializationError when an argument cannot be recorded.
        """
        if self._closing:
            return ChildState(self.loop, "", self.codec)
        payload = self.codec.encode(arguments, path="args")
        self._counter += 1
        run_id = child_id(self._seed, self._counter, self.loop.now)
        bound = bool(options.get("cancel_with_parent"))
        child = self.children[run_id] = ChildState(self.loop, run_id, self.codec, bound=bound)
        meta = options or None
        self._decide("child_created", run_id, name=workflow, payload=payload, meta=meta)
        return child

    def meta_for(self, child: str, options: Mapping[str, Any] | None = None) -> bytes:
        """The meta of a child's first event. Its seed follows from ours and does not tell it."""
        seed = hashlib.blake2b(f"seed of {child}".encode(), key=self._seed, digest_size=16)
        meta = {
            "seed": seed.hexdigest(),
            "base_url": self.base_url,
            "parent": self.run_id,
            "root": self.root,
        }
        meta |= {k: v for k, v in self.settings.items() if k == "action_lifetime"}
        meta |= {k: v for k, v in (options or {}).items() if k in ("deadline", "grace")}
        return pack(meta)

    def set_attributes(self, attributes: dict[str, str | None]) -> None:
        self._decide("attr_set", "", meta=dict(attributes))

    def token(self) -> str:
        """A fresh, unguessable token that is the same on replay (128 bits, keyed by the seed).

        Not drawn from `random`: whoever sees enough of a body's random numbers can compute the
        others of that generator.
        """
        self._tokens += 1
        return hashlib.blake2b(b"%d" % self._tokens, key=self._seed, digest_size=16).hexdigest()

    def _dismiss(self) -> None:
        """End all that is left of the body. What it still asks for is never answered."""
        self._closing = self.ended = True
        for future in self.steps.values():
            future._on_cancel = None
        self._waits.clear()
        self.loop.dismiss()

    # -- inside --------------------------------------------------------------------------------

    def _apply(self, fact: NewEvent) -> None:
        match fact.type:
            case "step_completed":
                future = self._answered(fact)
                path = f"{short_name(fact.name)}()"
                future.set_result(self.codec.decode(fact.payload or b"", path=path))
            case "step_failed":
                future = self._answered(fact)
                future.set_exception(self.codec.decode_error(fact.payload or b""))
            case "wait_completed":
                handle = self._waits.pop(fact.ref, None)
                if handle is None:
                    raise DivergenceError(0, describe(fact), "no such wait")
                self._kinds.pop(fact.ref, None)
                self.loop.fire(handle)
            case "hook_received":
                hook = self._hook(fact)
                payload = fact.payload or b""
                hook.deliver(self.codec.decode(payload, path="payload", references=False))
            case "hook_created":
                self._hook(fact).settle(None)
            case "hook_conflict":
                self._hook(fact).settle(meta_of(fact).get("run_id", ""))
            case "child_ended":
                self._child_ended(fact)
            case "run_cancel_requested":
                self.cancel_reason = meta_of(fact).get("reason", "")
                self.stop(self.cancel_reason)
                self.cancel_requested = True
            case "run_created":
                self._begin(fact)
            case _:
                raise InternalError(f"{fact.type} is not a fact")

    def _begin(self, fact: NewEvent) -> None:
        meta = meta_of(fact)
        self.started_at = fact.at
        self.base_url = meta.get("base_url", "")
        self.parent = meta.get("parent")
        self.root = meta.get("root", self.run_id)
        self.settings = meta
        self._seed = bytes.fromhex(meta["seed"])
        self.loop.random = Random(self._seed)
        arguments = self.codec.decode(fact.payload or b"", path="args")
        self.deadline.begin(meta)
        args, kwargs = first_call(self.workflow, self._entry, arguments)
        self._main = self.loop.create_task(self._body(args, kwargs), name="workflow")

    async def _body(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        return await self._entry(*args, **kwargs)

    def _answered(self, fact: NewEvent) -> DetFuture[Any]:
        future = self.steps.pop(fact.ref, None)
        if future is None:
            raise DivergenceError(0, describe(fact), "no such step")
        return future

    def _hook(self, fact: NewEvent) -> HookState:
        hook = self.hooks.get(fact.ref)
        if hook is None:
            raise DivergenceError(0, describe(fact), "no such hook")
        return hook

    def _child_ended(self, fact: NewEvent) -> None:
        child = self.children.get(fact.ref)
        if child is None or child.status:
            raise DivergenceError(0, describe(fact), "no such child")
        meta = meta_of(fact)
        child.end(meta["status"], fact.payload, meta.get("code", ""))

    def _abandon(self, ref: str) -> None:
        if self.steps.pop(ref, None) is not None:
            self.abandoned.append(ref)

    def _forget_wait(self, ref: str) -> None:
        self._waits.pop(ref, None)
        self._kinds.pop(ref, None)

    def _ref(self, kind: str) -> str:
        self._counter += 1
        return correlation_id(kind, self.run_id, self._counter, self.loop.now)

    def _decide(
        self,
        type: str,
        ref: str,
        *,
        name: str = "",
        payload: bytes | None = None,
        meta: dict[str, Any] | None = None,
    ) -> None:
        if self._closing:
            return
        decision = NewEvent(
            type=type,
            at=self.loop.now,
            ref=ref,
            name=name,
            payload=payload,
            meta=pack(meta) if meta is not None else None,
        )
        self._decisions.append(decision)
        if self.trace:
            self._sources.append((decision, user_line()))

    def _waiting(self) -> bool:
        """Whether any fact but a cancel request could ever move the body again."""
        if self.steps or len(self._waits) > len(self.deadline.waits):
            return True
        if any(hook.open or not hook.settled for hook in self.hooks.values()):
            return True
        return any(child.awaited for child in self.children.values())

    def _blocked_message(self) -> str:
        return (
            "the workflow body waits for what can never happen: no step, sleep, hook or child "
            "is open (an asyncio.Event nobody sets, a Queue nobody fills, a task waiting for "
            "itself)"
        )

    def _end(self) -> None:
        main = self._main
        assert main is not None
        if self._aborted is not None:
            self._fail(self._aborted)
        elif main.cancelled() or isinstance(main.exception(), asyncio.CancelledError):
            if self.cancel_requested:
                self._decide("run_cancelled", "")
                self._dismiss()
            elif self.deadline.missed:
                self._fail(self.deadline.error())
            else:
                self._fail(ContextError("the workflow body cancelled itself"))
        elif (error := main.exception()) is not None:
            self._fail(error)
        else:
            try:
                output = self.codec.encode(main.result(), path="return value")
            except BaseException as unencodable:  # also KeyboardInterrupt of a serializer
                self._fail(unencodable)
                return
            self._decide("run_completed", "", payload=output)
            self._dismiss()

    def _fail(self, error: BaseException) -> None:
        payload, code = recorded_failure(self.codec, error)
        self._decide("run_failed", "", payload=payload, meta={"code": code})
        self._dismiss()


def _finish(future: DetFuture[None]) -> None:
    if not future.done():
        future.set_result(None)
