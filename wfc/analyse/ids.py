"""From directives to `Marked` functions: which function got which id.

Only well-placed directives count; the checks report the others.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from wfc.model import Function, Kind, Marked, Module, Parameter, Place, Sighting, Spelling

__all__ = ["is_static", "marked", "module_directive", "valid"]


def valid(sighting: Sighting) -> bool:
    """Whether a directive has effect: spelt right and at the start of a supported function."""
    if sighting.spelling not in (Spelling.EXACT, Spelling.ALTERED):
        return False
    function = sighting.function
    if sighting.place is not Place.FUNCTION or function is None:
        return False
    if sighting.kind is Kind.WORKFLOW and not isinstance(function, ast.AsyncFunctionDef):
        return False
    match sighting.enclosing:
        case []:
            return True
        case [ast.ClassDef()]:
            return is_static(function)
    return False


def is_static(function: Function) -> bool:
    """Whether a method is marked `@staticmethod`."""
    return any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in function.decorator_list)


def module_directive(module: Module) -> Sighting | None:
    """The directive at the top of a file, if there is one."""
    for sighting in module.sightings:
        spelt = sighting.spelling in (Spelling.EXACT, Spelling.ALTERED)
        if sighting.place is Place.MODULE and spelt:
            return sighting
    return None


def marked(modules: Iterable[Module]) -> tuple[Marked, ...]:
    """All workflows and steps of the modules, by id; a duplicate id appears twice."""
    found = [m for module in modules for m in _of_module(module)]
    return tuple(sorted(found, key=lambda m: (m.id, m.node.lineno)))


def _of_module(module: Module) -> Iterator[Marked]:
    own: set[Function] = set()
    for sighting in module.sightings:
        if sighting.function is not None and sighting.place is Place.FUNCTION:
            own.add(sighting.function)
        if valid(sighting) and sighting.function is not None:
            yield _mark(module, sighting, sighting.function)
    whole = module_directive(module)
    if whole is None:
        return
    for statement in module.tree.body:
        match statement:
            case ast.FunctionDef() if whole.kind is Kind.WORKFLOW:
                continue  # a plain helper in a file of workflows
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                if statement not in own and _is_public(module, statement.name):
                    yield _mark(module, whole, statement)


def _is_public(module: Module, name: str) -> bool:
    listed = _exported(module)
    return name in listed if listed is not None else not name.startswith("_")


def _exported(module: Module) -> set[str] | None:
    for statement in module.tree.body:
        match statement:
            case ast.Assign(
                targets=[ast.Name(id="__all__")],
                value=ast.List(elts=items) | ast.Tuple(elts=items),
            ):
                return {str(i.value) for i in items if isinstance(i, ast.Constant)}
    return None


def _mark(module: Module, sighting: Sighting, node: Function) -> Marked:
    classes = [c.name for c in sighting.enclosing if isinstance(c, ast.ClassDef)]
    qualname = ".".join([*classes, node.name])
    return Marked(
        kind=sighting.kind,
        id=f"{sighting.kind.value}//{module.path}//{qualname}",
        module=module,
        qualname=qualname,
        node=node,
        sighting=sighting,
        parameters=tuple(_parameters(module, node.args)),
        returns=_text(module, node.returns),
        doc=_doc(node),
    )


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
    segment = ast.get_source_segment(module.text, node) or ""
    return " ".join(line.strip() for line in segment.split("\n"))
