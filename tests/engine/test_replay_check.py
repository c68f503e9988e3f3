"""WORKFLOW_REPLAY_CHECK: a cold replay of a run does what its live copy has done."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from tests.project import Events, build, loaded, module_of, until
from workflow.api import resume_hook, start
from workflow.engine import Application
from workflow.engine.cold import sampler
from workflow.world.records import Parked
from workflow.worlds import memory

# A package that project settings let in although it is not what it was said to be: it counts.
LEAKY = "from itertools import count\n_count = count()\n__all__ = ['tick']\ndef tick():\n"
LEAKY += "    return next(_count)\n"

FLOWS = """
    import asyncio

    from LEAKY import tick
    from workflow import create_hook

    done = []

    async def note(n: int) -> None:
        "use step"
        done.append(n)

    async def counts() -> None:
        "use workflow"
        await note(tick())

    async def counts_late() -> str:
        "use workflow"
        await note(0)
        await create_hook(token="t")
        return str(tick())

    async def says() -> None:
        "use workflow"
        print("this is number", tick())
        await note(0)

    async def grows() -> None:
        "use workflow"
        await asyncio.gather(*[note(n) for n in range(1 + tick())])

    async def sees() -> str:
        "use workflow"
        print("sees", lambda: None)
        await note(7)
        return "seen"
"""


def serve(folder: Path, workflow: str, monkeypatch: pytest.MonkeyPatch, share: str) -> Parked:
    """Start a run of a leaky body, with this share of checked turns; why it is parked."""
    leaky = f"leaky_{module_of(folder)}"
    packages = folder / "site-packages"
    packages.mkdir()
    (packages / f"{leaky}.py").write_text(LEAKY)
    (folder / "pyproject.toml").write_text(f'[tool.workflow]\npassthrough = ["{leaky}"]\n')
    monkeypatch.syspath_prepend(str(packages))
    monkeypatch.setenv("WORKFLOW_REPLAY_CHECK", share)
    project = build(folder, FLOWS.replace("LEAKY", leaky))

    async def main() -> Parked:
        world = memory.create()
        async with Application(world, project):
            run = await start(workflow)
            sent: list[str] = []

            async def stopped() -> Parked | bool | None:
                record = await world.get_run(run.run_id)
                assert record is not None
                hook = await world.get_hook("t")
                if hook is not None and not sent:
                    sent.append(hook.run_id)
                    await resume_hook("t", None)
                return record.parked or record.completed_at is not None

            why = await until(world, stopped, what="the end of the run, or that it is parked")
            if why is True:
                return Parked(code="", reason=str((await Events.of(world, run.run_id)).types()))
            assert isinstance(why, Parked)
            recorded = (await Events.of(world, run.run_id)).all
            assert why.position > len(recorded), "something of the turn was recorded"
            return why

    return asyncio.run(main())


def test_a_body_that_a_replay_does_not_repeat_is_parked_before_it_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason names position, both decisions and the line; no step has run."""
    why = serve(tmp_path, "counts", monkeypatch, "1")
    assert why.code == "replay-check"
    assert why.position == 2
    assert "the argument 'n' has another value" in why.reason
    assert "note" in why.reason
    assert f"{module_of(tmp_path)}.py:" in why.reason
    assert "report it" in why.reason
    assert loaded(tmp_path).done == []


def test_the_last_turn_is_checked_before_the_run_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An end that a replay does not repeat is not recorded: it could not be taken back."""
    why = serve(tmp_path, "counts_late", monkeypatch, "1")
    assert why.code == "replay-check"
    assert "run_completed" in why.reason


def test_what_is_printed_is_compared_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body that says something else when it is replayed depends on more than its log."""
    why = serve(tmp_path, "says", monkeypatch, "1")
    assert why.code == "replay-check"
    assert "what is printed and logged" in why.reason


def test_unchecked_turns_are_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the check nobody notices, which is what the check is for."""
    why = serve(tmp_path, "counts", monkeypatch, "0")
    assert why.code == ""
    assert "run_completed" in why.reason


def test_bodies_that_only_compute_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check has nothing to say about ordinary code."""
    assert serve(tmp_path, "sees", monkeypatch, "1").code == ""


def test_the_share_of_checked_turns_is_a_number_from_0_to_1() -> None:
    """Unset it never checks; half checks now and then; anything else is refused with the name."""
    assert not any(sampler({})() for _ in range(100))
    assert not any(sampler({"WORKFLOW_REPLAY_CHECK": ""})() for _ in range(100))
    assert all(sampler({"WORKFLOW_REPLAY_CHECK": "1"})() for _ in range(100))
    half = Counter(sampler({"WORKFLOW_REPLAY_CHECK": "0.5"})() for _ in range(1000))
    assert min(half[True], half[False]) > 300
    for wrong in ("2", "-1", "often", "nan"):
        with pytest.raises(ValueError, match="WORKFLOW_REPLAY_CHECK"):
            sampler({"WORKFLOW_REPLAY_CHECK": wrong})


def test_a_replay_that_asks_for_more_is_told_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The decision that only the cold copy makes is named, with its line and its place."""
    why = serve(tmp_path, "grows", monkeypatch, "1")
    assert why.code == "replay-check"
    assert why.position == 3
    assert "the replay also asked for step_created at " in why.reason
    assert f"{module_of(tmp_path)}.py:" in why.reason
