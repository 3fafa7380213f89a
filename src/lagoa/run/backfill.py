"""Rebuilds the partitions of time that were asked for, some at a time: each publish is progress that a kill keeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from lagoa.errors import Place, StepError
from lagoa.lake.state import Input
from lagoa.lake.table import Table
from lagoa.ports import Session, StagedFile
from lagoa.project.model import Model
from lagoa.run.context import Context
from lagoa.run.partitions import reading, staged, timed
from lagoa.run.write import Mode, Work, Written, write
from lagoa.transform import sql_model
from lagoa.transform.incremental import alike
from lagoa.transform.partitions import Built, Stretch, Stretches, after, grain_of, partitions

_PUBLISHES = 24
"""A backfill of many partitions rebuilds several at a time: each publish is a version of the table."""
Works = Callable[[Table, Mode, pa.Schema, Sequence[StagedFile], Mapping[str, Input]], Work]
"""Makes the work of a model's step."""


def backfill(
    context: Context,
    session: Session,
    model: Model,
    table: Table,
    folder: Path,
    span: Stretch,
    works: Works,
    inputs: Mapping[str, Input],
    same: bool,
) -> Written | None:
    """Rebuild the partitions of a span, its inputs being bound; those that a killed run has done are left alone.

    What the table has consumed stays as it was, since other partitions have not consumed more: the next run follows
    the inputs from there. When the definition changed (not `same`), or there is no table, only what is rebuilt counts
    as built, and the next run builds the rest. Raises StepError LG-501 when the columns changed.
    """
    schema = sql_model.columns_of(session, model)
    timed(model, schema)
    if table.exists and not alike(schema, table.schema):
        message = f"`{model.name}` has other columns now, which all of its partitions must get"
        raise StepError("LG-501", message, place=Place(model.file, 1), hint=f"lagoa run -s {model.name}")
    state = table.state if same else None
    built = Built.read(state.cursor) if state else Built(covered=[])
    taken = state.inputs if state else inputs
    parts, done = _parts(model, span), built.done if built.asked == span else None
    left = [start for start in parts if done is None or start >= done]
    several = -(-len(parts) // _PUBLISHES)
    written, reads = None, reading(context, session, model)
    for at in range(0, len(left), several):
        batch = left[at : at + several]
        stretch = Stretch(batch[0], after(batch[-1], grain_of(model.header)))
        built = replace(built.with_(stretch), asked=span, done=stretch.high)
        if at + several >= len(left):
            built = replace(built, asked=None, done=None)
        found = staged(session, model, table, schema, Stretches([stretch]), folder / f"batch-{at}", reads)
        work = works(table, "merge" if table.exists else "replace", schema, found.rows, taken)
        work = replace(work, where=found.where, among=found.among, cursor=built.to_json(), again=True, empty=None)
        written = _added(written, write(context, session, work, folder / f"write-{at}"))
        table = written.table
        through = len(parts) - len(left) + at + len(batch)
        said = f"{stretch} rebuilt, {through:,} of {len(parts):,} partitions"
        context.events.emit("note", str(model.name), text=said)
    return written


def _parts(model: Model, span: Stretch) -> list[datetime]:
    return partitions(span.low, span.high, grain_of(model.header)) if span.low and span.high else []


def _added(before: Written | None, now: Written) -> Written:
    if before is None:
        return now
    rows, aside = before.rows + now.rows, before.quarantined + now.quarantined
    return Written(now.table, rows, aside, before.changed or now.changed)
