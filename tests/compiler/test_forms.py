"""Forms of directives and functions: which functions are marked, under which ids, and what their
workflow mode looks like."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

import pytest

import wfc
from tests.compiler.projects import write_project
from tests.compiler.test_golden import CASES, HERE, copied
from wfc.analyse.captures import Captures
from wfc.analyse.ids import marked
from wfc.model import Form, Function
from wfc.parse.source import parse


def forms(text: str) -> dict[str, Form]:
    """The marked functions of a module by the last part of their ids."""
    module = parse("m", "m.py", textwrap.dedent(text).encode())
    assert module.error is None, module.error
    return {m.name: m.form for m in marked([module])}


def workflow_mode(root: Path, text: str) -> str:
    """The workflow mode of a module that builds."""
    result = wfc.build(write_project(root, textwrap.dedent(text)), write=False, cache=False)
    assert result.ok, result.diagnostics
    return result.files["workflows/flows.py"]


def functions(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, Function | ast.ClassDef):
            yield node.name, node.lineno


@pytest.mark.parametrize("name", CASES)
def test_definitions_stay_on_their_lines(name: str, tmp_path: Path) -> None:
    """Workflow mode of every golden case compiles, and each function and class in it starts on the
    line where the user wrote it."""
    result = wfc.build(copied(HERE / "cases" / name, tmp_path / "p"), write=False, cache=False)
    for module in result.manifest["modules"]:
        user = (tmp_path / "p" / module["path"]).read_text("utf-8")
        made = compile(result.files[module["text"]], module["path"], "exec", ast.PyCF_ONLY_AST)
        left = set(functions(made)) - set(functions(ast.parse(user)))
        assert not left, (module["path"], left)


def test_ids_say_how_a_function_is_reached() -> None:
    """Static, class and instance methods and nested functions each have their own kind of id."""
    found = forms("""
        async def plain():
            "use step"

        class C:
            @staticmethod
            async def static():
                "use step"

            @classmethod
            async def cls(cls):
                "use step"

            async def instance(self):
                "use step"

            async def outer(self):
                if self:
                    for _ in ():
                        async def inner():
                            "use step"

            @staticmethod
            async def outside():
                def inner():
                    "use step"

        def factory():
            def middle():
                def deep():
                    "use step"
    """)
    assert found == {
        "plain": Form.FUNCTION,
        "C.static": Form.STATIC,
        "C.cls": Form.CLASS,
        "C#instance": Form.INSTANCE,
        "C#outer/inner": Form.NESTED,
        "C.outside/inner": Form.NESTED,
        "factory/middle/deep": Form.NESTED,
    }


def test_a_workflow_has_no_function_or_instance_around_it() -> None:
    """Only functions of a module, static methods and class methods are workflows."""
    found = forms("""
        def outer():
            async def nested():
                "use workflow"

        class C:
            async def instance(self):
                "use workflow"

            @classmethod
            async def cls(cls):
                "use workflow"

            @staticmethod
            async def static():
                "use workflow"
    """)
    assert set(found) == {"C.cls", "C.static"}


def test_a_directive_in_a_step_marks_nothing() -> None:
    """Functions inside a step are part of its body, however deep, also under a directive for the
    whole file."""
    found = forms("""
        "use step"

        async def outer():
            def middle():
                async def inner():
                    "use step"
    """)
    assert set(found) == {"outer"}


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ('__all__ = ["a"]', {"a"}),
        ('__all__ = ["a"] + ["_b"]', {"a", "_b"}),
        ('__all__ = ("a",)\n__all__ += ("_b",)', {"a", "_b"}),
        ('__all__: list[str] = ["a"]\n__all__.extend(["c"])\n__all__.append("_b")', {*"ac", "_b"}),
        ('__all__ = [*["a"], "c"]', {"a", "c"}),
        ("__all__ = []", set()),
        ("", {"a", "c"}),
    ],
)
def test_all_chooses_what_a_directive_for_the_file_marks(listed: str, expected: set[str]) -> None:
    """`__all__` is read in the ways people write it; without it every public name counts."""
    text = f'"use step"\n{listed}\ndef a(): ...\ndef _b(): ...\ndef c(): ...\n'
    assert set(forms(text)) == expected


def test_overloads_and_setters_are_no_functions_of_their_own() -> None:
    """Only the implementation of an overloaded function is marked."""
    found = forms("""
        "use step"
        from typing import overload

        @overload
        def charge(cents: int) -> int: ...
        @overload
        def charge(cents: str) -> str: ...
        def charge(cents):
            return cents
    """)
    assert found == {"charge": Form.FUNCTION}


STANDARD = ["enum", "dataclasses", "functools", "typing", "inspect", "contextlib"]


@pytest.mark.parametrize("name", STANDARD)
def test_captured_variables_are_those_of_the_compiled_code(name: str) -> None:
    """For every function inside a function of a standard module the captured names are the cells
    of its code object."""
    source = Path(inspect.__file__).parent / (name.replace(".", "/") + ".py")
    module = parse(name, f"{name}.py", source.read_bytes())
    captures = Captures(module)
    code = {(c.co_name, c.co_firstlineno): c for c in codes(compile(module.text, name, "exec"))}
    checked = 0
    for node in ast.walk(module.tree):
        if isinstance(node, Function):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            cells = code[(node.name, first)].co_freevars
            assert set(captures.of(node)) == set(cells) - {node.name}, node.name
            checked += bool(cells)
    assert checked


def codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from codes(constant)


def test_nested_steps_of_every_shape_keep_their_lines(tmp_path: Path) -> None:
    """One-line bodies, bodies of only a directive, tabs, decorators and comments after the last
    line: the calls stand where the directives were."""
    text = '''
        from workflow import step_options

        async def main(n: int) -> list:
            """Run."""
            "use workflow"
            async def one(x: int, /, *rest: int, y: int = n, **more: int): "use step"; return x
            if n:
                def empty(): "use step"
            else:
                @step_options(
                    max_retries=1,
                )
                # why
                async def other(
                    a: int,
                ) -> int:
                    """Doc."""

                    "use step"
                    # a comment
                    return a + n
                    # at the end

                await other(1)
            return [await one(1, 2, z=3), await empty()]

        # after
    '''
    made = workflow_mode(tmp_path, text)
    user = textwrap.dedent(text).split("\n")
    lines = made.split("\n")
    for number, line in enumerate(lines[: len(user)]):
        if "_wfc_step(" in line:
            assert "use step" in user[number]
    assert '{"x": x, "*rest": rest, "y": y, "**more": more})' in made
    assert '"step//flows.py//main/other", {"a": a}, {"n": n})' in made
    assert dict(functions(ast.parse(made))) == dict(functions(ast.parse("\n".join(user))))


def test_names_of_only_step_bodies_are_left_out(tmp_path: Path) -> None:
    """What only bodies, decorators and annotations of steps use is not in the bundle, wherever the
    step stands; defaults of nested steps are workflow code."""
    made = workflow_mode(
        tmp_path,
        """
        import fractions, math, requests, sqlalchemy, tenacity
        from dataclasses import dataclass
        from numpy import array

        SESSION = sqlalchemy.connect()
        FIRST, SECOND = 1, 2

        @dataclass
        class Cart:
            @tenacity.retry
            def add(self, item: "array", url: str = requests.URL) -> None:
                "use step"
                SESSION.add(self, item)

        async def main(n: int) -> int:
            "use workflow"

            def nested(a: array, b: int = math.floor(1.5)) -> fractions.Fraction:
                "use step"
                return requests.get(a, b)

            await Cart().add(n)
            return await nested(n)
        """,
    )
    assert "import math\n" in made
    for gone in ("requests.get", "sqlalchemy", "tenacity", "import array", "SECOND", "fractions,"):
        assert gone not in made, gone


def test_a_method_of_self_is_known_as_a_step(tmp_path: Path) -> None:
    """A step called on `self` without an await is found, a rebound `self` claims nothing."""
    text = """\
class Cart:
    async def add(self, item: int) -> int:
        "use step"
        return item

    async def fill(self) -> None:
        self.add(1)

    async def other(self, cart) -> None:
        self = cart
        self.add(1)


async def main() -> None:
    "use workflow"
    await Cart().fill()
    await Cart().other(Cart())
"""
    found = wfc.build(write_project(tmp_path, text), write=False, cache=False).diagnostics
    assert [(d.code, d.span.line) for d in found] == [("WF506", 7)]


def test_a_nested_step_is_known_where_it_is_called(tmp_path: Path) -> None:
    """A forgotten await of a nested step is found; a name with two meanings claims nothing."""
    text = """\
async def main(n: int) -> None:
    "use workflow"

    async def charge() -> int:
        "use step"
        return 1

    async def either() -> int:
        "use step"
        return 1

    if n:
        either = len
    charge()
    either([])
"""
    found = wfc.build(write_project(tmp_path, text), write=False, cache=False).diagnostics
    assert [(d.code, d.span.line) for d in found] == [("WF506", 14)]


def test_defaults_of_nested_steps_are_checked(tmp_path: Path) -> None:
    """The default of a nested step runs in the workflow, so the rules look at it."""
    text = """\
import os


async def main() -> str:
    "use workflow"

    def read(name: str = os.environ["NAME"]) -> str:
        "use step"
        return os.environ[name]

    return await read()
"""
    found = wfc.build(write_project(tmp_path, text), write=False, cache=False).diagnostics
    assert [d.span.line for d in found] == [7]


@pytest.mark.parametrize(
    "handler",
    ["except ImportError:", "except (ValueError, ModuleNotFoundError):", "except:"],
)
def test_an_import_with_a_fallback_is_no_finding(handler: str, tmp_path: Path) -> None:
    """What a `try` catches when the import fails may be imported in it, at the top or inside."""
    text = f"""\
try:
    import orjson as json
{handler}
    import json


async def main() -> str:
    "use workflow"
    try:
        import ujson
    {handler}
        ujson = json
    return ujson.dumps(1)
"""
    assert not wfc.build(write_project(tmp_path, text), write=False, cache=False).diagnostics


@pytest.mark.parametrize(
    "handler",
    ["except ImportError:\n    raise SystemExit", "except KeyError:\n    no_such_package = None"],
)
def test_an_import_without_a_fallback_is_found(handler: str, tmp_path: Path) -> None:
    """A handler that raises, or one for another exception, is no fallback."""
    text = f"""\
try:
    import no_such_package
{handler}


async def main() -> str:
    "use workflow"
    return no_such_package.dumps(1)
"""
    found = wfc.build(write_project(tmp_path, text), write=False, cache=False).diagnostics
    assert [d.code for d in found] == ["WF702"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type parameters came with Python 3.12")
def test_type_parameters_around_a_nested_step(tmp_path: Path) -> None:
    """Generic functions, whose symbol tables have one more level, capture as others do."""
    module = parse(
        "m",
        "m.py",
        b'def outer[T](x: T):\n    def inner[S](y: S):\n        "use step"\n        return x, y\n',
    )
    assert [(m.name, m.captured) for m in marked([module])] == [("outer/inner", ("x",))]


def test_an_import_that_fails_in_workflows_is_fine_in_steps(tmp_path: Path) -> None:
    """Only workflow code gets None for an optional package: the steps of the file have it."""
    text = """\
try:
    import no_such_package
except ImportError:
    no_such_package = None


def convert(text: str) -> str:
    "use step"
    return no_such_package.convert(text)


async def main(text: str) -> str:
    "use workflow"

    def nested() -> str:
        "use step"
        return no_such_package.convert(text)

    def helper() -> str:
        return no_such_package.convert(text)

    return await convert(text) + await nested() + helper()
"""
    found = wfc.build(write_project(tmp_path, text), write=False, cache=False).diagnostics
    assert [(d.code, d.span.line) for d in found] == [("WF713", 20)]


HELPERS = """\
import fractions
import requests
import decimal


class Cart:
    def __init__(self, n: int) -> None:
        self.n = n

    def add(self, item: int) -> int:
        "use step"
        return self._client().post(item, self.total, self._one())

    def _client(self) -> object:
        # Only the step calls it.
        return requests.Session()

    @property
    def total(self) -> int:
        return decimal.Decimal(self.n)

    @staticmethod
    def _one() -> int:
        return self._two()

    def _two(self) -> object:
        return requests

    async def fill(self) -> int:
        return await self.add(self.shared())

    def shared(self) -> int:
        return fractions.Fraction(getattr(self, "by_name")())

    def by_name(self) -> int:
        return self.n


async def main() -> int:
    "use workflow"
    return await Cart(1).fill()
"""


def test_methods_that_only_steps_use_are_left_out(tmp_path: Path) -> None:
    """Helpers of step methods may do what steps may; those whose names workflow code speaks, also
    as strings, are taken along and checked."""
    made = workflow_mode(tmp_path, HELPERS)
    tree = ast.parse(made)
    kept = dict(functions(tree))
    assert set(kept) == {"Cart", "__init__", "add", "fill", "shared", "by_name", "main"}
    assert kept.items() <= dict(functions(ast.parse(HELPERS))).items()
    assert "import requests" not in made
    assert "import decimal" not in made
    assert "import fractions" in made


def test_a_helper_that_workflow_code_names_is_checked(tmp_path: Path) -> None:
    """Once a workflow calls the helper of a step, what it does is found."""
    text = HELPERS.replace("Cart(1).fill()", "Cart(1).fill() + Cart(2)._client()")
    found = wfc.build(write_project(tmp_path, text), write=False, cache=False).diagnostics
    assert [d.span.line for d in found] == [16]


def test_the_body_of_a_step_does_not_keep_its_class_out(tmp_path: Path) -> None:
    """A class that only the result of a step names is bundled, whatever its step methods do."""
    text = """\
class Order:
    def save(self) -> None:
        "use step"
        exec("1")


async def load() -> Order:
    "use step"
    return Order()


async def main() -> None:
    "use workflow"
    order = await load()
    await order.save()
"""
    result = wfc.build(write_project(tmp_path, text), write=False, cache=False)
    assert result.bundle is not None
    assert set(result.bundle.classes) == {"class//flows.py//Order"}
    assert set(result.bundle.steps) == {"step//flows.py//load", "step//flows.py//Order#save"}


def test_classes_far_from_workflows_are_registered_only(tmp_path: Path) -> None:
    """The class of an instance step is known where steps run even when no workflow code is in its
    file; the bundle has neither it nor its steps."""
    files = {
        "flows.py": 'async def main() -> None:\n    "use workflow"\n',
        "far.py": 'class C:\n    def m(self) -> None:\n        "use step"\n',
    }
    result = wfc.build(write_project(tmp_path, files), write=False, cache=False)
    assert result.bundle is not None
    assert not result.bundle.classes
    assert not result.bundle.steps
    assert 'registry.cls("class//far.py//C", far.C)' in result.files["step.py"]
    assert 'registry.step("step//far.py//C#m", far.C.m)' in result.files["step.py"]


@pytest.mark.parametrize(
    ("decorator", "options"),
    [
        ("@step_options(max_retries=5, timeout='30s')", "max_retries=5, timeout='30s'"),
        ("@step_options(backoff=1.5)", "backoff=1.5"),
        ("@step_options(max_retries=n)", None),
        ("@step_options(**{'timeout': 1})", None),
        ("@step_options", None),
    ],
)
def test_options_of_nested_steps_are_constants(
    decorator: str, options: str | None, tmp_path: Path
) -> None:
    """Constant options are written into the registration, computed ones are refused."""
    text = f"""\
from workflow import step_options


async def main(n: int) -> None:
    "use workflow"

    {decorator}
    def inner() -> None:
        "use step"

    await inner()
"""
    result = wfc.build(write_project(tmp_path, text), write=False, cache=False)
    if options is None:
        assert [d.code for d in result.diagnostics] == ["WF014"]
    else:
        assert f'flows, "main.<locals>.inner", {options})' in result.files["step.py"]
