"""What workflow code may not use, name by name, each under its own code.

A usual catalogue of determinism rules has more entries than there are here: what the sandbox
emulates needs no rule. `EMULATED` below has a workflow for each of those, which is built without a
finding and run.

| dropped | because |
|---|---|
| WF101 wall-clock, WF102 datetime-now | `time.time()`, `datetime.now()` read the clock of the run |
| WF103 monotonic-clock | so do `monotonic` and `perf_counter`; kept for processor time |
| WF105 local-timezone | the local zone is UTC; kept for what asks the machine (`tzset`, …) |
| WF201 unseeded-random, WF202 random-instance-unseeded | drawn from the generator of the run |
| WF204 uuid | so are `uuid1` and `uuid4`; kept for `uuid.getnode` |
| WF207 builtin-hash | the `hash()` of the sandbox gives the same number in every process |
| WF208 default-repr | a repr without an address stands in for Python's own |
| WF309 print-replay | `print` and `logging` speak once |
| WF405 as-completed-coroutines | the one in the sandbox starts them in the order given |
| WF401 set-iteration, WF402 set-pop | sets keep the order in which they were filled |
| WF403 set-to-sequence, WF404 set-spread | the same, whatever goes through them |
| WF406 wait-result-order | the sets of `asyncio.wait` are in the order of what it was given |
| WF407 dict-view-set-operation | `keys() & other` goes by the order of the left side |
| WF705 impure-helper | found under the code of what the helper does, with the way to it |
| WF706 circular-import | of a cycle of modules, the bundle has the names that are used |

Added: WF210 `random.seed`, which would change what the rest of the run draws.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import pytest

import wfc
from tests.compiler.projects import write_project
from tests.project import build, ended, loaded
from wfc.analyse.bans import BANS, BUILTINS, METHODS
from wfc.diagnostics import Diagnostic
from workflow.api import start
from workflow.engine import Application
from workflow.testing.clock import VirtualClock
from workflow.worlds import memory

STEP = 'async def work(x: object = None) -> str:\n    "use step"\n    return str(x)\n\n\n'


def module(text: str) -> str:
    """A module with a workflow of this body; lines before `---` stand at its top."""
    head, _, body = f"\n{text}".rpartition("\n---\n")
    return (
        dedent(head)
        + "\n\n"
        + STEP
        + 'async def flow(given, when: "datetime.datetime" = None):\n    "use workflow"\n'
        + indent(dedent(body).strip("\n"), "    ")
        + "\n"
    )


def found_in(folder: Path, text: str | dict[str, str]) -> tuple[Diagnostic, ...]:
    return wfc.build(write_project(folder, text), write=False, cache=False).diagnostics


# For each code: what is found, and what is not.
CATALOGUE: list[tuple[str, str, str]] = [
    (
        "WF103",
        "import time\n---\nreturn time.process_time()",
        "import time\n---\nreturn time.time()",
    ),
    (
        "WF104",
        "import time\n---\ntime.sleep(10)",
        "import workflow\n---\nawait workflow.sleep('10s')",
    ),
    (
        "WF104",
        "from time import sleep\n---\nsleep(10)",
        "from workflow import sleep\n---\nawait sleep(10)",
    ),
    (
        "WF105",
        "import time\n---\ntime.tzset()",
        "import datetime\n---\nreturn when.astimezone(datetime.UTC)",
    ),
    (
        "WF106",
        "import datetime\n---\nreturn when.strftime('%A %x')",
        "---\nreturn when.isoformat()",
    ),
    (
        "WF106",
        "import datetime\n---\nreturn f'{datetime.datetime.now():%d %B}'",
        "import datetime\n---\nreturn f'{datetime.datetime.now():%d.%m. 100%%A}'",
    ),
    (
        "WF106",
        "import time\n---\nreturn time.strftime('%c')",
        "import time\n---\nreturn time.strftime('%H')",
    ),
    ("WF106", "---\nreturn when.strftime('%s')", "---\nreturn int(when.timestamp())"),
    ("WF203", "import secrets\n---\nreturn secrets.token_hex()", "---\nreturn await work()"),
    (
        "WF204",
        "import uuid\n---\nreturn uuid.getnode()",
        "import uuid\n---\nreturn str(uuid.uuid4())",
    ),
    (
        "WF205",
        "import os\n---\nreturn os.urandom(8)",
        "import random\n---\nreturn random.randbytes(8)",
    ),
    ("WF205", "import random\n---\nreturn random.SystemRandom()", "---\nreturn 1"),
    ("WF206", "---\nreturn id(given)", "---\nreturn given.key"),
    ("WF209", "import numpy as np\n---\nreturn np.random.rand()", "---\nreturn await work()"),
    ("WF209", "from numpy.random import default_rng\n---\nreturn default_rng()", "---\nreturn 1"),
    (
        "WF210",
        "import random\n---\nrandom.seed(1)",
        "import random\n---\nreturn random.Random(1).random()",
    ),
    ("WF301", "---\nreturn open('x')", "---\nreturn await work('x')"),
    (
        "WF301",
        "import shutil\n---\nshutil.rmtree('x')",
        "import io\n---\nreturn io.StringIO('x').read()",
    ),
    ("WF301", "import os.path\n---\nreturn os.path.exists('x')", "---\nreturn '/'.join(given)"),
    ("WF302", "import requests\n---\nreturn requests.get(given)", "---\nreturn await work(given)"),
    (
        "WF302",
        "from urllib.request import urlopen\n---\nreturn urlopen(given)",
        "from urllib.parse import quote\n---\nreturn quote(given)",
    ),
    (
        "WF303",
        "import httpx\n---\nasync with httpx.AsyncClient() as c:\n    await c.get(given)",
        "from workflow import fetch\n---\nreturn (await fetch(given)).status",
    ),
    ("WF303", "import asyncio\n---\nawait asyncio.open_connection('a', 1)", "---\nreturn 1"),
    (
        "WF303",
        "import asyncio\n---\nawait asyncio.get_running_loop().create_connection(given)",
        "import asyncio\n---\nreturn asyncio.get_running_loop().time()",
    ),
    ("WF304", "import sqlite3\n---\nreturn sqlite3.connect('x')", "---\nreturn await work()"),
    ("WF304", "from sqlalchemy import orm\n---\nreturn orm.Session()", "---\nreturn await work()"),
    ("WF305", "import subprocess\n---\nsubprocess.run(['ls'])", "---\nreturn await work()"),
    ("WF305", "import os\n---\nos.system('ls')", "---\nreturn await work()"),
    (
        "WF306",
        "---\nreturn input()",
        "from workflow import create_hook\n---\nreturn await create_hook(token='a', timeout=9)",
    ),
    ("WF306", "---\nexit(1)", "from workflow import FatalError\n---\nraise FatalError('no')"),
    ("WF307", "import os\n---\nreturn os.environ['URL']", "---\nreturn given.url"),
    ("WF307", "from os import getenv as g\n---\nreturn g('URL')", "---\nreturn given.url"),
    (
        "WF308",
        "import logging\n---\nlogging.basicConfig()",
        "import logging\n---\nlogging.info('x')",
    ),
    (
        "WF308",
        "import logging\nlog = logging.getLogger(__name__)\n---\nlog.setLevel('INFO')",
        "import logging\nlog = logging.getLogger(__name__)\n---\nlog.warning('INFO')",
    ),
    ("WF308", "from loguru import logger\n---\nlogger.info('x')", "---\nprint('x')"),
    (
        "WF310",
        "from pathlib import Path\n---\nreturn Path('x').read_text()",
        "---\nreturn f'{given}/x'",
    ),
    ("WF310", "import os\n---\nreturn os.path.join(given)", "---\nreturn '/'.join(given)"),
    ("WF311", "import sys\n---\nreturn sys.argv", "---\nreturn given.mode"),
    ("WF311", "import platform\n---\nreturn platform.node()", "---\nreturn given.mode"),
    ("WF312", "import boto3\n---\nboto3.client('s3')", "---\nawait work()"),
    ("WF408", "---\ngiven.sort(key=id)", "---\ngiven.sort(key=lambda x: x.name)"),
    ("WF409", "import os\n---\nreturn os.listdir('.')", "---\nreturn await work()"),
    ("WF410", "import weakref\n---\nreturn weakref.WeakSet()", "---\nreturn {}"),
    (
        "WF501",
        "import threading\n---\nthreading.Thread(target=given).start()",
        "import asyncio\n---\nawait asyncio.create_task(work())",
    ),
    ("WF502", "import asyncio\n---\nawait asyncio.to_thread(given)", "---\nawait work()"),
    (
        "WF502",
        "import asyncio\n---\nloop = asyncio.get_running_loop()\nloop.run_in_executor(None, given)",
        "---\nawait work()",
    ),
    (
        "WF502",
        "from concurrent.futures import ThreadPoolExecutor as P\n---\nP()",
        "---\nawait work()",
    ),
    ("WF503", "import asyncio\n---\nasyncio.run(given())", "---\nawait given()"),
    (
        "WF504",
        "import trio\n---\nawait trio.sleep(1)",
        "import asyncio\n---\nawait asyncio.sleep(1)",
    ),
    (
        "WF513",
        "import threading\n---\nreturn threading.Lock()",
        "import asyncio\n---\nasyncio.Lock()",
    ),
    (
        "WF513",
        "import queue\n---\nqueue.Queue().get()",
        "import asyncio\n---\nawait asyncio.Queue().get()",
    ),
    (
        "WF514",
        "import signal\n---\nsignal.signal(2, given)",
        "from workflow import create_hook\n---\nawait create_hook(token='stop', timeout=9)",
    ),
    ("WF607", "import gc\n---\ngc.collect()", "---\npass"),
    ("WF607", "import weakref\n---\nreturn weakref.ref(given)", "---\nreturn given"),
    (
        "WF701",
        "import inspect\n---\nreturn inspect.stack()",
        "import json\n---\nreturn json.dumps(1)",
    ),
    ("WF701", "import wave\n---\nreturn wave.open(given)", "---\nreturn 1"),
    ("WF702", "import somepkg\n---\nsomepkg.go()", "---\nawait work()"),
    (
        "WF704",
        "import importlib\n---\nimportlib.import_module(given)",
        "import json\n---\njson.dumps(1)",
    ),
    ("WF704", "---\n__import__(given)", "---\npass"),
    ("WF707", "import lxml.etree as e\n---\ne.fromstring(given)", "---\nawait work(given)"),
    ("WF708", "import json\n---\njson.dumps = given", "---\nd = given\nreturn d"),
    ("WF708", "import json\n---\nsetattr(json, 'dumps', given)", "---\nsetattr(given, 'a', 1)"),
    ("WF710", "import math\n---\nreturn math.square(2)", "import math\n---\nreturn math.sqrt(2)"),
    (
        "WF710",
        "import types\n---\nreturn types.SimpleNamespace(a=1).a",
        "from types import SimpleNamespace\n---\nreturn SimpleNamespace(a=1).a",
    ),
]
IDS = [f"{code}-{index}" for index, (code, _, _) in enumerate(CATALOGUE)]


@pytest.mark.parametrize(("code", "bad", "good"), CATALOGUE, ids=IDS)
def test_entry_is_found_under_its_code(tmp_path: Path, code: str, bad: str, good: str) -> None:
    """The bad module gives exactly that finding, the good one gives none."""
    assert [d.code for d in found_in(tmp_path / "bad", module(bad))] == [code]
    assert [d.code for d in found_in(tmp_path / "good", module(good))] == []


EMULATED = {
    "WF101": "import time\n---\nreturn time.time() == time.time()",
    "WF102": "import datetime as d\n---\nreturn d.datetime.now() == d.datetime.utcnow()",
    "WF103": "import time\n---\nreturn time.perf_counter() == time.monotonic()",
    "WF105": "import datetime\n---\nnow = datetime.datetime.now()\n"
    "return now.astimezone().utcoffset() == datetime.timedelta(0)",
    "WF201": "import random\n---\nreturn 0 <= random.random() < 1",
    "WF202": "import random\n---\nreturn 0 <= random.Random().random() < 1",
    "WF204": "import uuid\n---\nreturn uuid.uuid4() != uuid.uuid1()",
    "WF207": "class A:\n    def __eq__(self, o):\n        return True\n\n"
    "    def __hash__(self):\n        return hash(('a', 1))\n---\n"
    "return hash(A()) == hash(('a', 1)) == 3573961049268423966 and A() in {A()}",
    "WF208": "class A:\n    pass\n---\nreturn f'{A()}' == repr(A()) and '0x' not in str(A())",
    "WF309": "---\nprint('charged')\nreturn True",
    "WF401": "---\nreturn [await work(x) for x in {'b', 'a', 'c'}] == ['b', 'a', 'c']",
    "WF402": "---\nreturn ({'b', 'a'}.pop(), next(iter({'b', 'a'}))) == ('a', 'b')",
    "WF403": "---\nreturn list({'b', 'a', 'c'}) == [*{'b', 'a', 'c'}] == ['b', 'a', 'c']",
    "WF404": "import asyncio\n---\n"
    "return await asyncio.gather(*{work(x) for x in 'bac'}) == ['b', 'a', 'c']",
    "WF405": "import asyncio\n---\n"
    "out = [await each for each in asyncio.as_completed([work(1), work(2)])]\n"
    "return sorted(out) == ['1', '2']",
    "WF406": "import asyncio\n---\n"
    "done, _ = await asyncio.wait([asyncio.create_task(work(n)) for n in range(3)])\n"
    "return [await work(task.result()) for task in done] == ['0', '1', '2']",
    "WF407": "---\nold, new = {'b': 1, 'a': 2, 'c': 3}, {'c': 1, 'b': 2}\n"
    "return [await work(x) for x in old.keys() & new.keys()] == ['b', 'c']",
}


@pytest.mark.parametrize("code", EMULATED)
def test_what_is_emulated_is_no_finding_and_runs(tmp_path: Path, code: str) -> None:
    """Dropped rules are right to be: the code is built cleanly, and its run gives True."""
    text = module(EMULATED[code])
    assert found_in(tmp_path / "checked", text) == ()
    folder = tmp_path / "built"
    folder.mkdir()
    project = build(folder, text)

    async def play() -> Any:
        clock = VirtualClock(1_700_000_000_000_000)
        async with Application(memory.create(clock), project) as application:
            run = await start(loaded(folder).flow, None)
            await ended(application, run.run_id)
            return await run.result()

    assert asyncio.run(play()) is True


def test_modules_that_import_each_other(tmp_path: Path) -> None:
    """WF706 is dropped: of a cycle of modules, a workflow gets the names it uses."""
    files = {
        "flows.py": "from prices import total\n\n\ndef tax(n: int) -> int:\n    return n // 5\n\n\n"
        'async def flow(n: int) -> int:\n    "use workflow"\n    return total(n)\n',
        "prices.py": "import flows\n\n\ndef total(n: int) -> int:\n    return n + flows.tax(n)\n",
    }
    assert found_in(tmp_path, files) == ()


def test_every_name_is_reported_under_its_code(tmp_path: Path) -> None:
    """Each name of the tables, used once in a workflow, gives the code that the table says."""
    tops = sorted({name.partition(".")[0] for name in BANS})
    below = sorted(name for name in BANS if "." in name)
    uses = [*[name for name in tops if name in BANS], *below]
    # A bare module and its members would be one finding: each use is in a file of its own kind.
    lines = [f"import {', '.join(tops)}\n", "\n", "async def flow():\n", '    "use workflow"\n']
    lines += [f"    {name}.some_member\n" if "." not in name else f"    {name}\n" for name in uses]
    found = {d.span.line: d.code for d in found_in(tmp_path, "".join(lines))}
    expected = {5 + index: BANS[name].code for index, name in enumerate(uses)}
    assert found == expected


@pytest.mark.parametrize("name", BUILTINS)
def test_every_banned_builtin_is_reported(tmp_path: Path, name: str) -> None:
    """Builtins that workflow code does not have are found, also when they are only handed on."""
    found = found_in(tmp_path, module(f"---\nreturn given({name})"))
    assert [d.code for d in found] == [BUILTINS[name].code]


def test_builtins_of_workflow_code_are_those_of_the_sandbox() -> None:
    """No builtin is both given by the sandbox and refused by a rule."""
    from workflow.sandbox.namespace import BUILTINS as GIVEN

    assert not GIVEN & set(BUILTINS)


def test_methods_of_a_path_that_came_as_an_argument(tmp_path: Path) -> None:
    """A path may be handed on; what asks the file system about it may not be called."""
    text = (
        "from pathlib import Path\n\n\n"
        'async def flow(path: Path, log: object) -> str:\n    "use workflow"\n'
        "    if path.exists():\n        return path.read_text()\n    return path.name + str(log)\n"
    )
    found = found_in(tmp_path, text)
    assert [(d.code, d.span.line) for d in found] == [("WF310", 6), ("WF310", 7)]
    assert "Path.exists" in found[0].message


def test_method_names_on_other_objects_are_fine(tmp_path: Path) -> None:
    """A method called `exists` or `close` says nothing about what it belongs to."""
    names = sorted({name for names in METHODS.values() for name in names})
    body = "\n".join(f"given.{name}" for name in names)
    assert found_in(tmp_path, module(f"---\n{body}")) == ()


FORMS = {
    "module": "import requests\n---\nrequests.get('x')",
    "alias": "import requests as r\n---\nr.get('x')",
    "member": "from requests import get\n---\nget('x')",
    "member alias": "from requests import get as fetch_it\n---\nfetch_it('x')",
    "submodule": "import requests.sessions\n---\nrequests.sessions.Session()",
    "inside": "---\nimport requests\nrequests.get('x')",
    "handed on": "import requests\n---\nawait given(requests.get)",
    "helper": "import requests\ndef load():\n    return requests.get('x')\n---\nreturn load()",
    "class": "import requests\nclass Client:\n    session = requests.Session()\n---\nreturn Client",
    "constant": "import requests\nSESSION = requests.Session()\n---\nreturn SESSION",
    "default": "import requests\ndef load(get=requests.get):\n    return get\n---\nreturn load()",
    "nested": "import requests\n---\ndef load():\n    return requests.get('x')\nreturn load()",
    "conditional": "try:\n    import requests\nexcept ImportError:\n    requests = None\n"
    "---\nreturn requests.get('x')",
}


@pytest.mark.parametrize("form", [form for form in FORMS if form != "conditional"])
def test_every_way_to_reach_a_name(tmp_path: Path, form: str) -> None:
    """However it is imported and wherever it is used, the finding is the same one."""
    assert {d.code for d in found_in(tmp_path, module(FORMS[form]))} == {"WF302"}


SHADOWED = {
    "parameter": "---\ndef load(requests):\n    return requests.get('x')\nreturn load(given)",
    "local": "import requests\n---\nrequests = given\nreturn requests.get('x')",
    "own builtin": "def open(name):\n    return name\n---\nreturn open('x')",
    "local builtin": "---\nid = given\nreturn id(1)",
    "attribute": "---\nreturn given.os.environ",
    "step only": "import requests\n---\nreturn await work()",
    "annotation": "import requests\ndef load(x: requests.Session) -> None: ...\n---\nload(given)",
    "type checking": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import requests\n"
    "---\nx: 'requests.Session' = given\nreturn x",
}


@pytest.mark.parametrize("form", SHADOWED)
def test_names_that_only_look_like_it(tmp_path: Path, form: str) -> None:
    """Locals, parameters and own functions of the same name are no findings."""
    assert found_in(tmp_path, module(SHADOWED[form])) == ()


FLOOD = "import phonenumbers\nimport requests\n\n\n" + "".join(
    f"async def flow_{n}(x: str) -> str:\n"
    f'    "use workflow"\n'
    f"    requests.{['get', 'post'][n % 2]}(x)\n"
    f"    return phonenumbers.parse(x)\n\n\n"
    for n in range(7)
)


def test_one_finding_for_a_package_in_many_functions(tmp_path: Path) -> None:
    """A package used all over a file is one finding; the others of its users are named in it."""
    found = found_in(tmp_path, FLOOD)
    assert [(d.code, d.span.line) for d in found] == [("WF302", 7), ("WF702", 8)]
    for d, line in zip(found, (2, 1), strict=True):
        assert [(n.text, n.line) for n in d.notes] == [
            ("imported here", line),
            ("flow_1 uses it too", d.span.line + 6),
            ("flow_2 uses it too", d.span.line + 12),
            ("flow_3 uses it too", d.span.line + 18),
            ("3 more use it: flow_4, flow_5, flow_6", d.span.line + 24),
        ]
        assert all(note.span is not None for note in d.notes)


def test_the_way_to_a_helper_has_carets(tmp_path: Path) -> None:
    """The notes of a finding in a helper point at each call on the way, and at the import."""
    files = {
        "flows.py": 'from prices import total\n\n\nasync def flow() -> int:\n    "use workflow"\n'
        "    return 1 + total(2)\n",
        "prices.py": "import os, json\n\n\ndef total(n: int) -> int:\n    return rate() * n\n\n\n"
        'def rate() -> int:\n    return int(os.environ["RATE"])\n',
    }
    (found,) = found_in(tmp_path, files)
    assert found.code == "WF307"
    marked = [
        (n.path, n.source_line[n.span.column - 1 : n.span.end_column - 1])
        for n in found.notes
        if n.span
    ]
    assert marked == [("flows.py", "total"), ("prices.py", "rate"), ("prices.py", "os")]
    assert [n.text for n in found.notes] == ["flow uses total", "total uses rate", "imported here"]


PASSING = '[tool.workflow]\npassthrough = ["numpy", "somepkg.pure"]\n'


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        ("import numpy\n---\nreturn numpy.array(given)", []),
        ("import numpy as np\n---\nreturn np.random.rand()", ["WF209"]),
        ("from somepkg import pure\n---\nreturn pure.go()", []),
        ("from somepkg.pure import go\n---\nreturn go()", []),
        ("import somepkg\n---\nreturn somepkg.go()", ["WF702"]),
    ],
)
def test_passthrough_lets_in_what_it_names(tmp_path: Path, body: str, codes: list[str]) -> None:
    """Packages the project vouches for are used freely, but for state that all runs share."""
    write_project(tmp_path, {"pyproject.toml": PASSING, "flows.py": module(body)})
    found = wfc.build(tmp_path, write=False, cache=False).diagnostics
    assert [d.code for d in found if d.code != "WF712"] == codes
