"""The compile-time policy: positions, defaults, and what it does to annotations."""

from __future__ import annotations

import ast
import builtins

import pytest

from tests.sandbox.snippets import run_snippet, space_of
from workflow.errors import SandboxError
from workflow.sandbox import PolicyError, check, compile_module, names
from workflow.sandbox.policy import WorkflowPolicy


def test_all_problems_are_reported_with_positions() -> None:
    """Every problem is listed in order, with line and column in characters from 1."""
    source = "x = 'é'.__class__\n\nclass A(metaclass=int):\n    def __del__(self): ...\n"
    places = [(line, column) for line, column, _ in check(source, "a.py")]
    assert places == [(1, 5), (3, 1), (4, 5)]


def test_columns_count_characters() -> None:
    """A column after non-ASCII text is that of the character, not of the byte."""
    [(line, column, _)] = check("ééé = 1; f.__globals__\n", "a.py")
    assert (line, column) == (1, 10)


def test_policy_error_carries_the_problems() -> None:
    """PolicyError is a SandboxError whose text names file, line, column and reason."""
    with pytest.raises(PolicyError) as caught:
        compile_module("import json\nx = json.__loader__\n", "flows.py")
    assert isinstance(caught.value, SandboxError)
    assert caught.value.problems == check("import json\nx = json.__loader__\n", "flows.py")
    assert str(caught.value).startswith("flows.py:2:5  ")


@pytest.mark.parametrize("source", ["x = (\n", "x = 1\0\n", "return 1\n", "def f(): await x\n"])
def test_invalid_python_is_a_problem(source: str) -> None:
    """Text that Python itself refuses is reported like everything else."""
    [(_, _, message)] = check(source, "a.py")
    assert message.startswith("not valid Python")


def test_unknown_syntax_is_refused() -> None:
    """A node nobody has admitted is an error: the default of RestrictedPython is kept."""

    class Novelty(ast.stmt):
        _fields = ()

    policy = WorkflowPolicy()
    policy.visit(Novelty())
    assert [text for _, _, text in policy.problems] == ["Novelty is not allowed in workflow code"]
    assert "generic_visit" not in vars(WorkflowPolicy)


def test_every_own_visitor_says_why() -> None:
    """Each method that admits a node has a docstring with its reason."""
    visitors = [value for key, value in vars(WorkflowPolicy).items() if key.startswith("visit_")]
    assert len(visitors) > 30
    assert all(visitor.__doc__ for visitor in visitors)


def test_guards_cannot_be_spelled() -> None:
    """The names compiled code calls the guards by are no identifiers."""
    code = compile_module("class A: x: int\nA.x = A._y\n", "a.py")
    guards = {name for name in code.co_names if name.startswith("$")}
    assert guards == {"$owned", "$plain", "$read", "$type", "$write"}
    assert not any(name.isidentifier() for name in guards)


def test_harmless_attributes_stay_native() -> None:
    """Reading an ordinary attribute compiles to no guard call."""
    assert compile_module("def f(o): return o.total", "a.py").co_consts[0].co_names == ("total",)


def test_function_annotations_are_never_evaluated() -> None:
    """A function may be annotated with names that do not exist."""
    space = space_of("def f(a: Missing[int], *b: 'Gone') -> Nowhere: return a\nv: Lost = 1\n")
    expected = {"a": "Missing[int]", "b": "'Gone'", "return": "Nowhere"}
    assert space["f"].__annotations__ == expected


def test_class_annotations_are_types() -> None:
    """In a class body an annotation, also one in a string, is evaluated where it stands."""
    space = space_of("class A:\n    x: 'list[int]'\n    y: str | None\n")
    assert space["A"].__annotations__ == {"x": list[int], "y": str | None}


def test_future_import_changes_nothing() -> None:
    """`from __future__ import annotations` is accepted; class annotations still become types."""
    space = space_of("from __future__ import annotations\nclass A:\n    x: list[int]\n")
    assert space["A"].__annotations__ == {"x": list[int]}


def test_tables_do_not_overlap() -> None:
    """A name is either forbidden or guarded, and no dangerous builtin is given out."""
    assert not names.FORBIDDEN & names.GUARDED
    assert vars(builtins).keys() >= names.RESERVED


def test_missing_builtin_is_a_name_error() -> None:
    """A builtin that workflow code does not have looks undefined."""
    with pytest.raises(NameError, match="open"):
        run_snippet("result = open('x')\n")
