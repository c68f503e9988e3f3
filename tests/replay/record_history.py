"""Record a history for `tests/replay/histories/`: a bundle, and a log it must replay for ever.

    python -m tests.replay.record_history NAME

NAME is an entry of `tests/replay/recordings.py`. A history that is there is never written again:
runs like it may be open somewhere, and a change that no longer replays it would park them. Record a
new one, under a new name.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any

from tests.replay.drive import START
from tests.replay.recordings import FIRST, RECORDINGS, STEPS, Player
from workflow.events import NewEvent
from workflow.sandbox import Bundle, ModuleSource

__all__ = ["FOLDER", "WORKFLOW", "main", "record"]

FOLDER = Path(__file__).parent / "histories"
WORKFLOW = "workflow//flows.py//main"


def record(name: str) -> dict[str, Any]:
    """Play a recording and return its history as JSON data."""
    source, play = RECORDINGS[name]
    bundle = Bundle(
        (ModuleSource("flows", "flows.py", source),),
        workflows={WORKFLOW: ("flows", "main")},
        classes={"class//flows.py//Parcel": ("flows", "Parcel")}
        if "class Parcel" in source
        else {},
        steps=STEPS.get(name, {}),
    )
    player = Player(bundle, WORKFLOW, f"wrun_{name}", START, **FIRST.get(name, {}))
    play(player)
    return {
        "run_id": f"wrun_{name}",
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "workflow": WORKFLOW,
        "bundle": json.loads(bundle.to_bytes()),
        "bundle_hash": bundle.hash,
        "events": [_event(event) for event in player.log],
    }


def _event(event: NewEvent) -> dict[str, Any]:
    data: dict[str, Any] = {
        "type": event.type,
        "at": event.at,
        "ref": event.ref,
        "name": event.name,
    }
    if event.payload is not None:
        data["payload"] = base64.b64encode(event.payload).decode()
    if event.meta is not None:
        data["meta"] = event.meta.decode()
    return data


def main() -> None:
    """Write the history of the recording that the command line names."""
    (name,) = sys.argv[1:]
    path = FOLDER / f"{name}.json"
    with path.open("x", encoding="utf-8") as file:  # never again: see above
        json.dump(record(name), file, indent=1, ensure_ascii=False)
        file.write("\n")
    print(path)


if __name__ == "__main__":
    main()
