"""Gives a model's query the pinned rows of its inputs, with views inlined."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pyarrow as pa

from lagoa.errors import StepError
from lagoa.lake.quarantine import SCHEMA
from lagoa.lake.state import chain
from lagoa.lake.table import Table, bind
from lagoa.ports import FileSet, Session
from lagoa.project.model import Project
from lagoa.spec.names import QUARANTINE, TableName
from lagoa.sql.parse import bare
from lagoa.transform.sql_model import placed

Pins = Callable[[TableName], Table]
"""Opens a table at the version that this run has pinned."""


def bind_tables(session: Session, project: Project, names: Iterable[TableName], pins: Pins) -> None:
    """Bind every named table, and what its views read, once."""

    def rows(name: TableName) -> None:
        table = pins(name)
        if name.layer == QUARANTINE and not table.exists:
            session.bind(str(name), SCHEMA.empty_table())  # nothing was ever set aside
        else:
            bind(session, str(name), table)

    done: set[TableName] = set()
    for name in names:
        _bind(session, project, name, rows, done)


def bind_empty(
    session: Session,
    project: Project,
    names: Iterable[TableName],
    shapes: Callable[[TableName], pa.Schema],
    done: set[TableName],
) -> None:
    """Bind the columns of every named table that is not `done`, and of what its views read, without any row."""

    def columns(name: TableName) -> None:
        session.bind(str(name), FileSet(SCHEMA if name.layer == QUARANTINE else shapes(name), []))

    for name in names:
        _bind(session, project, name, columns, done)


def _bind(
    session: Session, project: Project, name: TableName, give: Callable[[TableName], None], done: set[TableName]
) -> None:
    if name in done:
        return
    done.add(name)
    model = project.models.get(name)
    if model is None or model.header.kind != "view":
        give(name)
        return
    for needed in model.inputs:
        _bind(session, project, needed, give, done)
    try:
        session.bind(str(name), bare(model.body))
    except StepError as error:
        raise placed(error, model) from error


def tables_behind(project: Project, names: Iterable[TableName]) -> list[TableName]:
    """List the tables that names stand for: a view stands for what it reads."""
    found: dict[TableName, None] = {}
    waiting = list(names)[::-1]
    while waiting:
        name = waiting.pop()
        model = project.models.get(name)
        if model is not None and model.header.kind == "view":
            waiting += list(model.inputs)[::-1]
        else:
            found[name] = None
    return list(found)


def consumed(name: TableName, pins: Pins) -> int | None:
    """Return the state of an input that a reader sees: of its rows or, in a quarantine, of those set aside."""
    if name.layer != QUARANTINE:
        state = pins(name).state
        return state.data if state else None
    state = pins(name.guarded).state
    return state.bad_at if state else None


def seen(table: Table, state: int) -> int:
    """Return the table's own state that a reader saw; one of a quarantine noted the main table's, which it follows."""
    if table.name.layer != QUARANTINE:
        return state
    return next((s.data for s in chain(table.path, table.state) if s.cursor == state), state)
