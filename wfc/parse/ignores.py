"""`# wfc: ignore[CODE] reason` comments of a file."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator

from wfc.model import Ignore

__all__ = ["ignores"]

# The reason ends where the next comment begins, as in `# wfc: ignore[WF206] why  # type: ignore`.
_COMMENT = re.compile(r"#\s*wfc:\s*ignore\b(?:\s*\[(?P<codes>[^\]#]*)\])?(?P<reason>[^#]*)", re.I)


def ignores(text: str) -> Iterator[Ignore]:
    """Every such comment, in order; `text` is Python that parses, with `\\n` at line ends."""
    if "wfc:" not in text.lower():
        return
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT and (match := _COMMENT.search(token.string)):
                yield _ignore(token, match)
    except (tokenize.TokenError, SyntaxError):
        return  # tokenize of 3.11 is stricter than the parser about some endings of files


def _ignore(token: tokenize.TokenInfo, match: re.Match[str]) -> Ignore:
    codes = match["codes"]
    line, start = token.start
    return Ignore(
        line=line,
        codes=tuple(dict.fromkeys(c.strip() for c in (codes or "").split(",") if c.strip())),
        reason=match["reason"].strip().lstrip(":-–— ").strip(),
        column=start + match.start() + 1,
        end_column=start + match.start() + len(match[0].rstrip()) + 1,
    )
