"""`wfc transform FILE`: what one file becomes, without writing anything."""

from __future__ import annotations

from pathlib import Path

import click

from wfc.compiler import load_program
from wfc.emit.cache import TextCache
from wfc.model import Kind, Module, Program
from wfc.project import ProjectError, load_project
from wfc.transform.step import registrations
from wfc.transform.texts import client_text, workflow_text

__all__ = ["transform"]


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--mode",
    type=click.Choice(["workflow", "step", "client"]),
    default="workflow",
    show_default=True,
    help="Which of the three texts to print.",
)
@click.option("--root", default=".", show_default=True, help="The folder of the project.")
def transform(file: Path, mode: str, root: str) -> None:
    """Print what FILE is compiled to. Findings are for `wfc build`; here they do not matter."""
    try:
        project = load_project(Path(root))
        path = project.path_of(file)
        if path is None:
            raise ProjectError(f"{file} is not in the project {root}")
        program = load_program(project)
        click.echo(_text(program, path, mode), nl=False)
    except ProjectError as error:
        click.echo(f"wfc transform: {error}", err=True)
        raise SystemExit(2) from None


def _text(program: Program, path: str, mode: str) -> str:
    module = next((m for m in program.modules.values() if m.path == path), None)
    marked = [m for m in program.marked if m.module is module]
    if module is None or module.error is not None:
        raise ProjectError(f"{path} has no directives, and no workflow reaches it")
    match mode:
        case "step":
            return "".join(f"{line}\n" for line in registrations(marked))
        case "client":
            return _client(program, module)
        case _:
            if module.name not in program.reach.keep:
                raise ProjectError(f"no workflow reaches {path}, so nothing of it is bundled")
            return workflow_text(program, module, TextCache(None))[0]


def _client(program: Program, module: Module) -> str:
    if not any(m.module is module for m in program.of(Kind.WORKFLOW)):
        raise ProjectError(f"{module.path} has no workflows, so there is nothing to start")
    return client_text(program, module, TextCache(None))
