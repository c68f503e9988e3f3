"""Values of classes that only steps name: a body gets their data, and none of their code."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.engine.host_classes import FLOWS, KINDS
from tests.project import Events, build, ended, loaded
from workflow.api import start
from workflow.engine import Application, Project
from workflow.errors import WorkflowRunFailedError
from workflow.events import Event
from workflow.world.records import RunRecord
from workflow.worlds import memory

ADVICE = (
    "is not part of the workflow's code: only steps name this class. Name it in the signature of "
    "the step (-> {0}) or in the workflow's own code, and build again; what no workflow can do, "
    "do in a step"
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Any]:
    """The project, and the user's module as steps run it."""
    folder: Path = tmp_path_factory.mktemp("host")
    project = build(folder, FLOWS)
    return project, loaded(folder)


class Played:
    """What became of one run."""

    def __init__(self, result: Any, run: RunRecord, log: tuple[Event, ...]) -> None:
        self.result = result
        self.run = run
        self.log = log


def play(built: tuple[Project, Any], workflow: str, *args: Any) -> Played:
    """Run a workflow to its end; every turn is replayed cold. None of the classes' code may run."""
    project, module = built

    async def work() -> Played:
        async with Application(memory.create(), project) as application:
            run = await start(getattr(module, workflow), *args)
            record = await ended(application, run.run_id)
            log = (await Events.of(application.world, run.run_id)).all
            assert module.ran == []
            return Played(await run, record, log)

    module.ran.clear()
    return asyncio.run(work())


def failure_of(built: tuple[Project, Any], *args: Any) -> str:
    """The text of the error that a run of `uses_class` ends with."""
    with pytest.raises(WorkflowRunFailedError) as caught:
        play(built, "uses_class", *args)
    return str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_passed_on_is_recorded_as_it_was(built: tuple[Project, Any], kind: str) -> None:
    """The result of the step and that of the run are the same bytes."""
    played = play(built, "passes", kind)
    (given,) = (e.payload for e in played.log if e.type == "step_completed")
    assert played.run.output == given


def test_on_the_side_of_the_steps_it_is_the_class_itself(built: tuple[Project, Any]) -> None:
    """Whoever awaits the run gets the user's own objects."""
    _, module = built
    user = play(built, "passes", "user").result
    assert type(user) is module.User
    assert user.full_name.startswith("ann ")
    assert type(play(built, "passes", "token").result) is module.Token
    assert play(built, "passes", "class").result is module.User
    assert play(built, "passes", "color").result is module.Color.RED


def test_the_data_can_be_read(built: tuple[Project, Any]) -> None:
    """Fields, members, texts and comparisons are those of the original; methods are not there."""
    assert play(built, "reads").result == [
        [1, ["t"], "hidden", "ann", ["User", "Model", "Pair", "Color"]],
        [
            "User(id=1, name='ann', tags=['t'])",
            "n=5 text='t'",
            "Model(n=5, text='t')",
            "Pair(a=1, b='b')",
            "OpenModel(n=5, more=[1])",
            "Form(held=4)",
        ],
        [True, False, True, False, True],
        [5, [1], 4, False, "none"],
        [1, "b", True, (1, "b"), True],
        [True, "HIGH", 2, "RED", "red", True],
        [3, "<Color.RED: 'red'> 2", {"id": 1, "name": "ann", "tags": ["t"], "password": "hidden"}],
        [True],
    ]


@pytest.mark.parametrize(
    ("kind", "name", "owner"),
    [
        ("user", "full_name", "User"),
        ("user", "where", "User"),
        ("model", "where", "Model"),
        ("model", "model_dump", "Model"),
        ("model", "_own", "Model"),
        ("color", "where", "Color"),
        ("pair", "where", "Pair"),
        ("token", "text", "Token"),
        ("token", "hits", "Token"),
        ("failure", "where", "Failure"),
        ("failure", "hits", "Failure"),
        ("class", "where", "User"),
        ("not_found", "advice", "NotFound"),
    ],
)
def test_what_is_not_there_says_how_to_get_it(
    built: tuple[Project, Any], kind: str, name: str, owner: str
) -> None:
    """Methods, properties and class attributes are missing, with advice."""
    found = play(built, "asks", kind, name).result
    assert found == f"{owner}.{name} {ADVICE.format(owner)}"


def test_fields_can_be_set_where_the_original_lets_them(built: tuple[Project, Any]) -> None:
    """They are recorded; frozen ones stay, and what is no field is refused."""
    user, refused, more, failure = play(built, "sets").result
    assert user == (
        "True User {'id': 42, 'name': 'ann', 'tags': ['t', 'more'], 'password': 'hidden'}"
    )
    assert refused == [
        "User has no field 'gone': only its fields are recorded",
        "FrozenInstanceError",
        "FrozenInstanceError",
        "FrozenInstanceError",
    ]
    assert more == "True OpenModel {'n': 6}"
    assert failure.startswith("True Failure ")
    assert "'tries': 3" in failure


def test_copies_are_of_their_own(built: tuple[Project, Any]) -> None:
    """Deep copies share nothing with the original, and are recorded as it is."""
    found, text, user, args, shown = play(built, "copies").result
    for deep, flat in zip(found[::2], found[1::2], strict=True):
        assert deep[:2] == [True, True]
        assert deep[2] == flat
        assert flat.startswith("True ")
    assert (text, user, args, shown) == (
        "failed with ('x', 3)", 2, ("x", 3), "Failure('x', 3)"
    )  # fmt: skip


def test_exceptions_are_caught_by_what_python_has_above_them(built: tuple[Project, Any]) -> None:
    """They have the recorded text, arguments, attributes, cause and notes."""
    assert play(built, "catches", "failure").result == [
        "lookup",
        "failed with ('x', 3)",
        "failed with ('x', 3)",
        "Failure('x', 3)",
        ["x", 3],
        "Failure",
        2,
        "why",
        ["a note"],
    ]
    assert play(built, "catches", "final").result == ["fatal", "no", "Final"]


def test_an_exception_below_one_of_the_workflow_is_caught_by_it(
    built: tuple[Project, Any],
) -> None:
    """What it inherits is the workflow's code; what it overrides is not there."""
    assert play(built, "catches", "not_found").result == [
        "NotFound",
        "nobody",
        "told ('nobody',)",
        "app",
        True,
    ]


def test_an_error_that_is_let_through_stays_itself(built: tuple[Project, Any]) -> None:
    """The run fails with the user's exception, its text and what hangs on it."""
    _, module = built
    with pytest.raises(WorkflowRunFailedError) as caught:
        play(built, "lets_through")
    cause: Any = caught.value.__cause__
    assert type(cause) is module.Failure
    assert cause.args == ("x", 3)
    assert cause.user == module.User(2)
    assert str(cause.__cause__) == "why"


def test_saying_that_a_run_has_failed_runs_no_code_of_its_values(
    built: tuple[Project, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """The worker reports the error with its text alone."""
    project, module = built

    async def work() -> None:
        async with Application(memory.create(), project) as application:
            run = await start(module.fails_with_token)
            assert (await ended(application, run.run_id)).status == "failed"

    module.revived.clear()
    asyncio.run(work())
    assert "ValueError: ('no', <" in caplog.text
    assert module.revived == []


def test_methods_of_what_a_step_plainly_gives_are_there(built: tuple[Project, Any]) -> None:
    """A class named where a step returns or raises is bundled, if workflow code can have it."""
    assert play(built, "given").result == ["declined x", 8]


def test_payloads_children_and_arguments_are_alike(built: tuple[Project, Any]) -> None:
    """However a value comes to a body, its class's code does not."""
    _, module = built
    assert play(built, "listens").result[:2] == [6, False]
    assert play(built, "starts").result == [1, False, [1, False, ["t"]]]
    user = module.User(3)
    assert play(built, "takes", user).result == [3, False, []]


def test_a_class_is_a_reference(built: tuple[Project, Any]) -> None:
    """It can be compared, named and passed on; and nothing else."""
    same, instance, name, shown = play(built, "uses_class", "identity").result
    assert (same, instance, name) == (True, True, "User")
    assert shown.startswith("<class 'flows_")


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ("call", "TypeError: User cannot be called here: only steps name this class"),
        ("call_type", "TypeError: User cannot be called here"),
        ("replace", "TypeError: User cannot be called here"),
        ("set", "SandboxError: attributes of the class User cannot be set"),
        ("set_by_type", "SandboxError: attributes of the class User cannot be set"),
        ("delete", "SandboxError: attributes of the class User cannot be set or deleted"),
        ("set_pair", "SandboxError: attributes of 'Pair' cannot be set"),
        ("set_color", "SandboxError: attributes of 'Color' cannot be set"),
        ("set_member", "SandboxError: attributes of 'Color' cannot be set"),
        ("set_default", "SandboxError: attributes of 'Field' cannot be set"),
        ("inherit_pair", "SandboxError: Pair cannot be a base class here"),
        ("inherit", "SandboxError: User cannot be a base class here"),
        ("inherit_error", "SandboxError: Failure cannot be a base class here"),
        ("raise", "TypeError: Failure cannot be called here"),
        ("hits", "AttributeError: Token.hits is not part of the workflow's code"),
        ("error_hits", "AttributeError: Failure.hits is not part of the workflow's code"),
        ("recorded", "SandboxError: the attribute '__recorded__' is not available"),
        ("serialize", "SandboxError: the attribute '__workflow_serialize__' is not available"),
    ],
)
def test_a_class_cannot_be_used(built: tuple[Project, Any], how: str, text: str) -> None:
    """Nothing makes an instance of it, changes it or reaches what is kept with one."""
    assert text in failure_of(built, how)


def test_hashes_are_the_same_everywhere(built: tuple[Project, Any]) -> None:
    """`hash()` of a frozen one goes by its fields; equal ones are found in tables."""
    first = play(built, "hashes").result
    assert first == play(built, "hashes").result
    assert first[1:] == [1, 1]


def test_values_of_enums_that_could_be_changed_are_withheld(built: tuple[Project, Any]) -> None:
    """The list behind a member belongs to the process; its name can be read."""
    assert play(built, "odd_color").result == ["ODD", "<value of Color.ODD>", "True Color ODD"]
