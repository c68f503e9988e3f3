"""Which names workflow code may not read, write or define, and why.

The policy consults these tables at compile time, the guards at run time, so both refuse the same
things. A name belongs here when *any* object reachable from workflow code could give away the
interpreter, the host process or the machine under it.
"""

from __future__ import annotations

from RestrictedPython.transformer import INSPECT_ATTRIBUTES

__all__ = [
    "CALLABLE_ON_SUPER",
    "COMBINING",
    "DEFINABLE_DUNDERS",
    "FORBIDDEN",
    "GUARDED",
    "PRIVATE_OF_ENUMS",
    "PRIVATE_OF_HOSTS",
    "READABLE_DUNDERS",
    "RESERVED",
    "SETTABLE_IN_CLASSES",
    "SETTABLE_IN_MODULES",
    "SPELLED",
    "TEXTS",
    "is_dunder",
]

# Frames, code objects and tracebacks lead to every global of the process. RestrictedPython knows
# the ones the `inspect` module documents; these complete the list.
_INTERPRETER = {
    "ag_running",
    "ag_suspended",
    "cell_contents",
    "co_cellvars",
    "co_consts",
    "co_freevars",
    "co_names",
    "co_varnames",
    "cr_running",
    "cr_suspended",
    "f_lasti",
    "f_lineno",
    "func_code",
    "func_globals",
    "gi_running",
    "gi_suspended",
    "mro",
    "tb_lasti",
    "with_traceback",
}

# A task or future hands out its loop, and the loop the run with its log, codec and options.
_LOOP = {
    "_coro",
    "_get_loop",
    "_loop",
    "get_loop",
    "get_stack",
    "print_stack",
}

# These would set an attribute of any name on an enum.
_ENUM = {"_add_alias_", "_add_value_alias_"}

# Turning a protocol into a run-time one makes `isinstance` and class patterns read attributes.
_PROTOCOL = {"_is_protocol", "_is_runtime_protocol"}

# pydantic evaluates strings as type expressions, in the namespaces of its callers or with the
# attributes it is told to read.
_PYDANTIC = {
    "apply_typevars_map",
    "from_annotated_attribute",
    "from_annotation",
    "from_orm",
    "model_parametrized_name",
    "model_rebuild",
    "update_forward_refs",
}

FORBIDDEN = frozenset(INSPECT_ATTRIBUTES | _INTERPRETER | _LOOP | _ENUM | _PROTOCOL | _PYDANTIC)
"""Attribute names that are never read, written or defined, whatever the object."""

GUARDED = frozenset(
    {
        "args",
        "astimezone",
        "clear_cache",
        "copy",
        "dict",
        "format",
        "format_map",
        "from_file",
        "fromtimestamp",
        "get_context",
        "groupindex",
        "json",
        "model_computed_fields",
        "model_config",
        "model_copy",
        "model_dump",
        "model_fields",
        "model_fields_set",
        "model_validate",
        "no_cache",
        "now",
        "obj",
        "parse_file",
        "parse_raw",
        "register",
        "strftime",
        "strptime",
        "timestamp",
        "today",
        "utcfromtimestamp",
        "utcnow",
    }
)
"""Attribute names that are harmless on most objects: the object decides, at run time."""

READABLE_DUNDERS = frozenset(
    {
        "__cause__",
        "__context__",
        "__doc__",
        "__members__",
        "__name__",
        "__notes__",
        "__qualname__",
        "__version__",
    }
)
"""Special attributes that can only give back text, an exception or the members of an enum."""

_DEFINABLE = """
abs add aenter aexit aiter and anext await bool bytes call ceil complex contains delitem divmod
enter eq exit float floor floordiv format ge getitem gt hash iadd iand ifloordiv ilshift imatmul
imod imul index init int invert ior ipow irshift isub iter itruediv ixor le len lshift lt matmul
missing mod mul ne neg next or pos post_init pow radd rand rdivmod repr reversed
rfloordiv rlshift rmatmul rmod rmul ror round rpow rrshift rshift rsub rtruediv rxor setitem str
sub truediv trunc workflow_deserialize workflow_serialize xor
"""
DEFINABLE_DUNDERS = frozenset(f"__{name}__" for name in _DEFINABLE.split())
"""Special methods a class may define: none of them changes how attributes or classes work.

`__workflow_serialize__` and `__workflow_deserialize__` are ours: how a class is recorded.
"""

TEXTS = frozenset({"__format__", "__mod__", "__repr__", "__str__"})
"""What `super()` may be asked for through a guard: the texts of `object` show an address, and `%`
of text formats."""

COMBINING = frozenset(
    f"__{side}{name}__" for name in ("and", "or", "sub", "xor") for side in ("", "r")
)
"""What `super()` may be asked for through a guard: operators of views give built-in sets."""

CALLABLE_ON_SUPER = DEFINABLE_DUNDERS - {"__hash__"}
"""What `super()` may be asked for. The hash of `object` is an address."""

_BINARY = {
    "add": "+", "and": "&", "eq": "==", "floordiv": "//", "ge": ">=", "gt": ">", "le": "<=",
    "lshift": "<<", "lt": "<", "matmul": "@", "mod": "%", "mul": "*", "ne": "!=", "or": "|",
    "pow": "**", "rshift": ">>", "sub": "-", "truediv": "/", "xor": "^",
}  # fmt: skip
_CALLED = """
abs aiter anext bool bytes complex divmod float format int iter len next repr reversed round str
"""
SPELLED = {
    **{f"__{name}__": f"a {sign} b" for name, sign in _BINARY.items()},
    **{f"__r{name}__": f"b {sign} a" for name, sign in _BINARY.items()},
    **{f"__i{name}__": f"a {sign}= b" for name, sign in _BINARY.items()},
    **{f"__{name}__": f"{name}(x)" for name in _CALLED.split()},
    "__await__": "await x",
    "__call__": "x(...)",
    "__contains__": "key in x",
    "__delitem__": "del x[key]",
    "__enter__": "with x",
    "__exit__": "with x",
    "__aenter__": "async with x",
    "__aexit__": "async with x",
    "__getitem__": "x[key]",
    "__hash__": "hash(x)",
    "__invert__": "~x",
    "__neg__": "-x",
    "__pos__": "+x",
    "__setitem__": "x[key] = value",
}
"""What a special method is called by, where it is not called by its name."""

SETTABLE_IN_CLASSES = frozenset({"__slots__"})
"""Special names a class body may assign."""

SETTABLE_IN_MODULES = frozenset({"__all__", "__author__", "__license__", "__version__"})
"""Special names that a module may assign and read: what says something about it."""

RESERVED = frozenset({"breakpoint", "compile", "eval", "exec"})
"""Builtins whose very names are refused: nobody should meet one that means something else."""

PRIVATE_OF_HOSTS = frozenset({"_asdict", "_fields", "_field_defaults", "_make", "_replace"})
"""Names with one underscore that are public on classes of the standard library (named tuples)."""


PRIVATE_OF_ENUMS = frozenset(
    {"_generate_next_value_", "_missing_", "_name_", "_sort_order_", "_value_"}
)
"""Names with one underscore that `enum` documents for its subclasses."""


def is_dunder(name: str) -> bool:
    """Whether Python gives the name a meaning, or mangles it: it starts with two underscores."""
    return name.startswith("__")
