"""How much the property tests try: quick by default, long under `make test-all`."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("quick", deadline=None)
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile("thorough" if "WORKFLOW_TEST_THOROUGH" in os.environ else "quick")
