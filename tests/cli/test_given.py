"""What users give to commands: attributes, durations, moments, files; and what they are told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_runs import wfc

FLOWS = '''
from workflow import sleep


async def work() -> int:
    """Do something."""
    "use step"
    return 1


async def nap() -> int:
    """Sleep a little."""
    "use workflow"
    await sleep("1s")
    return await work()
'''


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built project, on which nobody works."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "flows.py").write_text(FLOWS)
    assert wfc(folder, "build").returncode == 0
    return folder


def test_a_run_is_started_with_attributes(project: Path) -> None:
    """They find it again, and an equals sign may be in their values."""
    given = ["--attribute", "customer=ada", "--attribute", "query=a=b"]
    started = wfc(project, "start", "nap", *given)
    assert started.returncode == 0, started.stderr
    found = wfc(project, "inspect", "runs", "--attribute", "query=a=b", "--json")
    [run] = json.loads(found.stdout)
    assert run["run_id"] == started.stdout.strip()
    assert run["attributes"] == {"customer": "ada", "query": "a=b"}


def test_a_run_is_started_at_a_moment(project: Path) -> None:
    """`--delay` and `--deadline` take durations, and moments with a time zone."""
    moments = ["--delay", "2090-12-31T18:00+01:00", "--deadline", "2091-01-01T00:00Z"]
    started = wfc(project, "start", "nap", *moments)
    assert started.returncode == 0, started.stderr
    shown = wfc(project, "inspect", "run", started.stdout.strip()).stdout
    assert "begins at 2090-12-31T17:00" in shown
    assert "2091-01-01T00:00" in shown


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--attribute", "customer"], "write NAME=VALUE"),
        (["--attribute", "$root_run_id=x"], "begin with $ are the runtime's own"),
        (["--delay", "soon"], "'soon' is not a duration; write a number and a unit"),
        (["--delay", "10"], "'10' is not a duration"),
        (["--deadline", "2090-12-31T18:00"], "has no time zone"),
        (["--deadline", "2020-12-31T18:00Z"], "the deadline 2020-12-31T18:00:00+00:00 is over"),
    ],
)
def test_wrong_options_of_start(project: Path, arguments: list[str], expected: str) -> None:
    """Exit status 2, and what to write instead, in the words of a command line."""
    done = wfc(project, "start", "nap", *arguments)
    assert done.returncode == 2
    assert expected in done.stderr
    assert "timedelta" not in done.stderr


def test_prune_says_what_a_duration_is(project: Path) -> None:
    """Without a unit nobody knows what is meant, and a typo is no reason to delete anything."""
    for age in ("30", "30 dyas"):
        done = wfc(project, "prune", "--older-than", age)
        assert done.returncode == 2
        assert f"'{age}' is not a duration; write a number and a unit" in done.stderr


def test_a_backup_into_no_folder(project: Path) -> None:
    """The folder is named that does not exist, and not a file that nobody has asked for."""
    done = wfc(project, "backup", "nowhere/copy.db")
    assert done.returncode == 2
    assert "there is no folder nowhere" in done.stderr


def test_a_source_that_was_moved(tmp_path: Path) -> None:
    """The message names the file that is gone and the command, and does not ask about the
    environment."""
    (tmp_path / "flows.py").write_text(FLOWS)
    assert wfc(tmp_path, "build").returncode == 0
    (tmp_path / "shop").mkdir()
    (tmp_path / "flows.py").rename(tmp_path / "shop" / "flows.py")
    done = wfc(tmp_path, "worker")
    assert done.returncode == 2
    assert "generated/ was made from flows.py, which is not there any more" in done.stderr
    assert "run `wfc build`" in done.stderr


@pytest.mark.parametrize("file", ["calendar.py", "email/flows.py"])
def test_a_source_whose_name_is_taken(file: str, tmp_path: Path) -> None:
    """Both files are named where one of Python's own stands in for the user's."""
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(FLOWS)
    assert wfc(tmp_path, "build").returncode == 0
    done = wfc(tmp_path, "worker")
    assert done.returncode == 2
    taken = file.partition("/")[0]
    name = taken.removesuffix(".py")
    assert f"Error: `{name}` is " in done.stderr
    assert f"here, and not {taken} of the project: rename yours" in done.stderr


def test_a_run_that_nobody_works_on(project: Path) -> None:
    """`wfc inspect run` says that no worker is alive, and how to have one."""
    started = wfc(project, "start", "nap").stdout.strip()
    shown = wfc(project, "inspect", "run", started).stdout
    assert "waiting       no worker has taken it yet" in shown
    assert "waiting       no worker is alive: serve the application" in shown
    assert "`wfc worker`" in shown
