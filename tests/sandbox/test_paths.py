"""Paths that steps return: a body sees their text, and none of the files behind them."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import Any

import pytest

from workflow.codec import Codec
from workflow.errors import SandboxError
from workflow.paths import BodyPath

OF_STEPS = Codec({})
OF_BODIES = Codec({}, ordered_sets=True)
FILES = sorted(
    name for name in set(dir(type(Path()))) - set(dir(PurePath)) if not name.startswith("_")
)


def in_a_body(path: Path) -> Any:
    return OF_BODIES.decode(OF_STEPS.encode([path]))[0]


def test_a_path_is_recorded_as_one_on_both_sides() -> None:
    """Steps get the `Path` of the machine back, and the bytes are the same."""
    path = Path("/data/in.csv")
    body = in_a_body(path)
    assert type(body) is BodyPath
    assert OF_BODIES.encode(body) == OF_STEPS.encode(path)
    assert type(OF_STEPS.decode(OF_BODIES.encode(body))) is type(path)


def test_a_body_may_ask_for_the_text_of_a_path() -> None:
    """Names, parts and neighbours, with the texts and the equality that paths have elsewhere."""
    path = Path("/data/in.csv")
    body = in_a_body(path)
    assert (body.name, body.suffix, body.parts) == (path.name, path.suffix, path.parts)
    assert (str(body), repr(body), hash(body)) == (str(path), repr(path), hash(path))
    assert body == path
    assert body.parent / "out.csv" == Path("/data/out.csv")


@pytest.mark.parametrize("name", FILES)
def test_a_body_cannot_ask_the_disk(name: str) -> None:
    """Neither the path nor what is made of it, nor their class, reaches a file."""
    body = in_a_body(Path("/data/in.csv"))
    assert "exists" in FILES
    for each in (body, body.parent, body / "x", body.with_suffix(".txt"), type(body)):
        with pytest.raises(SandboxError, match=rf"Path\.{name}\(\) asks the machine"):
            getattr(each, name)()
