"""What a parked run says of the code it is under."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from workflow.engine.cold import PYTHON
from workflow.engine.reasons import code_of, unreadable
from workflow.errors import SerializationError
from workflow.world.records import RunRecord

OLD, NEW = "0" * 64, "1" * 64
RUN = RunRecord(run_id="wrun_1", workflow="w", status="running", created_at=0, input=b"")


def test_code_python_and_packages_are_named() -> None:
    """What is the same on both sides is not said twice, and Python not at all."""
    assert code_of(RUN, NEW, ()) == f"bundle of the run {'1' * 12}, of this worker {'1' * 12}"
    run = replace(RUN, bundle=OLD, python=PYTHON)
    both = f"bundle of the run {'0' * 12}, of this worker {'1' * 12}"
    assert code_of(run, NEW, ()) == both
    assert code_of(replace(run, python="3.9"), NEW, ("tax", "fees")) == (
        f"{both}; begun under Python 3.9, replayed under {PYTHON}; passthrough packages are as "
        "installed here: fees, tax"
    )


@pytest.mark.parametrize("bundle", [None, OLD, NEW])
def test_the_classes_of_older_code_cannot_be_changed(bundle: str | None) -> None:
    """So such a run is told how to leave that code; others, how to change the class."""
    error = SerializationError("has no field", path="x.y", advice="Give it one.")
    said = unreadable(error, replace(RUN, bundle=bundle), NEW)
    assert said.startswith("x.y: has no field. ")
    assert ("wfc resume wrun_1 --new-code" in said) == (bundle == OLD)
    assert ("Give it one." in said) == (bundle != OLD)
    malformed = SerializationError("these bytes hold no value")
    assert unreadable(malformed, replace(RUN, bundle=bundle), NEW) == str(malformed)
