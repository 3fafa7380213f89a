"""Stages the partitions of time that changes of the inputs touch, or that a backfill asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from lagoa.check.gates import Gate
from lagoa.errors import LakeError, Place, StepError
from lagoa.kit.text import columns, quote
from lagoa.kit.types import sql_type
from lagoa.lake.table import Table, bind
from lagoa.ports import Session, StagedFile
from lagoa.project.model import Model
from lagoa.run.context import Context
from lagoa.run.recompute import bind_staged, compare, passes
from lagoa.spec.spelling import spelled
from lagoa.sql.incremental.analysis import KEYS, Refused
from lagoa.sql.parse import bare
from lagoa.transform import sql_model
from lagoa.transform.bind import tables_behind
from lagoa.transform.follower import Follower
from lagoa.transform.incremental import Followed, follow
from lagoa.transform.partitions import Built, Stretches, begins, grain_of, in_calendar, joined
from lagoa.transform.reading import Reading

_CAME, _HELD = "_rebuilt", "_held"
_TIMES = (pa.types.is_timestamp, pa.types.is_date)


@dataclass(frozen=True)
class Rebuilt:
    """Staged rows of whole partitions, in the place of those for which `where` is true, in the files `among`."""

    schema: pa.Schema
    rows: Sequence[StagedFile] = ()
    where: str = "false"
    among: Sequence[str] = ()


def touched(context: Context, session: Session, model: Model, table: Table, folder: Path) -> Rebuilt | None:
    """Stage the touched partitions. None: it must be rebuilt in full; a note says why."""
    try:
        followed, schema = _followed(context, model)
        found = _touched(context, session, model, table, followed, schema)
        return staged(session, model, table, schema, found, folder, _reading(context, session, followed))
    except Refused as refused:
        why = str(refused)
    except (StepError, LakeError) as error:
        why = f"its touched partitions could not be computed alone ({error.message})"
    context.events.emit("note", str(model.name), text=f"{model.name} is rebuilt in full: {why}")
    return None


def reading(context: Context, session: Session, model: Model) -> Reading | None:
    """Say how a model is read for some partitions alone; None where its inputs must be read whole."""
    try:
        return _reading(context, session, _followed(context, model)[0])
    except (Refused, StepError, LakeError):
        return None


def _reading(context: Context, session: Session, followed: Followed) -> Reading | None:
    ranged = followed.analysis.ranged
    return Reading(session, followed, ranged, context.pin) if ranged is not None else None


def _followed(context: Context, model: Model) -> tuple[Followed, pa.Schema]:
    """Follow a model, and give its table's columns. Raises Refused, StepError, LakeError."""
    shapes = {name: context.pin(name).schema for name in tables_behind(context.project, model.inputs)}
    with context.engine.session() as apart:
        followed = follow(apart, context.project, model, shapes)
        found = apart.schema(bare(model.body))
        schema = sql_model.declared(apart, model, found)
    _alike(found, model, schema)
    return followed, schema


def _touched(
    context: Context, session: Session, model: Model, table: Table, followed: Followed, schema: pa.Schema
) -> Stretches:
    touch = Follower(session, context.lake, table, followed, context.pin).touched(schema)
    missing = Built.read(table.state.cursor if table.state else None).missing()
    asked = f"select {in_calendar('k0')} from {KEYS}"
    starts = [start for (start,) in session.rows(asked)] if touch.keys else []
    grain = grain_of(model.header)
    moments = [start and begins(_utc(start), grain) for start in starts]
    if missing:
        outside = [m for m in moments if m is not None and not missing.meets(m)]
        known = joined(outside, grain, few=len(outside))
        return Stretches([*known.of, *missing.of], timeless=True)
    return joined(moments, grain)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _alike(found: pa.Schema, model: Model, schema: pa.Schema) -> None:
    """Refuse a time that the table holds in another way than the query gives it: it could fall into another day."""
    time = spelled(model.header, schema.names).time or ""
    if found.field(time).type != schema.field(time).type:
        raise Refused(f"the time {time} is declared as another type than the query gives")


def timed(model: Model, schema: pa.Schema) -> None:
    """Refuse a `time` that is none. Raises StepError LG-501."""
    time = spelled(model.header, schema.names).time
    if time is not None and not any(is_one(schema.field(time).type) for is_one in _TIMES):
        message = f"`{model.name}`: `time: {time}` is {sql_type(schema.field(time).type)}, which is no time"
        raise StepError("LG-501", message, place=Place(model.file, 1), hint="cast it to timestamp or date")


def staged(
    session: Session,
    model: Model,
    table: Table,
    schema: pa.Schema,
    found: Stretches,
    folder: Path,
    reading: Reading | None,
) -> Rebuilt:
    """Stage the rows of some stretches as the query gives them now; without `reading` its inputs must be bound."""
    header = spelled(model.header, schema.names)
    time = header.time or ""
    kind = schema.field(time).type
    if not found:
        return Rebuilt(schema)
    if reading is not None:
        query = reading.rows(schema, time, found)
    else:
        parts = [part.where(time, kind) for part in found.apart()]
        query = " union all ".join(f"(select * from ({bare(model.body)}\n) where {part})" for part in parts)
    ordered = f"select * from ({query}) order by {quote(time)}"
    rows = session.stage(query if header.partition_by else ordered, folder / "partitions", schema, header.partition_by)
    return Rebuilt(schema, rows, found.where(time, kind), found.among(table.files, time))


def verify(
    context: Context,
    session: Session,
    model: Model,
    table: Table,
    done: Rebuilt,
    gates: Sequence[Gate],
    folder: Path,
) -> None:
    """Compare the table as it would become with a full rebuild. Raises LagoaError LG-605 when a row differs.

    Rows that gates set aside do not count.
    """
    shown, good = columns(done.schema.names), passes(gates, done.schema)
    bind_staged(session, _CAME, done.schema, done.rows)
    bind(session, _HELD, table)
    become = (
        f"select {shown} from {_HELD} where ({done.where}) is not true "
        f"union all select {shown} from {_CAME} where {good}"
    )
    compare(context, session, model, done.schema, become, folder, good)
