"""A Hypothesis strategy for modules as people write them, odd spacing included.

A module is drawn as blocks: lists of (depth, text) lines. How deep a level is indented, how lines
end, and which blanks and comments stand around is drawn for the file as a whole, so that the same
code appears in many shapes. The code always compiles without findings.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

__all__ = ["Source", "sources"]

Line = tuple[int, str]
Block = list[Line]

# Letters that Python reads as others: the syntax tree says `file` where the text says `ﬁle`.
_NAMES = ["plain", "größe", "变量", "naïve", "ﬁle", "ℌat", "x_1", "Ünïcode", "ǆ", "µ"]
_COMMENTS = ["# a comment", "#", "# ünïcode 変数 🎉", "#!not a shebang", "# use steps wisely"]
_ANNOTATIONS = ["int", '"int"', "int | None", "'Model | int'", "typing.Any", "Sequence[int]"]


@dataclass
class Source:
    """A drawn module: its bytes, and the names of what is in it."""

    data: bytes
    steps: list[str] = field(default_factory=list[str])
    workflows: list[str] = field(default_factory=list[str])


class _Writer:
    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.count = 0
        self.steps: list[str] = []
        self.callable: list[str] = []  # steps that a workflow can call with one number
        self.workflows: list[str] = []
        self.values: list[str] = ["7"]
        self.helpers: list[str] = []

    def one(self, *choices: str) -> str:
        return self.draw(st.sampled_from(choices))

    def maybe(self) -> bool:
        return self.draw(st.booleans())

    def name(self) -> str:
        self.count += 1
        return f"{self.one(*_NAMES)}{self.count}"

    def number(self) -> str:
        return self.one(*self.values)

    # -- blocks ------------------------------------------------------------------------------

    def constant(self) -> Block:
        first, second = self.name(), self.name()
        self.values += [first]
        kind = self.draw(st.integers(0, 4))
        if kind == 0:
            self.values.append(second)
            return [(0, f"{first} = 1; {second} = {first} + 1")]
        if kind == 1:
            return [(0, f"{first} = 1 + \\"), (1, "2")]
        if kind == 2:
            return [(0, f"{first} = ("), (1, "1"), (0, "    + 2  # why"), (0, ")")]
        if kind == 3:
            return [(0, f"{first}: int = 3;")]
        text = f'{first} = len("""two\n  lines {self.count}\n""")'
        return [(0, text)]

    def importing(self) -> Block:
        return [
            (0, line)
            for line in self.draw(
                st.sampled_from(
                    [
                        ["import os"],
                        ["import os; import sys"],
                        ["import os.path, json as j"],
                        ["from os import (", "    path as p,", "    sep,  # not used", ")"],
                        ["from os import path, \\", "  sep as s"],
                        ["from math import floor"],
                        ["if typing.TYPE_CHECKING:", "    import socket"],
                        ["try:", "    import curses", "except ImportError:", "    curses = None"],
                    ]
                )
            )
        ]

    def helper(self) -> Block:
        name, inner = self.name(), self.name()
        body: Block = self.docstring(1)
        kind = self.draw(st.integers(0, 2))
        if kind == 0:
            body += [(1, f"return n + {self.number()}")]
        elif kind == 1:
            body += [
                (1, f"def {inner}(m): return m + {self.number()}"),
                (1, f"total = 0; total += {inner}(n)"),
                (1, "return total"),
            ]
        else:
            body += [(1, "if n > 1:"), (2, "return n"), (1, "else:"), (2, f"return {inner}")]
            body.insert(len(body) - 4, (1, f"{inner} = [k for k in range(n)][:1] and {inner!r}"))
            body[-1] = (2, f"return len({inner} or ())")
        self.helpers.append(name)
        return [(0, f"def {name}(n: int) -> int:"), *body]

    def docstring(self, depth: int) -> Block:
        return [
            (depth, text)
            for text in self.draw(
                st.sampled_from(
                    [
                        [],
                        [],
                        ['"""One line."""'],
                        ["'''Several\n   lines.\n'''"],
                        ['r"""\\raw"""'],
                        ['"two " "parts"'],
                    ]
                )
            )
        ]

    def marked(self, kind: str) -> str:
        quote = self.one('"', "'")
        return f"{quote}use {kind}{quote}"

    def marker(self) -> str:
        self.count += 1
        return f'print("only in step {self.count}", os.name)'

    def step(self, depth: int = 0, *, static: bool = False) -> Block:
        name = self.name()
        start = self.one("async def", "def", "async  def", "async def")
        annotation = self.one(*_ANNOTATIONS)
        returns = self.one("", " -> int", ' -> "int"')
        lines: Block = []
        if static:
            lines.append((depth, "@staticmethod"))
        if self.maybe():
            lines.append((depth, "@step_options(max_retries=2)"))
        more = self.one("", ", /", ", *, key=1", f", other={self.number()}", ", *rest, **options")
        head = f"{start} {name}(n: {annotation}{more}){returns}:"
        if self.draw(st.integers(0, 5)) == 0:
            head = f"{start} {name}(  # why\n        n,\n        more=1,\n){returns}:"
        if self.draw(st.integers(0, 5)) == 0 and "\n" not in head:
            lines.append((depth, f"{head} {self.marked('step')}; {self.marker()}; return n"))
        else:
            lines += [(depth, head), *self.docstring(depth + 1)]
            if self.maybe():
                lines.append((depth + 1, f"{self.marked('step')}; {self.marker()}"))
            else:
                lines.append((depth + 1, self.marked("step")))
            lines += self.step_body(depth + 1)
        self.steps.append(name)
        if depth == 0:
            self.callable.append(name)
        return lines

    def step_body(self, depth: int) -> Block:
        body: Block = [(depth, self.marker())]
        if self.maybe():
            body += [(depth, "with open(os.devnull) as file:"), (depth + 1, self.marker())]
        if self.maybe():
            body.append((depth, f'text = """many\nlines  \n{"    " * depth}"""; {self.marker()}'))
        if self.maybe():
            body += [(depth, "def inner():"), (depth + 1, self.marker()), (depth, "inner()")]
        if self.maybe():
            body += [(depth, "# the end"), (depth, "return \\"), (depth + 1, "n")]
        else:
            body.append((depth, "return n"))
        return body

    def workflow(self, depth: int = 0, *, static: bool = False) -> Block:
        name, local = self.name(), self.name()
        lines: Block = [(depth, "@staticmethod")] if static else []
        default = self.one("", "=1", f"={self.number()}", "=None")
        annotation = self.one(*_ANNOTATIONS)
        lines.append((depth, f"async def {name}({local}: {annotation}{default}) -> object:"))
        lines += self.docstring(depth + 1)
        end = self.one("", ";", f"; print({self.number()})")
        lines.append((depth + 1, self.marked("workflow") + end))
        for _ in range(self.draw(st.integers(0, 4))):
            lines += self.statement(depth + 1)
        lines.append((depth + 1, f"return {self.number()}"))
        self.workflows.append(name)
        return lines

    def call(self) -> str:
        if self.callable and self.maybe():
            return f"await {self.one(*self.callable)}({self.number()})"
        if self.helpers and self.maybe():
            return f"{self.one(*self.helpers)}({self.number()})"
        return f"len(str({self.number()}))"

    def statement(self, depth: int) -> Block:
        local = self.name()
        kind = self.draw(st.integers(0, 8))
        if kind == 8:
            self.steps.append(local)
            captured = self.name()
            return [
                (depth, f"{captured} = {self.call()}"),
                (depth, f"async def {local}(n, other={self.number()}):"),
                *self.docstring(depth + 1),
                (depth + 1, self.marked("step")),
                (depth + 1, f"print({captured})"),
                *self.step_body(depth + 1),
                (depth, f"print(await {local}(1))"),
            ]
        if kind == 0:
            return [(depth, f"{local} = {self.call()}; print({local})")]
        if kind == 1:
            return [
                (depth, f"for {local} in range(2):"),
                (depth + 1, f"print({self.call()})"),
                (depth, "else:"),
                (depth + 1, f"{self.call()}"),
            ]
        if kind == 2:
            return [
                (depth, "try:"),
                (depth + 1, f"{local} = ({self.call()},"),
                (depth, f"       {self.call()})"),
                (depth, "finally: pass"),
            ]
        if kind == 3:
            return [
                (depth, f"async def {local}(k):"),
                (depth + 1, f"return {self.call()}"),
                (depth, f"print(await {local}(1))"),
            ]
        if kind == 4:
            return [(depth, f'print(f"{{{self.number()}}} \\N{{BULLET}}", """a\n  b  \n""")')]
        if kind == 5:
            return [(depth, "await sleep( '1s' )   # a while")]
        if kind == 6:
            return [(depth, f"{local} = \\"), (depth + 1, self.call())]
        return [(depth, f"match {self.number()}:"), (depth + 1, f"case {local}: {self.call()}")]

    def holder(self) -> Block:
        """A class with static workflows and steps."""
        lines: Block = [(0, f"class {self.name()}:"), *self.docstring(1)]
        if self.maybe():
            lines.append((1, f"limit = {self.number()}; other = limit"))
        lines += self.step(1, static=True)
        if self.maybe():
            lines += self.workflow(1, static=True)
        return lines

    def record(self) -> Block:
        name = self.name()
        lines = [(0, "@dataclass"), (0, f"class {name}:"), *self.docstring(1)]
        lines += [(1, "n: int = 0"), (1, "def twice(self) -> int: return 2 * self.n")]
        if self.maybe():
            lines += self.method()
        self.values.append(f"{name}().n")
        return lines

    def method(self) -> Block:
        """A step that gets the instance or the class."""
        name = self.name()
        self.steps.append(name)
        first, above = self.draw(st.sampled_from([("self", []), ("cls", [(1, "@classmethod")])]))
        head = f"async def {name}({first}, k: int = 1) -> int:"
        body = [(2, self.marked("step")), (2, "n = k"), *self.step_body(2)]
        return [*above, (1, head), *self.docstring(2), *body]


_HEAD = [
    "import os",
    "import typing",
    "from collections.abc import Sequence",
    "from dataclasses import dataclass",
    "from workflow import sleep, step_options",
]


@st.composite
def sources(draw: st.DrawFn) -> Source:
    """A module with steps and at least one workflow."""
    writer = _Writer(draw)
    makers = [writer.constant, writer.importing, writer.helper, writer.step, writer.step]
    makers += [writer.workflow, writer.holder, writer.record]
    blocks: list[Block] = [[(0, text)] for text in _HEAD]
    for maker in draw(st.lists(st.sampled_from(makers), max_size=7)):
        blocks.append(maker())
    blocks.append(writer.workflow())
    start = draw(st.sampled_from(["", '"""A module."""\n', "#!/usr/bin/env python\n", "\n\n"]))
    text = start + _laid_out(draw, blocks)
    return Source(_encoded(draw, text), writer.steps, writer.workflows)


def _laid_out(draw: st.DrawFn, blocks: list[Block]) -> str:
    indent = draw(st.sampled_from(["    ", "  ", "\t", "   "]))
    blanks = st.sampled_from(["", "", "", "\n", "\n\n", "\f\n", "  \n", "\t\n", "note\n"])
    trailing = draw(st.sampled_from(["", "", "  ", "\t"]))
    parts: list[str] = []
    for block in blocks:
        parts.append(_comment(draw, draw(blanks), ""))
        continued = False
        for depth, text in block:
            if not continued and depth and draw(st.integers(0, 9)) == 0:
                parts.append(_comment(draw, draw(blanks), indent * depth))
            end = "" if text.endswith("\\") else trailing
            parts.append(f"{indent * depth}{text}{end}\n")
            continued = text.endswith(("\\", "("))
    return "".join(parts)


def _comment(draw: st.DrawFn, blank: str, indent: str) -> str:
    return f"{indent}{draw(st.sampled_from(_COMMENTS))}\n" if blank == "note\n" else blank


def _encoded(draw: st.DrawFn, text: str) -> bytes:
    if draw(st.booleans()):
        text = text.removesuffix("\n")
    ending = draw(st.sampled_from(["\n", "\n", "\r\n", "\r"]))
    mark = draw(st.sampled_from(["", "", "\ufeff"]))
    return (mark + text.replace("\n", ending)).encode()
