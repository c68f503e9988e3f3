"""Every form of step, called and passed on as a value, between a workflow body and its steps."""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.engine.forms import FILE, body_codec, project, step_codec
from tests.project import Events, ended, until
from workflow.api import resume_hook, start, with_options
from workflow.codec import Codec
from workflow.codec.references import StepReference, WorkflowReference
from workflow.engine import Application, Project
from workflow.errors import (
    DivergenceError,
    SerializationError,
    StepNotRegisteredError,
    WorkflowNotRegisteredError,
)
from workflow.events import NewEvent
from workflow.policy.names import short_name
from workflow.replay.catch_up import catch_up
from workflow.replay.live import LiveRun
from workflow.sandbox import Program
from workflow.worlds import memory

RUN = "wrun_forms"


def user_module(made: Project) -> Any:
    """The user's module of the project."""
    return inspect.getmodule(made.registry.classes[f"class//{FILE}//Counter"])


def run(folder: Path, what: str, value: Any = None) -> tuple[Any, Events, Application]:
    """Run one of the workflows of the project, replay it, and return its result and log."""
    made = project(folder)

    async def work() -> tuple[Any, Events, Application]:
        world = memory.create()
        async with Application(world, made) as application:
            run = await with_options(run_id=RUN).start(f"workflow//{FILE}//main", what, value)
            record = await ended(application, run.run_id)
            events = await Events.of(world, run.run_id)
            assert record.status == "completed", record
            codec, instance = body_codec(made)
            entry = instance.workflow(record.workflow)
            again = LiveRun(run.run_id, record.workflow, entry, codec, trace=True)
            pending: deque[NewEvent] = deque()
            for _ in catch_up(again, events.all, pending):
                pass
            assert again.ended
            assert not pending
            return await run, events, application

    return asyncio.run(work())


def test_an_instance_method_takes_its_instance_as_data(tmp_path: Path) -> None:
    """`self` is recorded, and its method runs on the project's live class."""
    result, log, _ = run(tmp_path, "instance_method")
    assert result == 6
    assert log.named("step_completed") == ["Counter#add", "Counter#add"]


def test_class_and_static_methods_are_steps(tmp_path: Path) -> None:
    """A class method gets the live class as `cls`, a static method nothing."""
    assert run(tmp_path, "class_and_static")[0] == 7


def test_nested_steps_get_the_values_of_their_own_loop_turn(tmp_path: Path) -> None:
    """Closures, defaults and recursion of a nested step work in the process that runs it."""
    found, _, _ = run(tmp_path, "loop_variables")
    assert found == ["hi Ann! hi Ann!", "HI BOB!", "ho Ann! ho Ann!", "HO BOB!"]


def test_a_captured_variable_has_its_value_at_the_time_of_the_call(tmp_path: Path) -> None:
    """As in Python, what counts is the value at the call and not at the definition."""
    result, log, app = run(tmp_path, "late_binding", "early")
    assert result == "later"
    call = next(event for event in log.all if event.type == "step_created")
    assert app.codec.decode(call.payload or b"") == {"": {"value": "later"}}


def test_another_captured_value_is_a_divergence(tmp_path: Path) -> None:
    """On replay captured variables are compared like arguments."""
    result, log, _ = run(tmp_path, "late_binding", "early")
    made = project(tmp_path)
    (module,) = made.bundle.modules
    other = replace(module, source=module.source.replace('value = "later"', 'value = "sooner"'))
    instance = Program(replace(made.bundle, modules=(other,))).instantiate()
    workflow = f"workflow//{FILE}//main"
    codec = Codec(instance.classes, functions=instance.functions)
    again = LiveRun(RUN, workflow, instance.workflow(workflow), codec, trace=True)
    with pytest.raises(DivergenceError, match=r"read.* with other arguments"):
        deque(catch_up(again, log.all, deque()))
    assert result == "later"


def test_steps_are_values(tmp_path: Path) -> None:
    """Functions, closures, partials and bound methods in a dataclass are called by the step."""
    assert run(tmp_path, "tools")[0] == [8, "hey Ann! hey Ann!", "yo Eve?", 15, 6]


def test_references_come_back_into_the_workflow(tmp_path: Path) -> None:
    """A step returned by a step is the run's own stub again, and a class the run's own class."""
    assert run(tmp_path, "there_and_back")[0] == ["hi Ann!", 5, True, True, 42]


def test_a_step_the_bundle_lacks_can_be_passed_on(tmp_path: Path) -> None:
    """It says so when it is called there, and is the live function in the next step."""
    made = project(tmp_path)
    name_of = made.registry.steps[f"step//{FILE}//name_of"].function

    async def work() -> Any:
        async with Application(memory.create(), made) as application:
            run = await start(f"workflow//{FILE}//main", "elsewhere", name_of)
            await ended(application, run.run_id)
            return await run

    name, message = asyncio.run(work())
    assert name == "use"
    assert "name_of can be passed on here, but not called" in message


def test_workflows_are_values(tmp_path: Path) -> None:
    """A workflow in a result is the live function, which can be started."""
    made = project(tmp_path)

    async def work() -> Any:
        async with Application(memory.create(), made):
            run = await start(f"workflow//{FILE}//main", "workflows")
            main, count = await run.result(60)
            assert main is made.registry.workflows[f"workflow//{FILE}//main"]
            assert inspect.ismethod(count)
            return await (await start(count, 4)).result(60)

    counter = asyncio.run(work())
    assert (type(counter).__name__, counter.n) == ("Counter", 6)


def test_what_cannot_be_passed_on_is_named_with_its_path(tmp_path: Path) -> None:
    """The path leads through partials and captured variables to the function that is no step."""
    argument, captured = run(tmp_path, "refused")[0]
    assert argument.startswith("args.value.tools[0].args[0]: a function can only be recorded when")
    assert '.helper is none. Mark it "use step"' in argument
    assert captured.startswith("captured.tool.inner[0]: a function can only")


def test_both_sides_write_a_reference_to_the_same_bytes(tmp_path: Path) -> None:
    """A reference read and written again is the same bytes, in the workflow and in a step."""
    made = project(tmp_path)
    module = user_module(made)
    steps = step_codec(made)
    body, instance = body_codec(made)
    values = [
        module.double,
        module.greeter("hi", mark="?"),
        partial(module.greeter("hi"), "Ann", loud=True),
        module.Counter(3).add,
        module.Counter.make,
        module.Counter.zero,
        module.caller({"tools": [module.greeter("a"), module.main]}),
        [module.main, module.Counter.count, module.Counter],
        {module.double: 1},
    ]
    for value in values:
        data = steps.encode(value)
        assert body.encode(body.decode(data)) == data
        assert steps.encode(steps.decode(data)) == data
    stub = body.decode(steps.encode(module.double))
    assert stub is instance.functions.find_function(StepReference(f"step//{FILE}//double"))
    assert stub is not module.double


def test_a_nested_step_made_again_is_the_users_own_function(tmp_path: Path) -> None:
    """Its code object, lines and globals are those of the module; only captured values are data."""
    made = project(tmp_path)
    steps = step_codec(made)
    module = user_module(made)
    greet = module.greeter("hi")
    again = steps.decode(steps.encode(greet))
    assert again is not greet
    assert again.__code__ is greet.__code__
    assert again.__globals__ is vars(module)
    assert (again.__qualname__, again.__defaults__, again.__kwdefaults__) == (
        "greeter.<locals>.greet",
        (2,),
        {"loud": False},
    )
    assert asyncio.run(again("Ann")) == "hi Ann! hi Ann!"


def test_start_takes_no_step_of_any_form(tmp_path: Path) -> None:
    """A step, a bound one or a nested one given to `start` is told from an unknown function."""
    made = project(tmp_path)
    module = user_module(made)
    for step in (module.double, module.Counter.make, module.Counter().add, module.greeter("x")):
        with pytest.raises(WorkflowNotRegisteredError, match=r"is a step; start\(\) takes"):
            made.registry.id_of(step)
    with pytest.raises(WorkflowNotRegisteredError, match="is not a workflow of the loaded bundle"):
        made.registry.id_of(module.greeter)
    reference = WorkflowReference("workflow//gone.py//w")
    with pytest.raises(WorkflowNotRegisteredError, match=r"gone\.py//w' is not known"):
        made.registry.id_of(reference)


def test_a_variable_without_a_value_is_named(tmp_path: Path) -> None:
    """A nested step passed on before what it captures was assigned is refused in words."""
    made = project(tmp_path)
    greet = user_module(made).greeter("x")
    del greet.__closure__[greet.__code__.co_freevars.index("greeting")].cell_contents
    with pytest.raises(SerializationError, match=r"uses 'greeting' .* no value yet") as caught:
        step_codec(made).encode({"tool": greet})
    assert caught.value.path == "value.tool"


def test_circles_through_closures(tmp_path: Path) -> None:
    """As with tuples: a list that a captured variable leads back to works, the step itself not."""
    made = project(tmp_path)
    codec = step_codec(made)
    tools: list[Any] = []
    tools.append(user_module(made).caller(tools))
    again = codec.decode(codec.encode(tools))
    assert again[0].__closure__[0].cell_contents is again
    with pytest.raises(SerializationError, match="contains itself"):
        codec.encode(tools[0])


def test_steps_keep_their_readable_names(tmp_path: Path) -> None:
    """Metadata and time-outs spell methods as the code does, and nested steps by their path."""
    assert short_name("step//forms.py//Counter#add") == "Counter.add"
    assert short_name("step//a/b.py//greeter/greet") == "greeter/greet"
    assert short_name("token//with//slashes") == "token//with//slashes"
    assert run(tmp_path, "names")[0] == ["Counter.name", "inner_names/name"]


# -- from outside ----------------------------------------------------------------------------------


def test_hook_payloads_hold_no_references(tmp_path: Path) -> None:
    """A step in a payload is refused where it is written, and where it is read."""
    made = project(tmp_path)
    codec = step_codec(made)
    double = made.registry.steps[f"step//{FILE}//double"].function
    for value in (double, partial(double, 1), made.registry.workflows[f"workflow//{FILE}//main"]):
        with pytest.raises(SerializationError, match="part of a hook's payload") as caught:
            codec.encode([value], path="payload", references=False)
        assert caught.value.path == "payload[0]"
        with pytest.raises(SerializationError, match="part of a hook's payload"):
            codec.decode(codec.encode([value]), references=False)

    async def work() -> None:
        async with Application(memory.create(), made) as application:
            run = await start(f"workflow//{FILE}//main", "hook")

            async def opened() -> bool:
                return await application.world.get_hook("t") is not None

            await until(application.world, opened)
            with pytest.raises(SerializationError, match="hook's payload"):
                await resume_hook("t", {"callback": double})
            await resume_hook("t", ["Step", {"id": f"step//{FILE}//double"}])
            assert await run.result(60) == ["Step", {"id": f"step//{FILE}//double"}]

    asyncio.run(work())


def test_data_that_looks_like_a_reference_stays_data(tmp_path: Path) -> None:
    """A list or object with the words of a reference is never read as one."""
    codec = step_codec(project(tmp_path))
    id = f"step//{FILE}//double"
    for value in (["Step", {"id": id}], {"Step": id}, ["Step", 1], ["Partial", {"func": id}]):
        assert codec.decode(codec.encode(value, references=False)) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[["Step",1],{"id":2},"step//forms.py//greeter/greet"]', "'greeting', 'mark'"),
        ('[["Step",1],[]]', "recorded with its id"),
        ('[["Step",1],{"id":2,"captured":3},"s",[]]', "expected an object"),
        ('[["Step",1],{"id":2,"defaults":2},"s"]', "expected an array"),
        ('[["Workflow",1],[]]', "as its id"),
        ('[["Partial",1],{}]', "with its function"),
        ('[["Partial",1],{"func":2},"builtins.eval"]', "must be callable"),
        ('[["Partial",1],{"func":0}]', "part of itself"),
        ('[["Partial",1],{"func":2,"kwargs":3},["Step",4],[],{"id":5},"s"]', "expected an object"),
        ('[["Step",1],{"id":2,"captured":3},"s",{"me":0}]', "part of itself"),
    ],
)
def test_malformed_references_are_refused(tmp_path: Path, text: str, reason: str) -> None:
    """Each kind of damage is a SerializationError that says what is wrong."""
    made = project(tmp_path)
    for codec in (step_codec(made), body_codec(made)[0]):
        with pytest.raises(SerializationError, match=reason):
            codec.decode(b"devl" + text.encode())


def test_ids_that_nobody_registered_name_nothing(tmp_path: Path) -> None:
    """No module is imported and nothing is looked up: the value can only be passed on."""
    codec = step_codec(project(tmp_path))
    for id in ("step//os.py//system", "os.system", "builtins.eval", "step//forms.py//live"):
        found = codec.decode(b"devl" + f'[["Step",1],{{"id":2}},"{id}"]'.encode())
        assert found == StepReference(id)
        with pytest.raises(StepNotRegisteredError, match="not called"):
            found("true")
    found = codec.decode(b'devl[["Workflow",1],"workflow//gone.py//w"]')
    assert found == WorkflowReference("workflow//gone.py//w")
    with pytest.raises(WorkflowNotRegisteredError):
        found()
    assert codec.decode(codec.encode(found)) == found
