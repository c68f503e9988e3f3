"""Making the texts of many modules at once: each module is parsed once, and where there are many,
other processors help.

Helpers are plain interpreters that get their jobs through a pipe. Unlike `multiprocessing` they do
not import the main module of the process again, so a script may call `wfc.build()` at its top
level. Where helpers cannot be started, everything is done here.
"""

from __future__ import annotations

import gc
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from wfc.transform.texts import Job, make, parsed

if TYPE_CHECKING:
    from wfc.emit.cache import Made, TextCache

__all__ = ["prepare", "serve"]

# Modules. The start of a helper takes as long as twenty. Measured with a second processor: a cold
# build of 60 modules takes 2.7 s instead of 3.2, one of 200 takes 8.0 s instead of 10.1.
_WORTH_IT = 40
_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1])\n"
    "from wfc.transform.batch import serve; serve()"
)
_Modules = list[list[Job]]


def prepare(modules: Iterable[list[Job]], store: TextCache) -> None:
    """Put the texts of all jobs into the store that are not there yet. `modules` has the jobs of
    each module."""
    missing: _Modules = [
        wanted for jobs in modules if (wanted := [job for job in jobs if store.find(job) is None])
    ]
    for jobs, made in zip(missing, _all_made(missing), strict=True):
        for job, text in zip(jobs, made, strict=True):
            store.keep(job, text)


def serve() -> None:
    """What a helper runs: jobs from the standard input, what it made to the standard output."""
    gc.disable()  # syntax trees have no cycles, and looking for some takes half the time
    made = _here(pickle.loads(sys.stdin.buffer.read()))
    sys.stdout.write(json.dumps(made))


def _all_made(missing: _Modules) -> list[list[Made]]:
    count = min(_processors(), len(missing) // (_WORTH_IT // 2), 8)
    if count < 2 or not _can_start():
        return _here(missing)
    shares = [missing[index::count] for index in range(count)]
    with ThreadPoolExecutor(count - 1) as threads:
        futures = [threads.submit(_elsewhere, share) for share in shares[1:]]
        made = [_here(shares[0])]
        for share, future in zip(shares[1:], futures, strict=True):
            made.append(future.result() or _here(share))
    return [made[index % count][index // count] for index in range(len(missing))]


def _here(modules: _Modules) -> list[list[Made]]:
    made = []
    for jobs in modules:
        tree = parsed(jobs[0][1], jobs[0][2])
        made.append([make(job, tree) for job in jobs])
    return made


def _elsewhere(modules: _Modules) -> list[list[Made]] | None:
    """What a helper makes; None if it fails for whatever reason, which is then met here."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", _START, json.dumps(sys.path)],
            input=pickle.dumps(modules),
            capture_output=True,
            check=True,
        )
        made = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return [
        [(text, [(line, column, why) for line, column, why in found]) for text, found in texts]
        for texts in made
    ]


def _can_start() -> bool:
    # In a frozen or embedding program, sys.executable is that program.
    return not getattr(sys, "frozen", False) and Path(sys.executable).name.startswith("python")


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
