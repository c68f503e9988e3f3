"""HTTP requests and responses as plain values.

They hold whole bodies and touch nothing outside themselves, so they can be recorded, passed to
steps and used in workflow bodies. The methods are coroutines because the same names are awaited
on the request objects of every Python web framework. Starlette is imported only by the adapters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from string import punctuation
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Generic,
    Protocol,
    TypeAlias,
    TypeVar,
    overload,
)
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit

from workflow.errors import ContextError, WebhookError

if TYPE_CHECKING:
    from starlette.requests import Request as StarletteRequest
    from starlette.responses import Response as StarletteResponse

__all__ = ["FormData", "FormFile", "Headers", "Request", "Response", "URLSearchParams", "responder"]

V = TypeVar("V")
Pairs: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]
QueryPairs: TypeAlias = Mapping[str, Any] | Iterable[tuple[str, Any]]

_HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_PARAMETER = re.compile(r';\s*([\w-]+\*?)\s*=\s*("(?:\\.|[^"\\])*"|[^;]*)')
_MAX_FORM_FIELDS = 1000


class _MultiDict(Generic[V]):
    """Ordered pairs of name and value in which a name may occur many times. Immutable."""

    __slots__ = ("pairs",)
    pairs: tuple[tuple[str, V], ...]

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable; make a new one")

    def _key(self, name: str) -> str:
        return name

    def _set(self, pairs: Iterable[tuple[str, V]]) -> None:
        object.__setattr__(self, "pairs", tuple(pairs))

    @overload
    def get(self, name: str) -> V | None: ...
    @overload
    def get(self, name: str, default: V) -> V: ...
    def get(self, name: str, default: V | None = None) -> V | None:
        """The first value of `name`, or `default`."""
        key = self._key(name)
        return next((value for each, value in self.pairs if each == key), default)

    def get_all(self, name: str) -> list[V]:
        """All values of `name` in order; empty when there is none."""
        key = self._key(name)
        return [value for each, value in self.pairs if each == key]

    def keys(self) -> list[str]:
        """The different names, in order of first occurrence."""
        return list(dict(self.pairs))

    def items(self) -> list[tuple[str, V]]:
        """All pairs in order, repeated names included."""
        return list(self.pairs)

    def __getitem__(self, name: str) -> V:
        for value in self.get_all(name):
            return value
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(self.get_all(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self.pairs)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.pairs == self.pairs

    def __hash__(self) -> int:
        return hash((type(self).__name__, self.pairs))

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.pairs,))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self.pairs)!r})"


class Headers(_MultiDict[str]):
    """HTTP headers: names compare without regard to case and are kept in lower case.

    Takes a mapping or pairs. Raises ValueError for names and values that HTTP does not allow.
    """

    __slots__ = ()

    def __init__(self, headers: Pairs | None = None) -> None:
        self._set((_header_name(name), _header_value(value)) for name, value in _pairs(headers))

    def _key(self, name: str) -> str:
        return name.lower()


class URLSearchParams(_MultiDict[str]):
    """The query of a URL. Takes a text such as `"a=1&b=2"`, a mapping or pairs.

    A list as a value is the name several times; True and False are `true` and `false`, None is "".
    """

    __slots__ = ()

    def __init__(self, query: str | QueryPairs | None = None) -> None:
        if isinstance(query, str):
            self._set(parse_qsl(query.removeprefix("?"), keep_blank_values=True))
        else:
            self._set(
                (str(name), _query_text(value))
                for name, given in _pairs(query)
                for value in _several(given)
            )

    def __str__(self) -> str:
        return "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in self.pairs)


@dataclass(frozen=True)
class FormFile:
    """An uploaded file of a form."""

    filename: str
    content_type: str
    content: bytes = field(repr=False)


class FormData(_MultiDict[str | FormFile]):
    """The fields of a submitted form, in order; a name may occur many times."""

    __slots__ = ()

    def __init__(self, fields: Iterable[tuple[str, str | FormFile]] = ()) -> None:
        self._set(fields)


@dataclass(frozen=True, init=False)
class Request:
    """An HTTP request. `content` is the whole body; `reply_to` is internal to webhooks."""

    method: str
    url: str
    headers: Headers
    content: bytes = field(repr=False)
    reply_to: str | None = field(default=None, repr=False)

    def __init__(
        self,
        method: str = "GET",
        url: str = "/",
        headers: Headers | Pairs | None = None,
        body: bytes | str = b"",
        *,
        reply_to: str | None = None,
    ) -> None:
        if not isinstance(method, str):
            raise TypeError(f"a method is text such as 'GET', not {type(method).__name__}")
        set_ = object.__setattr__
        set_(self, "method", method.upper())
        set_(self, "url", str(url))
        set_(self, "headers", headers if isinstance(headers, Headers) else Headers(headers))
        set_(self, "content", _body(body))
        set_(self, "reply_to", reply_to)

    @property
    def path(self) -> str:
        """The path of the URL as it was sent, `/` if empty."""
        return urlsplit(self.url).path or "/"

    @property
    def query_params(self) -> URLSearchParams:
        """The query of the URL."""
        return URLSearchParams(urlsplit(self.url).query)

    async def body(self) -> bytes:
        """The body as bytes."""
        return self.content

    async def text(self) -> str:
        """The body as text, in the charset of its content type (default UTF-8)."""
        return _text(self.content, self.headers)

    async def json(self) -> Any:
        """The body read as JSON. Raises ValueError when it is not JSON."""
        return json.loads(self.content)

    async def form(self) -> FormData:
        """The fields of a URL-encoded or multipart body. Raises ValueError for other bodies."""
        kind, options = _content_type(self.headers)
        if kind == "application/x-www-form-urlencoded":
            text = _text(self.content, self.headers)
            return FormData(
                parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FORM_FIELDS)
            )
        if kind == "multipart/form-data":
            return FormData(_multipart(self.content, options.get("boundary", "")))
        raise ValueError(
            f"a body of type {kind!r} is not a form"
            if kind
            else "a body whose headers have no content-type cannot be read as a form"
        )

    async def respond_with(self, response: Response) -> None:
        """Answer the caller of a webhook that was created with `respond_with="manual"`.

        Raises WebhookError for any other request, ContextError where no run is executing, TypeError
        for anything but a `Response`.
        """
        if not isinstance(response, Response):
            raise TypeError(
                f"respond_with() takes a Response of workflow, not {type(response).__name__}. "
                "Response(text, status) and Response.json(value) make one"
            )
        if self.reply_to is None:
            raise WebhookError(
                "this request cannot be answered: its webhook was not created with "
                'respond_with="manual"'
            )
        if responder is None:
            raise ContextError("respond_with() works in workflow bodies and in steps only")
        await responder(self, response)

    @classmethod
    async def from_starlette(cls, request: StarletteRequest) -> Request:
        """Take over a Starlette or FastAPI request, reading its whole body."""
        raw = [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw
        ]
        url = quote(str(request.url), safe=punctuation)  # Starlette shows it as people read it
        return cls(request.method, url, raw, await request.body())


class _Maker(Protocol):
    """`Response.json` of the class."""

    def __call__(
        self, value: Any, status: int = 200, headers: Headers | Pairs | None = None
    ) -> Response: ...


class _Json:
    """`Response.json(value)` makes a response; `await response.json()` reads one."""

    @overload
    def __get__(self, response: None, owner: type[Response]) -> _Maker: ...
    @overload
    def __get__(
        self, response: Response, owner: type[Response]
    ) -> Callable[[], Coroutine[Any, Any, Any]]: ...
    def __get__(self, response: Response | None, owner: type[Response]) -> Callable[..., Any]:
        if response is None:
            return owner._from_json
        return response._read_json


@dataclass(frozen=True, init=False)
class Response:
    """An HTTP response. `content` is the whole body.

    `body` may be text, which is sent as UTF-8; `media_type` fills in the content type if `headers`
    has none. `Response.json(value, status=200, headers=None)` makes a JSON response, while
    `await response.json()` reads the body of one.
    """

    status: int
    headers: Headers
    content: bytes = field(repr=False)

    json: ClassVar[_Json] = _Json()

    def __init__(
        self,
        body: bytes | str = b"",
        status: int = 200,
        headers: Headers | Pairs | None = None,
        media_type: str | None = None,
    ) -> None:
        if type(status) is not int or not 100 <= status <= 599:
            raise ValueError(f"{status!r} is not an HTTP status; use a number from 100 to 599")
        given = headers if isinstance(headers, Headers) else Headers(headers)
        if media_type is None and isinstance(body, str):
            media_type = "text/plain; charset=utf-8"
        if media_type is not None and "content-type" not in given:
            given = Headers([*given.pairs, ("content-type", media_type)])
        object.__setattr__(self, "status", status)
        object.__setattr__(self, "headers", given)
        object.__setattr__(self, "content", _body(body))

    @property
    def ok(self) -> bool:
        """Whether the status is from 200 to 299."""
        return 200 <= self.status <= 299

    async def body(self) -> bytes:
        """The body as bytes."""
        return self.content

    async def text(self) -> str:
        """The body as text, in the charset of its content type (default UTF-8)."""
        return _text(self.content, self.headers)

    async def _read_json(self) -> Any:
        return json.loads(self.content)

    @classmethod
    def _from_json(
        cls, value: Any, status: int = 200, headers: Headers | Pairs | None = None
    ) -> Response:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return cls(text, status, headers, media_type="application/json")

    def to_starlette(self) -> StarletteResponse:
        """The same response for Starlette and FastAPI."""
        from starlette.responses import Response as StarletteResponse

        answer = StarletteResponse(self.content, self.status)
        answer.raw_headers = [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in self.headers.pairs
            if name not in ("content-length", "transfer-encoding")  # the server sets these
        ] + answer.raw_headers
        return answer


responder: Callable[[Request, Response], Awaitable[None]] | None = None
"""How a webhook request is answered; set by whoever executes runs."""


# -- reading -------------------------------------------------------------------------------


def _pairs(given: Any) -> Iterable[tuple[str, Any]]:
    if given is None:
        return ()
    if isinstance(given, _MultiDict):
        return given.pairs
    if isinstance(given, Mapping):
        return given.items()
    return _listed(given)


def _listed(given: Any) -> list[tuple[str, str]]:
    pairs = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else [given]
    if not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs):
        raise TypeError(
            f"headers and parameters are a dict or pairs of name and value, not {given!r:.80}"
        )
    return pairs


def _header_name(name: str) -> str:
    if not isinstance(name, str):
        raise TypeError(f"the name of a header is text, not {name!r}")
    if not _HEADER_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a header name")
    return name.lower()


def _header_value(value: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"the value of a header is text, not {value!r}")
    value = value.strip(" \t")
    if any(c in value for c in "\r\n\0") or (value and max(value) > "\xff"):
        raise ValueError(f"{value!r} is not a header value: no line breaks, Latin-1 only")
    return value


def methods_of(given: str | Sequence[str]) -> list[str]:
    """The HTTP methods in what an author gave as `method=`, in upper case, each once.

    Raises TypeError for anything but text and lists of text, ValueError for what is no method and
    for `*`, which no request has.
    """
    listed: Any = [given] if isinstance(given, str) else given
    if not isinstance(listed, Sequence) or not all(isinstance(one, str) for one in listed):
        raise TypeError(f"method= is a method such as 'POST', or a list of them, not {given!r:.80}")
    if not listed or not all(_HEADER_NAME.fullmatch(one) for one in listed):
        raise ValueError(f"method= names HTTP methods such as 'POST', at least one, not {given!r}")
    if "*" in listed:
        raise ValueError("method= names HTTP methods; leave it out to take requests of any method")
    return list(dict.fromkeys(one.upper() for one in listed))


def _several(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list | tuple) else (value,)


def _query_text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _quoted(text: str) -> str:
    return quote_plus(text, safe="*").replace("~", "%7E")  # as browsers do


def _body(body: object) -> bytes:
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body)
    raise TypeError(f"a body is bytes or text, not {type(body).__name__}")


def _parameters(header: str) -> tuple[str, dict[str, str]]:
    """A header's value and its parameters, names in lower case."""
    value, _, rest = header.partition(";")
    found = {}
    for name, text in _PARAMETER.findall(";" + rest):
        quoted = len(text) > 1 and text[0] == text[-1] == '"'
        found[name.lower()] = re.sub(r"\\(.)", r"\1", text[1:-1]) if quoted else text.strip()
    return value.strip().lower(), found


def _content_type(headers: Headers) -> tuple[str, dict[str, str]]:
    return _parameters(headers.get("content-type", ""))


def _text(content: bytes, headers: Headers) -> str:
    charset = _content_type(headers)[1].get("charset", "utf-8")
    try:
        return content.decode(charset, "replace")
    except (LookupError, ValueError):  # a charset nobody knows
        return content.decode("utf-8", "replace")


def _multipart(content: bytes, boundary: str) -> Iterator[tuple[str, str | FormFile]]:
    """The fields of a multipart body. Raises ValueError when it is not well formed."""
    mark = b"--" + boundary.encode("latin-1")
    parts = (b"\r\n" + content).split(b"\r\n" + mark)
    if not boundary or len(parts) < 2 or not parts[-1].startswith(b"--"):
        raise ValueError("the multipart body does not match its boundary or was cut off")
    if len(parts) - 2 > _MAX_FORM_FIELDS:
        raise ValueError(f"the form has more than {_MAX_FORM_FIELDS} fields")
    for part in parts[1:-1]:
        head, separator, data = part.lstrip(b" \t").partition(b"\r\n\r\n")
        lines = [line.partition(":") for line in head.decode("utf-8", "replace").split("\r\n")]
        fields = {name.strip().lower(): value.strip() for name, _, value in lines}
        options = _parameters(fields.get("content-disposition", ""))[1]
        if not separator or "name" not in options:
            raise ValueError("a part of the multipart body has no name")
        kind, kind_options = _parameters(fields.get("content-type", "text/plain"))
        if "filename" in options:
            yield options["name"], FormFile(options["filename"], kind, data)
        else:
            try:
                text = data.decode(kind_options.get("charset", "utf-8"), "replace")
            except (LookupError, ValueError):
                text = data.decode("utf-8", "replace")
            yield options["name"], text
