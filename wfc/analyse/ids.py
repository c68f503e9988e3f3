"""From directives to `Marked` functions: which function got which id.

Only well-placed directives count; the checks report the others.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from wfc.analyse.captures import Captures
from wfc.model import Form, Function, Kind, Marked, Module, Parameter, Place, Sighting, Spelling
from wfc.parse.bindings import exported

__all__ = ["decorator_name", "form_of", "is_static", "marked", "module_directive"]

_SCOPES = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef
_IMPLICITLY_CLASS = {"__init_subclass__", "__class_getitem__"}


def form_of(sighting: Sighting) -> Form | None:
    """How the function of a directive is defined; None where no function is found by its id."""
    function = sighting.function
    if sighting.place is not Place.FUNCTION or function is None:
        return None
    match sighting.enclosing:
        case []:
            return Form.FUNCTION
        case [ast.ClassDef()]:
            return _method(function)
        case [ast.ClassDef(), *outer] | outer:
            inner = [s for s in outer if isinstance(s, _SCOPES)]
            if isinstance(outer[0], _FUNCTIONS) and all(isinstance(s, _FUNCTIONS) for s in inner):
                return Form.NESTED
    return None


def _method(function: Function) -> Form:
    names = {decorator_name(d) for d in function.decorator_list}
    if "staticmethod" in names or function.name == "__new__":
        return Form.STATIC
    if "classmethod" in names or function.name in _IMPLICITLY_CLASS:
        return Form.CLASS
    return Form.INSTANCE


def decorator_name(decorator: ast.expr) -> str:
    """The last word of a decorator: `cache` of `@functools.cache`, `get` of `@app.get("/")`."""
    match decorator:
        case ast.Call(func=func):
            return decorator_name(func)
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def is_static(function: Function) -> bool:
    """Whether a method is marked `@staticmethod`."""
    return any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in function.decorator_list)


def module_directive(module: Module) -> Sighting | None:
    """The directive at the top of a file, if there is one."""
    for sighting in module.sightings:
        if sighting.place is Place.MODULE and _is_spelt(sighting):
            return sighting
    return None


def marked(modules: Iterable[Module]) -> tuple[Marked, ...]:
    """All workflows and steps of the modules, by id; a duplicate id appears twice."""
    found = [m for module in modules for m in _of_module(module)]
    return tuple(sorted(found, key=lambda m: (m.id, m.node.lineno)))


def _of_module(module: Module) -> Iterator[Marked]:
    found = list(_candidates(module))
    steps = {m.node for m in found if m.kind is Kind.STEP}
    for m in found:
        # A step body is an ordinary function: a directive in it has no effect, and is reported.
        if m.form is not Form.NESTED or steps.isdisjoint(m.sighting.enclosing):
            yield m


def _candidates(module: Module) -> Iterator[Marked]:
    own: set[Function] = set()
    captures = Captures(module)
    for sighting in module.sightings:
        if sighting.function is not None and sighting.place is Place.FUNCTION:
            own.add(sighting.function)
        form = form_of(sighting)
        if form is None or sighting.function is None or not _is_spelt(sighting):
            continue
        if _is_variant(sighting.function):
            continue
        if sighting.kind is Kind.STEP or _can_be_workflow(form, sighting.function):
            yield _mark(module, sighting, sighting.function, form, captures)
    whole = module_directive(module)
    if whole is None:
        return
    for statement in module.tree.body:
        match statement:
            case ast.FunctionDef() if whole.kind is Kind.WORKFLOW:
                continue  # a plain helper in a file of workflows
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                if statement in own or not _is_public(module, statement.name):
                    continue
                if not _is_variant(statement):
                    yield _mark(module, whole, statement, Form.FUNCTION, captures)


def _is_variant(function: Function) -> bool:
    """Whether a function shares its name with the one that is meant, so that an id would be
    ambiguous."""
    names = {decorator_name(d) for d in function.decorator_list}
    return not names.isdisjoint(("overload", "setter", "deleter"))


def _is_spelt(sighting: Sighting) -> bool:
    return sighting.spelling in (Spelling.EXACT, Spelling.ALTERED)


def _can_be_workflow(form: Form, function: Function) -> bool:
    return isinstance(function, ast.AsyncFunctionDef) and form in (
        Form.FUNCTION,
        Form.STATIC,
        Form.CLASS,
    )


def _is_public(module: Module, name: str) -> bool:
    listed = exported(module.tree)
    return name in listed if listed is not None else not name.startswith("_")


def _mark(
    module: Module, sighting: Sighting, node: Function, form: Form, captures: Captures
) -> Marked:
    qualname, name = _names(sighting, node, form)
    return Marked(
        kind=sighting.kind,
        id=f"{sighting.kind.value}//{module.path}//{name}",
        module=module,
        qualname=qualname,
        node=node,
        sighting=sighting,
        parameters=tuple(_parameters(module, node.args)),
        returns=_text(module, node.returns),
        doc=_doc(node),
        form=form,
        captured=captures.of(node) if form is Form.NESTED else (),
    )


def _names(sighting: Sighting, node: Function, form: Form) -> tuple[str, str]:
    """What Python calls a function (`C.outer.<locals>.inner`), and its id (`C#outer/inner`)."""
    qualname = name = ""
    scopes = [s for s in sighting.enclosing if isinstance(s, _SCOPES)]
    for index, scope in enumerate(scopes):
        if isinstance(scope, ast.ClassDef):
            inner = scopes[index + 1] if len(scopes) > index + 1 else node
            of_instance = not isinstance(inner, ast.ClassDef) and _method(inner) is Form.INSTANCE
            qualname += f"{scope.name}."
            name += scope.name + ("#" if of_instance else ".")
        else:
            qualname += f"{scope.name}.<locals>."
            name += f"{scope.name}/"
    return qualname + node.name, name + node.name


def _doc(node: Function) -> str | None:
    # A directive that stands first is what Python itself would take for the docstring.
    doc = ast.get_docstring(node)
    return None if doc and doc.casefold().strip(" .").startswith(("use step", "use work")) else doc


def _parameters(module: Module, args: ast.arguments) -> Iterator[Parameter]:
    positional = [*args.posonlyargs, *args.args]
    defaults: list[ast.expr | None] = [None] * (len(positional) - len(args.defaults))
    defaults += args.defaults
    for index, (arg, default) in enumerate(zip(positional, defaults, strict=True)):
        only = index < len(args.posonlyargs)
        yield _parameter(
            module, arg, "positional-only" if only else "positional-or-keyword", default
        )
    if args.vararg:
        yield _parameter(module, args.vararg, "var-positional", None)
    for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        yield _parameter(module, arg, "keyword-only", default)
    if args.kwarg:
        yield _parameter(module, args.kwarg, "var-keyword", None)


def _parameter(module: Module, arg: ast.arg, kind: str, default: ast.expr | None) -> Parameter:
    return Parameter(arg.arg, kind, _text(module, arg.annotation), _text(module, default))


def _text(module: Module, node: ast.expr | None) -> str | None:
    # The user's own text, not `ast.unparse`, which differs between Python versions.
    if node is None:
        return None
    segment = module.segment(node)
    return " ".join(line.strip() for line in segment.split("\n"))
