"""The classes that come along inside of others: what the fields of a class hold.

A class that workflow code has brings the classes of its fields with it. One that workflow code
cannot have is recorded all the same, field by field, so both sides have to know what those hold.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from wfc.analyse.forms import class_of
from wfc.analyse.names import Names, ProjectName
from wfc.analyse.scopes import Use, annotation_uses, expression_uses
from wfc.model import Key, Marked, Module

__all__ = ["field_classes", "signature_classes"]


def field_classes(names: Names, classes: Iterable[Key]) -> dict[Key, None]:
    """The project classes that fields of `classes` name, and those of their fields in turn.

    Fields of base classes count, and so do the arguments of generic ones. The given classes are
    not part of the result, which is in the order of the text.
    """
    given = tuple(classes)
    seen: dict[Key, None] = dict.fromkeys(given)
    queue = list(given)
    for key in queue:  # grows while it is read
        for found in _named_by(names, key, set()):
            if found not in seen:
                seen[found] = None
                queue.append(found)
    return dict.fromkeys(key for key in seen if key not in set(given))


def signature_classes(names: Names, marked: Iterable[Marked]) -> tuple[Key, ...]:
    """The project classes named in the signatures of the given functions, behind aliases as well,
    such as `Pet = Annotated[Cat | Dog, Field(discriminator="kind")]`."""
    found: dict[Key, None] = {}
    for m in marked:
        for use in annotation_uses(m.node):
            if isinstance(use, Use):
                found.update(dict.fromkeys(_behind(names, m.module, use, set())))
    return tuple(found)


def _named_by(names: Names, key: Key, on_the_way: set[Key]) -> Iterator[Key]:
    """The classes that the annotations and bases of a class name, behind aliases as well."""
    home = names.find(key[0])
    if home is None or key in on_the_way:
        return
    on_the_way.add(key)
    for index in home.bindings.get(key[1], ()):
        for expression in _expressions(home.tree.body[index]):
            for use in expression_uses(expression):
                if isinstance(use, Use):
                    yield from _behind(names, home, use, on_the_way)


def _behind(names: Names, home: Module, use: Use, on_the_way: set[Key]) -> Iterator[Key]:
    found = class_of(names, home, use)
    if found is not None:
        yield found
        return
    match names.follow(names.of(home, use.name, use.attrs)):
        case ProjectName(key=key, rest=()):
            yield from _named_by(names, key, on_the_way)  # such as `Lines = list[Line]`


def _expressions(node: ast.stmt) -> Iterator[ast.expr]:
    match node:
        case ast.ClassDef(bases=bases, body=body):
            yield from bases
            for statement in body:
                if isinstance(statement, ast.AnnAssign):
                    yield statement.annotation
        case ast.Assign(value=value):
            yield value
        case ast.AnnAssign(value=ast.expr() as value):
            yield value
        case _ if node.__class__.__name__ == "TypeAlias":  # a statement since Python 3.12
            yield node.value  # type: ignore[attr-defined]
