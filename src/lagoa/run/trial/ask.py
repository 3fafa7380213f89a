"""Computes models over a test's rows by their queries alone: quick, for a lake has no part in what they give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from lagoa.errors import LakeError, StepError
from lagoa.kit.casts import strict
from lagoa.kit.text import quote
from lagoa.kit.types import sql_type
from lagoa.ports import FileSet, Session
from lagoa.project.model import Model
from lagoa.spec.names import TableName
from lagoa.sql.parse import bare
from lagoa.transform import python_model, sql_model


def ask(
    session: Session, models: Sequence[Model], given: Mapping[TableName, pa.Table], root: Path, scratch: Path
) -> dict[TableName, pa.Table]:
    """Compute models, each after what it reads. Raises StepError with the place in the user's file."""
    for name, rows in given.items():
        session.bind(str(name), rows)
    found: dict[TableName, pa.Table] = {}
    for model in models:
        rows = _python(session, model, root, scratch) if model.language == "python" else _sql(session, model)
        found[model.name] = rows
        session.bind(str(model.name), rows)
    return found


def _sql(session: Session, model: Model) -> pa.Table:
    schema = sql_model.columns_of(session, model)
    body = bare(model.body)
    found = {field.name: field.type for field in session.schema(body)}
    shown = ", ".join(_cast(field, found[field.name]) for field in schema)
    try:
        return session.arrow(f"select {shown} from (\n{body}\n)").read_all().cast(schema)
    except (StepError, LakeError) as error:
        raise sql_model.placed(error, model, exact=False) from error


def _cast(column: pa.Field, found: pa.DataType) -> str:
    """Give a column the table's type, as staging does: a value that would be lost is an error."""
    value, kind = quote(column.name), sql_type(column.type)
    cast = f"cast({value} as {kind})"
    if found != column.type:
        cast = strict(value, sql_type(found), found, column.type, column.name)
    return f"{cast} as {value}"


def _python(session: Session, model: Model, root: Path, scratch: Path) -> pa.Table:
    folder = scratch / str(model.name)
    schema = python_model.columns_of(session, model, root, folder)
    staged = python_model.stage(session, model, schema, folder / "rows")
    partitions = {str(file.path): file.partition for file in staged if file.partition}
    session.bind(str(model.name), FileSet(schema, [str(file.path) for file in staged], partitions))
    return session.arrow(f"from {model.name}").read_all().cast(schema)
