"""Carries out the step of a model: bind its inputs, run its query, write the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from lagoa.catalog.lineage import personal_here
from lagoa.check.gates import gates
from lagoa.errors import Place, StepError
from lagoa.lake.changes import changed
from lagoa.lake.files import rows_per_file
from lagoa.lake.state import Input
from lagoa.lake.table import Table
from lagoa.plan.step import Step
from lagoa.ports import Engine, Session, StagedFile
from lagoa.project.model import Model
from lagoa.run import partitions
from lagoa.run.backfill import backfill
from lagoa.run.context import Context
from lagoa.run.grown import columns_given, grown
from lagoa.run.history import historise, judged_early
from lagoa.run.recompute import TOUCHED, recompute, verify
from lagoa.run.write import Mode, Work, Written, write
from lagoa.spec.spelling import spelled
from lagoa.transform import python_model, sql_model
from lagoa.transform.append import not_only_added
from lagoa.transform.bind import bind_tables, consumed, seen, tables_behind
from lagoa.transform.definition import changes, definition
from lagoa.transform.history import is_history
from lagoa.transform.partitions import Built


def build(context: Context, step: Step, model: Model, folder: Path) -> Written | None:
    """Build a model's table. None: nothing that it reads has changed after all."""
    keeps = model.header.kind == "scd2"  # a history is never built anew
    table = context.lake.open(model.name, trust=True) if step.full and not keeps else context.pin(model.name)
    inputs = _inputs(context, model, table)
    meant = definition(context.project, model)
    if not step.full and step.span is None and _current(table, inputs, meant):
        return None
    same = _means_the_same(table, meant)
    with _engine(context, model, table).session() as session, context.stop.watch(session):
        if step.span is not None:
            bind_tables(session, context.project, model.inputs, context.pin)
            works = partial(_work, context, model)
            return backfill(context, session, model, table, folder, step.span, works, inputs, same)
        if model.header.kind == "incremental" and not step.full and _means_the_same(table, meant):
            bring = _recomputed if model.header.time is None else _repartitioned
            written = bring(context, session, model, table, folder, inputs)
            if written is not None:
                return written
        bind_tables(session, context.project, model.inputs, context.pin)
        if keeps:
            return _historised(context, session, model, table, folder, not step.full and _means_the_same(table, meant))
        if model.header.kind == "append" and not step.full and table.exists:
            return _appended(context, session, model, table, folder, inputs)
        schema, staged = _staged(context, session, model, folder)
        return write(context, session, _work(context, model, table, "replace", schema, staged, inputs), folder)


def _engine(context: Context, model: Model, table: Table) -> Engine:
    """Give the engine, which takes as long to start as delta-rs takes to read the logs that are needed next."""
    names = () if model.header.kind == "append" else tables_behind(context.project, model.inputs)
    with ThreadPoolExecutor(1, thread_name_prefix="logs") as beside:
        beside.submit(lambda: [found.files for found in (table, *map(context.pin, names))])
        return context.engine  # what a log lacks is told where it is used


def _recomputed(
    context: Context, session: Session, model: Model, table: Table, folder: Path, inputs: Mapping[str, Input]
) -> Written | None:
    """Bring an incremental model's table up to date by the keys that changes touch. None: it must be rebuilt."""
    done = recompute(context, session, model, table, folder)
    if done is None:
        return None
    work = _work(context, model, table, "merge", done.schema, done.rows, inputs)
    if context.verify:
        bind_tables(session, context.project, model.inputs, context.pin)
        verify(context, session, model, table, done, work.gates, folder)
    if done.touched:
        work = replace(work, touched=TOUCHED, among=done.files, order_by=sql_model.order_of(model, done.schema))
    looks_away = any(gate.tables and gate.judges_rows for gate in work.gates)  # a row may break it without changing
    return write(context, session, replace(work, again=True, judge_all=looks_away), folder)


def _repartitioned(
    context: Context, session: Session, model: Model, table: Table, folder: Path, inputs: Mapping[str, Input]
) -> Written | None:
    """Bring a table up to date by the partitions of time that changes touch. None: it must be rebuilt."""
    done = partitions.touched(context, session, model, table, folder)
    if done is None:
        return None
    work = _work(context, model, table, "merge", done.schema, done.rows, inputs)
    if context.verify:
        bind_tables(session, context.project, model.inputs, context.pin)
        partitions.verify(context, session, model, table, done, work.gates, folder)
    built: Any = {} if table.state and table.state.cursor else None
    return write(context, session, replace(work, where=done.where, among=done.among, cursor=built, again=True), folder)


def _appended(
    context: Context, session: Session, model: Model, table: Table, folder: Path, inputs: Mapping[str, Input]
) -> Written:
    """Add the rows that the query gives for those which its first input gained; they may bring columns and types."""
    staged: Sequence[StagedFile] = []
    if _narrow(context, session, model, table):
        table = grown(context, session, model, table, columns_given(context, session, model, folder), folder)
        stage = python_model.stage if model.language == "python" else sql_model.stage
        staged = stage(session, model, table.schema, folder / "rows")
    return write(context, session, _work(context, model, table, "append", table.schema, staged, inputs), folder)


def _historised(context: Context, session: Session, model: Model, table: Table, folder: Path, follows: bool) -> Written:
    done = historise(context, session, model, table, folder, follows)
    inputs = _inputs(context, model, done.table)
    mode: Mode = "merge" if is_history(done.table.schema) else "replace"
    work = _work(context, model, done.table, mode, done.schema, done.rows, inputs)
    work = replace(
        work,
        key=done.key,
        vanished=done.vanished,
        gates=[gate for gate in work.gates if not judged_early(gate)],
        refused=done.early.bad,
        judged=done.early.results,
        again=True,
        empty=None,
    )
    return write(context, session, work, folder)


def _work(
    context: Context,
    model: Model,
    table: Table,
    mode: Mode,
    schema: pa.Schema,
    staged: Sequence[StagedFile],
    inputs: Mapping[str, Input],
) -> Work:
    header = spelled(model.header, schema.names)
    words = f"`{model.name}` gave no row that can be loaded, and says `allow_empty: false`"
    return Work(
        table,
        mode,
        schema,
        staged,
        definition(context.project, model),
        gates=gates(header.columns, header.checks, context.project.guards(model.name)),
        key=header.key,
        inputs=inputs,
        partition_by=header.partition_by,
        personal=_personal(context, model, schema),
        description=header.description,
        empty=None if header.allow_empty else StepError("LG-501", words, place=Place(model.file)),
    )


def _personal(context: Context, model: Model, schema: pa.Schema) -> frozenset[str]:
    """Name the columns that keep no statistics: the declared ones, and those whose values come from personal ones."""
    return personal_here(context.project, context.pin, model.name, schema.names)


def _inputs(context: Context, model: Model, table: Table) -> dict[str, Input]:
    """Note what the model is about to consume; never less than a rival has consumed since this run pinned it."""
    found: dict[str, Input] = {}
    for name in tables_behind(context.project, model.inputs):
        taken = table.state.inputs.get(str(name)) if table.state else None
        state = consumed(name, context.pin)
        if taken is not None and taken.state is not None and state is not None and taken.state > state:
            context.unpin(name)
            state = consumed(name, context.pin)
        found[str(name)] = Input(state=state)
    return found


def _current(table: Table, inputs: dict[str, Input], meant: Any) -> bool:
    state = table.state
    if state is None or not _means_the_same(table, meant) or Built.read(state.cursor).missing():
        return False
    return {k: v.state for k, v in state.inputs.items()} == {k: v.state for k, v in inputs.items()}


def _means_the_same(table: Table, meant: Any) -> bool:
    return table.state is not None and not changes(table.state.definition or {}, meant)


def _staged(context: Context, session: Session, model: Model, folder: Path) -> tuple[pa.Schema, Sequence[StagedFile]]:
    schema = columns_given(context, session, model, folder)
    if model.language == "python":
        return schema, python_model.stage(session, model, schema, folder / "rows")
    partitions.timed(model, schema)
    cut = None
    if model.header.kind == "incremental":  # as many rows as its inputs have is more than most have
        read = [context.pin(name) for name in tables_behind(context.project, model.inputs)]
        width = max((f.size / max(f.rows, 1) for table in read for f in table.files.values()), default=0)
        rows = sum(table.rows for table in read)
        cut = rows_per_file(rows, int(width * rows))
    return schema, sql_model.stage(session, model, schema, folder / "rows", cut)


def _narrow(context: Context, session: Session, model: Model, table: Table) -> bool:
    """Let an `append` model see only the rows that its first input gained since; the others it sees whole.

    A view stands for the first table that it reads. False: it gained none.
    """
    if context.verify:
        said = f"{model.name}: what it holds was appended when it came, so that no rebuild can verify it"
        context.events.emit("note", str(model.name), text=said)
    first = tables_behind(context.project, model.inputs)[0]
    taken = table.state.inputs.get(str(first)) if table.state else None
    if taken is None or taken.state is None:
        return True
    source = context.pin(first)
    news = changed(context.lake, source, seen(source, taken.state))
    if news.kind == "nothing":
        return False
    if news.kind != "appended" or news.added is None:
        raise not_only_added(model, first)
    session.bind(str(first), news.added)
    return True
