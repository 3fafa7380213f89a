"""Answers one SELECT over the project's tables, each pinned; only those that it names are opened."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from zoneinfo import ZoneInfo

import pyarrow as pa

from lagoa.errors import CommandError, LakeError, ProjectError, did_you_mean
from lagoa.kit.text import quote
from lagoa.kit.types import sql_type
from lagoa.lake import quarantine
from lagoa.lake.store import Lake
from lagoa.lake.table import Table
from lagoa.observe.history import TABLES, history_sql
from lagoa.ports import Engine, Session
from lagoa.project.model import Project
from lagoa.serve.export import batches, distinct, schema_of
from lagoa.spec.names import QUARANTINE, TableName
from lagoa.sql.parse import Query, Reference, parse
from lagoa.transform.bind import bind_tables, tables_behind

HISTORY = "history"
NAME = "query"
"""The `file` of a place in the query's text."""


def read(
    project: Project, lake: Lake, engine: Engine, sql: str, at: str | int | datetime | None = None
) -> pa.RecordBatchReader:
    """Stream the rows of one SELECT.

    Raises CommandError LG-604 (no SELECT), ProjectError LG-103 (no such table) or LG-105 (no SQL),
    LakeError (the tables), StepError (the query).
    """
    with ExitStack() as stack:
        session = stack.enter_context(answering(project, lake, engine, sql, at))
        body = text_of(sql)
        schema = schema_of(session, body)
        kept = stack.pop_all()

    def rows() -> Iterator[pa.RecordBatch]:
        with kept:
            yield from batches(session, distinct(body))

    return pa.RecordBatchReader.from_batches(schema, rows())


@contextmanager
def answering(
    project: Project, lake: Lake, engine: Engine, sql: str, at: str | int | datetime | None = None
) -> Iterator[Session]:
    """Open a session in which the query's names are bound; run `text_of(sql)` in it."""
    query = _one_select(sql)
    names = [_named(project, lake, query, r) for r in query.references if not r.is_function]
    behind = tables_behind(project, [n for n in names if n.layer != HISTORY])
    pins = _pins(project, lake, behind, _moment(at, project, behind))
    with engine.session() as session:
        _bind_history(session, project, names)
        empty = [n for n in behind if n.layer == QUARANTINE and not pins[n].exists]
        for name in empty:
            _bind_nothing(session, name)
        wanted = [n for n in dict.fromkeys(names) if n.layer != HISTORY and n not in empty]
        bind_tables(session, project, wanted, pins.__getitem__)
        yield session


def text_of(sql: str) -> str:
    """Return the query without what follows it: a semicolon, blanks."""
    return sql.strip().rstrip(";").rstrip()


def _one_select(sql: str) -> Query:
    query = parse(text_of(sql), NAME)
    if query.trouble is not None:
        why, line, column = query.trouble
        raise CommandError("LG-604", why, place=query.place(line, column))
    return query


def _named(project: Project, lake: Lake, query: Query, reference: Reference) -> TableName:
    """Find the table that a place of the query means; the error says what may have been meant."""
    name = reference.table
    if name is not None and _is_known(project, lake, name):
        return name
    known = {str(n) for n in (*project.graph.nodes, *lake.names())} | set(TABLES)
    bare = sorted(k for k in known if k.partition(".")[2] == reference.written.lower())
    hint = f"did you mean `{bare[0]}`?" if bare else did_you_mean(reference.written, known)
    raise ProjectError(
        "LG-103",
        f"there is no table `{reference.written}`",
        place=query.place(reference.line, reference.column),
        hint=hint or "`lagoa show` lists the tables",
    )


def _is_known(project: Project, lake: Lake, name: TableName) -> bool:
    if name.layer == HISTORY:
        return str(name) in TABLES
    return name.guarded in project.graph.nodes or lake.path(name).is_dir()


def _pins(
    project: Project, lake: Lake, names: list[TableName], moment: int | datetime | None
) -> dict[TableName, Table]:
    pins: dict[TableName, Table] = {}
    for name in names:
        found = lake.open(name) if moment is None else lake.at(name, moment)
        if not found.exists and name.layer != QUARANTINE:
            where = f" -t {project.target_name}" if project.target_name != "local" else ""
            raise LakeError("LG-103", f"`{name}` has not been built yet", hint=f"lagoa run{where} -s +{name}")
        pins[name] = found
    return pins


def _moment(at: str | int | datetime | None, project: Project, behind: list[TableName]) -> int | datetime | None:
    """Read `--at`: a version of the only table, or a time, in the project's zone when it names none."""
    if at is None or isinstance(at, datetime):
        return at
    if isinstance(at, int) or at.strip().lstrip("v").isdigit():
        if len(behind) != 1:
            raise CommandError(
                "LG-601",
                f"--at with a version is for a query over one table; this one reads {len(behind)}",
                hint="give a time, such as --at '2026-11-20 06:14'",
            )
        return at if isinstance(at, int) else int(at.strip().lstrip("v"))
    return read_time(at, project.file.timezone)


def read_time(text: str, timezone: str) -> datetime:
    """Read a time as ISO 8601, in the zone when it has no offset; a bare date means its end.

    Raises CommandError LG-601.
    """
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError as error:
        hint = "write a version (12), a date (2026-11-20) or a time ('2026-11-20 06:14')"
        raise CommandError("LG-601", f"'{text}' is neither a version nor a time", hint=hint) from error
    if re.fullmatch(r"\d{4}-\d\d-\d\d|\d{8}", text.strip()):
        found = found.replace(hour=23, minute=59, second=59, microsecond=999_999)
    return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(timezone))


def _bind_history(session: Session, project: Project, names: list[TableName]) -> None:
    if any(name.layer == HISTORY for name in names):
        for name, sql in history_sql(project.root).items():
            session.bind(name, sql)


def _bind_nothing(session: Session, name: TableName) -> None:
    """Show a quarantine to which nothing was ever sent as a table without rows."""
    shown = ", ".join(f"null::{sql_type(f.type)} as {quote(f.name)}" for f in quarantine.SCHEMA)
    session.bind(str(name), f"select {shown} where false")
