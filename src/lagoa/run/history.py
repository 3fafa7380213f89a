"""Carries out the step of an `scd2` model: its query's rows become versions, and the versions that end are closed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import pyarrow as pa

from lagoa.catalog.lineage import personal_here
from lagoa.check.audit import Audited, Batch, audit
from lagoa.check.gates import Gate, gates
from lagoa.errors import LagoaError, LakeError, Place, StepError
from lagoa.kit.text import columns, quote
from lagoa.kit.types import sql_type
from lagoa.lake.table import Table, bind
from lagoa.ports import FileSet, Session, StagedFile
from lagoa.project.model import Model
from lagoa.run.context import Context
from lagoa.run.grown import columns_given, grown
from lagoa.run.recompute import bind_staged
from lagoa.run.write import can_be_asked
from lagoa.spec.model import HISTORY, ModelHeader
from lagoa.spec.names import TableName
from lagoa.spec.spelling import spelled
from lagoa.sql.incremental.analysis import KEYS, Refused
from lagoa.sql.parse import bare
from lagoa.transform import history, python_model, sql_model
from lagoa.transform.bind import bind_tables, tables_behind
from lagoa.transform.follower import Follower
from lagoa.transform.history import GIVEN, HELD, PRESENT, Timeline, with_history
from lagoa.transform.incremental import VANISHED, fits, follow

_ALL, _FOLLOWED, _WHOLE = "_all_versions", "_followed_versions", "_whole_versions"
_TIMES = (pa.types.is_timestamp, pa.types.is_date)


@dataclass(frozen=True)
class Historised:
    """Staged files of a merge of versions; `table` is the one to write on, which may have gained columns."""

    table: Table
    schema: pa.Schema
    key: Sequence[str]
    rows: Sequence[StagedFile]
    vanished: Sequence[StagedFile]
    early: Audited
    """What came of the checks that set aside rows of the query."""


def judged_early(gate: Gate) -> bool:
    """Say whether a check sets aside rows of the query, before they become versions."""
    return gate.on_fail == "quarantine" and gate.judges_rows


def historise(
    context: Context, session: Session, model: Model, table: Table, folder: Path, follows: bool
) -> Historised:
    """Stage the versions that change, the model's inputs being bound.

    `follows` says that only keys which the inputs' changes touch can have changed, where that can be told. Raises
    StepError LG-505 when a key is null or not alone, or when the history does not fit what is declared now.
    """
    asked = _asking(model)
    found = columns_given(context, session, asked, folder)
    if taken := [n for n in found.names if n.lower() in HISTORY]:
        hint = "give the query's column another name"
        raise _unusable(model, f"`kind: scd2` adds the column `{taken[0]}` itself", hint)
    table = _prepared(context, session, model, table, found, folder)
    known = history.is_history(table.schema)
    schema = table.schema if known else with_history(found)
    given = pa.schema([schema.field(n) for n in found.names])
    header = spelled(model.header, schema.names)
    if header.time is not None and not any(is_one(given.field(header.time).type) for is_one in _TIMES):
        kind = sql_type(given.field(header.time).type)
        raise _unusable(model, f"`time: {header.time}` is {kind}, which is no time", "cast it to timestamp or date")
    line = Timeline(schema, given.names, header.key, header.time, context.at)
    touched = _touched(context, session, asked, table, schema) if known and follows else None
    none = Historised(table, schema, line.version, [], [], Audited([]))
    looked = partial(_looked_at, context, session, model, line, given, none)
    done = none if touched is False else looked(touched, folder)
    if context.verify and known:
        _verify(context, session, model, done, None if touched is None else looked(None, folder / "verify"))
    return done


def _looked_at(
    context: Context,
    session: Session,
    model: Model,
    line: Timeline,
    given: pa.Schema,
    none: Historised,
    touched: Follower | None,
    folder: Path,
) -> Historised:
    """Stage the versions of touched keys, or of all, that begin, end or are none any more."""
    asked, known = _asking(model), history.is_history(none.table.schema)
    staged = _staged(session, asked, given, touched, folder)
    if touched is not None and not staged and not asked.header.allow_empty:  # all keys may be gone, which is an error
        return _looked_at(context, session, model, line, given, none, None, folder / "all")
    early = _early(context, session, model, given, staged, folder)
    _bind(session, line, none.table if known else None, given, (staged, early.good), touched)
    _refuse(session, model, line)
    for name, query in line.steps():
        session.run(f"create or replace temp table {name} as {query}")
    by = spelled(model.header, line.schema.names).partition_by
    rows = session.stage(line.rows(), folder / "versions", line.schema, by)
    marked = pa.schema([*line.schema, (VANISHED, pa.bool_())])
    vanished = session.stage(line.vanished(VANISHED), folder / "vanished", marked, by) if known else []
    return replace(none, rows=rows, vanished=vanished, early=early)


def _verify(context: Context, session: Session, model: Model, done: Historised, whole: Historised | None) -> None:
    """Compare the versions of touched keys with those that a look at all keys gives. Raises LagoaError LG-605.

    Older versions come from what was seen once, so nothing is left to compare them with.
    """
    name = str(model.name)
    if whole is None:
        said = f"{name}: all of its keys were compared, and nothing else could tell its versions"
        context.events.emit("note", name, text=said)
        return
    number = 0
    for part, shown in (("rows", done.schema.names), ("vanished", done.key)):
        for relation, found in ((_FOLLOWED, done), (_WHOLE, whole)):
            bind_staged(session, relation, done.schema, getattr(found, part))
        a, b = (f"select {columns(shown)} from {relation}" for relation in (_FOLLOWED, _WHOLE))
        differ = f"(({a}) except all ({b})) union all (({b}) except all ({a}))"
        number += int(session.rows(f"select count(*) from ({differ})")[0][0])
    if number:
        message = f"{name}: its versions differ from those that a look at all keys gives in {number:,} rows"
        hint = f"`lagoa run --full -s {name}` looks at all keys; please report this"
        raise LagoaError("LG-605", f"{message}; nothing was published", hint=hint)
    context.events.emit("note", name, text=f"{name}: its versions are those that a look at all keys gives")


def _unusable(model: Model, message: str, hint: str) -> StepError:
    return StepError("LG-505", f"`{model.name}`: {message}", place=Place(model.file, 1), hint=hint)


def _asking(model: Model) -> Model:
    """Return the model whose header speaks of nothing but its query's columns."""
    own = {name: c for name, c in model.header.columns.items() if name.lower() not in HISTORY}
    header: ModelHeader = model.header.model_copy(update={"columns": own, "partition_by": ()})
    return replace(model, header=header)


# ---------------------------------------------------------------- columns that come, go and change
def _prepared(context: Context, session: Session, model: Model, table: Table, found: pa.Schema, folder: Path) -> Table:
    """Let a table that holds a history have the query's columns; those that the query gives no more stay."""
    if not table.exists or not history.is_history(table.schema):
        return table
    then = (table.state.definition or {}) if table.state else {}
    if then and then.get("key") != list(model.header.key):
        message = f"its history is kept by {', '.join(then.get('key', []))}, and `key` says otherwise now"
        raise _unusable(model, message, "let another model keep a history by the new key")
    return grown(context, session, model, table, found, folder)


# ---------------------------------------------------------------- rows
def _touched(
    context: Context, session: Session, asked: Model, table: Table, schema: pa.Schema
) -> Follower | Literal[False] | None:
    """Follow the changes of the inputs to the keys that they touch. False: none; None: all must be compared."""
    if asked.language != "sql":
        return None
    shapes = {name: context.pin(name).schema for name in tables_behind(context.project, asked.inputs)}
    try:
        with context.engine.session() as apart:
            followed = follow(apart, context.project, asked, shapes)
        fits(session.schema(bare(asked.body)), schema, asked)
        follower = Follower(session, context.lake, table, followed, context.pin)
        return follower if follower.touched(schema).keys else False
    except (Refused, StepError, LakeError):
        return None


def _staged(
    session: Session, asked: Model, given: pa.Schema, touched: Follower | None, folder: Path
) -> Sequence[StagedFile]:
    if touched is not None:
        return session.stage(touched.rows(given), folder / "rows", given)
    stage = python_model.stage if asked.language == "python" else sql_model.stage
    staged = stage(session, asked, given, folder / "rows")
    if not staged and not asked.header.allow_empty:
        message = f"`{asked.name}` gave no row, and says `allow_empty: false`"
        raise StepError("LG-501", message, place=Place(asked.file))
    return staged


def _early(
    context: Context, session: Session, model: Model, given: pa.Schema, staged: Sequence[StagedFile], folder: Path
) -> Audited:
    """Set aside rows of the query; whoever has one is still there, and keeps the version that it has."""
    header, name = spelled(model.header, given.names), model.name
    found = gates(header.columns, header.checks, context.project.guards(name))
    chosen = [g for g in found if judged_early(g) and can_be_asked(context, name, g)]
    if not chosen:
        return Audited(list(staged))
    others = sorted({TableName.parse(t) for gate in chosen for t in gate.tables} - {name})
    bind_tables(session, context.project, others, context.pin)

    def become(files: Sequence[StagedFile]) -> str:
        session.bind(GIVEN, FileSet(given, [str(f.path) for f in files]))
        return GIVEN

    personal = personal_here(context.project, context.pin, name, given.names)
    batch = Batch(session, name, given, chosen, become, folder / "early", context.run, context.at, personal, whole=True)
    return audit(batch, staged)


def _bind(
    session: Session,
    line: Timeline,
    table: Table | None,
    given: pa.Schema,
    rows: tuple[Sequence[StagedFile], Sequence[StagedFile]],
    touched: Follower | None,
) -> None:
    """Bind the keys that are there, the good rows, and the versions that are held, all of touched keys if known."""
    present, good = rows
    session.bind(PRESENT, FileSet(pa.schema([given.field(k) for k in line.key]), [str(f.path) for f in present]))
    session.bind(GIVEN, FileSet(given, [str(f.path) for f in good]))
    if table is None:
        session.bind(HELD, FileSet(line.schema, []))
    elif touched is None:
        bind(session, HELD, table)
    else:
        bind(session, _ALL, table)
        same = " and ".join(f"h.{quote(k)} = k.k{i}" for i, k in enumerate(line.key))
        session.bind(HELD, f"select {columns(line.schema.names, 'h.')} from {_ALL} h semi join {KEYS} k on {same}")


def _refuse(session: Session, model: Model, line: Timeline) -> None:
    needed = ", ".join([*line.key, *([line.time] if line.time else [])])
    if number := session.rows(line.unusable())[0][0]:
        many = "1 row of its query has" if number == 1 else f"{number:,} rows of its query have"
        message = f"{many} no {needed.replace(', ', ' or no ')}"
        hint = "leave them out with `where`, or set them aside: `checks: [{not_null: true, on_fail: quarantine}]`"
        raise _unusable(model, message, hint)
    if number := session.rows(line.rivals())[0][0]:
        what = "several rows that differ at one time" if line.time else "several rows"
        hint = f"find them: `group by {needed} having count(*) > 1`" + (
            "" if line.time else "; say `time:` if they are versions of one another"
        )
        many = "1 of its keys has" if number == 1 else f"{number:,} of its keys have"
        raise _unusable(model, f"{many} {what} ({', '.join(line.key)})", hint)
