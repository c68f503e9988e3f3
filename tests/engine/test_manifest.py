"""Reading the manifest of a build: whatever is wrong with it, the error says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from workflow.errors import BundleError
from workflow.manifest import read_manifest


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "cannot be read .*: run `wfc build` again"),
        (b"[]", "made by another version of wfc: run `wfc build`"),
        (b'{"format": 2}', "made by another version of wfc: run `wfc build`"),
    ],
)
def test_a_manifest_that_is_not_ours(tmp_path: Path, content: bytes, said: str) -> None:
    """Half a file, something else, and the format of another version."""
    (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(BundleError, match=said):
        read_manifest(tmp_path)


def test_no_manifest(tmp_path: Path) -> None:
    """Without a build, and where the path leads into a file."""
    with pytest.raises(BundleError, match="run `wfc build` in your project first"):
        read_manifest(tmp_path / "generated")
    (tmp_path / "generated").touch()
    with pytest.raises(BundleError, match="run `wfc build` in your project first"):
        read_manifest(tmp_path / "generated")


def test_a_manifest_that_cannot_be_read(tmp_path: Path) -> None:
    """The reason of the operating system is shown: building again would not help."""
    (tmp_path / "manifest.json").mkdir()
    with pytest.raises(BundleError, match="cannot be read: Is a directory"):
        read_manifest(tmp_path)
