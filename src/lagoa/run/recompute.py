"""Stages what an incremental model must change: the rows of touched keys, and the keys that have no row any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from lagoa.errors import LakeError, StepError
from lagoa.kit.text import columns, quote
from lagoa.lake.table import Table
from lagoa.ports import FileSet, Session, StagedFile
from lagoa.project.model import Model
from lagoa.run.context import Context
from lagoa.spec.spelling import spelled
from lagoa.sql.incremental.analysis import Refused
from lagoa.sql.parse import bare
from lagoa.transform import sql_model
from lagoa.transform.bind import tables_behind
from lagoa.transform.incremental import VANISHED, Follower, fits, follow

_TOUCHED, _CAME = "_touched", "_recomputed"


@dataclass(frozen=True)
class Recomputed:
    """Staged files of a merge: `rows` of touched keys, and `vanished` keys (see `Work.vanished`)."""

    schema: pa.Schema
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
    return Recomputed(schema, rows, session.stage(gone, into / "vanished", marked, header.partition_by))
