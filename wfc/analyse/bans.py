"""What workflow code may not use from outside the project: for each name its rule, the reason and
what to write instead.

A name stands for all that is below it; the longest one that fits counts. What is not listed here
is not allowed either unless the sandbox lists it: these are the names that something more helpful
can be said about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["BANS", "BUILTINS", "METHODS", "MODULES_BELOW", "MOVE", "Ban"]

MOVE = 'Move the call into a function marked "use step" and await it here.'
_OR_MOVE = "or " + MOVE[0].lower() + MOVE[1:]


@dataclass(frozen=True)
class Ban:
    """The code of the rule that speaks, why the thing cannot work, and what to write instead."""

    code: str
    why: str
    instead: str = MOVE


_CPU_CLOCK = Ban(
    "WF103",
    "It reads a clock of the machine, and a replay would see another time.",
    "Use time.time() or time.monotonic(), which are replayed here, or measure inside a step and "
    "return the duration.",
)
_BLOCKING = Ban(
    "WF104",
    "It would hold up the worker and everything else that runs there, and a restart would forget "
    "it.",
    "Write `await sleep(...)` with `from workflow import sleep`: it may last for months.",
)
_ZONE = Ban(
    "WF105",
    "It asks the machine for its time zone, and workflow code goes on on other machines.",
    'Name the zone: `zoneinfo.ZoneInfo("Europe/Paris")`, or datetime.UTC.',
)
_SECRETS = Ban(
    "WF203",
    "It draws from the operating system, so a replay would see other values.",
    "Make the secret in a step. What need not be secret can come from random or uuid, which are "
    "replayed here.",
)
_UUID = Ban(
    "WF204",
    "It depends on the machine, so a replay would see another value.",
    "Use uuid.uuid4() or uuid.uuid1(), which are replayed here, or uuid.uuid5(namespace, name).",
)
_ENTROPY = Ban(
    "WF205",
    "It draws from the operating system, so a replay would see other values.",
    "Use random.Random() or random.randbytes(), which are replayed here, or do it in a function "
    'marked "use step".',
)
_RESEED = Ban(
    "WF210",
    "The random numbers of a run are part of what is replayed, and cannot be started anew.",
    "Use a generator of your own: `random.Random(seed)`.",
)
_NUMPY = Ban(
    "WF209",
    "It draws from random numbers that the whole process shares, so a replay would see others.",
    'Draw in a function marked "use step" and return plain numbers, or use random, which is '
    "replayed here.",
)
_FILES = Ban(
    "WF301",
    "A workflow may continue on another machine months later, where its files are not.",
)
_NETWORK = Ban(
    "WF302",
    "A workflow is replayed from its log, so it cannot reach the network itself.",
)
_HTTP = Ban(
    "WF302",
    "A workflow is replayed from its log, so it cannot reach the network itself.",
    "Use `await fetch(url)` from workflow for a plain request, " + _OR_MOVE,
)
_ASYNC_NETWORK = Ban(
    "WF303",
    "A workflow is replayed from its log, so it cannot reach the network itself, and the event "
    "loop it runs on has no sockets.",
    "Use `fetch` from workflow for a plain request, " + _OR_MOVE,
)
_DATABASE = Ban(
    "WF304",
    "A workflow is replayed from its log, and a query would give another answer each time.",
)
_PROCESS = Ban(
    "WF305",
    "A workflow is replayed from its log, and each replay would start the process again.",
)
_TERMINAL = Ban(
    "WF306",
    "A workflow has no terminal; it may wait for months and continue on another machine.",
    "Wait for the answer with a hook: `answer = await create_hook(token=...)`, and call "
    "`resume_hook(token, answer)` where it comes in.",
)
_ENDING = Ban(
    "WF306",
    "It ends a process, and a workflow is not one: it may go on in another.",
    "Return from the workflow, or raise FatalError.",
)
_ENVIRONMENT = Ban(
    "WF307",
    "The next worker may have another environment, and a deploy would change the answer in the "
    "middle of a run.",
    'Pass the value as an argument of the workflow, or read it in a function marked "use step".',
)
_LOGGING = Ban(
    "WF308",
    "How records are shown is set up once for the process; a workflow would do it again at every "
    "replay.",
    "Set up logging where the application starts. `logging.getLogger(__name__).info(...)` works "
    "here.",
)
_OTHER_LOGGING = Ban(
    "WF308",
    "It would write each line again at every replay.",
    "Use logging here: it speaks once, and is silent on replay.",
)
_PATHS = Ban(
    "WF310",
    "A path belongs to one machine, and a workflow may continue on another.",
    'Keep the path as text here, and read or write the file in a function marked "use step".',
)
_PATH_TEXT = Ban(
    "WF310",
    "It follows the rules of one machine for paths, and a workflow may continue on another.",
    'Put the text together here, as in `f"{folder}/{name}"`, or do it in a function marked '
    '"use step".',
)
_MACHINE = Ban(
    "WF311",
    "It depends on the machine and the process, and a workflow may continue in another.",
    'Pass the value as an argument of the workflow, or read it in a function marked "use step".',
)
_CLOUD = Ban(
    "WF312",
    "It is a client for a service on the network, and a workflow is replayed from its log.",
)
_FOLDERS = Ban(
    "WF409",
    "What is in a folder, and in which order, differs between machines and from day to day.",
    'List the folder in a function marked "use step", and sort there.',
)
_WEAK = Ban(
    "WF410",
    "What it holds disappears when the garbage collector runs, which is never the same twice.",
    "Use a list, a dict or a set.",
)
_THREADS = Ban(
    "WF501",
    "Threads run in an order that no replay can repeat.",
    "Use asyncio.create_task or asyncio.gather here, or do the work in a function marked "
    '"use step" and await it.',
)
_POOLS = Ban(
    "WF502",
    "It runs code on other threads or processes, in an order that no replay can repeat.",
    'Make the function a step: mark it "use step" and await it. A plain `def` step runs on a '
    "thread.",
)
_OWN_LOOP = Ban(
    "WF503",
    "A workflow already runs on an event loop, one that is replayed.",
    "Await the coroutine.",
)
_OTHER_LOOP = Ban(
    "WF504",
    "It needs an event loop of its own, and a workflow runs on one that is replayed.",
    "Use asyncio here, " + _OR_MOVE,
)
_LOCKS = Ban(
    "WF513",
    "It blocks the worker's thread: what it waits for could never happen.",
    "Use the one of the same name in asyncio. Between two awaits nothing else runs in a workflow, "
    "so often no lock is needed.",
)
_SIGNALS = Ban(
    "WF514",
    "A signal goes to a process, and a workflow may be running in another one by then, or in none.",
    "Wait for a message with a hook: `await create_hook(token=...)`.",
)
_COLLECTOR = Ban(
    "WF607",
    "It observes the garbage collector, which never runs at the same moment twice.",
    "Write the code without it. Clean up with `with` or `try: ... finally:`.",
)
_INTERNALS = Ban(
    "WF701",
    "It reaches into the interpreter, where nothing is the same on replay.",
    "Write the code without it, " + _OR_MOVE,
)
_INSPECT = Ban(
    "WF701",
    "It reaches into the interpreter, where nothing is the same on replay.",
    "asyncio.iscoroutine(value) and asyncio.iscoroutinefunction(function) are available here. "
    "Write the code without the rest, " + _OR_MOVE,
)
_TRACEBACK = Ban(
    "WF701",
    "It reads the frames of the interpreter, which are not the same on replay.",
    'Write `f"{type(error).__name__}: {error}"`, or log the error with `logging.exception(...)`, '
    "which has the traceback.",
)
_PICKLE = Ban(
    "WF701",
    "It makes and runs code from bytes, which the compiler cannot see.",
    "Use json or a dataclass, " + _OR_MOVE,
)
_DYNAMIC = Ban(
    "WF704",
    "It imports what the compiler cannot see.",
    "Write an import statement; to choose, use a dict of functions.",
)
_COMPILED = Ban(
    "WF707",
    "It is compiled, so nobody can see whether a replay would repeat what it does.",
    MOVE,
)
_SEEN = Ban(
    "WF801",
    "It runs code that the compiler has not seen and cannot check.",
    "Write the code out, " + _OR_MOVE,
)
_DECIMAL = Ban(
    "WF610",
    "It is one for everything that a thread computes, and many runs share a thread.",
    "Write `with decimal.localcontext() as context:` and set precision and rounding on context.",
)
_METACLASS = Ban(
    "WF804",
    "With a metaclass nobody can tell from the text what a class does.",
    "For an abstract class inherit from abc.ABC, for an enumeration from enum.Enum.",
)
_INTROSPECTION = Ban(
    "WF802",
    "It reaches into the interpreter, where nothing is the same on replay.",
    "Write the code without it, " + _OR_MOVE,
)

_OS_PROCESS = (
    "os.system os.popen os.fork os.forkpty os.kill os.killpg os.wait os.waitpid os.abort "
    "os.posix_spawn os.posix_spawnp os.startfile "
    "os.execl os.execle os.execlp os.execlpe os.execv os.execve os.execvp os.execvpe "
    "os.spawnl os.spawnle os.spawnlp os.spawnlpe os.spawnv os.spawnve os.spawnvp os.spawnvpe"
)
_OS_FILES = (
    "os.open os.read os.write os.remove os.unlink os.rename os.renames os.replace os.mkdir "
    "os.makedirs os.rmdir os.removedirs os.stat os.lstat os.access os.chmod os.chown os.link "
    "os.symlink os.readlink os.truncate os.utime os.chdir os.getcwd os.path.exists "
    "os.path.isfile os.path.isdir os.path.islink os.path.getsize os.path.getmtime "
    "os.path.getatime os.path.getctime os.path.realpath os.path.abspath os.path.samefile"
)

_GROUPS: tuple[tuple[Ban, str], ...] = (
    (
        _CPU_CLOCK,
        "time.process_time time.process_time_ns time.thread_time time.thread_time_ns "
        "time.clock_gettime time.clock_gettime_ns time.clock_getres time.clock_settime "
        "time.get_clock_info timeit",
    ),
    (_BLOCKING, "time.sleep"),
    (
        _ZONE,
        "time.tzset zoneinfo.available_timezones zoneinfo.reset_tzpath zoneinfo.TZPATH tzlocal "
        "dateutil.tz.tzlocal",
    ),
    (_SECRETS, "secrets"),
    (_UUID, "uuid.getnode uuid.uuid6 uuid.uuid7 uuid.uuid8"),
    (_ENTROPY, "os.urandom os.getrandom random.SystemRandom"),
    (_NUMPY, "numpy.random"),
    (_RESEED, "random.seed"),
    (
        _FILES,
        f"{_OS_FILES} io shutil tempfile fileinput mmap zipfile tarfile gzip bz2 lzma aiofiles "
        "configparser filecmp linecache codecs.open",
    ),
    (
        _NETWORK,
        "http.server socket ssl socketserver ftplib "
        "smtplib imaplib poplib nntplib telnetlib xmlrpc wsgiref paramiko webbrowser",
    ),
    (_HTTP, "requests urllib.request urllib3 http.client"),
    (
        _ASYNC_NETWORK,
        "httpx httpx2 aiohttp websockets grpc nats kafka aiokafka pika aio_pika aiosmtplib "
        "asyncssh asyncio.open_connection asyncio.open_unix_connection asyncio.start_server "
        "asyncio.start_unix_server",
    ),
    (
        _DATABASE,
        "sqlite3 psycopg psycopg2 asyncpg sqlalchemy redis pymongo motor pymysql aiomysql MySQLdb "
        "aiosqlite django peewee tortoise sqlmodel elasticsearch cassandra neo4j duckdb dbm shelve",
    ),
    (
        _PROCESS,
        f"{_OS_PROCESS} subprocess pty sh pexpect asyncio.create_subprocess_exec "
        "asyncio.create_subprocess_shell",
    ),
    (_TERMINAL, "sys.stdin getpass pdb cmd readline curses"),
    (_ENDING, "sys.exit os._exit"),
    (
        _ENVIRONMENT,
        "os.environ os.environb os.getenv os.getenvb os.putenv os.unsetenv dotenv decouple "
        "environs",
    ),
    (
        _LOGGING,
        "logging.basicConfig logging.config logging.handlers logging.Handler logging.StreamHandler "
        "logging.FileHandler logging.NullHandler logging.Formatter logging.Filter logging.disable "
        "logging.addLevelName logging.captureWarnings logging.setLoggerClass logging.shutdown "
        "logging.setLogRecordFactory",
    ),
    (_OTHER_LOGGING, "loguru structlog warnings"),
    (_PATHS, "pathlib anyio.Path"),
    (_PATH_TEXT, "os.path os.sep os.fspath posixpath ntpath"),
    (
        _MACHINE,
        "os sys getpass.getuser platform sysconfig site locale resource pwd grp argparse optparse "
        "getopt psutil",
    ),
    (
        _CLOUD,
        "boto3 botocore aioboto3 aiobotocore google.cloud googleapiclient azure openai anthropic "
        "cohere mistralai stripe twilio slack_sdk sendgrid github kubernetes docker hvac "
        "sentry_sdk",
    ),
    (_FOLDERS, "os.listdir os.scandir os.walk os.fwalk glob"),
    (
        _WEAK,
        "weakref.WeakSet weakref.WeakKeyDictionary weakref.WeakValueDictionary weakref.WeakMethod",
    ),
    (_THREADS, "threading _thread asyncio.run_coroutine_threadsafe sched"),
    (_POOLS, "concurrent concurrent.futures multiprocessing asyncio.to_thread joblib"),
    (
        _OWN_LOOP,
        "asyncio.run asyncio.Runner asyncio.new_event_loop asyncio.set_event_loop "
        "asyncio.set_event_loop_policy asyncio.get_event_loop_policy nest_asyncio",
    ),
    (_OTHER_LOOP, "trio anyio curio gevent eventlet twisted tornado uvloop selectors select"),
    (
        _LOCKS,
        "threading.Lock threading.RLock threading.Condition threading.Semaphore "
        "threading.BoundedSemaphore threading.Event threading.Barrier multiprocessing.Lock "
        "multiprocessing.RLock multiprocessing.Event multiprocessing.Semaphore queue "
        "filelock fcntl",
    ),
    (_SIGNALS, "signal"),
    (_COLLECTOR, "gc weakref tracemalloc"),
    (
        _DECIMAL,
        "decimal.BasicContext decimal.DefaultContext decimal.ExtendedContext decimal.getcontext "
        "decimal.setcontext",
    ),
    (_METACLASS, "abc.ABCMeta enum.EnumMeta enum.EnumType"),
    (
        _INTERNALS,
        "ctypes cffi builtins types code codeop dis ast symtable faulthandler atexit",
    ),
    (_INSPECT, "inspect"),
    (_TRACEBACK, "traceback"),
    (_PICKLE, "pickle cloudpickle dill marshal copyreg"),
    (_DYNAMIC, "importlib pkgutil runpy imp zipimport"),
    (
        _COMPILED,
        "numpy pandas polars pyarrow scipy sklearn torch tensorflow jax lxml orjson ujson msgspec "
        "cryptography bcrypt nacl PIL cv2 pydantic_core regex rapidfuzz zstandard lz4 snappy "
        "simdjson ciso8601 shapely",
    ),
)

MODULES_BELOW = frozenset(
    {
        *("concurrent.futures", "google.cloud", "http.client", "http.server", "logging.config"),
        *("logging.handlers", "numpy.random", "os.path", "urllib.request"),
    }
)
"""The dotted names of `BANS` that are modules; the other dotted ones are members of one."""

BANS: Mapping[str, Ban] = {name: ban for ban, names in _GROUPS for name in names.split()}
"""By dotted name."""

BUILTINS: Mapping[str, Ban] = {
    "open": _FILES,
    "input": _TERMINAL,
    "breakpoint": _TERMINAL,
    "help": _TERMINAL,
    "exit": _ENDING,
    "quit": _ENDING,
    "id": Ban(
        "WF206",
        "It is a memory address, and a replay runs at other addresses.",
        "Compare with `is`, or use a value of your own as the key.",
    ),
    "eval": _SEEN,
    "exec": _SEEN,
    "compile": _SEEN,
    "__import__": _DYNAMIC,
    "globals": _INTROSPECTION,
    "locals": _INTROSPECTION,
    "vars": Ban(
        "WF802",
        "It reaches into the interpreter, where nothing is the same on replay.",
        "Write `dataclasses.asdict(...)` for a dataclass, or name the attributes.",
    ),
    "dir": _INTROSPECTION,
    "memoryview": _INTROSPECTION,
}
"""Builtins that workflow code does not have."""

_PATH_METHODS = (
    "absolute chmod copy copy_into cwd exists expanduser glob group hardlink_to home is_dir "
    "is_file is_symlink iterdir lchmod link_to lstat mkdir move move_into open owner read_bytes "
    "read_text readlink rename replace resolve rglob rmdir samefile stat symlink_to touch unlink "
    "walk write_bytes write_text"
)
_LOGGER_NAMES = "addFilter addHandler handlers propagate removeFilter removeHandler setLevel"
_LOOP_METHODS: tuple[tuple[Ban, str], ...] = (
    (_POOLS, "run_in_executor set_default_executor"),
    (_THREADS, "call_soon_threadsafe"),
    (_OWN_LOOP, "run_until_complete run_forever stop close"),
    (_SIGNALS, "add_signal_handler remove_signal_handler"),
    (_PROCESS, "subprocess_exec subprocess_shell"),
    (
        _ASYNC_NETWORK,
        "create_connection create_server create_datagram_endpoint create_unix_connection "
        "create_unix_server getaddrinfo getnameinfo sendfile sock_accept sock_connect sock_recv "
        "sock_sendall start_tls",
    ),
)

METHODS: Mapping[str, Mapping[str, Ban]] = {
    "pathlib.Path": dict.fromkeys(_PATH_METHODS.split(), _PATHS),
    "asyncio.AbstractEventLoop": {
        name: ban for ban, names in _LOOP_METHODS for name in names.split()
    },
    "logging.Logger": dict.fromkeys(_LOGGER_NAMES.split(), _LOGGING),
}
"""Methods and attributes that workflow code may not use, by the class they belong to."""
