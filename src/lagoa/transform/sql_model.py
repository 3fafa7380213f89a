"""Runs a SQL model's query over its bound inputs into staged files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lagoa.errors import Place, StepError
from lagoa.kit.text import quote
from lagoa.ports import Session, StagedFile
from lagoa.project.model import Model


def typed(session: Session, model: Model) -> str:
    """Return the model's query with its declared types applied. Raises StepError with the place in the user's file."""
    query = model.body.strip().rstrip(";")
    try:
        found = session.schema(query)
    except StepError as error:
        raise placed(error, model) from error
    declared = {name: column.type for name, column in model.header.columns.items() if column.type}
    if missing := sorted(set(model.header.columns) - set(found.names)):
        raise StepError(
            "LG-501",
            f"`{model.name}` describes {', '.join(missing)}, which its query does not give",
            place=Place(model.file, 1),
            hint=f"it gives {', '.join(found.names)}",
        )
    if not declared:
        return query
    shown = [f"{quote(n)}::{declared[n]} as {quote(n)}" if n in declared else quote(n) for n in found.names]
    return f"select {', '.join(shown)} from ({query}\n)"


def stage(session: Session, model: Model, into: Path, partition_by: Sequence[str]) -> tuple[list[StagedFile], Any]:
    """Run the query; give the staged files and their Arrow schema."""
    query = typed(session, model)
    schema = session.schema(query)
    try:
        return session.stage(query, into, schema, partition_by), schema
    except StepError as error:
        raise placed(error, model, exact=False) from error


def placed(error: StepError, model: Model, exact: bool = True) -> StepError:
    """Move an error's place from the query into the user's file; an inexact one points at the query's start."""
    line, column = model.body_line, None
    if exact and error.place is not None and error.place.line is not None:
        line, column = model.body_line + error.place.line - 1, error.place.column
    lines = model.text.splitlines()
    text = lines[line - 1] if exact and 0 < line <= len(lines) else None
    return StepError(
        error.code, f"`{model.name}`: {error.message}", place=Place(model.file, line, column, text), hint=error.hint
    )
