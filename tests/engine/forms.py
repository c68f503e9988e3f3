"""A project with every form of step, made by hand: the user's module, and its workflow mode.

Written out twice, so that what these tests say about the runtime does not depend on the compiler.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from tests.project import module_of
from workflow.codec import Codec
from workflow.engine import Project
from workflow.engine.registry import Registry
from workflow.sandbox import Bundle, Instance, ModuleSource, Program

__all__ = ["FILE", "body_codec", "live", "project", "step_codec"]

FILE = "forms.py"

USER = """
from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

from workflow import get_step_metadata


@dataclass
class Counter:
    n: int = 0

    def add(self, by: int = 1) -> Counter:
        "use step"
        return Counter(self.n + by)

    @classmethod
    async def make(cls, n: int) -> Counter:
        "use step"
        return cls(n)

    @staticmethod
    async def zero() -> Counter:
        "use step"
        return Counter()

    async def name(self) -> str:
        "use step"
        return get_step_metadata().step_name

    @classmethod
    async def count(cls, to: int) -> Counter:
        "use workflow"


@dataclass
class Agent:
    tools: dict[str, Any] = field(default_factory=dict)


async def double(n: int) -> int:
    "use step"
    return 2 * n


def greeter(greeting: str, mark: str = "!"):
    async def greet(name: str, times: int = 2, *, loud: bool = False) -> str:
        "use step"
        if times > 1:
            return f"{await greet(name, times - 1, loud=loud)} {await greet(name, 1, loud=loud)}"
        text = f"{greeting} {name}{mark}"
        return text.upper() if loud else text

    return greet


def caller(tool: Any):
    async def call(n: int) -> Any:
        "use step"
        return await tool(n)

    return call


async def name_of() -> str:
    "use step"
    return get_step_metadata().step_name


async def use(agent: Agent, name: str, args: list[Any]) -> Any:
    "use step"
    found = agent.tools[name](*args)
    return found if not hasattr(found, "__await__") else await found


async def pass_on(value: Any) -> Any:
    "use step"
    return value


async def main(what: str, value: Any = None) -> Any:
    "use workflow"
"""

BUNDLED = """
import functools
from dataclasses import dataclass, field

from workflow import create_hook


@dataclass
class Counter:
    n: int = 0

    async def add(self, by: int = ...):
        return await _wfc_step(
            "step//forms.py//Counter#add", {"self": self, **({} if by is ... else {"by": by})}
        )

    @classmethod
    async def make(cls, n):
        return await _wfc_step("step//forms.py//Counter.make", {"cls": cls, "n": n})

    @staticmethod
    async def zero():
        return await _wfc_step("step//forms.py//Counter.zero", {})

    async def name(self):
        return await _wfc_step("step//forms.py//Counter#name", {"self": self})

    @classmethod
    async def count(cls, to):
        counter = cls()
        for by in range(to):
            counter = await counter.add(by)
        return counter


@dataclass
class Agent:
    tools: dict = field(default_factory=dict)


async def double(n):
    return await _wfc_step("step//forms.py//double", {"n": n})


def greeter(greeting, mark="!"):
    async def greet(name, times=2, *, loud=False):
        return await _wfc_step(
            "step//forms.py//greeter/greet",
            {"name": name, "times": times, "loud": loud},
            {"mark": mark, "greeting": greeting},
        )

    return greet


def caller(tool):
    async def call(n):
        return await _wfc_step("step//forms.py//caller/call", {"n": n}, {"tool": tool})

    return call


async def use(agent, name, args):
    return await _wfc_step(
        "step//forms.py//use", {"agent": agent, "name": name, "args": args}
    )


async def pass_on(value):
    return await _wfc_step("step//forms.py//pass_on", {"value": value})


async def instance_method(value):
    counter = Counter(3)
    counter = await counter.add(2)
    return (await counter.add()).n


async def class_and_static(value):
    return (await Counter.make(7)).n + (await Counter.zero()).n


async def loop_variables(value):
    found = []
    for word in ["hi", "ho"]:
        greet = greeter(word)
        found.append(await greet("Ann"))
        found.append(await greet("Bob", 1, loud=True))
    return found


async def late_binding(value):
    async def read():
        return await _wfc_step("step//forms.py//late_binding/read", {}, {"value": value})

    value = "later"
    return await read()


async def inner_names(value):
    async def name():
        return await _wfc_step("step//forms.py//inner_names/name", {})

    return [await Counter().name(), await name()]


async def tools(value):
    counter = Counter(10)
    agent = Agent({
        "double": double,
        "greet": greeter("hey"),
        "half": functools.partial(greeter("yo", "?"), "Eve", times=1),
        "add": counter.add,
        "make": Counter.make,
    })
    return [
        await use(agent, "double", [4]),
        await use(agent, "greet", ["Ann"]),
        await use(agent, "half", []),
        (await use(agent, "add", [5])).n,
        (await use(agent, "make", [6])).n,
    ]


async def there_and_back(value):
    greet = await pass_on(greeter("hi"))
    add = (await pass_on({"f": Counter(1).add}))["f"]
    same = await pass_on([double, Counter])
    return [
        await greet("Ann", 1),
        (await add(4)).n,
        same[0] is double,
        same[1] is Counter,
        await caller(functools.partial(double))(21),
    ]


async def elsewhere(value):
    reference = await pass_on(value)
    assert reference == value
    try:
        await value()
    except Exception as error:
        return [await use(Agent({"f": reference}), "f", []), str(error)]


async def hook(value):
    return await create_hook(token="t")


async def workflows(value):
    return await pass_on([main, Counter.count])


async def refused(value):
    try:
        await pass_on({"tools": [functools.partial(greeter("x"), helper)]})
    except Exception as error:
        first = str(error)
    try:
        await caller({"inner": [helper]})(1)
    except Exception as error:
        return [first, str(error)]


def helper():
    return 1


async def main(what, value=None):
    return await globals_[what](value)


globals_ = {
    "instance_method": instance_method,
    "class_and_static": class_and_static,
    "loop_variables": loop_variables,
    "late_binding": late_binding,
    "names": inner_names,
    "tools": tools,
    "there_and_back": there_and_back,
    "elsewhere": elsewhere,
    "hook": hook,
    "workflows": workflows,
    "refused": refused,
}
from workflow.abi.flow_v1 import step as _wfc_step
"""

LATE = """

async def inner_names(value: Any) -> Any:
    async def name() -> str:
        "use step"
        return get_step_metadata().step_name


async def late_binding(value: Any) -> Any:
    async def read() -> Any:
        "use step"
        return value
"""

CLASSES = ("Counter", "Agent")
PLAIN = ("double", "use", "pass_on", "name_of")
METHODS = {
    "Counter#add": "Counter.add",
    "Counter#name": "Counter.name",
    "Counter.make": "Counter.make",
    "Counter.zero": "Counter.zero",
}
NESTED = {
    "greeter/greet": "greeter.<locals>.greet",
    "caller/call": "caller.<locals>.call",
    "inner_names/name": "inner_names.<locals>.name",
    "late_binding/read": "late_binding.<locals>.read",
}
WORKFLOWS = ("main", "Counter.count")


def live(folder: Path, source: str = USER + LATE) -> ModuleType:
    """The user's module, imported."""
    path = folder / FILE
    path.write_text(source, encoding="utf-8")
    name = module_of(folder)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def project(folder: Path) -> Project:
    """The project in `folder`: its registry, and a bundle that lacks the step `name_of`."""
    module = live(folder)
    registry = Registry()
    for name in PLAIN:
        registry.step(f"step//{FILE}//{name}", getattr(module, name))
    for name, qualname in METHODS.items():
        registry.step(f"step//{FILE}//{name}", getattr(module.Counter, qualname.split(".")[1]))
    for name, qualname in NESTED.items():
        registry.nested(f"step//{FILE}//{name}", module, qualname)
    registry.workflow(f"workflow//{FILE}//main", module.main)
    registry.workflow(f"workflow//{FILE}//Counter.count", module.Counter.count)
    for name in CLASSES:
        registry.cls(f"class//{FILE}//{name}", getattr(module, name))
    place = module.__name__
    steps = {name: name for name in PLAIN if name != "name_of"} | METHODS | NESTED
    bundle = Bundle(
        (ModuleSource(place, FILE, BUNDLED),),
        {f"workflow//{FILE}//{name}": (place, name) for name in WORKFLOWS},
        {f"class//{FILE}//{name}": (place, name) for name in CLASSES},
        steps={f"step//{FILE}//{name}": (place, qualname) for name, qualname in steps.items()},
    )
    return Project(registry, bundle, root=folder)


def step_codec(project: Project) -> Codec:
    """The codec of steps and of the application."""
    return Codec(project.registry.classes, functions=project.registry)


def body_codec(project: Project) -> tuple[Codec, Instance]:
    """The codec of a fresh workflow body, and the instance it belongs to."""
    instance = Program(project.bundle).instantiate()
    return Codec(instance.classes, functions=instance.functions), instance
