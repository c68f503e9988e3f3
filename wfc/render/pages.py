"""The page of a rule, as text for `wfc explain` and as Markdown for docs/errors.

Pages of the runtime's errors come from `wfc.runtime_errors`; both are listed in one index.
"""

from __future__ import annotations

from collections.abc import Mapping

from wfc import runtime_errors
from wfc.diagnostics import Rule, Severity

__all__ = ["markdown", "markdown_pages", "page"]

_COMMAND = "wfc explain --write docs/errors"
_REPLAY = """\
Replay: a run outlives its process. When it goes on, after a crash, a deploy or a long sleep, the
body of the workflow runs again from the start, and every step that is done gives its recorded
result at once. So the body has to do the same each time; what may differ belongs into steps."""
_EFFECT = {
    Severity.ERROR: "Error: nothing is built until it is mended.",
    Severity.WARNING: "Warning: the build goes on.",
    Severity.INFO: "Hint: the build goes on.",
}


def page(rule: Rule) -> str:
    """The page as text, ending with a newline."""
    parts = [
        f"{rule.code}  {rule.name} ({rule.severity.value})",
        rule.page.strip(),
        "Instead of\n\n" + _indented(_example(rule.bad)),
        "write\n\n" + _indented(_example(rule.good)),
        *_replay(rule),
        _silence(rule),
    ]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def markdown(rule: Rule) -> str:
    """The page as Markdown, ending with a newline."""
    parts = [
        f"# {rule.code}: {rule.name}",
        f"*{_EFFECT[rule.severity]}*",
        rule.page.strip(),
        "Instead of",
        f"```python\n{_example(rule.bad)}```",
        "write",
        f"```python\n{_example(rule.good)}```",
        *_replay(rule),
        _silence(rule),
        "[All findings](README.md)",
    ]
    return "\n\n".join(parts) + "\n"


def markdown_pages(rules: Mapping[str, Rule]) -> Mapping[str, str]:
    """Every file of docs/errors, by name: a page for each rule and each error, and the index."""
    pages = {f"{code}.md": markdown(rule) for code, rule in rules.items()}
    for code, trouble in runtime_errors.troubles().items():
        pages[f"{code}.md"] = runtime_errors.markdown(trouble)
    return pages | {"README.md": _index(rules)}


def _index(rules: Mapping[str, Rule]) -> str:
    rows = [
        f"| [{rule.code}]({rule.code}.md) | {rule.name} | {rule.severity.value} | {_title(rule)} |"
        for rule in rules.values()
    ]
    raised = [
        f"| [{one.code}]({one.code}.md) | {f'`{one.raised}`' if one.raised else ''} | {one.title} |"
        for one in runtime_errors.troubles().values()
    ]
    head = [
        "# Findings and errors",
        "A page for each code that `wfc build` or the runtime can show. They are made with "
        f"`{_COMMAND}`; `wfc explain CODE` prints one.",
        "## What `wfc build` finds",
        "How findings are printed, mended and silenced: [../findings.md](../findings.md).",
        "\n".join(["| code | name | severity | what it is |", "|---|---|---|---|", *rows]),
        "## What the runtime raises",
        "Every class is in `workflow.errors` and has its code as `code`. The same codes are the "
        "`error_code` of failed runs, and the reasons of parked ones. The last rows are situations "
        "with a name of their own.",
        "\n".join(["| code | class | what it is |", "|---|---|---|", *raised]),
        runtime_errors.absent(),
    ]
    return "\n\n".join(head) + "\n"


def _title(rule: Rule) -> str:
    first, *_ = rule.page.strip().split("\n\n")
    return " ".join(first.split()).replace("|", "\\|")


def _replay(rule: Rule) -> list[str]:
    """What the word means, for those who meet it on this page for the first time."""
    return [_REPLAY] if "replay" in rule.page else []


def _silence(rule: Rule) -> str:
    if not rule.silenceable:
        return "It cannot be silenced: nothing could be built or run from such code."
    return (
        f"Silence it where it does no harm with `# wfc: ignore[{rule.code}] reason` beside the "
        "statement."
    )


def _example(example: str | Mapping[str, str]) -> str:
    if isinstance(example, str):
        return example.strip("\n") + "\n"
    return "\n".join(f"# {path}\n{text.strip(chr(10))}\n" for path, text in example.items())


def _indented(text: str) -> str:
    return "".join(f"    {line}".rstrip() + "\n" for line in text.rstrip("\n").split("\n"))
