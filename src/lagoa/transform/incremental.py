"""What an incremental model must recompute: the keys that its inputs' changes touch, and the rows of those keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial

import pyarrow as pa

from lagoa.kit.types import sql_type
from lagoa.lake.changes import Changed, changed
from lagoa.lake.schema import from_json
from lagoa.lake.state import State, chain
from lagoa.lake.store import Lake
from lagoa.lake.table import Table
from lagoa.ports import FileSet, Session
from lagoa.project.model import Model, Project
from lagoa.registry import adapter
from lagoa.spec.names import QUARANTINE, TableName
from lagoa.spec.spelling import spelled
from lagoa.sql.incremental.analysis import (
    Analysis,
    Question,
    Refused,
    analyse,
)
from lagoa.sql.parse import bare
from lagoa.transform.definition import views_of
from lagoa.transform.partitions import BUCKET, by_partition, grain_of
from lagoa.transform.recall import recalled

VANISHED = "_vanished"
"""The column of staged rows that says: no row has this key any more."""


@dataclass(frozen=True)
class Followed:
    """A model that can be followed; `names` are the bare names by which its analysis calls its inputs."""

    analysis: Analysis
    names: Mapping[TableName, str]
    key: Sequence[str] = ()
    queries: Sequence[str] = ()
    """The texts of the model and of the views that it reads."""


def follow(session: Session, project: Project, model: Model, shapes: Mapping[TableName, pa.Schema]) -> Followed:
    """Analyse a model over inputs of these columns, in a session of its own; no row is read. Raises Refused."""
    if model.query is None:
        raise Refused("only SQL is followed")
    for _, kind, _, on_fail, _ in project.deciding(model.name):
        if on_fail == "quarantine" and (kind == "sql" or adapter("checks", kind).reads != "row"):
            raise Refused("a check that sets rows aside by other rows must see all rows")
    names = {name: f"_i{number}" for number, name in enumerate(shapes)}
    for name, schema in shapes.items():
        if name.layer == QUARANTINE:
            raise Refused("it reads a quarantine")
        session.bind(str(name), FileSet(schema, []))
        session.bind(names[name], FileSet(schema, []))
    for view in views_between(project, model.inputs):
        session.bind(str(view.name), bare(view.body))
    query, key, time = _by(model)
    question = Question(
        query,
        key,
        {str(name).lower(): bound for name, bound in names.items()},
        {names[name]: {f.name: sql_type(f.type) for f in schema} for name, schema in shapes.items()},
        {name.lower(): body for name, body in views_of(project, model).items()},
        time,
    )
    queries = [model.body, *question.views.values()]
    found = recalled(project.root, model.name, question, lambda: analyse(question, cache(partial(_describe, session))))
    return Followed(found, names, model.header.key, queries)


def _by(model: Model) -> tuple[str, Sequence[str], str | None]:
    """Return the model's query, the columns of its units, its key or the partition of its time, and that time."""
    time = model.header.time
    if time is None or model.header.kind != "incremental":
        return bare(model.body), model.header.key, None
    return by_partition(bare(model.body), time, grain_of(model.header)), [BUCKET], time


def _describe(session: Session, sql: str) -> Mapping[str, str]:
    return {str(name).lower(): str(kind) for name, kind, *_ in session.rows(f"describe {sql}")}


def views_between(project: Project, names: Sequence[TableName]) -> Iterator[Model]:
    """Give the views that names stand for, each after those that it reads."""
    for name in names:
        model = project.models.get(name)
        if model is not None and model.header.kind == "view":
            yield from views_between(project, model.inputs)
            yield model


# ---------------------------------------------------------------- what changed
def news(lake: Lake, name: TableName, now: Table, since: int | None, queries: Sequence[str]) -> Changed:
    """Find the changes of an input since the state that was consumed; "everything" where only its versions tell them.

    `queries` are the texts that read it: a column that came since may stand in none of them, or it could take the
    place of an alias. Raises Refused when other columns changed.
    """
    found = changed(lake, now, since)
    for text in {state.table for state in _since(now, since)}:
        _same_columns(name, from_json(text) if text else None, now.schema, queries)
    return found


def _same_columns(name: TableName, then: pa.Schema | None, now: pa.Schema, queries: Sequence[str]) -> None:
    held = {f.name: f.type for f in now}
    if then is None or any(held.get(f.name) != f.type for f in then):
        raise Refused(f"the columns of {name} changed")
    for column in held.keys() - set(then.names):
        if any(column.lower() in query.lower() for query in queries):
            raise Refused(f"{name} has a new column {column}")


def own_history(table: Table) -> None:
    """Refuse a table whose rows are not those of its last rebuild and what followed it. Raises Refused."""
    if not table.plain:
        raise Refused("its files alone do not tell its rows")
    for state in chain(table.path, table.state):
        if state.mode == "replace":
            return
        if state.mode != "merge":
            raise Refused("it was restored, accepted or changed by hand since it was built")
    raise Refused("it no longer knows how it was built")


def _since(now: Table, since: int | None) -> Iterator[State]:
    for state in chain(now.path, now.state):
        yield state
        if state.id == since:
            return


def alike(a: pa.Schema, b: pa.Schema) -> bool:
    """Say whether two tables have the same columns in the same order."""
    return [(f.name, f.type) for f in a] == [(f.name, f.type) for f in b]


def fits(found: pa.Schema, schema: pa.Schema, model: Model) -> None:
    """Refuse a key that the table holds in another way than the query gives it: two values could become one."""
    header = spelled(model.header, schema.names)
    for name in header.key:
        kind = schema.field(name).type
        if found.field(name).type != kind:
            raise Refused(f"the key {name} is declared as {sql_type(kind)}, which the query does not give")
    if VANISHED in schema.names:
        raise Refused(f"it has a column {VANISHED}")
