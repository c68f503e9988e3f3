"""Names of workflows and steps as people read them, and which texts may be names at all."""

from __future__ import annotations

from collections.abc import Collection

from workflow.errors import WorkflowNotRegisteredError

__all__ = ["full_id", "is_storable", "short_name"]


def short_name(identifier: str) -> str:
    """The name in an id, without kind and file, as the code spells it.

    `step//shop.py//Cart#add` is `Cart.add`, `step//shop.py//pay/check` (a step inside of `pay`) is
    `pay/check`. What is no id comes back as it is.
    """
    if not identifier.startswith(("step//", "workflow//", "class//")):
        return identifier
    return identifier.rpartition("//")[2].replace("#", ".")


def is_storable(text: str) -> bool:
    """Whether every world can store a text: databases take neither U+0000 nor lone surrogates."""
    if "\0" in text:
        return False
    return text.isascii() or not any("\ud800" <= c <= "\udfff" for c in text)


def full_id(workflow: str, known: Collection[str], steps: Collection[str] = ()) -> str:
    """The workflow id among `known` that `workflow` is, or whose name it is.

    Raises WorkflowNotRegisteredError, which lists the ids when a name is ambiguous or unknown, and
    says so when it is that of one of the `steps`.
    """
    if workflow in known:
        return workflow
    matches = sorted(i for i in known if i.rpartition("//")[2] == workflow)
    if len(matches) == 1:
        return matches[0]
    if not matches and any(workflow in (step, short_name(step)) for step in steps):
        raise WorkflowNotRegisteredError(
            f"{short_name(workflow)!r} is a step; only workflows are started. Write a workflow "
            "that awaits it, or call it directly as an ordinary function"
        )
    from difflib import get_close_matches  # nobody needs it before something is misspelt

    listed = "\n  ".join(matches or sorted(known) or ["(none)"])
    problem = "is ambiguous; give the full id" if matches else "is not known; there are"
    names = {} if matches else {i: i for i in known} | {i.rpartition("//")[2]: i for i in known}
    near = get_close_matches(workflow, names, 1)
    hint = f"\nDid you mean {near[0]}?" if near else ""
    raise WorkflowNotRegisteredError(f"workflow {workflow!r} {problem}:\n  {listed}{hint}")
