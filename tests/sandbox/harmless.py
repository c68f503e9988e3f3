"""What becomes of attacks that nothing refuses: they end, and do so alike in every process.

`python -m tests.sandbox.harmless` disturbs the allocator, runs all of them and prints a line each.
"""

from __future__ import annotations

import gc
import json
import random
import sys
import warnings
from pathlib import Path
from typing import Any

from tests.sandbox.snippets import VirtualRun, run_snippet
from workflow.errors import BusyWorkflowError

__all__ = ["CASES", "outcome"]

CASES: dict[str, dict[str, Any]] = {
    case["id"]: case
    for case in json.loads((Path(__file__).parent / "attacks.json").read_text(encoding="utf-8"))
    if case["expected"] in ("busy", "fails", "same")
    and tuple(case.get("min_python", ())) <= sys.version_info[:2]
}
"""The attacks that are stopped by the limit, fail with an error of their own, or run to the end."""


class _Run(VirtualRun):
    """Keeps what the run was ended with."""

    ended_with: BaseException | None = None

    def abort(self, error: BaseException) -> None:
        self.ended_with = self.ended_with or error


def outcome(source: str) -> tuple[str, str]:
    """How a snippet ends (as in `expected`), and with what."""
    run = _Run()
    run.loop.rounds = 200_000
    try:
        value = run_snippet(source, run)
    except BusyWorkflowError:
        return "busy", ""
    except BaseException as error:  # the body's, which may be any
        if isinstance(run.ended_with, BusyWorkflowError):
            return "busy", ""
        return "fails", type(error).__name__
    finally:
        run.loop.close()
    if isinstance(run.ended_with, BusyWorkflowError):
        return "busy", ""
    try:
        return "same", _text(value)
    except RecursionError:
        return "same", "too deep to show"


def _text(value: Any) -> str:
    # What is no data is not shown: its text, made out here, may have an address in it.
    if type(value) not in (str, int, float, list, dict, tuple):
        return f"<{type(value).__name__}>"
    if isinstance(value, list | tuple):
        items = list(value) if value not in value else []
        return f"[{', '.join(map(_text, items))}]"
    try:
        return repr(value)
    except (RecursionError, ValueError):
        return "too large to show"


def main() -> None:
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    sys.unraisablehook = lambda _: None
    noise = [bytearray(random.randrange(1, 5000)) for _ in range(random.randrange(3000))]
    del noise[:: random.randrange(2, 5)]
    for name, case in CASES.items():
        sys.stdout.write(f"{name} {outcome(case['source'])!r}\n")
    sys.stdout.flush()
    gc.collect()


if __name__ == "__main__":
    main()
