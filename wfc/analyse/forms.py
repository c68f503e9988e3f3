"""What a class of the project is, as far as its text and that of the classes above it say."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.names import Names, ProjectName
from wfc.analyse.scopes import Use, expression_uses
from wfc.model import Key, Module

__all__ = ["class_of", "is_data", "is_generic_model"]

_DATA_BASES = {
    "BaseModel", "RootModel", "NamedTuple", "Enum", "IntEnum", "StrEnum", "Flag", "IntFlag",
    "Struct", "Exception",
}  # fmt: skip


def is_data(names: Names, key: Key) -> bool:
    """Whether a class, or one of the project above it, says by its form that it holds data, or is
    an exception."""
    return any(map(_holds_data, _lineage(names, key)))


def _holds_data(node: ast.ClassDef) -> bool:
    said = _said(node)
    methods = {f.name for f in node.body if isinstance(f, ast.FunctionDef)}
    return bool(
        "dataclass" in said
        or said & _DATA_BASES
        or any(name.endswith(("Error", "Exception", "Warning")) for name in said)
        or "__workflow_serialize__" in methods
    )


def is_generic_model(names: Names, key: Key) -> bool:
    """Whether a class is a pydantic model with variables for types: each form of it is a class that
    pydantic makes when it is asked for."""
    classes = list(_lineage(names, key))
    if not classes or not any(_said(node) & {"BaseModel", "RootModel"} for node in classes):
        return False
    return any("Generic" in _said(node) or getattr(node, "type_params", None) for node in classes)


def _lineage(
    names: Names, key: Key, on_the_way: frozenset[Key] = frozenset()
) -> Iterator[ast.ClassDef]:
    """A class of the project and those above it."""
    module = names.find(key[0])
    if module is None or key in on_the_way:
        return
    for index in module.bindings.get(key[1], ()):
        node = module.tree.body[index]
        if not isinstance(node, ast.ClassDef):
            continue
        yield node
        for base in node.bases:
            for use in expression_uses(base.value if isinstance(base, ast.Subscript) else base):
                if isinstance(use, Use) and (above := class_of(names, module, use)) is not None:
                    yield from _lineage(names, above, on_the_way | {key})


def _said(node: ast.ClassDef) -> set[str]:
    """What stands around a class statement: its decorators and bases by their last names."""
    return {_last_name(part) for part in [*node.decorator_list, *node.bases]}


def _last_name(node: ast.expr) -> str:
    match node:
        case ast.Call(func=inner) | ast.Subscript(value=inner):
            return _last_name(inner)
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def class_of(names: Names, module: Module, use: Use) -> Key | None:
    """The project class that a use in an annotation names, if it is one."""
    target = names.of(module, use.name, use.attrs)
    if target is None and use.name in module.typing_only:
        target = names.imported(module, module.typing_only[use.name], use.name, use.attrs)
    match names.follow(target):
        case ProjectName(key=key, rest=()):
            home = names.find(key[0])
            for index in home.bindings.get(key[1], ()) if home is not None else ():
                if home is not None and isinstance(home.tree.body[index], ast.ClassDef):
                    return key
    return None
