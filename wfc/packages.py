"""What `[tool.workflow] packages` names: packages of others that are compiled with a project."""

from __future__ import annotations

import sys
from difflib import get_close_matches

from wfc.project import Project, ProjectError
from workflow.installed import Installed, find_installed

__all__ = ["find_package"]


def find_package(project: Project, name: str) -> Installed:
    """The installed package or module of an import name. Raises `ProjectError`, which says what
    the name stands for instead."""
    why = f"[tool.workflow] packages: {name!r}"
    first = name.partition(".")[0]
    if first == "workflow":
        raise ProjectError(f"{why} is the runtime itself; remove it")
    if first in sys.stdlib_module_names:
        raise ProjectError(f"{why} is Python's own; remove it")
    if name in project.passthrough:
        raise ProjectError(
            f"{why} is under passthrough as well. What is compiled is checked, and what passes "
            "through is not: decide for one"
        )
    if project.locate(name) or project.is_folder(name):
        raise ProjectError(
            f"{why} is a module of the project, where its workflows and steps are found anyway: "
            "remove it"
        )
    if all(part.isidentifier() for part in name.split(".")):
        found = find_installed(name)
        if found is not None:
            return found
    raise ProjectError(f"{why} {_not_importable(name)}")


def _not_importable(name: str) -> str:
    from importlib import metadata

    known = metadata.packages_distributions()
    wanted = _normal(name)
    of_it = sorted(i for i, names in known.items() if wanted in map(_normal, names))
    # An editable installation lists the module that finds it.
    imports = [i for i in of_it if i.isidentifier() and not i.startswith("_")]
    if of_it:
        such = f": packages = [{', '.join(map(repr, imports))}]" if imports else ""
        return f"is what is installed; name what is imported from it{such}"
    close = get_close_matches(name, known, 1)
    meant = f"Did you mean {close[0]!r}? If not, install" if close else "Install"
    return (
        f"cannot be found as Python source by {sys.executable}. {meant} it into the environment "
        "that builds, or correct the name: it is the one that is imported"
    )


def _normal(name: str) -> str:
    """The name of a distribution as package indexes compare it."""
    return name.lower().replace("_", "-").replace(".", "-")
