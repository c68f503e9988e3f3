"""What a build costs: projects of 1,000 files, 20, 200 and all of them with directives.

    python -m benchmarks.builds [HITS…]

Prints seconds for: a cold build (no cache, nothing generated), a warm one (nothing changed), one
with a file touched, each in a process of its own with its start-up; and the rebuild of a builder
that watches, when a file was touched. Floors are measured in the same run: a Python that does
nothing, one that imports libcst, one that only parses the files with directives. Medians of three,
except for cold builds of more than 100 files. Compare figures of one run only.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from wfc import Builder

FILES = 1_000
ROUNDS = 3

HEAD = '''\
"""Orders of region {n}: what happens to them, and the work it takes."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta

'''
MODEL = '''
@dataclass
class {name}{n}:
    """One {name} of region {n}."""

    id: str
    amount: int = 0
    tags: list[str] = field(default_factory=list)
    created: datetime | None = None

    def total(self, factor: int = 1) -> int:
        """The amount with everything added."""
        if not self.tags:
            return self.amount * factor
        return sum(len(tag) for tag in self.tags) + self.amount * factor

'''
HELPER = '''
def {name}_{n}(values: list[int], limit: int = {n}) -> dict[str, int]:
    """Counts of the values by their size, the large ones first."""
    counts: dict[str, int] = {{}}
    for value in sorted(values, reverse=True):
        if value > limit:
            key = "large" if value > limit * 10 else "medium"
        elif value < 0:
            raise ValueError(f"a negative amount: {{value}}")
        else:
            key = "small"
        counts[key] = counts.get(key, 0) + 1
    return {{key: count for key, count in counts.items() if count}}

'''
STEP = '''
async def {name}_{n}(order: str, amount: int, *, note: str = "") -> dict[str, int]:
    """Do {name} for an order, outside of this process."""
    "use step"
    log = logging.getLogger("orders.{n}")
    payload = json.dumps({{"order": order, "amount": amount, "note": note}})
    for attempt in range(3):
        try:
            await asyncio.sleep(0)
            log.info("sent %s", payload)
            break
        except ConnectionError:
            if attempt == 2:
                raise
    return {{"amount": amount, "length": len(payload)}}

'''
FLOW = '''
async def {name}_{n}(order: str, amounts: list[int]) -> dict[str, int]:
    """Handle one order of region {n}, from its payment to its delivery."""
    "use workflow"
    item = Order{n}(id=order, amount=sum(amounts))
    counts = count_{n}(amounts)
    paid = await charge_{n}(order, item.total())
    if paid["amount"] > 100:
        await notify_{n}(order, paid["amount"], note="large")
    results = await asyncio.gather(*[ship_{n}(order, amount) for amount in amounts])
    for result in results:
        counts["length"] = counts.get("length", 0) + result["length"]
    await asyncio.sleep(timedelta(seconds=1).total_seconds())
    return counts

'''


def plain(n: int) -> str:
    """A file without directives."""
    models = [MODEL.format(name=name, n=n) for name in ("Customer", "Address", "Invoice")]
    helpers = [HELPER.format(name=f"{name}{i}", n=n) for name in ("group", "rank") for i in "123"]
    return HEAD.format(n=n) + "".join([*models, *helpers])


def marked(n: int) -> str:
    """A file with workflows and steps among its helpers and models."""
    models = [MODEL.format(name=name, n=n) for name in ("Order", "Parcel")]
    helpers = [HELPER.format(name=name, n=n) for name in ("count", "rank", "group")]
    steps = [STEP.format(name=name, n=n) for name in ("charge", "ship", "notify")]
    flows = [FLOW.format(name=name, n=n) for name in ("order", "reorder")]
    return HEAD.format(n=n) + "".join([*models, *helpers, *steps, *flows])


def make_project(root: Path, hits: int) -> Path:
    """A project of `FILES` modules in packages of 50; the first `hits` have directives."""
    for n in range(FILES):
        folder = root / f"part{n // 50:02}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "__init__.py").touch()
        text = marked(n) if n < hits else plain(n)
        (folder / f"module{n}.py").write_text(text, "utf-8")
    return root


def timed(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The median of some rounds, in seconds."""
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def python(code: str) -> Callable[[], object]:
    """Run `code` in a new process."""
    return lambda: subprocess.run([sys.executable, "-c", code], check=True)


class Case:
    """One generated project and what is done to it."""

    def __init__(self, root: Path, hits: int) -> None:
        self.root = make_project(root, hits)
        self.build = python(f"import wfc; assert wfc.build({str(root)!r}).ok")
        self.touched = 0

    def clean(self) -> None:
        """As after a fresh checkout."""
        for folder in (".workflow-cache", "generated"):
            shutil.rmtree(self.root / folder, ignore_errors=True)

    def cold(self) -> None:
        """Without a cache."""
        self.clean()
        self.build()

    def touch(self) -> None:
        """Change a number in a workflow file."""
        self.touched += 1
        file = self.root / "part00" / "module0.py"
        text = marked(0).replace("> 100", f"> {100 + self.touched}")
        file.write_text(text, "utf-8")

    def touch_and(self, work: Callable[[], object]) -> Callable[[], None]:
        """Touch, then work."""

        def both() -> None:
            self.touch()
            work()

        return both


def row(root: Path, hits: int) -> list[float]:
    """Seconds for one number of files with directives."""
    case = Case(root, hits)
    code = (
        "import ast, pathlib\n"
        f"for path in pathlib.Path({str(root)!r}).rglob('module*.py'):\n"
        "    text = path.read_text()\n"
        "    if 'use step' in text: ast.parse(text)\n"
    )
    parse = timed(python(code))
    cold = timed(case.cold, ROUNDS if hits <= 100 else 1)
    warm = timed(case.build)
    touched = timed(case.touch_and(case.build))
    with Builder(working_dir=root) as builder:
        builder.build()
        rebuilt = timed(case.touch_and(builder.build))
    return [parse, cold, warm, touched, rebuilt]


def main() -> None:
    """Measure and print."""
    print(f"{'python -c pass':<24}{timed(python('pass')):8.2f}")
    print(f"{'python -c import libcst':<24}{timed(python('import libcst')):8.2f}")
    names = ["only parse", "cold", "warm", "touched", "watching"]
    print(f"\n{FILES} files; with directives" + "".join(f"{name:>12}" for name in names))
    for hits in map(int, sys.argv[1:] or ["20", "200", str(FILES)]):
        with tempfile.TemporaryDirectory() as folder:
            figures = row(Path(folder) / "project", hits)
        print(f"{hits:>27}" + "".join(f"{figure:12.2f}" for figure in figures), flush=True)


if __name__ == "__main__":
    main()
