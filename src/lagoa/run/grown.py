"""Lets a table that keeps its rows have the columns which its model's query gives now: new ones, and wider types."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from lagoa.catalog.lineage import personal_here
from lagoa.errors import Place, StepError
from lagoa.kit.types import sql_type
from lagoa.lake.evolve import add_columns, retype
from lagoa.lake.schema import same_type, widens
from lagoa.lake.table import Table
from lagoa.ports import Session
from lagoa.project.model import Model
from lagoa.run.context import Context
from lagoa.transform import python_model, sql_model


def columns_given(context: Context, session: Session, model: Model, folder: Path) -> pa.Schema:
    """Give the columns of a model's query or function; a function is called."""
    if model.language == "python":
        return python_model.columns_of(session, model, context.project.root, folder)
    return sql_model.columns_of(session, model)


def grown(context: Context, session: Session, model: Model, table: Table, found: pa.Schema, folder: Path) -> Table:
    """Add the new ones of the `found` columns, null in the rows there are, and widen types. Others stay.

    Raises StepError LG-505 (a history) or LG-501 when a type neither holds the one before nor fits into it.
    """
    held = table.schema
    wider = [f for f in found if f.name in held.names and _wider(model, held.field(f.name), f)]
    news = pa.schema([f for f in found if f.name not in held.names])
    personal = personal_here(context.project, context.pin, model.name, news.names)
    if wider:
        types = {f.name: f.type for f in wider}
        become = pa.schema([*(pa.field(f.name, types.get(f.name, f.type)) for f in held), *news])
        table = retype(context.lake, session, table, become, folder / "wider", context.run)
    elif news:
        table = add_columns(context.lake, table, news, context.run, personal=personal)
    if wider or news:
        context.move(table)
    return table


def _wider(model: Model, held: pa.Field, found: pa.Field) -> bool:
    if same_type(held.type, found.type) or widens(found.type, held.type):
        return False
    if widens(held.type, found.type):
        return True
    kept = model.header.kind == "scd2"
    where = "in its history" if kept else "in the rows that it has"
    message = f"`{model.name}`: `{found.name}` is {sql_type(found.type)} now, and {sql_type(held.type)} {where}"
    hint = f"cast it to {sql_type(held.type)}, or give it another name"
    hint += "" if kept else f"; `lagoa run --full -s {model.name}` rebuilds it"
    raise StepError("LG-505" if kept else "LG-501", message, place=Place(model.file, 1), hint=hint)
