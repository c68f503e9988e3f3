"""`wfc check --against-runs`: which open runs would not go on with this build, and why."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wfc.cli.status import Status
from wfc.cli.worlds import built_project, open_world, root_option, world_option

if TYPE_CHECKING:
    from workflow.engine.against import Verdict

__all__ = ["check"]

_NAMED = 10  # ids that are printed of runs for which the same goes
_ID = re.compile(r"\b(?:wrun|step|hook|wait)_[0-9A-Z]{26}\b")


@click.command()
@click.option(
    "--against-runs",
    is_flag=True,
    help="Replay the logs of the open runs and look for the steps they wait for.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each open run, a line.")
@root_option
@world_option
def check(against_runs: bool, as_json: bool, root: Path, target: str | None) -> None:
    """Say before a deploy what this build means for the runs that are open.

    Open runs stay on the code they were begun with; their steps are those of the new build. So a
    run would stop when its log does not replay here, when its code is not in the world, or when it
    waits for a step that this build does not have or that takes other arguments. What its code may
    meet later is named as well: steps and workflows that are not here, parameters and fields of
    classes that have changed. Nothing is changed. Exit status 1 when a run would not continue.
    """
    if not against_runs:
        raise click.UsageError(
            "say what to check: --against-runs. Findings in the code are for `wfc build`"
        )
    sys.exit(asyncio.run(_check(root, target, as_json)))


async def _check(root: Path, target: str | None, as_json: bool) -> int:
    from workflow.engine.against import examine

    project = built_project(root)
    world = await open_world(root, target)
    tally = _Tally()
    noted: dict[tuple[str, ...], list[Verdict]] = {}
    old: dict[str, list[Verdict]] = {}
    try:
        verdicts = examine(world, project)
        async for verdict in verdicts if as_json else _told(verdicts):
            tally.count(verdict)
            if as_json:
                click.echo(json.dumps(_data(verdict), ensure_ascii=False))
                continue
            if _lines(verdict):
                noted.setdefault(_alike(verdict), []).append(verdict)
            if verdict.old_code:
                old.setdefault(verdict.bundle, []).append(verdict)
    finally:
        await world.close()
    for alike in sorted(noted.values(), key=lambda alike: alike[0].continues):
        click.echo(_text(alike))
    for bundle, runs in old.items():
        click.echo(_old_text(bundle, runs))
    click.echo(tally.text(), err=True)
    return 1 if tally.stopped else 0


async def _told(verdicts: AsyncIterator[Verdict]) -> AsyncIterator[Verdict]:
    """The same, with a word on a terminal about how many there were."""
    count = 0
    with Status("wfc check") as status:
        async for verdict in verdicts:
            yield verdict
            count += 1
            status.say(f"looked at {_count(count, 'run')}")


@dataclass
class _Tally:
    """How many runs there are, of each kind."""

    runs: int = 0
    stopped: int = 0
    old: int = 0
    missing: int = 0
    changed: int = 0

    def count(self, verdict: Verdict) -> None:
        self.runs += 1
        self.stopped += not verdict.continues
        self.old += verdict.old_code
        self.missing += verdict.continues and bool(verdict.missing)
        self.changed += verdict.continues and bool(verdict.changed)

    def text(self) -> str:
        parts = [
            f"{self.stopped} would not continue",
            f"{self.old} of all stay on old code",
            f"{self.missing} may call steps that are not here" if self.missing else "",
            f"{self.changed} may stop at steps or classes that have changed"
            if self.changed
            else "",
        ]
        return f"{_count(self.runs, 'open run')}: {', '.join(filter(None, parts))}"


def _data(verdict: Verdict) -> dict[str, object]:
    return {
        "run_id": verdict.run_id,
        "workflow": verdict.workflow,
        "bundle": verdict.bundle,
        "code": "old" if verdict.old_code else "new",
        "continues": verdict.continues,
        "problems": list(verdict.problems),
        "under_new_code": verdict.under_new or None,
        "missing_steps": list(verdict.missing),
        "changes": list(verdict.changed),
        "notes": list(verdict.notes),
    }


def _lines(verdict: Verdict) -> list[str]:
    """What is to be said of this run alone; nothing of one that just goes on."""
    return [*(f"would not continue: {each}" for each in verdict.problems), *verdict.notes]


def _alike(verdict: Verdict) -> tuple[str, ...]:
    """Equal for runs of which the same is to be said, but for ids."""
    lines = (line.replace(verdict.run_id, "") for line in _lines(verdict))
    return (verdict.workflow, verdict.bundle, *(_ID.sub("", line) for line in lines))


def _text(runs: list[Verdict]) -> str:
    """Runs of which the same is to be said: the first in full, the others by their ids."""
    first, *others = runs
    lines = [f"{first.run_id} {_name(first)}", *_lines(first)]
    if others:
        named = ", ".join(run.run_id for run in others[:_NAMED])
        more = f", … ({len(others)} in all, named by --json)" if len(others) > _NAMED else ""
        lines.append(f"the same goes for {named}{more}")
    return "\n  ".join(lines)


def _old_text(bundle: str, runs: list[Verdict]) -> str:
    """What this build means for all runs that stay on one older bundle."""
    first = runs[0]
    stay = f"{runs[0].run_id} stays" if len(runs) == 1 else f"{len(runs)} open runs stay"
    lines = [f"{stay} on old code, bundle {bundle[:12]}: {_workflows(runs)}"]
    lines += [f"it may still call {step}, which is not here" for step in first.missing]
    lines += first.changed
    differing: dict[str, list[Verdict]] = {}
    for run in runs:
        if run.under_new:
            differing.setdefault(run.workflow, []).append(run)
    for stopped in differing.values():
        run = stopped[0]
        who = f"{run.run_id} {_name(run)}"
        if len(stopped) > 1:
            who = f"{len(stopped)} runs of {_name(run)}, such as {run.run_id},"
        lines.append(f"under the new code {who} would stop: {run.under_new}")
    return "\n  ".join(lines)


def _workflows(runs: list[Verdict]) -> str:
    """Whose runs these are: `place`, or `12 of place, 1 of refund`."""
    counts = Counter(run.workflow for run in runs)
    short = Counter(workflow.rpartition("//")[2] for workflow in counts)
    names = {  # the whole id where the name alone could be either of two
        workflow: name if short[name := workflow.rpartition("//")[2]] == 1 else workflow
        for workflow in counts
    }
    if len(runs) == 1:
        return names[runs[0].workflow]
    return ", ".join(f"{n} of {names[w]}" for w, n in sorted(counts.items()))


def _name(verdict: Verdict) -> str:
    return verdict.workflow.rpartition("//")[2]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
