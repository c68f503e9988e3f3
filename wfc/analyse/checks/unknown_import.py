"""Workflow code uses a package that the compiler knows nothing about, or cannot find.

The code of a workflow runs again from its first line whenever a run goes on, and has to come to the
same result. Your own modules the compiler reads, and of Python's it knows which are fine. About
other packages it knows nothing: they may look at the clock, a file or the network.

There are three cases:

* It is a module of yours that was not found. Check the name, and where the file is.
* It is a package that is not installed. Install it into the environment that builds.
* It is a package nobody has looked at. Call it in a function marked `"use step"` and await that:
  steps may use everything.

A package that marks workflows or steps of its own, for others to use, is compiled with your project
when it is listed under `[tool.workflow] packages`. Then its files are checked like yours.

If you have read a package and it does no more than compute, you can let it in: list it under
`[tool.workflow] passthrough` in `pyproject.toml`. It needs an `__all__`, and must not read or
write anything, nor keep state between calls. Web frameworks, clients of services and packages that
retry are never of this kind.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.checks.use_notes import also_notes, notes_for
from wfc.analyse.externals import Refused, refused
from wfc.analyse.installed import RETRIES, WEB, holds_directives, is_installed, names_its_exports
from wfc.analyse.modules import suggest
from wfc.analyse.relative import above, outside_package
from wfc.diagnostics import Diagnostic, Note, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF702",
    name="unknown-import",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
import phonenumbers


async def sign_up(phone: str) -> bool:
    "use workflow"
    return phonenumbers.is_valid_number(phonenumbers.parse(phone))
""",
    good="""\
import phonenumbers


async def is_valid(phone: str) -> bool:
    "use step"
    return phonenumbers.is_valid_number(phonenumbers.parse(phone))


async def sign_up(phone: str) -> bool:
    "use workflow"
    return await is_valid(phone)
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each file and unknown package that workflow code uses."""
    for use in refused(program, RULE.code):
        if use.refusal.thing == "workflow":
            yield _ours(program, use)
            continue
        what, instead = _absent(program, use) or _package(use)
        yield RULE.at(use.first.module, use.first.node, what, instead, _notes(program, use))


def _absent(program: Program, use: Refused) -> tuple[str, str] | None:
    """For a module of the project that is not there, and for a package that is not installed."""
    module, package = use.first.target.module, use.refusal.thing
    match use.first.imported:
        case ast.ImportFrom(level=level) as imported if level:
            name = use.first.module.name
            outside = outside_package(use.first.module, imported)
            if program.package and outside:
                return f"There is no module {module} here.", above(program.package)
            return (
                " ".join(filter(None, (f"There is no module {module} in this project.", outside))),
                f"Correct the name or the dots: they count from {name}.",
            )
    if package == program.package:
        return f"There is no module {module} here.", above(package)
    ours = {name for name in program.modules if name.partition(".")[0] == package}
    if ours:
        close = suggest(module, ours)
        return (
            f"There is no module {module} in this project.",
            f"Did you mean {close}?" if close else "Correct the name, or write the module.",
        )
    if is_installed(package):
        return None
    close = suggest(package, program.modules)
    meant = f"Did you mean {close}? If not" if close else "If the name is right"
    return (
        f"{package} is not installed in this environment, so the compiler can find out nothing "
        "about it.",
        f"{meant}, run `pip install {package}`. Then call it in a function marked "
        '"use step" and await that here.',
    )


def _package(use: Refused) -> tuple[str, str]:
    """For a package that is there."""
    target, package = use.first.target, use.refusal.thing
    if target.member == "HTTPException":
        return (
            "An HTTPException means nothing in a workflow: nobody waits for its HTTP answer.",
            "Raise an error of your own, and turn it into a response where you read "
            "`run.return_value`.",
        )
    if package not in WEB and holds_directives(package):
        return (
            f"The installed package {package} marks workflows or steps, and they are not compiled "
            "with this project.",
            f'Add it to pyproject.toml: [tool.workflow] packages = ["{package}"].',
        )
    if package in WEB:
        return (
            f"{package} answers requests, and nobody waits for an answer of a workflow: it may go "
            "on days later, on another machine.",
            "Use it in the function that answers the request: that one calls `start()`, and passes "
            "what the workflow needs as arguments.",
        )
    if package in RETRIES:
        return (
            f"{package} calls a function again when it fails, and looks at the clock for that. A "
            "replay would not come to the same.",
            "Leave it out: steps are retried by themselves, three times unless "
            "`@step_options(max_retries=…)` says otherwise.",
        )
    instead = use.refusal.instead
    if names_its_exports(target.module):
        instead += (
            "\nIf it only computes, add it to pyproject.toml: "
            f'[tool.workflow] passthrough = ["{package}"].'
        )
    return (
        f"The compiler knows nothing about {target.module}. Workflow code runs again "
        "from the start whenever its run goes on, and this package may not do the same then.",
        instead,
    )


def _ours(program: Program, use: Refused) -> Diagnostic:
    return RULE.at(
        use.first.module,
        use.first.node,
        f"{use.first.target} is for applications: it talks to the database, and a replay would do "
        "that again. Workflow code imports from `workflow` itself, and of workflow.api only start, "
        "with_options and Run.",
        'Call it in a function marked "use step" and await that here.',
        _notes(program, use),
    )


def _notes(program: Program, use: Refused) -> list[Note]:
    return [*notes_for(program, use.first), *also_notes(use.others)]
