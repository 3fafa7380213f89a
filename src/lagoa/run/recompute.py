"""Stages what an incremental model must change: the rows of touched keys, and the keys that have no row any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from lagoa.errors import LagoaError, LakeError, StepError
from lagoa.kit.text import columns, quote
from lagoa.lake.table import Table, bind
from lagoa.ports import FileSet, Session, StagedFile
from lagoa.project.model import Model
from lagoa.run.context import Context
from lagoa.spec.spelling import spelled
from lagoa.sql.incremental.analysis import Refused
from lagoa.sql.parse import bare
from lagoa.transform import sql_model
from lagoa.transform.bind import tables_behind
from lagoa.transform.incremental import VANISHED, Follower, fits, follow

_TOUCHED, _CAME, _HELD, _FULL = "_touched", "_recomputed", "_held", "_full"


@dataclass(frozen=True)
class Recomputed:
    """Staged files of a merge: `rows` of touched keys, and `vanished` keys (see `Work.vanished`)."""

    schema: pa.Schema
    touched: bool = False
    rows: Sequence[StagedFile] = ()
    vanished: Sequence[StagedFile] = ()


def recompute(context: Context, session: Session, model: Model, table: Table, folder: Path) -> Recomputed | None:
    """Stage what changed since the table was built, its inputs being bound. None: it must be rebuilt; a note says why.

    What the touched rows alone cannot be computed from is left to the rebuild, whose errors are the user's.
    """
    try:
        return _recomputed(context, session, model, table, folder)
    except Refused as refused:
        why = str(refused)
    except (StepError, LakeError) as error:
        why = f"its touched keys could not be computed alone ({error.message})"
    context.events.emit("note", str(model.name), text=f"{model.name} is rebuilt in full: {why}")
    return None


def _recomputed(context: Context, session: Session, model: Model, table: Table, folder: Path) -> Recomputed:
    shapes = {name: context.pin(name).schema for name in tables_behind(context.project, model.inputs)}
    with context.engine.session() as apart:
        followed = follow(apart, context.project, model, shapes)
    schema = sql_model.columns_of(session, model)
    fits(session.schema(bare(model.body)), schema, model)
    follower = Follower(session, context.lake, table, followed, context.pin)
    if not follower.touched(schema):
        return Recomputed(schema)
    header = spelled(model.header, schema.names)
    into = folder / "touched"
    rows = session.stage(follower.rows(schema), into / "rows", schema, header.partition_by)
    if not rows and not header.allow_empty:
        raise Refused("none of its touched keys has a row, and it says `allow_empty: false`")
    key = pa.schema([schema.field(k) for k in header.key])
    touched = session.stage(follower.keys(header.key), into / "keys", key)
    session.bind(_TOUCHED, FileSet(key, [str(f.path) for f in touched]))
    partitions = {str(f.path): f.partition for f in rows if f.partition}
    session.bind(_CAME, FileSet(schema, [str(f.path) for f in rows], partitions))
    same = " and ".join(f"t.{quote(k)} is not distinct from r.{quote(k)}" for k in header.key)
    gone = f"select {columns(header.key, 't.')}, true as {VANISHED} from {_TOUCHED} t anti join {_CAME} r on {same}"
    marked = pa.schema([*schema, (VANISHED, pa.bool_())])
    return Recomputed(schema, True, rows, session.stage(gone, into / "vanished", marked, header.partition_by))


def verify(context: Context, session: Session, model: Model, table: Table, done: Recomputed, folder: Path) -> None:
    """Compare the table as it would become with a full rebuild. Raises LagoaError LG-605 when a row differs."""
    shown = columns(done.schema.names)
    full = sql_model.stage(session, model, done.schema, folder / "full")
    partitions = {str(f.path): f.partition for f in full if f.partition}
    session.bind(_FULL, FileSet(done.schema, [str(f.path) for f in full], partitions))
    bind(session, _HELD, table)
    become = f"select {shown} from {_HELD}"
    if done.touched:
        key = spelled(model.header, done.schema.names).key
        same = " and ".join(f"h.{quote(k)} is not distinct from t.{quote(k)}" for k in key)
        become = f"select {shown} from {_HELD} h anti join {_TOUCHED} t on {same} union all select {shown} from {_CAME}"
    rebuilt = f"select {shown} from {_FULL}"
    differ = f"(({become}) except all ({rebuilt})) union all (({rebuilt}) except all ({become}))"
    if number := int(session.rows(f"select count(*) from ({differ})")[0][0]):
        message = (
            f"{model.name}: what was recomputed differs from a full rebuild in {number:,} rows; nothing was published"
        )
        raise LagoaError("LG-605", message, hint=f"`lagoa run --full -s {model.name}` rebuilds it; please report this")
    context.events.emit("note", str(model.name), text=f"{model.name}: what was recomputed equals a full rebuild")
