"""Reading `generated/manifest.json`, for whoever loads a build."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from workflow.errors import BundleError

__all__ = ["read_manifest"]


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of the build in `folder`; BundleError says what is wrong with it."""
    path = folder / "manifest.json"
    try:
        manifest = msgspec.json.decode(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise BundleError(f"there is no {path}: run `wfc build` in your project first") from None
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror or error}") from None
    except msgspec.DecodeError as error:
        raise BundleError(f"{path} cannot be read ({error}): run `wfc build` again") from None
    if not isinstance(manifest, dict) or manifest.get("format") != 1:
        raise BundleError(
            f"{path} was made by another version of wfc: run `wfc build` with the installed one"
        )
    return manifest
