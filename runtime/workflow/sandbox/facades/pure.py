"""The members of pure standard-library modules that workflow code may use.

Listed one by one: what is not here has been left out for a reason (it reads attributes by text,
changes state that all runs share, or reads files or the environment) or because nobody has looked
at it yet.
`name@3.12` exists from that Python version on.
"""

from __future__ import annotations

import sys

__all__ = ["ADVICE", "NAMES_ONLY", "PURE", "REFUSED"]

_TABLE = {
    "abc": "ABC abstractmethod",
    "base64": """
        a85decode a85encode b16decode b16encode b32decode b32encode b64decode b64encode
        b85decode b85encode standard_b64decode standard_b64encode urlsafe_b64decode
        urlsafe_b64encode
    """,
    "binascii": "Error crc32 hexlify unhexlify",
    "bisect": "bisect bisect_left bisect_right insort insort_left insort_right",
    "calendar": """
        Calendar Day@3.12 FRIDAY IllegalMonthError IllegalWeekdayError MONDAY Month@3.12 SATURDAY
        SUNDAY THURSDAY TUESDAY WEDNESDAY isleap leapdays monthrange timegm weekday
    """,
    "collections": "ChainMap Counter OrderedDict UserDict UserList defaultdict deque namedtuple",
    "collections.abc": """
        AsyncGenerator AsyncIterable AsyncIterator Awaitable Buffer@3.12 Callable Collection
        Container Coroutine Generator Hashable ItemsView Iterable Iterator KeysView Mapping
        MappingView MutableMapping MutableSequence MutableSet Reversible Sequence Set Sized
        ValuesView
    """,
    "contextlib": """
        AbstractAsyncContextManager AbstractContextManager AsyncContextDecorator
        AsyncExitStack ContextDecorator ExitStack aclosing asynccontextmanager closing
        contextmanager nullcontext suppress
    """,
    "copy": "Error copy deepcopy replace@3.13",
    "csv": """
        DictReader DictWriter Error QUOTE_ALL QUOTE_MINIMAL QUOTE_NONE QUOTE_NONNUMERIC
        reader writer
    """,
    "dataclasses": """
        FrozenInstanceError InitVar KW_ONLY MISSING asdict astuple dataclass field fields
        is_dataclass replace
    """,
    "decimal": """
        Context Decimal DecimalException DivisionByZero Inexact InvalidOperation Overflow
        ROUND_05UP ROUND_CEILING ROUND_DOWN ROUND_FLOOR ROUND_HALF_DOWN ROUND_HALF_EVEN
        ROUND_HALF_UP ROUND_UP Rounded Underflow localcontext
    """,
    "difflib": "SequenceMatcher context_diff get_close_matches ndiff unified_diff",
    "enum": """
        CONFORM CONTINUOUS EJECT Enum EnumCheck Flag FlagBoundary IntEnum IntFlag KEEP NAMED_FLAGS
        STRICT StrEnum UNIQUE auto member nonmember unique verify
    """,
    "fnmatch": "fnmatchcase translate",
    "fractions": "Fraction",
    "functools": """
        cache cached_property cmp_to_key lru_cache partial partialmethod reduce
        singledispatch singledispatchmethod total_ordering update_wrapper wraps
    """,
    "graphlib": "CycleError TopologicalSorter",
    "hashlib": """
        blake2b blake2s md5 new pbkdf2_hmac sha1 sha224 sha256 sha384 sha3_224 sha3_256
        sha3_384 sha3_512 sha512 shake_128 shake_256
    """,
    "heapq": "heapify heappop heappush heappushpop heapreplace merge nlargest nsmallest",
    "hmac": "compare_digest digest new",
    "html": "escape unescape",
    "http": "HTTPMethod HTTPStatus",
    "io": "BytesIO StringIO",
    "ipaddress": """
        AddressValueError IPv4Address IPv4Interface IPv4Network IPv6Address IPv6Interface
        IPv6Network NetmaskValueError collapse_addresses ip_address ip_interface ip_network
        summarize_address_range
    """,
    "itertools": """
        accumulate batched@3.12 chain combinations combinations_with_replacement compress
        count cycle dropwhile filterfalse groupby islice pairwise permutations product
        repeat starmap takewhile tee zip_longest
    """,
    "json": "JSONDecodeError JSONDecoder JSONEncoder dumps loads",
    "math": """
        acos acosh asin asinh atan atan2 atanh cbrt ceil comb copysign cos cosh degrees dist
        e erf erfc exp exp2 expm1 fabs factorial floor fma@3.13 fmod frexp fsum gamma gcd
        hypot inf isclose isfinite isinf isnan isqrt lcm ldexp lgamma log log10 log1p log2
        modf nan nextafter perm pi pow prod radians remainder sin sinh sqrt sumprod@3.12 tan
        tanh tau trunc ulp
    """,
    "numbers": "Complex Integral Number Rational Real",
    "operator": """
        abs add and_ attrgetter concat contains countOf eq floordiv ge getitem gt iadd iand
        iconcat ifloordiv ilshift imatmul imod imul index indexOf inv invert ior ipow
        irshift is_ is_not isub itemgetter itruediv ixor le length_hint lshift lt matmul
        methodcaller mod mul ne neg not_ or_ pos pow rshift sub truediv truth xor
    """,
    "pprint": "pformat",
    "pydantic.alias_generators": "to_camel to_pascal to_snake",
    "re": """
        A ASCII DOTALL I IGNORECASE M MULTILINE Match NOFLAG Pattern PatternError@3.13 RegexFlag S U
        UNICODE VERBOSE X compile error escape findall finditer fullmatch match search split sub
        subn
    """,
    "statistics": """
        StatisticsError correlation covariance fmean geometric_mean harmonic_mean
        linear_regression mean median median_grouped median_high median_low mode multimode
        pstdev pvariance quantiles stdev variance
    """,
    "string": """
        Template ascii_letters ascii_lowercase ascii_uppercase capwords digits hexdigits
        octdigits printable punctuation whitespace
    """,
    "struct": "calcsize error iter_unpack pack unpack unpack_from",
    "textwrap": "TextWrapper dedent fill indent shorten wrap",
    "typing": """
        AbstractSet Annotated Any AnyStr AsyncContextManager AsyncGenerator AsyncIterable
        AsyncIterator Awaitable Callable ChainMap ClassVar Collection Concatenate Container
        ContextManager Coroutine Counter DefaultDict Deque Dict Final FrozenSet Generator
        Generic Hashable ItemsView Iterable Iterator KeysView List Literal LiteralString
        Mapping MappingView Match MutableMapping MutableSequence MutableSet NamedTuple Never
        NewType NoReturn NotRequired Optional OrderedDict ParamSpec Pattern Protocol
        ReadOnly@3.13 Required Reversible Self Sequence Set Sized SupportsAbs SupportsBytes
        SupportsComplex SupportsFloat SupportsIndex SupportsInt SupportsRound TYPE_CHECKING
        Text Tuple Type TypeAlias TypeAliasType@3.12 TypeGuard TypeIs@3.13 TypeVar
        TypeVarTuple TypedDict Union Unpack ValuesView assert_never assert_type cast final
        get_args get_origin is_typeddict overload override@3.12 runtime_checkable
    """,
    "types": """
        EllipsisType MappingProxyType NoneType NotImplementedType SimpleNamespace TracebackType
        UnionType
    """,
    "unicodedata": """
        bidirectional category combining decimal digit is_normalized lookup name normalize
        numeric
    """,
    "urllib.parse": """
        ParseResult SplitResult parse_qs parse_qsl quote quote_from_bytes quote_plus unquote
        unquote_plus unquote_to_bytes urldefrag urlencode urljoin urlparse urlsplit
        urlunparse urlunsplit
    """,
    "zlib": "adler32 crc32",
    "zoneinfo": "ZoneInfo ZoneInfoNotFoundError",
}


def _available(entry: str) -> bool:
    _, _, version = entry.partition("@")
    return not version or sys.version_info >= tuple(map(int, version.split(".")))


PURE: dict[str, frozenset[str]] = {
    module: frozenset(entry.partition("@")[0] for entry in members.split() if _available(entry))
    for module, members in _TABLE.items()
}
"""Module name to the names workflow code may import from it, on this version of Python."""

NAMES_ONLY = frozenset({"types"})
"""Modules that give out the listed names and not themselves: `import types` is refused."""

_STEP = "move the call into a step"
REFUSED = {
    "os": f"the environment and the files of a machine differ; {_STEP}",
    "array": "write a list, or bytes",
    "gc": "what is collected, and when, is not the same at every replay",
    "inspect": "asyncio.iscoroutine(value) and asyncio.iscoroutinefunction(f) are available",
    "pathlib": f"files of a machine differ; write paths as text, or {_STEP}",
    "pickle": "it runs code from data; use json or a dataclass",
    "requests": f"a workflow is replayed from its log and cannot reach the network; {_STEP}",
    "secrets": "it is different on every replay; use uuid.uuid4(), or draw it in a step",
    "socket": f"a workflow is replayed from its log and cannot reach the network; {_STEP}",
    "subprocess": f"a workflow is replayed from its log and cannot run programs; {_STEP}",
    "sys": "it is the interpreter that happens to run the workflow",
    "threading": "a workflow has no threads; use asyncio tasks, or a `def` step",
    "warnings": "the application configures them; use logging",
    "weakref": "what is collected, and when, is not the same at every replay; use a dict",
    "traceback": "it reads frames; log with exc_info=True instead",
    "types": "write `from types import SimpleNamespace`, or whatever it is; other names there make "
    "functions and classes behind the policy's back",
}
"""What to do instead of importing these."""

_NAMES = "the names follow the language of the process; write them out"
ADVICE = {
    "calendar": {
        **dict.fromkeys(("day_abbr", "day_name", "month_abbr", "month_name"), _NAMES),
        "monthcalendar": "use calendar.Calendar().monthdayscalendar(year, month)",
    },
    "dataclasses": {"make_dataclass": "write a class statement"},
    "decimal": {
        "getcontext": "write `with localcontext() as context:`",
        "setcontext": "write `with localcontext() as context:`",
    },
    "fnmatch": {"fnmatch": "use fnmatchcase", "filter": "use fnmatchcase in a comprehension"},
    "string": {"Formatter": "use str.format or an f-string"},
    "logging": {
        "Formatter": "logging is configured by the application",
        "basicConfig": "logging is configured by the application",
    },
    "typing": {
        "get_type_hints": "it evaluates text; use the types themselves",
    },
    "uuid": {"getnode": "it is the address of one machine"},
}
"""Help for members people look for and do not find."""
