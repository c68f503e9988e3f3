"""Diagnostics as SARIF 2.1.0, the format that code scanning of GitHub, GitLab and Azure reads.

Columns count characters, which SARIF calls unicodeCodePoints.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from wfc import __version__
from wfc.diagnostics import Diagnostic, Edit, Note, Rule, Severity, Silenced, Span

__all__ = ["render_all"]

_LEVEL = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_Json = dict[str, Any]


def render_all(
    diagnostics: Iterable[Diagnostic],
    *,
    rules: Mapping[str, Rule],
    silenced: Iterable[Silenced] = (),
    error: str | None = None,
    prefix: str = "",
) -> str:
    """The log, with a newline at the end.

    `rules` are all there are, by code. Silenced findings are results with a suppression. `error`
    says why there was nothing to look at, as when a setting is wrong. `prefix` is put before each
    path, as `app/`: code scanning looks for files from the root of the repository.
    """
    order = {code: index for index, code in enumerate(rules)}
    seen: Counter[str] = Counter()
    results = [_result(_moved(d, prefix), order, seen) for d in diagnostics]
    for one in silenced:
        suppression = {"kind": "inSource", "justification": one.reason}
        result = _result(_moved(one.diagnostic, prefix), order, seen)
        results.append(result | {"suppressions": [suppression]})
    invocation: _Json = {"executionSuccessful": error is None}
    if error is not None:
        message = {"level": "error", "message": {"text": error}}
        invocation["toolConfigurationNotifications"] = [message]
    driver = {
        "name": "wfc",
        "semanticVersion": __version__,
        "rules": [_rule(rule) for rule in rules.values()],
    }
    run = {
        "tool": {"driver": driver},
        "invocations": [invocation],
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _moved(d: Diagnostic, prefix: str) -> Diagnostic:
    notes = tuple(replace(note, path=prefix + note.path) for note in d.notes)
    return replace(d, path=prefix + d.path, notes=notes)


def _rule(rule: Rule) -> _Json:
    first, *_ = rule.page.strip().split("\n\n")
    return {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": " ".join(first.split())},
        "fullDescription": {"text": rule.page.strip()},
        "help": {"text": f"{rule.page.strip()}\n\nMore with `wfc explain {rule.code}`."},
        "defaultConfiguration": {"level": _LEVEL[rule.severity]},
    }


def _result(d: Diagnostic, order: Mapping[str, int], seen: Counter[str]) -> _Json:
    result: _Json = {
        "ruleId": d.code,
        "ruleIndex": order[d.code],
        "level": _LEVEL[d.severity],
        "message": {"text": f"{d.message}\n{d.fix}"},
        "locations": [{"physicalLocation": _place(d.path, d.span, d.source_line)}],
        "partialFingerprints": {"finding/v1": _fingerprint(d, seen)},
    }
    if d.notes:
        result["relatedLocations"] = [_related(i, note) for i, note in enumerate(d.notes, 1)]
    if d.edits:
        result["fixes"] = [_fix(d)]
    return result


def _related(number: int, note: Note) -> _Json:
    place = _place(note.path, note.span, note.source_line) if note.span else _line(note)
    return {"id": number, "message": {"text": note.text}, "physicalLocation": place}


def _line(note: Note) -> _Json:
    return {"artifactLocation": _file(note.path), "region": {"startLine": note.line}}


def _place(path: str, span: Span, source_line: str) -> _Json:
    place: _Json = {"artifactLocation": _file(path), "region": _region(span)}
    if span.line == span.end_line:  # a context has to have all of the region in it
        place["contextRegion"] = {"startLine": span.line, "snippet": {"text": source_line}}
    return place


def _fix(d: Diagnostic) -> _Json:
    changes = [_replacement(edit) for edit in d.edits]
    return {
        "description": {"text": d.fix},
        "artifactChanges": [{"artifactLocation": _file(d.path), "replacements": changes}],
    }


def _replacement(edit: Edit) -> _Json:
    return {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.text}}


def _region(span: Span) -> _Json:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def _file(path: str) -> _Json:
    return {"uri": quote(path), "uriBaseId": "%SRCROOT%"}


def _fingerprint(d: Diagnostic, seen: Counter[str]) -> str:
    """The same for the same finding when lines above it come and go."""
    text = "\0".join([d.code, d.path, d.source_line.strip(), d.message])
    seen[text] += 1
    whole = f"{text}\0{seen[text]}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(whole).hexdigest()[:32]
