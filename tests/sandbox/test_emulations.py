"""Clock, randomness, uuid, logging and print inside and outside of a run."""

from __future__ import annotations

import datetime
import logging
import random
import time
import uuid
from datetime import date
from decimal import Decimal

import pytest

from tests.sandbox.snippets import EPOCH, VirtualRun, run_snippet, space_of
from workflow.engine.telling import tell
from workflow.errors import SandboxError
from workflow.replay.uttered import Utterance
from workflow.sandbox.facades import chance, speech


def test_the_clock_is_that_of_the_run() -> None:
    """Every way to ask for the time gives the time of the event being applied."""
    source = """
import time
from datetime import date, datetime, timezone
async def main():
    return [time.time(), time.monotonic(), time.perf_counter(), time.time_ns() / 1e9,
        datetime.now(timezone.utc).timestamp(), datetime.utcnow().timestamp(),
        datetime.today().timestamp(), datetime(2026, 1, 1).now().timestamp()]
"""
    assert run_snippet(source) == [EPOCH / 1e6] * 8


def test_emulated_values_are_real() -> None:
    """What datetime.now() gives is a real datetime outside too."""
    value = run_snippet("from datetime import datetime\nresult = datetime.now()\n")
    assert type(value) is datetime.datetime
    assert isinstance(run_snippet("import uuid\nresult = uuid.uuid4()\n"), uuid.UUID)


def test_local_time_is_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's time zone is not visible."""
    source = """
import time
from datetime import datetime, timezone
t = datetime(2026, 7, 1, tzinfo=timezone.utc).timestamp()
naive = datetime(2026, 7, 1)
result = [datetime.fromtimestamp(t).hour, time.localtime(t).tm_hour,
    time.mktime(time.gmtime(t)) - t,
    naive.timestamp() - t, naive.astimezone(timezone.utc).hour,
    datetime.fromtimestamp(t, timezone.utc).astimezone().hour, time.tzname]
"""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert run_snippet(source) == [0, 0, 0, 0, 0, 0, ("UTC", "UTC")]
    finally:
        monkeypatch.undo()
        time.tzset()


def test_randomness_comes_from_the_run() -> None:
    """Equal seeds of the run give equal numbers and ids, another seed others."""
    source = """
import random, uuid
result = [random.random(), random.sample(range(99), 5), random.Random().random(), uuid.uuid4(),
    uuid.uuid1()]
"""
    first, again, other = (run_snippet(source, VirtualRun(seed)) for seed in (1, 1, 2))
    assert first == again
    assert all(one != two for one, two in zip(first, other, strict=True))


def test_every_drawing_function_is_emulated() -> None:
    """A drawing function that a new Python adds to `random` shows up here."""
    theirs = {name for name in random.__all__ if name[0].islower()}
    ours = {*chance.DRAWS, "getstate", "seed", "setstate", "binomialvariate"}
    assert theirs <= ours


@pytest.mark.parametrize(
    "source",
    [
        "import time\nx = time.time()\n",
        "from datetime import datetime\nx = datetime.now()\n",
        "from datetime import date\nx = date.today()\n",
        "import random\nx = random.random()\n",
        "import random\nx = random.Random()\n",
        "import uuid\nx = uuid.uuid4()\n",
    ],
)
def test_no_clock_while_importing(source: str) -> None:
    """Without a run the emulations say that module-level reads are not allowed."""
    with pytest.raises(SandboxError, match=r"module-level .* read it inside the workflow function"):
        space_of(source)


def test_sleep_says_what_to_write() -> None:
    """time.sleep is refused with the replacement."""
    with pytest.raises(SandboxError, match=r"await sleep\(\.\.\.\)"):
        run_snippet("import time\ntime.sleep(1)\n")


def test_print_and_logging_are_spoken_through_the_loop() -> None:
    """print and every logging function reach the loop with logger, level and text."""
    run = VirtualRun()
    source = """
import logging
log = logging.getLogger('shop')
print('a', 1, sep='-')
log.info('b %s', 2)
log.getChild('x').debug('c %(k)s', {'k': 3})
logging.warning('d')
log.log(35, 'e')
"""
    run_snippet(source, run)
    assert [each[:3] for each in run.loop.utterances] == [
        (speech.PRINT_LOGGER, logging.INFO, "a-1"),
        ("shop", logging.INFO, "b 2"),
        ("shop.x", logging.DEBUG, "c 3"),
        ("root", logging.WARNING, "d"),
        ("shop", 35, "e"),
    ]


def test_extra_attributes_of_records_are_spoken() -> None:
    """`extra=` is kept as plain data of that moment, with the text of what is none, and without the
    names that records have themselves."""
    run = VirtualRun()
    source = """
import logging
from datetime import date
from decimal import Decimal
class Order:
    def __str__(self): return 'order 7'
items = [1, {'a': (2.5, None)}]
log = logging.getLogger('shop')
log.info('a', extra={'order': Order(), 'items': items, 'due': date(2026, 1, 2), 'name': 'x',
                     'sum': Decimal('1.5'), 'message': 'y', 3: 4})
items.append(5)
logging.LoggerAdapter(log, {'tenant': 't'}).warning('b')
log.error('c', extra=5)
items.append(items)
log.error('d', extra={'items': items})
"""
    run_snippet(source, run)
    *first, last = (each.extra for each in run.loop.utterances)
    assert "[...]" in str(last)
    assert first == [
        {
            "order": "order 7",
            "items": [1, {"a": (2.5, None)}],
            "due": date(2026, 1, 2),
            "sum": Decimal("1.5"),
        },
        {"tenant": "t"},
        {},
    ]


def test_handlers_of_the_application_get_extra_attributes(caplog: pytest.LogCaptureFixture) -> None:
    """A record has them as attributes, and is logged without where the application has its own."""
    tell(Utterance("shop", logging.WARNING, "50 % off", {"order": 7}))
    tell(Utterance("shop", logging.WARNING, "said", {"lineno": 7}))
    first, second = caplog.records
    assert (first.getMessage(), first.order) == ("50 % off", 7)  # type: ignore[attr-defined]
    assert second.getMessage() == "said"


def test_a_mistaken_message_is_spoken_raw() -> None:
    """Arguments that do not fit the message are shown behind it, as nothing may fail in logging."""
    run = VirtualRun()
    run_snippet("import logging\nlogging.info('order %d', 's')\n", run)
    assert run.loop.utterances == [("root", logging.INFO, "order %d ('s',)", {})]


def test_logged_exceptions_show_the_error() -> None:
    """logger.exception adds the traceback of the error being handled."""
    run = VirtualRun()
    source = (
        "import logging\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n"
        "    logging.getLogger('a').exception('failed')\n"
    )
    run_snippet(source, run)
    [(_, level, text, _)] = run.loop.utterances
    assert level == logging.ERROR
    assert text.startswith("failed\nTraceback")
    assert text.endswith("ZeroDivisionError: division by zero")


def test_speech_while_importing_is_dropped(capsys: pytest.CaptureFixture[str]) -> None:
    """Importing a module of the bundle prints nothing: it happens again at every replay."""
    space_of("import logging\nprint('x')\nlogging.getLogger('a').error('y')\n")
    assert capsys.readouterr() == ("", "")


def test_dates_are_written_in_the_words_of_no_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of days and months are the same whatever locale the application has set."""
    source = """
import time
from datetime import date, datetime, time as clock_time
d = datetime(2026, 3, 4, 15, 6)
result = [d.strftime("%a %A %b %B %p %h %%A"), f"{d:%B %d} {d:%c|%x|%X|%r}",
    f"{date(2026, 12, 6):%A}",
    datetime.strftime(d, "%^a %#p %10B"), time.strftime("%A %p", d.timetuple()),
    clock_time(9).strftime("%A %p %b"), format(d, "%Y-%m-%d"), str(d), "{:%b}".format(d)]
"""
    expected = run_snippet(source)
    native = time.strftime

    def french(format: str, *rest: object) -> str:
        words = ("%a", "%A", "%b", "%B", "%p", "%c", "%x", "%X", "%r", "%h")
        if any(word in format.replace("%%", "") for word in words):
            return "en français"
        return native(format, *rest)  # type: ignore[arg-type]

    # What C's strftime gives in another locale; not every machine has one to set.
    monkeypatch.setattr(time, "strftime", french)
    assert run_snippet(source) == expected
    assert expected[0] == "Wed Wednesday Mar March PM Mar %A"
    assert expected[1].startswith("March 04 Wed Mar  4 15:06:00 2026|03/04/26|15:06:00|03:06:00")
    assert expected[2:6] == ["Sunday", "WED pm      March", "Wednesday PM", "Monday AM Jan"]


def test_zones_have_names() -> None:
    """Zones are the real ones; that of the machine, and the cache of the process, are out of
    reach."""
    result = run_snippet("""
from zoneinfo import ZoneInfo
from datetime import datetime
async def main():
    paris = ZoneInfo("Europe/Paris")
    found = [
        isinstance(paris, ZoneInfo), paris.key, datetime(2024, 7, 1, tzinfo=paris).isoformat(),
        hasattr(ZoneInfo, "clear_cache"), hasattr(ZoneInfo, "from_file"),
    ]
    for key in ("localtime", "posixrules"):
        try:
            ZoneInfo(key)
        except Exception as error:
            found.append(type(error).__name__)
    return found
""")
    assert result == [
        True, "Europe/Paris", "2024-07-01T00:00:00+02:00", False, False, *["SandboxError"] * 2
    ]  # fmt: skip
