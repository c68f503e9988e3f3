"""Schemas of the inputs and outputs of functions, and of classes by themselves."""

from __future__ import annotations

import ast
from typing import Any

from wfc.analyse.names import Names
from wfc.analyse.schemas.annotations import Reader, Schema
from wfc.analyse.schemas.classes import class_schema, default_of
from wfc.model import Key, Marked, Module, Program

__all__ = ["Schemas"]


class Schemas:
    """Makes schemas for one program. Each is a document of its own, with its `$defs`."""

    def __init__(self, program: Program) -> None:
        folders = {
            ".".join(name.split(".")[:end])
            for name in program.modules
            for end in range(1, name.count(".") + 1)
        }
        self._program = program
        self._names = Names(program.modules.get, folders.__contains__)

    def input(self, function: Marked) -> Schema:
        """An object of the arguments by parameter name, `*args` as an array under `*args`, as the
        log records it; what `**options` takes are further properties."""
        reader = self._reader()
        module, args = function.module, function.node.args
        properties: dict[str, Schema] = {}
        required: list[str] = []
        further: Schema | bool = False
        for arg, default, needed in _arguments(args):
            schema = self._argument(reader, function, arg)
            properties[arg.arg] = {**schema, **default_of(default)}
            if needed:
                required.append(arg.arg)
        if args.vararg is not None:
            items = reader.read(module, args.vararg.annotation)
            properties["*" + args.vararg.arg] = {"type": "array", "items": items}
        if args.kwarg is not None:
            further = reader.read(module, args.kwarg.annotation)
        schema = {"type": "object", "properties": properties, "additionalProperties": further}
        return _document({**schema, "required": required} if required else schema, reader)

    def output(self, function: Marked) -> Schema:
        """What the function returns; empty without an annotation."""
        reader = self._reader()
        return _document(reader.read(function.module, function.node.returns), reader)

    def of_class(self, key: Key) -> Schema:
        """A class of the project by itself."""
        reader = self._reader()
        module = self._program.modules[key[0]]
        for index in module.bindings.get(key[1], ()):
            definition = module.tree.body[index]
            if isinstance(definition, ast.ClassDef):
                schema = class_schema(reader, key, module, definition)
                return _document(schema, reader)
        return {}

    def _reader(self) -> Reader:
        return Reader(self._names, class_schema)

    def _argument(self, reader: Reader, function: Marked, arg: ast.arg) -> Schema:
        if arg.annotation is None and arg.arg in ("self", "cls") and _is_method(function):
            return reader.read(function.module, ast.Name(id=function.key[1], ctx=ast.Load()))
        return reader.read(function.module, arg.annotation)


def _is_method(function: Marked) -> bool:
    module: Module = function.module
    return any(
        isinstance(module.tree.body[index], ast.ClassDef)
        for index in module.bindings.get(function.key[1], ())
    )


def _arguments(args: ast.arguments) -> list[tuple[ast.arg, ast.expr | None, bool]]:
    positional = [*args.posonlyargs, *args.args]
    defaults: list[ast.expr | None] = [None] * (len(positional) - len(args.defaults))
    defaults += args.defaults
    both = [*zip(positional, defaults, strict=True)]
    both += zip(args.kwonlyargs, args.kw_defaults, strict=True)
    return [(arg, default, default is None) for arg, default in both]


def _document(schema: dict[str, Any], reader: Reader) -> Schema:
    return {**schema, "$defs": reader.defs} if reader.defs else schema
