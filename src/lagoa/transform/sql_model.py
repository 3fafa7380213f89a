"""Runs a SQL model's query over its bound inputs into staged files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from lagoa.errors import LagoaError, LakeError, Place, StepError
from lagoa.kit.declared_types import arrow_types
from lagoa.kit.text import columns
from lagoa.ports import Session, StagedFile
from lagoa.project.model import Model
from lagoa.spec.spelling import spelled
from lagoa.sql.parse import bare, is_ordered


def columns_of(session: Session, model: Model) -> pa.Schema:
    """Give the columns of the model's table without running its query: those of the query, in the declared types.

    Raises StepError with the place in the user's file.
    """
    try:
        found = session.schema(bare(model.body))
    except StepError as error:
        raise placed(error, model) from error
    return declared(session, model, found)


def declared(session: Session, model: Model, found: pa.Schema) -> pa.Schema:
    """Put the declared types in the place of those found. Raises StepError when a described column is not there."""
    header = spelled(model.header, found.names)
    if missing := [n for n in (*header.columns, *header.key, *header.partition_by) if n not in found.names]:
        raise StepError(
            "LG-501" if model.language == "sql" else "LG-502",
            f"`{model.name}` speaks of {', '.join(dict.fromkeys(missing))}, which it does not give",
            place=Place(model.file, 1),
            hint=f"it gives {', '.join(found.names)}",
        )
    wanted = {name: column.type for name, column in header.columns.items() if column.type}
    types: Mapping[str, Any] = arrow_types(session, wanted, model.file, model.text)
    return pa.schema([pa.field(f.name, types.get(f.name, f.type)) for f in found])


def stage(
    session: Session, model: Model, schema: pa.Schema, into: Path, rows_per_file: int | None = None
) -> list[StagedFile]:
    """Run the query and stage its rows in the types of `schema`; a value that would be lost is an error."""
    query, order = bare(model.body), order_of(model, schema)
    if order:
        query = f"select * from (\n{query}\n) order by {columns(order)}"
    try:
        partition_by = spelled(model.header, schema.names).partition_by
        return session.stage(query, into, schema, partition_by, rows_per_file)
    except (StepError, LakeError) as error:
        raise placed(error, model, exact=False) from error


def order_of(model: Model, schema: pa.Schema) -> Sequence[str]:
    """Name the columns by which an incremental model's rows lie in its files, so that neighbouring keys do, too.

    None where partitions or the query itself say so, and for texts, such as random ids, whose neighbours mean nothing.
    """
    header = spelled(model.header, schema.names)
    if header.kind != "incremental" or header.partition_by or (model.language == "sql" and is_ordered(model.body)):
        return ()
    units = header.key or ((header.time,) if header.time else ())
    kinds = [schema.field(name).type for name in units]
    natural = (pa.types.is_integer, pa.types.is_decimal, pa.types.is_date, pa.types.is_timestamp)
    return units if all(any(like(kind) for like in natural) for kind in kinds) else ()


def placed(error: LagoaError, model: Model, exact: bool = True) -> StepError:
    """Move an error's place from the query into the user's file; an inexact one points at the query's start."""
    line, column = model.body_line, None
    if exact and error.place is not None and error.place.line is not None:
        line, column = model.body_line + error.place.line - 1, error.place.column
    lines = model.text.splitlines()
    text = lines[line - 1] if exact and 0 < line <= len(lines) else None
    return StepError(
        error.code, f"`{model.name}`: {error.message}", place=Place(model.file, line, column, text), hint=error.hint
    )
