"""The outside world of the example, as two plain text files.

Steps may do anything; these write files, so that you can see what was really done. The workflow
body never reaches this module: `wfc build` would refuse it, and say why.
"""

import os
import time
from pathlib import Path

from workflow import get_step_metadata

# One line for each time a step's body ran. The demo and the kill tests read it to prove that no
# step whose result is recorded runs again.
SIDE_EFFECTS = Path(os.environ.get("SIGNUP_LOG", ".workflow-data/side_effects.log"))


def note(step: str) -> None:
    """Write down that the body of `step` runs now: microseconds, step id, attempt, name."""
    metadata = get_step_metadata()
    _append(
        SIDE_EFFECTS,
        f"{time.time_ns() // 1000} {metadata.step_id} {metadata.attempt} {step}\n",
    )


def deliver(to: str, text: str) -> None:
    """Put a mail into the outbox, the file `outbox.txt` beside the list of side effects."""
    _append(SIDE_EFFECTS.with_name("outbox.txt"), f"To: {to}\n{text}\n\n")


def _append(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(text)
