"""`lagoa query`: one SELECT over the project's tables, as a table, CSV, JSON or Parquet."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lagoa.cli import screen
from lagoa.cli.settings import Settings, everywhere, with_settings
from lagoa.errors import CommandError

if TYPE_CHECKING:
    from lagoa.ports import Session

ROWS = 40
"""How many rows a terminal shows; a file or a pipe gets all."""
FORMATS = ("table", "csv", "json", "parquet")


@click.command(short_help="Ask the tables in SQL.")
@click.argument("sql")
@click.option("-f", "--format", "form", type=click.Choice(FORMATS), help="How rows are written; `table` by default.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to a file; its ending says the format.",
)
@click.option("-n", "--rows", type=click.IntRange(min=1), help=f"How many rows a table shows; {ROWS} on a terminal.")
@click.option("--at", metavar="VERSION|TIME", help="Read as it was: a version of the one table, or a time for all.")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@everywhere
@with_settings
def command(
    settings: Settings, sql: str, form: str | None, output: Path | None, rows: int | None, at: str | None, as_json: bool
) -> None:
    """Run one SELECT over the project's tables and print its rows. `-` reads the SQL from stdin.

    \b
    Beside the project's tables there are:
      quarantine.silver_orders   the rows set aside from silver.orders
      history.runs, history.steps, history.events   what runs did
    """
    from lagoa.serve.query import answering, text_of

    form = _format("json" if as_json else form, output)
    began = time.monotonic()
    body = sys.stdin.read() if sql == "-" else sql
    with settings.open() as project, answering(project.project, project.lake, project.engine, body, at) as session:
        if form == "table" and output is None:
            count = _table(session, text_of(body), rows)
        else:
            count = _export(session, text_of(body), form, output)
    said = f"{screen.some(count, 'row')} in {screen.duration(time.monotonic() - began)}"
    screen.say(settings, screen.dim(f"{said}, written to {output}" if output else said))


def _format(form: str | None, output: Path | None) -> str:
    from lagoa.serve.export import SUFFIXES

    if form is None and output is not None:
        form = SUFFIXES.get(output.suffix.lower())
        if form is None:
            raise CommandError(
                "LG-601", f"{output.name} does not say which format it is", hint="add --format csv, json or parquet"
            )
    if form == "parquet" and output is None:
        raise CommandError("LG-601", "Parquet goes into a file", hint="add -o rows.parquet")
    if form == "table" and output is not None:
        raise CommandError("LG-601", "a table goes to the terminal", hint="use --format csv with -o")
    return form or "table"


def _table(session: Session, sql: str, rows: int | None) -> int:
    from lagoa.serve.sample import sample

    limit = rows or (ROWS if screen.is_terminal(sys.stdout) else None)
    found = sample(session, sql, limit)
    screen.table(found.headers, found.rows, found.right, whole=())
    if found.more:
        screen.out(screen.dim(f"… {screen.number(found.more)}{'+' if found.open_end else ''} more rows"))
    return len(found.rows) + found.more


def _export(session: Session, sql: str, form: str, output: Path | None) -> int:
    from lagoa.serve.export import WRITERS, whole_file

    if output is None:
        count = WRITERS[form](session, sql, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return count
    with whole_file(output) as out:
        return WRITERS[form](session, sql, out)
