"""A line of somebody's source as it may be printed: what to show for each character, and how wide.

What a terminal would obey is never printed: control characters become pictures of themselves, and
characters that turn the direction of text around, or cannot be seen, become their number. Tabs
become blanks, so that the line and the carets under it agree wherever they are shown.
"""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

__all__ = ["Cell", "cells", "visible"]

_TAB = 4
_JOINER = "\u200d"
_INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


class Cell(NamedTuple):
    """One character of the source: what is shown for it, and the columns that takes."""

    shown: str
    width: int


def cells(text: str) -> list[Cell]:
    """One cell for each character of one line.

    Characters joined by U+200D are drawn as one, as wide as the first of them.
    """
    found: list[Cell] = []
    column = 0
    previous = ""
    for char in text:
        cell = _cell(char, previous, column)
        if previous == _JOINER and found[-1].width == 0 and _is_picture(char):
            cell = Cell(char, 0)
        found.append(cell)
        column += cell.width
        previous = char
    return found


def visible(text: str) -> str:
    """Text for a message, on one line: as `cells` shows it, with blanks for tabs and line ends."""
    return "".join(" " if char in "\t\n\r" else _cell(char, "x", 0).shown for char in text)


def _cell(char: str, previous: str, column: int) -> Cell:
    if " " <= char <= "~":
        return Cell(char, 1)
    if char == "\t":
        width = _TAB - column % _TAB
        return Cell(" " * width, width)
    if _is_silent(char, previous):
        return Cell(char, 0)
    if unicodedata.category(char) in _INVISIBLE:
        shown = _picture(char)
        return Cell(shown, len(shown))
    return Cell(char, 2 if unicodedata.east_asian_width(char) in "WF" else 1)


def _is_silent(char: str, previous: str) -> bool:
    """Whether a character changes the one before it and takes no column of its own."""
    if char in ("\u200c", _JOINER):  # between plain letters they only hide
        return previous > "\x7f"
    # U+1F3FB to U+1F3FF colour the emoji before them; U+1160 to U+11FF complete a Korean syllable.
    toned = "\U0001f3fb" <= char <= "\U0001f3ff" and previous > "\x7f"
    completes = "\u1160" <= char <= "\u11ff" and "\u1100" <= previous <= "\u11ff"
    return toned or completes or unicodedata.category(char) in ("Mn", "Me")


def _is_picture(char: str) -> bool:
    return unicodedata.category(char) == "So" or unicodedata.east_asian_width(char) in "WF"


def _picture(char: str) -> str:
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"<U+{code:04X}>"
