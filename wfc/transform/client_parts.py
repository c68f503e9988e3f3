"""What client modules and their typed stubs have in common: which statements, and how they look."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import libcst as cst

from wfc.transform.client_plan import ClientPlan, Kept
from wfc.transform.prune import Statement, blank, identifier, numbered, prune_import

__all__ = [
    "absolute",
    "bare",
    "docstring",
    "each",
    "import_part",
    "inner",
    "is_import",
    "is_overload",
    "members",
    "signature",
    "spaced",
]

Rewrite = Callable[[cst.FunctionDef, str], cst.FunctionDef | None]


def each(module: cst.Module) -> Iterator[tuple[int, Statement]]:
    """The top-level statements with their indexes, those that share a line one by one."""
    for statement, parts in numbered(module.body):
        if isinstance(statement, cst.SimpleStatementLine) and len(parts) > 1:
            for index, part in zip(parts, statement.body, strict=True):
                alone = part.with_changes(semicolon=cst.MaybeSentinel.DEFAULT)
                yield index, cst.SimpleStatementLine(body=[alone])
        else:
            yield parts[0], statement


def is_import(statement: cst.CSTNode) -> bool:
    """Whether a statement is an import and nothing else."""
    match statement:
        case cst.SimpleStatementLine(body=[cst.Import() | cst.ImportFrom()]):
            return True
    return False


def import_part(statement: Statement, index: int, kept: Kept) -> list[Statement]:
    """What to keep of a statement: all, some names of an import, or what a type-checking block
    imports."""
    if index not in kept:
        return []
    names = kept[index]
    if names is None:
        return [statement]
    if isinstance(statement, cst.If):
        return [part for s in inner(statement.body) for part in _named(s, names)]
    pruned = prune_import(statement, names)
    return [pruned] if pruned is not None else []


def _named(statement: Statement, names: frozenset[str]) -> list[Statement]:
    if not is_import(statement):
        return [statement]  # an alias, say; its line is as good a place as any
    assert isinstance(statement, cst.SimpleStatementLine)
    found = statement.body[0]
    assert isinstance(found, cst.Import | cst.ImportFrom)
    if isinstance(found.names, cst.ImportStar):
        return [statement]
    keys = frozenset(
        code
        for alias in found.names
        if (code := identifier(alias.asname.name if alias.asname else alias.name)).split(".")[0]
        in names
    )
    pruned = prune_import(statement, keys)
    return [pruned] if pruned is not None and keys else []


def _code(node: cst.CSTNode) -> str:
    return cst.Module(body=[]).code_for_node(node)


def inner(body: cst.BaseSuite) -> list[Statement]:
    """The statements of a block, those that share a line one by one."""
    if isinstance(body, cst.IndentedBlock):
        return [s for _, s in each(cst.Module(body=body.body))]  # type: ignore[arg-type]
    return [
        cst.SimpleStatementLine(body=[s.with_changes(semicolon=cst.MaybeSentinel.DEFAULT)])
        for s in body.body
        if isinstance(s, cst.BaseSmallStatement)
    ]


def spaced(statement: Statement, lines: int) -> Statement:
    """The statement below so many empty lines, and its own comments."""
    comments = [line for line in statement.leading_lines if line.comment is not None]
    return statement.with_changes(leading_lines=[*blank(lines), *comments])


def bare(function: cst.FunctionDef, body: Sequence[cst.BaseStatement]) -> cst.FunctionDef:
    """The function with its signature, its docstring and nothing of its own besides."""
    doc = docstring(function)
    return function.with_changes(
        params=signature(function.params),
        leading_lines=[],
        lines_after_decorators=[],
        body=cst.IndentedBlock(body=[*([doc] if doc is not None else []), *body]),
    )


def members(found: cst.ClassDef, plan: ClientPlan, rewrite: Rewrite) -> cst.ClassDef:
    """The class with its methods rewritten; with nothing but its workflows, and no bases, where
    it is not needed as a class."""
    name = identifier(found.name)
    data = name in plan.data
    body: list[Statement] = []
    for statement in inner(found.body):
        if isinstance(statement, cst.FunctionDef):
            qualname = f"{name}.{identifier(statement.name)}"
            if data or qualname in plan.workflows:
                made = rewrite(statement, qualname)
                if made is not None:
                    body.append(spaced(made, 1 if body else 0))
        elif data:
            body.append(spaced(statement, 0))
    made_class = found.with_changes(leading_lines=[], body=cst.IndentedBlock(body=body))
    if data:
        return made_class
    return made_class.with_changes(
        decorators=[],
        lines_after_decorators=[],
        bases=[],
        keywords=[],
        lpar=cst.MaybeSentinel.DEFAULT,
        rpar=cst.MaybeSentinel.DEFAULT,
    )


def is_overload(function: cst.FunctionDef) -> bool:
    """Whether a definition is one of several signatures of a function."""
    return any(_code(d.decorator).rpartition(".")[2] == "overload" for d in function.decorators)


def docstring(function: cst.FunctionDef) -> cst.SimpleStatementLine | None:
    """The docstring, where the first statement is one and not a directive."""
    statements = inner(function.body)
    match statements[0] if statements else None:
        case cst.SimpleStatementLine(body=[cst.Expr(value=value) as first]):
            if isinstance(value, cst.SimpleString | cst.ConcatenatedString):
                text = value.evaluated_value
                if isinstance(text, str) and not _is_directive(text):
                    return cst.SimpleStatementLine(body=[first])
    return None


def _is_directive(text: str) -> bool:
    words = " ".join(text.split()).casefold().strip(" .!;:'\"`")
    return words in ("use workflow", "use step")


def signature(params: cst.Parameters) -> cst.Parameters:
    """The parameters with `...` for every default that is more than a constant."""

    def short(parameters: Sequence[cst.Param]) -> list[cst.Param]:
        return [
            p.with_changes(default=cst.Ellipsis())
            if p.default is not None and not _is_constant(p.default)
            else p
            for p in parameters
        ]

    return params.with_changes(
        posonly_params=short(params.posonly_params),
        params=short(params.params),
        kwonly_params=short(params.kwonly_params),
    )


def _is_constant(value: cst.BaseExpression) -> bool:
    match value:
        case cst.Integer() | cst.Float() | cst.Imaginary() | cst.SimpleString() | cst.Ellipsis():
            return True
        case cst.ConcatenatedString(left=left, right=right):
            return _is_constant(left) and _is_constant(right)
        case cst.Name(value="None" | "True" | "False"):
            return True
        case cst.UnaryOperation(expression=expression):
            return _is_constant(expression)
        case cst.Tuple(elements=items) | cst.List(elements=items) | cst.Set(elements=items):
            return all(isinstance(i, cst.Element) and _is_constant(i.value) for i in items)
        case cst.Dict(elements=pairs):
            return all(
                isinstance(p, cst.DictElement) and _is_constant(p.key) and _is_constant(p.value)
                for p in pairs
            )
    return False


def absolute(module: cst.Module, plan: ClientPlan) -> cst.Module:
    """Relative imports would mean something else in the generated folder."""
    if not any(map(_imports_relatively, module.body)):
        return module  # going through a whole tree takes as long as parsing it
    return cst.ensure_type(module.visit(_Absolute(plan.package)), cst.Module)


def _imports_relatively(node: cst.CSTNode) -> bool:
    match node:
        case cst.SimpleStatementLine(body=parts) | cst.SimpleStatementSuite(body=parts):
            return any(isinstance(p, cst.ImportFrom) and p.relative for p in parts)
        case cst.IndentedBlock(body=statements):
            return any(map(_imports_relatively, statements))
    blocks = [getattr(node, name, None) for name in ("body", "orelse", "finalbody")]
    blocks += [*getattr(node, "handlers", ()), *getattr(node, "cases", ())]
    return any(block is not None and _imports_relatively(block) for block in blocks)


class _Absolute(cst.CSTTransformer):
    def __init__(self, package: str) -> None:
        self.package = package.split(".") if package else []

    def leave_ImportFrom(  # noqa: N802 (the name is libcst's)
        self, original_node: cst.ImportFrom, updated_node: cst.ImportFrom
    ) -> cst.ImportFrom:
        level = len(original_node.relative)
        base = self.package[: len(self.package) - level + 1]
        if original_node.module is not None:
            base = [*base, _code(original_node.module)]
        if not level or not base:
            return updated_node
        module = cst.parse_expression(".".join(base))
        blanks = cst.SimpleWhitespace(" ")  # `from.import a` may do without
        return updated_node.with_changes(
            relative=(),
            module=module,
            whitespace_after_from=blanks,
            whitespace_before_import=blanks,
        )
