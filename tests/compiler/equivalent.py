"""Mutants that no test can kill, with the reason: what they change makes no difference."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["EQUIVALENT", "EVERYWHERE"]

_TYPES = "a test for the type checker: what it lets out does not come here"
_SPEED = "only saves work: without it the same is found"
_KEPT = "an answer that is kept is worked out again"

EVERYWHERE: Mapping[str, str] = {
    r".*: found is None → True": _KEPT,
    r".*: name in program\.modules → True": "names of the project are of its modules",
    r"check: function is None \(in .*\) → False": _TYPES,
    r".*\bwithout rest=\[\] in (ProjectName|External)\(.*": "members of these have no such members",
}
"""Regular expressions for whole labels of mutants of any file, and why nothing changes."""

EQUIVALENT: Mapping[str, Mapping[str, str]] = {
    "banned_uses": {
        r"banned_builtins: name is None \(in .*\) → False": _TYPES,
        r"banned_builtins: (all\(.*\) → False|without return|ban\.code != .* → .*)": _SPEED,
        r"sort_keys: builtins → True": _SPEED,
        r"_method_uses: owner is None \(in .*\) → False": _TYPES,
        r"_method_uses: node\.attr in _NAMES \(in .*\) → True": _SPEED,
    },
    "closure_capture": {
        r"check: without continue": "nothing more is known about `__class__`",
        r"_definitions: without return \[\]": "a captured variable is bound somewhere",
        r"_binding: isinstance\(part, ast\.stmt\) → True": "a handler leads to its own body",
        r"_binding: ast\.FunctionDef \| .* → ast\.FunctionDef.*": "rare: a name inside of its own",
    },
    "directive_target": {r"special: function is not None → True": _TYPES},
    "dropped_statement": {r"check: isinstance\(node, ast\.stmt\) \(in .*\) → True": _TYPES},
    "exception_group_subclass": {r"check: isinstance\(target, External\) \(in .*": _TYPES},
    "fallback_import": {
        r"check: absent → True": _SPEED,
        r"_absent: not isinstance\(statement, ast\.Try\) \(in .*": _TYPES,
        r"_refused: not statement\.module \(in .*": _TYPES,
        r"_untested: isinstance\(node\.ctx, ast\.Load\) \(in .*": "then it is a local",
        r"_untested: statement not in steps → True": "names in steps have no meaning here",
    },
    "hook_never_resumed": {r"check: hooks → True": _SPEED},
    "lost_task": {
        r"check: (statement in steps → False|without continue)": "as in a step: no meaning"
    },
    "lru_cache": {r"_returns_coroutine: node\.value is not None \(in .*": _TYPES},
    "mutated_after_call": {
        r"check: parents \(in .*": _SPEED,
        r"_before_it_starts: isinstance\(parent, LOOPS\) → True": "other blocks are followed alike",
        r"_in_call: statement is None \(in .*": _TYPES,
        r"_block_of: without return \[statement\]": _TYPES,
    },
    "method": {
        r"check: sighting\.place is not Place\.FUNCTION \(in .*": "it marks nothing there",
    },
    "not_in_sandbox": {r"refusals: 0 < line <= .*": "the sandbox names lines that there are"},
    "refused_names": {
        r"uses: own is None → True": _KEPT,
        r"uses: said is not About\.MANGLED → True": "mangled names are found where they are bound",
        r"uses: said is None \(in .*\) → False": "a readable name of their own is found as bound",
        r"_own: name\.startswith\('__'\) → True": _SPEED,
    },
    "secret_argument": {
        r"check: returns is not None \(in .*\) → True": _TYPES,
        r"check: (not any\(.*\) → False|without return|any\(.*\) → all\(…\))": _SPEED,
    },
    "start_of_step": {
        r"check: (not _MAY_START\.search\(module\.text\) → False|without continue)": _SPEED,
    },
    "step_mutates_argument": {r"_last_change: isinstance\(node, ast\.stmt\) \(in .*": _TYPES},
    "string_annotation": {
        r"check: (_is_plain\(annotation\) → False|without continue)": _SPEED,
        r"_is_plain: .*( → False|without return .*)": _SPEED,
        r"_is_plain: without return .*": _SPEED,
    },
    "swallowed_cancel": {r"_swallowing: kind is not None \(in .*\) → True": _TYPES},
    "unlisted_member": {r"check: '' \(in .*": _TYPES},
    "unserialisable_return": {r"check: returns is None \(in .*\) → False": _TYPES},
    "unused_ignore": {
        r"check: without return iter\(\(\)\)": "`for` over nothing is not asked for in a build",
    },
    "use_notes": {
        r"notes_for: imported is not reference\.node \(in .*": "an import in a function has none",
        r"_name_in: isinstance\(use, ast\.Name\) \(in .*": _TYPES,
        r"_word: .*": "the way to a use has lines that there are, with the name in them",
    },
}
"""The same for the mutants of one file."""
