"""What the README says about testing, done word for word."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def block(mention: str) -> str:
    """The one Python block of the README that has these words."""
    blocks = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    (found,) = [text for text in blocks if mention in text]
    return str(found)


def test_the_tests_of_the_readme_pass(tmp_path: Path) -> None:
    """The quick start's flows and the section about testing, put into files: pytest passes."""
    (tmp_path / "flows.py").write_text(
        block('"""Onboard one user."""\n    "use workflow"\n    mail')
    )
    (tmp_path / "test_flows.py").write_text(block("def test_a_run("))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
