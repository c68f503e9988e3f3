"""Which findings `# wfc: ignore[CODE] reason` comments silence, and which comments do nothing.

A comment works for the statement that it stands beside: on the line of the finding, or on the
first or the last line of the statement around it. Of a statement with a block, such as `if`, only
the head counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from wfc.analyse.checks import unused_ignore
from wfc.analyse.statements import comment_lines
from wfc.diagnostics import Diagnostic, Rule, Silenced
from wfc.model import Ignore, Module

__all__ = ["heed"]

_Use = tuple[str, int, str]
"""A file, the line of a comment in it, and one code of the comment."""


def heed(
    rules: Mapping[str, Rule], modules: Mapping[str, Module], found: Sequence[Diagnostic]
) -> tuple[list[Diagnostic], list[Silenced]]:
    """What is left of the findings, with those about comments among them; and what was silenced.

    `rules` are all there are, by code.
    """
    codes = {rule.name: code for code, rule in rules.items()}
    by_path = {module.path: module for module in modules.values()}
    wanted = {
        (module.path, ignore.line, _code(text, codes)): ignore
        for module in modules.values()
        for ignore in module.ignores
        for text in ignore.codes
    }
    used: set[_Use] = set()
    left: list[Diagnostic] = []
    silenced: list[Silenced] = []
    beside: dict[tuple[str, int], set[str]] = {}
    for d in found:
        module = by_path.get(d.path)
        lines = comment_lines(module, d.span.line) if module is not None else []
        uses = [use for line in lines if (use := (d.path, line, d.code)) in wanted]
        if rules[d.code].silenceable:
            for line in lines:
                beside.setdefault((d.path, line), set()).add(d.code)
        if uses and rules[d.code].silenceable:
            used.update(uses)
            silenced.append(Silenced(d, wanted[uses[0]].reason))
        else:
            left.append(d)
    for module in modules.values():
        for ignore in module.ignores:
            here = beside.get((module.path, ignore.line), set())
            left += _about(rules, codes, module, ignore, used, here)
    return sorted(left, key=lambda d: d.sort_key), silenced


def _about(
    rules: Mapping[str, Rule],
    codes: Mapping[str, str],
    module: Module,
    ignore: Ignore,
    used: set[_Use],
    here: set[str],
) -> Iterator[Diagnostic]:
    """Findings about one comment; `here` are the codes that it could silence."""
    if not ignore.codes:
        yield unused_ignore.without_codes(module, ignore, sorted(here))
    works = False
    for text in ignore.codes:
        code = _code(text, codes)
        if code not in rules:
            nearest = [word for c in here for word in (c, rules[c].name)]
            yield unused_ignore.unknown(module, ignore, text, nearest, _silenceable(rules))
        elif not rules[code].silenceable:
            yield unused_ignore.refused(module, ignore, text)
        elif (module.path, ignore.line, code) not in used:
            yield unused_ignore.unused(module, ignore, text)
        else:
            works = True
    if works and not ignore.reason:
        yield unused_ignore.without_reason(module, ignore)


def _silenceable(rules: Mapping[str, Rule]) -> list[str]:
    """The codes and names that a comment may have."""
    return [text for rule in rules.values() if rule.silenceable for text in (rule.code, rule.name)]


def _code(text: str, codes: Mapping[str, str]) -> str:
    return codes.get(text.lower(), text.upper())
