"""Carries out the step of a stream: read what is new, fit it to the table, write it batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from lagoa.check.gates import Gate, gates
from lagoa.errors import SourceError
from lagoa.ingest.definition import changes, definition, personal
from lagoa.ingest.deliver import Delivered, Landing, deliver
from lagoa.ingest.drift import Drift, settle
from lagoa.ingest.shape import business, table_schema
from lagoa.kit.text import quote
from lagoa.lake.evolve import add_columns, retype
from lagoa.lake.table import Table
from lagoa.plan.step import Step
from lagoa.ports import OWN, Batch, Reading, Session, StagedFile
from lagoa.project.model import StreamTable
from lagoa.run.context import Context
from lagoa.run.settle import Landed, same_rows, settled
from lagoa.run.write import Mode, Work, Written, write
from lagoa.transform.definition import guards


@dataclass
class Stream:
    """One stream on its way into its table."""

    context: Context
    step: Step
    entry: StreamTable
    folder: Path
    reset: bool = False

    @property
    def place(self) -> str:
        """Name it for messages: `erp.orders`."""
        return f"{self.entry.source}.{self.entry.stream}"


def ingest(stream: Stream) -> Written | None:
    """Read the stream and publish what it brings. None: no news. Raises SourceError, CheckFailed, Conflict."""
    context, name = stream.context, stream.entry.name
    table = context.lake.open(name, trust=True) if stream.step.full else context.pin(name)
    source = context.project.sources[stream.entry.source].source
    reading = _reading(stream, table)
    total: Written | None = None
    for number, batches in enumerate(_groups(stream, source.read(reading))):
        folder = stream.folder / f"batch-{number}"
        done = _land(stream, total.table if total else table, batches, folder)
        total = _added(total, done)
    if (
        total is None
        and table.state is not None
        and changes(table.state.definition or {}, definition(stream.entry.spec))
    ):
        total = _remember(stream, table)
    return total if total is None or total.changed else None


def _groups(stream: Stream, batches: Iterator[Batch]) -> Iterator[Iterator[Batch]]:
    """Publish batch by batch; a rebuild publishes all of them together, so that readers never see half of it."""
    if stream.step.full:
        first = next(batches, None)
        if first is not None:
            yield _chain(first, batches)
    else:
        for batch in batches:
            yield iter([batch])


def _chain(first: Batch, rest: Iterator[Batch]) -> Iterator[Batch]:
    yield first
    yield from rest


def _reading(stream: Stream, table: Table) -> Reading:
    context = stream.context
    whole = stream.step.full or stream.reset or table.state is None
    scratch = stream.folder / "source"
    scratch.mkdir(parents=True, exist_ok=True)
    return Reading(
        stream=stream.entry.stream,
        since=None if whole or table.state is None else table.state.cursor,
        folder=scratch,
        project=context.project.root,
        table=str(stream.entry.name),
        threads=context.engine.threads,
        held=business(table.schema) if table.exists else None,
        stopped=context.stop.event,
    )


def _land(stream: Stream, table: Table, batches: Iterator[Batch], folder: Path) -> Written:
    context, spec = stream.context, stream.entry.spec
    with context.engine.session() as session, context.stop.watch(session):
        drift: Drift | None = None
        delivered, cursor, overlap = Delivered(), None, None
        for number, batch in enumerate(batches):
            for note in batch.notes:
                context.events.emit("note", str(table.name), text=note)
            table, drift = _fit(stream, session, table, batch, drift, folder)
            part = deliver(batch, drift, spec, stream.place, _landing(stream, folder / f"part-{number}"))
            delivered.staged += part.staged
            delivered.rejects += part.rejects
            cursor, overlap = batch.cursor(), batch.overlap
        if drift is None:
            raise SourceError("LG-202", f"{stream.place} delivered an empty batch")
        mode = _mode(stream, table)
        schema = table_schema(drift)
        landed = Landed(session, table, spec, mode, schema, delivered.staged)
        staged = settled(landed, folder, "true" if stream.reset else overlap)
        if mode == "replace" and not delivered.rejects and same_rows(landed, staged):
            staged, mode = [], "append"
        elif mode == "replace":
            _not_emptied(stream, table, delivered)
        work = _work(stream, table, mode, schema, staged, cursor)
        work.refused = delivered.rejects
        return write(context, session, work, folder)


def _work(
    stream: Stream, table: Table, mode: Mode, schema: pa.Schema, staged: Sequence[StagedFile], cursor: Any
) -> Work:
    spec = stream.entry.spec
    held = table.state.cursor if table.state is not None and not stream.step.full else None
    return Work(
        table,
        mode,
        schema,
        staged,
        definition(spec),
        gates=_gates(stream),
        key=spec.key,
        cursor=held if cursor is None else cursor,
        partition_by=spec.partition_by,
        personal=personal(spec),
        silent=OWN,
        description=spec.description,
    )


def _gates(stream: Stream) -> list[Gate]:
    spec = stream.entry.spec
    return gates(spec.columns, spec.checks, guards(stream.context.project, stream.entry.name))


def _mode(stream: Stream, table: Table) -> Mode:
    return "replace" if stream.step.full or not table.exists else stream.entry.spec.mode


def _landing(stream: Stream, folder: Path) -> Landing:
    context, name = stream.context, str(stream.entry.name)

    def tell(label: str, rows: int, size: int) -> None:
        context.events.emit("source.read", name, label=label, rows=rows, bytes=size)

    return Landing(context.engine, folder, context.run, context.at, context.stop, tell)


def _fit(
    stream: Stream, session: Session, table: Table, batch: Batch, before: Drift | None, folder: Path
) -> tuple[Table, Drift]:
    """Let the table's columns follow the source, as a publish of its own, before any row of the batch is staged."""
    spec, name = stream.entry.spec, str(table.name)
    replacing = _mode(stream, table) == "replace"
    held = before.schema if before else business(table.schema) if table.exists and not stream.step.full else None
    drift = settle(batch.schema, held, spec, _declared(session, stream, batch.schema), stream.place)
    for note in drift.notes:
        stream.context.events.emit("note", name, text=f"{stream.place}: {note}")
    if replacing:
        kept = [f for f in drift.schema if f.name not in drift.missing or before is not None]
        return table, replace(drift, schema=pa.schema(kept))
    if table.exists and drift.widened:
        table = retype(stream.context.lake, session, table, table_schema(drift), folder, stream.context.run)
    if table.exists and drift.added:
        fields = pa.schema([drift.schema.field(n) for n in drift.added])
        table = add_columns(stream.context.lake, table, fields, stream.context.run)
    return table, drift


def _declared(session: Session, stream: Stream, arriving: pa.Schema) -> dict[str, Any]:
    """Resolve the declared types of the columns that arrive to Arrow types."""
    by_fold = {n.casefold(): n for n in arriving.names}
    types = {
        by_fold[name.casefold()]: column.type
        for name, column in stream.entry.spec.columns.items()
        if column.type and name.casefold() in by_fold
    }
    if not types:
        return {}
    found = session.schema("select " + ", ".join(f"null::{t} as {quote(n)}" for n, t in types.items()))
    return {f.name: f.type for f in found}


def _not_emptied(stream: Stream, table: Table, delivered: Delivered) -> None:
    if table.exists and table.rows and not delivered.rows and not stream.entry.spec.allow_empty:
        raise SourceError(
            "LG-202",
            f"{stream.place} delivered no row, which would empty `{table.name}` of its {table.rows}",
            hint="if that is right, say `allow_empty: true` in the stream",
        )


def _remember(stream: Stream, table: Table) -> Written:
    """Write down a changed definition although the source has no news, so that the plan says it once."""
    context = stream.context
    with context.engine.session() as session:
        return write(context, session, _work(stream, table, "append", table.schema, [], None), stream.folder)


def _added(total: Written | None, done: Written) -> Written:
    if total is None:
        return done
    return Written(
        done.table, total.rows + done.rows, total.quarantined + done.quarantined, total.changed or done.changed
    )
