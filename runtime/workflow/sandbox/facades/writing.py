"""Members of pure modules that make text of values in C or in their own code, past the guards."""

from __future__ import annotations

import csv
import json
import string
import urllib.parse
from collections.abc import Iterable, Mapping
from typing import Any

from workflow.errors import SandboxError
from workflow.sandbox.texts import EXACT, call_text, maker, repr_text

__all__ = ["DictWriter", "Template", "Writer", "dumps", "urlencode"]


def _field(value: Any) -> Any:
    """What is written for a value: itself, unless its text has an address in it."""
    if type(value) in EXACT:
        return value
    text = call_text(str, value)
    return value if text == str(value) else text


def dumps(obj: Any, **options: Any) -> str:
    """`json.dumps`, with `default=str` as workflow code calls `str`."""
    if "default" in options:
        options["default"] = maker(options["default"])
    return json.dumps(obj, **options)


class Writer:
    """What `csv.writer` gives workflow code."""

    __slots__ = ("__native__",)
    __native__: Any

    def __init__(self, csvfile: Any, /, *args: Any, **options: Any) -> None:
        object.__setattr__(self, "__native__", csv.writer(csvfile, *args, **options))

    def writerow(self, row: Iterable[Any], /) -> Any:
        """Write one row."""
        return self.__native__.writerow([_field(value) for value in row])

    def writerows(self, rows: Iterable[Iterable[Any]], /) -> None:
        """Write several."""
        for row in rows:
            self.writerow(row)

    @property
    def dialect(self) -> Any:
        return self.__native__.dialect

    def __setattr__(self, name: str, value: object) -> None:
        raise SandboxError("attributes of a CSV writer cannot be set in workflow code")

    def __repr__(self) -> str:
        return "<csv.writer>"

    def __reduce_ex__(self, protocol: object) -> Any:
        raise TypeError("a CSV writer cannot be copied")


class DictWriter(csv.DictWriter):  # type: ignore[type-arg]
    """`csv.DictWriter` on such a writer."""

    def __init__(
        self,
        f: Any,
        fieldnames: Any,
        restval: Any = "",
        extrasaction: Any = "raise",
        dialect: Any = "excel",
        *args: Any,
        **options: Any,
    ) -> None:
        super().__init__(f, fieldnames, restval, extrasaction, dialect, *args, **options)
        self.writer: Any = Writer(f, dialect, *args, **options)

    def _dict_to_list(self, rowdict: Any) -> Any:
        # The original names the keys it does not know in the order of a built-in set.
        if self.extrasaction == "raise":
            known = self.fieldnames
            wrong = ", ".join(repr_text(key) for key in rowdict if key not in known)
            if wrong:
                raise ValueError(f"dict contains fields not in fieldnames: {wrong}")
        return (rowdict.get(key, self.restval) for key in self.fieldnames)


class _Told(Mapping[str, Any]):
    def __init__(self, mapping: Any, options: dict[str, Any]) -> None:
        self._mapping, self._options = mapping, options

    def __getitem__(self, key: str) -> Any:
        return _field(self._options[key] if key in self._options else self._mapping[key])

    def __iter__(self) -> Any:
        return iter({**self._mapping, **self._options})

    def __len__(self) -> int:
        return len({**self._mapping, **self._options})


class Template(string.Template):
    """`string.Template` that shows no addresses."""

    def substitute(self, mapping: Any = {}, /, **options: Any) -> str:  # noqa: B006 - only read
        """The text with its placeholders filled. Raises KeyError for one that is not given."""
        return super().substitute(_Told(mapping, options))

    def safe_substitute(self, mapping: Any = {}, /, **options: Any) -> str:  # noqa: B006
        """The text with the placeholders filled that are given."""
        return super().safe_substitute(_Told(mapping, options))


def urlencode(query: Any, doseq: bool = False, *args: Any, **options: Any) -> str:
    """`urllib.parse.urlencode` that shows no addresses."""
    pairs = query.items() if hasattr(query, "items") else query
    if doseq:
        told = [(_field(k), v if type(v) in EXACT else _each(v)) for k, v in pairs]
    else:
        told = [(_field(k), _field(v)) for k, v in pairs]
    return urllib.parse.urlencode(told, doseq, *args, **options)


def _each(value: Any) -> Any:
    try:
        return [_field(item) for item in value]
    except TypeError:
        return _field(value)


for _twin, _module in ((DictWriter, "csv"), (Template, "string")):
    _twin.__module__ = _module
