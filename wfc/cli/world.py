"""`wfc world setup`: make a database ready, or bring it up to date."""

from __future__ import annotations

import click

from wfc.cli.worlds import Refused

__all__ = ["world"]


@click.group()
def world() -> None:
    """Look after the storage of runs."""


@world.command(short_help="Create the tables, or bring them up to date.")
@click.option(
    "--url",
    metavar="URL",
    help="The PostgreSQL database. Default: WORKFLOW_POSTGRES_URL, then the one on localhost.",
)
@click.option(
    "--schema",
    metavar="NAME",
    help="The schema in it. Default: that of WORKFLOW_POSTGRES_JOB_PREFIX, then workflow.",
)
def setup(url: str | None, schema: str | None) -> None:
    """Create the tables of workflow-compiler in PostgreSQL, or bring them up to date.

    Doing it again is harmless. SQLite needs no setting up.
    """
    try:
        from workflow.worlds.postgres import create_postgres_world
    except ModuleNotFoundError as error:
        raise Refused(
            f"PostgreSQL needs {error.name}: pip install 'workflow-compiler[postgres]'"
        ) from None
    from workflow.errors import WorldError
    from workflow.worlds.postgres.store import SCHEMA_VERSION

    try:
        database = create_postgres_world(url, schema=schema).database
        with database.connect() as connection:
            before = database.migrate(connection)
    except WorldError as error:
        raise Refused(str(error)) from None
    where = f"{database.place}, schema {database.schema}"
    if before == SCHEMA_VERSION:
        click.echo(f"{where}: up to date (version {before})")
    elif before == 0:
        click.echo(f"{where}: created (version {SCHEMA_VERSION})")
    else:
        click.echo(f"{where}: brought from version {before} to {SCHEMA_VERSION}")
