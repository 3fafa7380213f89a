"""Writes down what the engine is asked for a model: views, the query cast to the table's types, touched keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from lagoa.errors import ProjectError
from lagoa.lake.store import Lake
from lagoa.lake.table import Table
from lagoa.ports import Session
from lagoa.project.model import Model, Project
from lagoa.spec.names import QUARANTINE, TableName
from lagoa.spec.spelling import spelled
from lagoa.sql.incremental.analysis import CHANGED, KEYS, NEW, OLD, UNITED
from lagoa.sql.parse import bare, laid_out
from lagoa.transform import sql_model
from lagoa.transform.bind import bind_tables, consumed, tables_behind
from lagoa.transform.definition import changes, definition
from lagoa.transform.follower import Follower
from lagoa.transform.incremental import follow, views_between
from lagoa.transform.prospect import Prospect

Sessions = Callable[[], AbstractContextManager[Session]]


@dataclass(frozen=True)
class Statement:
    """One statement that the engine gets; `what` it is for, in words."""

    what: str
    sql: str


def as_run(project: Project, lake: Lake, sessions: Sessions, name: TableName) -> list[Statement]:
    """Write down what will be run for a SQL model, over the newest versions of its inputs; no row is read.

    Raises ProjectError LG-103 for what has no query; LakeError, StepError when an input or the query is wrong.
    """
    model = project.models.get(name)
    if model is None or model.query is None:
        what = "is a stream" if name in project.graph.streams else "is a Python model" if model else "is no model"
        raise ProjectError("LG-103", f"`{name}` {what}: it has no query", hint="--sql is of SQL models")
    found = [
        Statement(f"{view.name}, a view", f"create view {view.name} as\n{_text(view)}")
        for view in {v.name: v for v in views_between(project, model.inputs)}.values()
    ]
    if model.header.kind == "view":
        return [*found, Statement("read where it is used", f"create view {name} as\n{_text(model)}")]
    pins = {i: lake.open(i) for i in tables_behind(project, model.inputs)}
    lacking = [i for i, table in pins.items() if not table.exists and i.layer != QUARANTINE]
    if lacking:
        built = ", ".join(map(str, lacking))
        return [*found, Statement(f"its columns are cast when {built} is built", _text(model))]
    with sessions() as session:
        bind_tables(session, project, model.inputs, pins.__getitem__)
        schema = sql_model.columns_of(session, model)
        by = spelled(model.header, schema.names).partition_by
        whole = session.casting(_text(model), schema, by)
        reads = ", ".join(f"{i} {'at version ' + str(t.version) if t.exists else 'empty'}" for i, t in pins.items())
        found.append(Statement(f"all rows; reads {reads}", whole))
        if model.header.kind == "incremental":
            found += _touched(Prospect(project, lake, sessions), session, model, pins)
    return found


def _text(model: Model) -> str:
    return bare(model.body).strip()


def _touched(
    prospect: Prospect, session: Session, model: Model, pins: Mapping[TableName, Table]
) -> Iterator[Statement]:
    """Write down the queries for touched keys; when it would be rebuilt in full, only why."""
    project = prospect.project
    table = prospect.lake.open(model.name)
    if not table.exists or table.state is None:
        return
    if changes(table.state.definition or {}, definition(project, model)):
        return  # it is rebuilt
    taken = table.state.inputs
    moved = [i for i in pins if str(i) not in taken or consumed(i, pins.__getitem__) != taken[str(i)].state]
    asked = moved or list(pins)
    if why := prospect.foresee(model, table, pins.__getitem__, asked).in_full:
        yield Statement(f"of touched {', '.join(model.header.key)} alone it cannot be: {why}", "")
        return
    with prospect.session() as apart:
        followed = follow(apart, project, model, {name: found.schema for name, found in pins.items()})
    named = ", ".join(f"{bare_name} is {name}" for name, bare_name in followed.names.items())
    keys = laid_out(followed.analysis.touched([followed.names[name] for name in asked]))
    since = f"changes of {', '.join(map(str, asked))}" if moved else "nothing has changed now; later changes"
    yield Statement(
        f"or only touched {', '.join(model.header.key)} ({since}): {named}; {NEW} as it is now, {OLD} as it was read, "
        f"{CHANGED} the changed rows of both, {UNITED} all of them",
        f"create temp table {KEYS} as\n{keys}",
    )
    follower = Follower(session, prospect.lake, table, followed, pins.__getitem__)
    yield Statement("the rows of touched keys", laid_out(follower.rows(table.schema)))
