"""The Replayer of temporalio on histories made by hand. Run by benchmarks/peers.py in an
environment of its own; prints one JSON object.

A step of a history is six events: scheduled, started and completed for the workflow task, and the
same three for the activity.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass
from datetime import timedelta

from temporalio import workflow
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import History, HistoryEvent
from temporalio.client import WorkflowHistory
from temporalio.converter import default
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner


@dataclass
class Order:
    name: str
    cents: int


@workflow.defn(name="loop")
class Loop:
    @workflow.run
    async def run(self, count: int) -> int:
        total = 0
        for n in range(count):
            charged = await workflow.execute_activity(
                "work",
                args=[n, Order(f"order {n}", n * 3)],
                start_to_close_timeout=timedelta(seconds=60),
            )
            total += charged["cents"]
        return total


class Recorded:
    """A history that grows by steps."""

    def __init__(self) -> None:
        self.history = History()
        self.converter = default().payload_converter

    def add(self, kind: str) -> HistoryEvent:
        event: HistoryEvent = self.history.events.add()
        event.event_id = len(self.history.events)
        event.event_type = EventType.Value(f"EVENT_TYPE_{kind}")
        event.event_time.FromSeconds(1_700_000_000)
        return event

    def begin(self, steps: int) -> None:
        begun = self.add("WORKFLOW_EXECUTION_STARTED").workflow_execution_started_event_attributes
        begun.workflow_type.name = "loop"
        begun.task_queue.name = "queue"
        begun.input.payloads.append(self.converter.to_payload(steps))
        begun.original_execution_run_id = begun.first_execution_run_id = "run"
        begun.attempt = 1
        begun.workflow_task_timeout.FromSeconds(10)

    def workflow_task(self) -> int:
        event = self.add("WORKFLOW_TASK_SCHEDULED")
        event.workflow_task_scheduled_event_attributes.task_queue.name = "queue"
        scheduled = event.event_id
        event = self.add("WORKFLOW_TASK_STARTED")
        event.workflow_task_started_event_attributes.scheduled_event_id = scheduled
        started = event.event_id
        event = self.add("WORKFLOW_TASK_COMPLETED")
        completed = event.workflow_task_completed_event_attributes
        completed.scheduled_event_id, completed.started_event_id = scheduled, started
        # As servers record it: ids and types of activities are compared.
        completed.sdk_metadata.core_used_flags.append(1)
        return event.event_id

    def step(self, n: int) -> None:
        task = self.workflow_task()
        event = self.add("ACTIVITY_TASK_SCHEDULED")
        scheduled = event.activity_task_scheduled_event_attributes
        scheduled.activity_id = str(n + 1)
        scheduled.activity_type.name = "work"
        scheduled.task_queue.name = "queue"
        scheduled.workflow_task_completed_event_id = task
        order = Order(f"order {n}", n * 3)
        scheduled.input.payloads.extend(self.converter.to_payloads([n, order]))
        first = event.event_id
        event = self.add("ACTIVITY_TASK_STARTED")
        event.activity_task_started_event_attributes.scheduled_event_id = first
        second = event.event_id
        event = self.add("ACTIVITY_TASK_COMPLETED")
        completed = event.activity_task_completed_event_attributes
        completed.scheduled_event_id, completed.started_event_id = first, second
        result = {"cents": 1, "text": "charged"}
        completed.result.payloads.append(self.converter.to_payload(result))

    def end(self, steps: int) -> None:
        task = self.workflow_task()
        event = self.add("WORKFLOW_EXECUTION_COMPLETED")
        ended = event.workflow_execution_completed_event_attributes
        ended.workflow_task_completed_event_id = task
        ended.result.payloads.append(self.converter.to_payload(steps))


def recorded(steps: int) -> list[HistoryEvent]:
    made = Recorded()
    made.begin(steps)
    for n in range(steps):
        made.step(n)
    made.end(steps)
    return list(made.history.events)


async def seconds(events: list[HistoryEvent], runner: WorkflowRunner, rounds: int) -> float:
    """The best of several whole replays; each raises when the body does not follow the history."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        replayer = Replayer(workflows=[Loop], workflow_runner=runner)
        await replayer.replay_workflow(WorkflowHistory("workflow", events))
        times.append(time.perf_counter() - began)
    return min(times)


async def main(rounds: int) -> None:
    rows = []
    for name, runner in (
        ("sandboxed", SandboxedWorkflowRunner()),
        ("without its sandbox", UnsandboxedWorkflowRunner()),
    ):
        for steps in (166, 1666, 3333):
            events = recorded(steps)
            taken = await seconds(events, runner, rounds)
            rows.append([name, steps, len(events), taken])
    # A history of another body must be refused: else nothing of this was a replay.
    wrong = recorded(3)
    wrong[4].activity_task_scheduled_event_attributes.activity_type.name = "other"
    try:
        await seconds(wrong, SandboxedWorkflowRunner(), 1)
    except workflow.NondeterminismError:
        print(json.dumps({"replays": rows}))
    else:
        sys.exit("the Replayer accepted a history of another body")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
