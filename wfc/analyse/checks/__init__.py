"""The rules, one file each. A file's docstring is the page of its rule, `wfc explain CODE`.

To add a rule: write a file with `RULE` and `check`. Every file of this package that has a `RULE` is
found by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from wfc.analyse.checks import not_in_sandbox, not_loadable, syntax_error
from wfc.diagnostics import Diagnostic, Rule
from wfc.model import Module, Program

__all__ = ["load_failure", "refusals", "rules", "run", "unknown_syntax"]


Check = Callable[[Program], Iterator[Diagnostic]]


@cache
def _loaded() -> Mapping[str, tuple[Rule, Check]]:
    found: dict[str, tuple[Rule, Check]] = {}
    for info in iter_modules(__path__):
        module = import_module(f"{__name__}.{info.name}")
        if hasattr(module, "RULE"):
            assert module.RULE.code not in found, module.RULE.code
            found[module.RULE.code] = (module.RULE, module.check)
    return dict(sorted(found.items()))


def rules() -> Mapping[str, Rule]:
    """All rules by code."""
    return {code: rule for code, (rule, _) in _loaded().items()}


def run(program: Program) -> list[Diagnostic]:
    """The findings of every rule, before ignore comments are heeded."""
    found = [d for _, check in _loaded().values() for d in check(program)]
    # One statement may bind many names, and be reached by each: it is told once, by the first way.
    once = {(d.path, d.span, d.code, d.message): d for d in reversed(found)}
    return sorted(once.values(), key=lambda d: d.sort_key)


def refusals(
    module: Module, problems: list[tuple[int, int, str]], found: list[Diagnostic]
) -> list[Diagnostic]:
    """Findings from what the sandbox said about the workflow code of a module.

    Lines that `found` speaks about are left out: there the sandbox would only say it again.
    """
    spoken_of = {d.span.line for d in found if d.path == module.path}
    fresh = [p for p in problems if p[0] not in spoken_of]
    return list(not_in_sandbox.refusals(module, fresh))


def load_failure(program: Program, path: str, line: int, why: str) -> Diagnostic:
    """The finding for the file `path`, whose line `line` raised when the bundle was loaded."""
    module = next(m for m in program.modules.values() if m.path == path)
    return not_loadable.failed(program, module, line, why)


def unknown_syntax(program: Program, path: str, line: int) -> Diagnostic:
    """The finding for the file `path`, whose line `line` cannot be rewritten."""
    module = next(m for m in program.modules.values() if m.path == path)
    return syntax_error.unknown(module, line)
