"""`wfc graph NAME`: what a workflow does, as a picture, as text or as data."""

from __future__ import annotations

import json
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

import click

from wfc.analyse.graph import FlowGraph, flow_graph
from wfc.compiler import load_program
from wfc.model import Kind, Marked
from wfc.project import ProjectError, load_project

__all__ = ["graph"]


@click.command()
@click.argument("name", required=False)
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["mermaid", "svg", "json"]),
    default="mermaid",
    show_default=True,
    help="Text for Mermaid, a picture that needs nothing else, or data.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write, instead of the standard output.",
)
@click.option("--root", default=".", show_default=True, help="The folder of the project.")
def graph(name: str | None, output_format: str, output: Path | None, root: str) -> None:
    """Draw the flow of the workflow NAME: its function's name, or its id.

    Without a name the workflows are listed, unless there is only one. Findings are for `wfc build`;
    here they do not matter.
    """
    try:
        program = load_program(load_project(Path(root)))
        workflow = _chosen(program.of(Kind.WORKFLOW), name)
    except ProjectError as error:
        click.echo(f"wfc graph: {error}", err=True)
        raise SystemExit(2) from None
    text = _rendered(flow_graph(program, workflow), output_format)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        click.echo(f"wfc graph: {output} cannot be written: {error.strerror}", err=True)
        raise SystemExit(2) from None


def _chosen(workflows: tuple[Marked, ...], name: str | None) -> Marked:
    if not workflows:
        raise ProjectError('no workflows found: nothing is marked "use workflow"')
    if name is None:
        if len(workflows) == 1:
            return workflows[0]
        raise ProjectError(f"which workflow?{_listed(workflows)}")
    found = [w for w in workflows if name in (w.id, w.name, w.node.name)]
    exact = [w for w in found if w.id == name]
    match exact or found:
        case [one]:
            return one
        case []:
            raise ProjectError(_unknown(workflows, name))
    raise ProjectError(f"several workflows are called {name}; give the id:{_listed(found)}")


def _unknown(workflows: tuple[Marked, ...], name: str) -> str:
    names = {w.name: None for w in workflows} | {w.id: None for w in workflows}
    near = get_close_matches(name, names, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    return f"there is no workflow {name}.{hint} These are here:{_listed(workflows)}"


def _listed(workflows: Iterable[Marked]) -> str:
    return "".join(f"\n  {w.name}  ({w.id})" for w in workflows)


def _rendered(found: FlowGraph, output_format: str) -> str:
    match output_format:
        case "svg":
            from wfc.render.svg import render as svg

            return svg(found)
        case "json":
            data = {"workflow": found.workflow, **found.to_data()}
            return json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        case _:
            from wfc.render.mermaid import render as mermaid

            return mermaid(found)
