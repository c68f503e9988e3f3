"""The import hook as type checkers see it. Checked by mypy and pyright strict, never run."""

from __future__ import annotations

from pathlib import Path
from typing import assert_type

from workflow import client

with client.install("generated") as imports:
    assert_type(imports.modules, tuple[str, ...])
    assert_type(imports, client.ClientImports)
client.install(Path("generated")).uninstall()
client.install(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
