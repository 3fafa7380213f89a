"""Carries out the step of a stream: read what is new, fit it to the table, write it batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from lagoa.check.gates import gates
from lagoa.errors import SourceError, did_you_mean
from lagoa.ingest.definition import changes, definition, left_behind, personal
from lagoa.ingest.deliver import Delivered, Landing, deliver
from lagoa.ingest.drift import Drift, settle
from lagoa.ingest.shape import business, table_schema
from lagoa.kit.text import quote
from lagoa.lake.evolve import add_columns, retype
from lagoa.lake.table import Table
from lagoa.plan.step import Step
from lagoa.ports import OWN, Batch, Reading, Session, StagedFile
from lagoa.project.model import StreamTable
from lagoa.run import deletions
from lagoa.run.context import Context
from lagoa.run.settle import Landed, same_rows, settled
from lagoa.run.write import Mode, Work, Written, write
from lagoa.spec.spelling import spelled
from lagoa.spec.stream import Stream as Declared


@dataclass
class Stream:
    """One stream on its way into its table. `done` is what earlier tries of the step have published."""

    context: Context
    step: Step
    entry: StreamTable
    reset: bool = False
    done: Written | None = None

    @property
    def place(self) -> str:
        """Name it for messages: `erp.orders`."""
        return f"{self.entry.source}.{self.entry.stream}"

    @property
    def whole(self) -> bool:
        """Say whether everything is read, to be made true by one commit."""
        return self.step.full or self.reset or self.entry.spec.mode == "replace"

    @property
    def meant(self) -> dict[str, Any]:
        """What the stream means, as its table's state keeps it."""
        return definition(self.entry.spec, self.context.project.deciding(self.entry.name))

    def changed(self, table: Table) -> list[str]:
        """Say what changed in the declaration since the table was written."""
        if table.state is None or table.state.definition is None or self.step.full:
            return []
        return changes(table.state.definition, self.meant)

    def tell(self, text: str) -> None:
        """Tell people something."""
        self.context.events.emit("note", str(self.entry.name), text=text)


def ingest(stream: Stream, folder: Path) -> Written | None:
    """Read the stream and publish what it brings. None: no news. Raises SourceError, CheckFailed, Conflict."""
    context, name = stream.context, stream.entry.name
    table = context.lake.open(name, trust=True) if stream.step.full else context.pin(name)
    changed = stream.changed(table)
    _warn(stream, table)
    source = context.project.sources[stream.entry.source].source
    reading = _reading(stream, table, folder, anew=bool(changed) and stream.entry.spec.mode == "replace")
    for number, batches in enumerate(_groups(stream, source.read(reading))):
        done = _land(stream, table, batches, folder / f"batch-{number}")
        table, stream.done = done.table, _added(stream.done, done)
        if stream.step.status == "new":
            stream.step = replace(stream.step, full=False)  # what comes next is added to what is there now
    if changed and stream.changed(table):
        stream.done = _added(stream.done, _remember(stream, table, folder))
    return stream.done if stream.done is not None and stream.done.changed else None


def _warn(stream: Stream, table: Table) -> None:
    """Say what stays as it was although the declaration changed: only a rebuild undoes it."""
    if stream.changed(table) and stream.entry.spec.mode != "replace" and table.state is not None:
        for what in left_behind(table.state.definition, stream.meant):
            stream.tell(f"{what} stay as they are; `lagoa run --full -s {table.name}` loads them anew")


def _groups(stream: Stream, batches: Iterator[Batch]) -> Iterator[Iterator[Batch]]:
    """Publish batch by batch; what is read anew is published together: readers never see half of it, or old rows.

    A new table has no readers yet: batches that say so are published one by one, so that a killed run goes on.
    """
    first = next(batches, None)
    if first is None:
        return
    if stream.whole and not (first.apart and stream.step.status == "new"):
        yield _chain(first, batches)
        return
    yield iter([first])
    for batch in batches:
        yield iter([batch])


def _chain(first: Batch, rest: Iterator[Batch]) -> Iterator[Batch]:
    yield first
    yield from rest


def _reading(stream: Stream, table: Table, folder: Path, anew: bool) -> Reading:
    context = stream.context
    scratch = folder / "source"
    scratch.mkdir(parents=True, exist_ok=True)
    return Reading(
        stream=stream.entry.stream,
        since=None if anew or stream.step.full or stream.reset or table.state is None else table.state.cursor,
        folder=scratch,
        project=context.project.root,
        table=str(stream.entry.name),
        threads=context.engine.threads,
        held=business(table.schema) if table.exists else None,
        stopped=context.stop.event,
    )


def _land(stream: Stream, table: Table, batches: Iterator[Batch], folder: Path) -> Written:
    context = stream.context
    with context.engine.session() as session, context.stop.watch(session):
        drift: Drift | None = None
        delivered, cursor, overlap, mixed = Delivered(), None, None, False
        keys: list[StagedFile] | None = None
        for number, batch in enumerate(batches):
            table, now, part = _read(stream, session, table, batch, drift, folder / f"part-{number}")
            mixed |= drift is not None and bool(now.widened)
            drift = now
            delivered.staged += part.staged
            delivered.rejects += part.rejects
            if _mode(stream, table) == "merge":
                landing = _landing(stream, folder / f"part-{number}")
                keys = deletions.listed(batch, drift, _spelled(stream, drift.schema), stream.place, landing)
            cursor, overlap = batch.cursor(), batch.overlap
        if drift is None:
            raise SourceError("LG-202", f"{stream.place} delivered an empty batch")
        mode = _mode(stream, table)
        schema = table_schema(drift) if mode == "replace" else table.schema
        if mode != "replace":  # a column that came later stands after Lagoa's own
            schema = pa.schema([schema.field(name) for name in table.schema.names])
        landed = Landed(session, table, _spelled(stream, schema), mode, schema, delivered.staged, mixed)
        staged = settled(landed, folder, "true" if stream.reset or _forgotten(stream, table) else overlap)
        staged, gone = deletions.apart(landed, staged, folder)
        if keys is not None:
            gone += deletions.vanished(landed, keys, stream.place, folder)
        work = _work(stream, table, mode, schema, staged, cursor)
        work.refused, work.vanished = delivered.rejects, gone
        asked = stream.step.full or bool(stream.changed(table))
        again = mode == "replace" and not asked and not delivered.rejects
        if again and same_rows(landed, staged, context.lake.open(table.name.quarantine, trust=True)):
            work.mode, work.staged = "append", []
        return write(context, session, work, folder)


def _read(
    stream: Stream, session: Session, table: Table, batch: Batch, before: Drift | None, folder: Path
) -> tuple[Table, Drift, Delivered]:
    """Fit the table to a batch and stage its rows, anew while the batch finds that they are more than its columns."""
    for note in batch.notes:
        stream.tell(note)
    said, nth = len(batch.notes), 0
    while True:
        place = folder / f"try-{nth}"
        table, drift = _fit(stream, session, table, batch, before, place / "fit")
        done = deliver(batch, drift, _spelled(stream, drift.schema), stream.place, _landing(stream, place))
        if not batch.again():
            break
        for file in (*done.staged, *done.rejects):
            file.path.unlink()
        nth += 1
    for note in batch.notes[said:]:  # what was seen on the way
        stream.tell(note)
    return table, drift, done


def _forgotten(stream: Stream, table: Table) -> bool:
    """Say whether rows were taken as they were found, without a state that says how far the source was read."""
    return not stream.step.full and table.state is not None and table.state.definition is None


def _spelled(stream: Stream, schema: pa.Schema) -> Declared:
    return spelled(stream.entry.spec, schema.names)


def _work(
    stream: Stream, table: Table, mode: Mode, schema: pa.Schema, staged: Sequence[StagedFile], cursor: Any
) -> Work:
    spec, held = _spelled(stream, schema), table.state
    guards = stream.context.project.guards(table.name)
    return Work(
        table,
        mode,
        schema,
        staged,
        stream.meant,
        gates=gates(spec.columns, spec.checks, guards),
        judge_all="its checks changed" in stream.changed(table),
        key=spec.key,
        again=True,
        cursor=held.cursor if cursor is None and held is not None and not stream.step.full else cursor,
        partition_by=spec.partition_by,
        personal=personal(spec),
        silent=OWN,
        description=spec.description,
        empty=_emptying(stream, table),
    )


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
    spec = stream.entry.spec
    held = before.schema if before else business(table.schema) if table.exists and not stream.step.full else None
    drift = settle(batch.schema, held, spec, _declared(session, stream, batch.schema), stream.place)
    for note in drift.notes:
        stream.tell(f"{stream.place}: {note}")
    if _mode(stream, table) == "replace":
        stays = {*drift.arriving, *(before.schema.names if before else ())}
        drift = replace(drift, schema=pa.schema([f for f in drift.schema if f.name in stays]))
    else:
        table = _evolved(stream, session, table, drift, folder)
    _has_what_is_named(stream, drift.schema)
    return table, drift


def _evolved(stream: Stream, session: Session, table: Table, drift: Drift, folder: Path) -> Table:
    context = stream.context
    if drift.widened:
        kept = pa.schema([f for f in drift.schema if f.name not in drift.added])
        become = table_schema(replace(drift, schema=kept))
        table = retype(context.lake, session, table, become, folder, context.run)
        context.move(table)
    fields = pa.schema([f for f in table_schema(drift) if f.name not in table.schema.names])
    if fields.names:  # a table that was accepted may lack Lagoa's own columns, too
        secret = personal(_spelled(stream, fields)) & set(fields.names)
        table = add_columns(context.lake, table, fields, context.run, personal=secret)
        context.move(table)
    return table


def _has_what_is_named(stream: Stream, schema: pa.Schema) -> None:
    """Refuse a key or a partition that is no column, before all rows lack it. An empty delivery has no columns."""
    spec = _spelled(stream, schema)
    marks = spec.deletes.column if spec.deletes else None
    named = {
        "key": spec.key if spec.mode == "merge" else (),
        "partition_by": spec.partition_by,
        "deletes": (marks,) if marks else (),
    }
    for word, names in named.items():
        for name in names if schema.names else ():
            if name not in schema.names:
                raise SourceError(
                    "LG-206",
                    f"{stream.place} delivers no column `{name}`, which `{word}:` names",
                    hint=did_you_mean(name, schema.names) or f"it delivers {', '.join(schema.names)}",
                )


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


def _emptying(stream: Stream, table: Table) -> SourceError | None:
    """Make the error of a replace that leaves no row; None when it may."""
    if not (table.exists and table.rows) or stream.entry.spec.allow_empty:
        return None
    return SourceError(
        "LG-202",
        f"{stream.place} delivered no row that can be loaded, which would empty `{table.name}` of its {table.rows}",
        hint="if that is right, say `allow_empty: true` in the stream",
    )


def _remember(stream: Stream, table: Table, folder: Path) -> Written:
    """Let the table follow a changed declaration although the source has no news, so that the plan says it once."""
    context = stream.context
    with context.engine.session() as session, context.stop.watch(session):
        own = business(table.schema)
        drift = settle(own, own, stream.entry.spec, _declared(session, stream, own), stream.place)
        if drift.widened:
            table = _evolved(stream, session, table, drift, folder)
        return write(context, session, _work(stream, table, "append", table.schema, [], None), folder / "remembered")


def _added(total: Written | None, done: Written) -> Written:
    if total is None:
        return done
    rows, quarantined = total.rows + done.rows, total.quarantined + done.quarantined
    return Written(done.table, rows, quarantined, total.changed or done.changed)
