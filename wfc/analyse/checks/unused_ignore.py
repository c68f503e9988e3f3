"""An ignore comment that silences nothing, or does not say why.

`# wfc: ignore[CODE] reason` takes a finding out of the report, on its line or on the first or last
line of its statement. A comment whose finding is gone would hide the next mistake on that line. And
a comment without a reason cannot be judged a year later: was the code safe, or was somebody in a
hurry?

Remove the comment if it silences nothing; `wfc build --fix` does that. Otherwise write behind the
bracket why the finding does no harm here. Not every finding can be silenced: where nothing could be
built or run from the code as it stands, the code has to change. This warning cannot be silenced
either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from wfc.analyse.modules import suggest
from wfc.diagnostics import Diagnostic, Edit, Rule, Severity, Span
from wfc.model import Ignore, Module, Program

RULE = Rule(
    code="WF099",
    name="unused-ignore",
    severity=Severity.WARNING,
    page=__doc__,
    silenceable=False,
    bad="""\
async def sign_up(email: str) -> str:
    "use workflow"
    return email.lower()  # wfc: ignore[WF106] writes no date any more
""",
    good="""\
from datetime import datetime


async def day() -> str:
    "use workflow"
    return datetime.now().strftime("%A")  # wfc: ignore[WF106] all workers have the same locale
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Nothing: what is unused is known when all other findings are, see `wfc.analyse.silence`."""
    return iter(())


def unused(module: Module, ignore: Ignore, code: str) -> Diagnostic:
    """The finding for a code that silences nothing."""
    why = f"{code} silences nothing here: there is no such finding beside this comment."
    return _finding(module, ignore, why, _REMOVE, _without(module, ignore, code))


def unknown(module: Module, ignore: Ignore, code: str, *known: Iterable[str]) -> Diagnostic:
    """The finding for a code that no rule has; `known` are the codes and names to suggest, those
    of findings beside the comment first."""
    words = (suggest(word, words) for words in known for word in (code.upper(), code.lower()))
    close = next(filter(None, words), None)
    fix = f"Did you mean {close}?" if close else "Remove it; `wfc explain` lists the codes."
    return _finding(module, ignore, f"{code} is not a code of wfc.", fix)


def refused(module: Module, ignore: Ignore, code: str) -> Diagnostic:
    """The finding for a code that cannot be silenced."""
    why = f"{code} cannot be silenced: nothing could be built or run from such code."
    edits = _without(module, ignore, code)
    return _finding(module, ignore, why, "Mend what it is about, and remove it here.", edits)


def without_codes(module: Module, ignore: Ignore, here: Sequence[str]) -> Diagnostic:
    """The finding for a comment without codes; `here` are the codes that it could name."""
    why = "This comment names no code, so it silences nothing."
    if not here:
        return _finding(module, ignore, why, "Remove it.", (_removal(module, ignore),))
    written = f"`{_comment(here, 'reason')}`"
    return _finding(module, ignore, why, f"Write {written}, and as reason why it is safe here.")


def without_reason(module: Module, ignore: Ignore) -> Diagnostic:
    """The finding for a comment that silences something and does not say why."""
    written = f"`{_comment(ignore.codes, 'reason')}`"
    return _finding(
        module,
        ignore,
        "This comment does not say why the finding is wrong or does no harm here, and nobody will "
        "know later whether that still holds.",
        f"Write {written}.",
    )


_REMOVE = "Remove it from the comment."


def _finding(
    module: Module, ignore: Ignore, message: str, fix: str, edits: Iterable[Edit] = ()
) -> Diagnostic:
    return RULE.at(module, _span(ignore), message, fix, edits=edits)


def _span(ignore: Ignore) -> Span:
    return Span(ignore.line, ignore.column, ignore.line, ignore.end_column)


def _comment(codes: Iterable[str], reason: str) -> str:
    return f"# wfc: ignore[{', '.join(codes)}] {reason}".rstrip()


def _without(module: Module, ignore: Ignore, code: str) -> tuple[Edit, ...]:
    left = [c for c in ignore.codes if c != code]
    if not left:
        return (_removal(module, ignore),)
    return (Edit(_span(ignore), _comment(left, ignore.reason)),)


def _removal(module: Module, ignore: Ignore) -> Edit:
    """Takes out the comment with the blanks before it, or its whole line if nothing else is
    there."""
    line = module.lines[ignore.line - 1]
    before = line[: ignore.column - 1]
    after = line[ignore.end_column - 1 :]
    if after.strip():  # another comment follows; it takes the place
        end = ignore.end_column + len(after) - len(after.lstrip())
        return Edit(Span(ignore.line, ignore.column, ignore.line, end), "")
    if not before.strip() and ignore.line < len(module.lines):
        return Edit(Span(ignore.line, 1, ignore.line + 1, 1), "")
    start = len(before.rstrip()) + 1
    return Edit(Span(ignore.line, start, ignore.line, len(line) + 1), "")
