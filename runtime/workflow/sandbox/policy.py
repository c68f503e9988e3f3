"""The compile-time half of the sandbox: which Python a workflow may be written in.

RestrictedPython's transformer is the gate: a syntax node without a `visit_` method is an error, so
syntax of a future Python is refused until someone has thought about it. On top of it this policy
decides everything it can from the source text and compiles it to native bytecode. Only four things
are left to the run-time guards (`guards.py`): attributes whose danger depends on the object,
attribute stores, class creation and imports. The guards go by names that are no identifiers
(`$read`), so workflow code can neither shadow nor call them and may use leading underscores freely.

Read `names.py` for the tables and `tests/sandbox/attacks.json` for what each rule is there for.
"""

# ruff: noqa: N802 - the names of the methods are made of those of the nodes

from __future__ import annotations

import ast
from typing import Any

from workflow.sandbox import names
from workflow.sandbox.endpolicy import EndPolicy
from workflow.sandbox.patterns import ask_guards
from workflow.sandbox.specials import calls_of_bases, is_special_read
from workflow.sandbox.storepolicy import private
from workflow.sandbox.trees import (
    at,
    awaiting,
    call,
    class_reads,
    in_parts,
    is_placing,
    no_arguments,
    plain_copy,
)
from workflow.sandbox.typegrammar import TypeGrammar

__all__ = ["WorkflowPolicy"]

_INTERNALS = "leads to the interpreter or the process; workflow code cannot use it"


class WorkflowPolicy(EndPolicy):
    """Admits orchestration code and rewrites what needs a look at run time.

    Nodes that are not overridden here are admitted (literals, operators, control flow) or refused
    by RestrictedPython itself; `generic_visit` stays its refusal.
    """

    def __init__(self) -> None:
        super().__init__()
        self.problems: list[tuple[int, int, str]] = []
        self._scope = "module"
        self._harmless: set[ast.Attribute] = set()
        self._class_reads: set[ast.Attribute] = set()
        self._calls_of_bases: set[ast.Call] = set()
        self._types = TypeGrammar(self.error)

    def error(self, node: ast.AST, info: str) -> None:
        """Record a refusal at the node's position (byte column from 0, as in `ast`)."""
        self.problems.append((getattr(node, "lineno", 1), getattr(node, "col_offset", 0), info))

    def not_allowed(self, node: ast.AST) -> None:
        """Syntax nobody has admitted."""
        self.error(node, f"{type(node).__name__} is not allowed in workflow code")

    # -- names ------------------------------------------------------------------------------------

    def check_name(self, node: Any, name: str | None, allow_magic_methods: bool = False) -> None:
        """Refuse names that Python itself reads, and those that name the interpreter's insides."""
        if name is None:
            return
        if names.is_dunder(name):
            in_class = self._scope == "class"
            if in_class and name in names.DEFINABLE_DUNDERS | names.SETTABLE_IN_CLASSES:
                return
            if name.endswith("__"):
                self.error(node, f"the special name {name!r} cannot be used or defined here")
            else:
                self.error(node, f"{name!r}: use one leading underscore instead of two")
        elif name in names.FORBIDDEN and self._scope == "class":
            # As a variable it is just a word; as a field it would become an attribute to match on.
            self.error(node, f"{name!r} is reserved: as an attribute it {_INTERNALS}")
        elif name in names.RESERVED:
            self.error(node, f"{name}() is not available in workflow code")

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """A variable. `__name__` may be read: it is the module's name, a constant."""
        readable = node.id == "__name__" and isinstance(node.ctx, ast.Load)
        in_class = self._scope == "class"
        if not readable and (in_class or node.id not in names.SETTABLE_IN_MODULES):
            self.check_name(node, node.id)
        if node.id == "super":
            self.error(node, "super can only be called: `super().name`")
        return node

    def visit_Global(self, node: ast.Global) -> ast.AST:
        """Module globals are fresh per run. The names are plain strings in the tree: check them."""
        for name in node.names:
            self.check_name(node, name)
        return node

    def visit_Nonlocal(self, node: ast.Nonlocal) -> ast.AST:
        """Closures keep state within a run; same check as `global`."""
        for name in node.names:
            self.check_name(node, name)
        return node

    def visit_Import(self, node: ast.Import) -> ast.AST:
        """Imports are resolved by the importer of the instance, which knows only listed modules."""
        for alias in node.names:
            for part in alias.name.split("."):
                self.check_name(node, part)
            self.check_name(node, alias.asname)
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        """As `import`. Everything is compiled as under the `annotations` future anyway."""
        if node.module == "__future__" and not node.level:
            for alias in node.names:
                if alias.name != "annotations":
                    self.error(node, "only `annotations` can be imported from __future__")
            return ast.copy_location(ast.Pass(), node)
        for part in (node.module or "").split("."):
            self.check_name(node, part)
        for alias in node.names:
            if alias.name == "*":
                self.error(node, "import the names you use: `*` hides what a workflow reaches")
            kept = alias.asname is None and alias.name in names.SETTABLE_IN_MODULES
            if not kept and (alias.asname is None or alias.name not in names.RESERVED):
                self.check_name(node, alias.name)
            self.check_name(node, alias.asname)
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        """`except E as name`: the name is a plain string in the tree."""
        self.check_name(node, node.name)
        return self.node_contents_visit(node)

    # -- attributes -------------------------------------------------------------------------------

    def _judge_attribute(self, node: ast.Attribute) -> bool:
        """Report a forbidden attribute; True when a read has to be guarded at run time."""
        attr, load = node.attr, isinstance(node.ctx, ast.Load)
        if attr in names.FORBIDDEN:
            self.error(node, f"the attribute {attr!r} {_INTERNALS}")
        elif names.is_dunder(attr):
            if load and attr in names.READABLE_DUNDERS:
                return True
            if load and attr in names.CALLABLE_ON_SUPER and _is_super_call(node.value):
                return attr in names.TEXTS | names.COMBINING
            if attr.endswith("__"):
                hint = f"; write `{names.SPELLED[attr]}`" if attr in names.SPELLED else ""
                self.error(
                    node, f"the special attribute {attr!r} cannot be used in workflow code{hint}"
                )
            else:
                self.error(node, f"{attr!r}: use one leading underscore instead of two")
        return attr in names.GUARDED or attr.startswith("_")

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """Reads of harmless names stay native; the rest goes through a guard.

        The name is constant, so most of the decision is made here. Stores and deletes always ask
        whether the object is the workflow's own: the libraries are shared by all runs.
        """
        self._class_reads.update(class_reads(node))
        if node in self._class_reads:
            return call("$class", [self.visit(node.value)], node)
        if is_special_read(node):
            named = at(ast.Constant(node.attr), node)
            return call("$special", [self.visit(node.value), named], node)
        guarded = self._judge_attribute(node) and node not in self._harmless
        node.value = self.visit(node.value)
        if not isinstance(node.ctx, ast.Load):
            return self.stored(node)
        if guarded and node.attr.startswith("_") and not names.is_dunder(node.attr):
            return private(node)
        if guarded:
            return call("$read", [node.value, at(ast.Constant(node.attr), node)], node)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        """`x.n += 1` writes through the guard, and reads natively unless the name is guarded."""
        # Messages are guarded when they are read out: `error.args += …` puts them back.
        guarded = names.GUARDED - {"args"}
        if isinstance(node.target, ast.Attribute) and node.target.attr in guarded:
            return [self.visit(part) for part in in_parts(node, node.target)]
        return self.augmented(node)

    # -- places where RestrictedPython adds Zope's guards, which protect nothing here -------------

    def visit_Module(self, node: ast.Module) -> ast.AST:
        """No print collector: `print` is an emulation."""
        self.find_repeated(node)
        self.find_variables(node)
        return self.node_contents_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        """Items are data: nothing reachable has dangerous ones."""
        return self.node_contents_visit(node)

    def guard_iter(self, node: ast.For | ast.comprehension) -> ast.AST:
        """Iteration gives out items; targets are visited like any other store."""
        return self.node_contents_visit(node)

    def visit_With(self, node: ast.With) -> ast.AST:
        """Targets are visited one by one, so unpacking needs no guard of its own."""
        return self.node_contents_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """What can be reached can be called. `super` with arguments asks which class it is given;
        without any, the class is the one around it."""
        self._class_reads.update(class_reads(node))
        copied = plain_copy(node)
        if copied is not None:
            self._harmless.add(copied)
        if is_placing(node):
            return call("$place", [self.visit(arg) for arg in node.args], node)
        if node in self._calls_of_bases and isinstance(node.func, ast.Attribute):
            named = at(ast.Constant(node.func.attr), node)
            found = [self.visit(node.func.value), named, self.visit(node.args[0])]
            node.args = [self.visit(arg) for arg in node.args[1:]]
            node.keywords = [self.visit(keyword) for keyword in node.keywords]
            node.func = call("$special_of", found, node.func)
            return node
        awaited = awaiting(node)
        if awaited is not None and not _is_super_call(awaited):
            return call("$awaited", [self.visit(awaited)], node)
        if not _is_super_call(node):
            return super().visit_Call(node)
        if node.args or node.keywords:
            node.args = [self.visit(arg) for arg in node.args]
            node.keywords = [self.visit(keyword) for keyword in node.keywords]
            node.func = at(ast.Name("$super", ast.Load()), node.func)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        """Comparing classes is no way to them."""
        self._class_reads.update(class_reads(node))
        return super().visit_Compare(node)

    # -- functions and classes --------------------------------------------------------------------

    def _enter(self, scope: str, node: Any) -> ast.AST:
        outside, self._scope = self._scope, scope
        try:
            return self._contents(node)
        finally:
            self._scope = outside

    def _contents(self, node: Any) -> ast.AST:
        visited: ast.AST = self.node_contents_visit(node)
        return visited

    def _visit_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        self.prove(node)
        self.find_fields(node)
        self.check_name(node, node.name)
        self.check_function_argument_names(node)
        self._flatten_annotations(node)
        # Decorators and defaults run outside, but hold no statements: visiting them as if inside
        # the function changes nothing, except that special names are refused there as well.
        with self.counting(node):
            visited = self._enter("function", node)
        self.guard_ends(node)
        self.count_calls(node)
        return visited

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """A function; in a class also the special methods that only describe values."""
        return self._visit_function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        """A coroutine or asynchronous generator: driven by the deterministic loop alone."""
        return self._visit_function(node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        """As a function."""
        self.check_function_argument_names(node)
        return self._enter("function", node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """A class, with its keywords; the bases are looked at when it is built. No metaclass."""
        self.check_name(node, node.name)
        for keyword in node.keywords:
            if keyword.arg is None or keyword.arg == "metaclass":
                self.error(node, "metaclass= and ** are not allowed in a class statement")
        self._calls_of_bases.update(calls_of_bases(node))
        outside, self.class_name = self.class_name, node.name
        visited = self._enter("class", node)
        self.class_name = outside
        return visited

    def visit_Await(self, node: ast.Await) -> ast.AST:
        """The point of it all."""
        return self.node_contents_visit(node)

    def visit_AsyncFor(self, node: ast.AsyncFor) -> ast.AST:
        """As `for`."""
        return self.node_contents_visit(node)

    def visit_AsyncWith(self, node: ast.AsyncWith) -> ast.AST:
        """As `with`."""
        return self.node_contents_visit(node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> ast.AST:
        """The target is a name and visited as one."""
        return self.node_contents_visit(node)

    def visit_TryStar(self, node: Any) -> Any:
        """`except*`, for TaskGroup. A lying `split()` would crash CPython, so exception groups
        cannot be subclassed (`classes.py`); then this is as safe as `try`."""
        self.node_contents_visit(node)
        return self.guard_star(node) if self._scope == "function" else node

    # -- annotations ------------------------------------------------------------------------------

    def _as_text(self, annotation: ast.expr) -> ast.expr:
        """Check an annotation and keep it as a string, as the `annotations` future would."""
        text = ast.unparse(annotation)
        self.visit_type(self._types.clean(annotation))
        constant: ast.expr = at(ast.Constant(text), annotation)
        return constant

    def _flatten_annotations(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        spec = node.args
        stars = [arg for arg in (spec.vararg, spec.kwarg) if arg is not None]
        for arg in [*spec.posonlyargs, *spec.args, *spec.kwonlyargs, *stars]:
            if arg.annotation is not None:
                arg.annotation = self._as_text(arg.annotation)
        if node.returns is not None:
            node.returns = self._as_text(node.returns)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """Outside of classes annotations are never evaluated. In a class body dataclasses and
        pydantic need the types: they are evaluated here and now, never again from text."""
        if self._scope == "class":
            cleaned = self.visit_type(self._types.clean(node.annotation))
            thunk = at(ast.Lambda(no_arguments(), cleaned), node.annotation)
            owner = at(ast.Constant(self.class_name), node.annotation)
            node.annotation = call("$annotation", [thunk, owner], node.annotation)
        else:
            node.annotation = self._as_text(node.annotation)
        node.target = self.visit(node.target)
        if node.value is not None:
            node.value = self.visit(node.value)
        return node

    def visit_TypeAlias(self, node: Any) -> ast.AST:
        """`type X = …` evaluates lazily, by whoever asks: hold it to the grammar of types."""
        node.value = self._types.clean(node.value)
        return self._contents(node)

    def _visit_type_parameter(self, node: Any) -> ast.AST:
        self.check_name(node, node.name)
        for field in ("bound", "default_value"):
            if getattr(node, field, None) is not None:
                setattr(node, field, self._types.clean(getattr(node, field)))
        return self._contents(node)

    def visit_TypeVar(self, node: Any) -> ast.AST:
        """`def f[T: bound]`: the name is a plain string, bound and default evaluate lazily."""
        return self._visit_type_parameter(node)

    def visit_ParamSpec(self, node: Any) -> ast.AST:
        """As a type variable."""
        return self._visit_type_parameter(node)

    def visit_TypeVarTuple(self, node: Any) -> ast.AST:
        """As a type variable."""
        return self._visit_type_parameter(node)

    # -- match ------------------------------------------------------------------------------------

    def visit_Match(self, node: ast.Match) -> Any:
        """Patterns are admitted one by one: class patterns read attributes."""
        before = [self.visit(each) for each in ask_guards(node, self.error)]
        return [*before, self.node_contents_visit(node)]

    def visit_match_case(self, node: ast.match_case) -> ast.AST:
        """One case with its guard."""
        return self.node_contents_visit(node)

    def visit_MatchValue(self, node: ast.MatchValue) -> ast.AST:
        """Compares with a value."""
        if isinstance(node.value, ast.Attribute) and self._judge_attribute(node.value):
            # A guard is a call, and a call cannot stand in a pattern.
            self.error(node, f"{node.value.attr!r} cannot be read in a pattern")
            return node
        return self.node_contents_visit(node)

    def visit_MatchSingleton(self, node: ast.MatchSingleton) -> ast.AST:
        """None, True, False."""
        return self.node_contents_visit(node)

    def visit_MatchSequence(self, node: ast.MatchSequence) -> ast.AST:
        """Unpacks a sequence."""
        return self.node_contents_visit(node)

    def visit_MatchOr(self, node: ast.MatchOr) -> ast.AST:
        """Alternatives."""
        return self.node_contents_visit(node)

    def visit_MatchStar(self, node: ast.MatchStar) -> ast.AST:
        """The name is a plain string in the tree."""
        self.check_name(node, node.name)
        return self.node_contents_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs) -> ast.AST:
        """The name is a plain string in the tree."""
        self.check_name(node, node.name)
        return self.node_contents_visit(node)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> ast.AST:
        """The name of the rest is a plain string in the tree."""
        self.check_name(node, node.rest)
        return self.node_contents_visit(node)

    def visit_MatchClass(self, node: ast.MatchClass) -> ast.AST:
        """Keywords read attributes natively. Of guarded names `patterns.py` has made others."""
        for attr in node.kwd_attrs:
            if attr.startswith("_") or attr in names.FORBIDDEN:
                self.error(node, f"{attr!r} cannot be read by a class pattern")
        return self.node_contents_visit(node)

    # -- not yet ----------------------------------------------------------------------------------

    def visit_TemplateStr(self, node: ast.AST) -> ast.AST:
        """Template strings (3.14) hand out their parts; RestrictedPython admits them, we wait."""
        self.not_allowed(node)
        return node

    def visit_Interpolation(self, node: ast.AST) -> ast.AST:
        """As template strings."""
        self.not_allowed(node)
        return node


def _is_super_call(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"
    )
