"""Stages what an incremental model must change: the rows of touched keys, and the keys that have no row any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from lagoa.check.gates import Gate, quoted
from lagoa.errors import LagoaError, LakeError, StepError
from lagoa.kit.text import columns, quote
from lagoa.kit.types import sql_type
from lagoa.lake.table import Table, bind
from lagoa.ports import Asked, FileSet, Session, StagedFile
from lagoa.project.model import Model
from lagoa.run.context import Context
from lagoa.spec.spelling import spelled
from lagoa.sql.incremental.analysis import Refused
from lagoa.sql.parse import bare
from lagoa.transform import sql_model
from lagoa.transform.bind import tables_behind
from lagoa.transform.follower import Follower
from lagoa.transform.incremental import fits, follow

TOUCHED = "_touched"
"""The relation of the touched keys, under the names of the table's columns."""
_CAME, _HELD, _FULL = "_recomputed", "_held", "_full"


@dataclass(frozen=True)
class Recomputed:
    """Staged files of a merge: the `rows` of touched keys, which the relation `TOUCHED` of the session holds.

    `files` are the table's files that may hold rows of them.
    """

    schema: pa.Schema
    touched: bool = False
    rows: Sequence[StagedFile] = ()
    files: Sequence[str] = ()


def recompute(context: Context, session: Session, model: Model, table: Table, folder: Path) -> Recomputed | None:
    """Stage what changed since the table was built. None: it must be rebuilt; a note says why.

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
        found = apart.schema(bare(model.body))
        schema = sql_model.declared(apart, model, found)
    fits(found, schema, model)
    follower = Follower(session, context.lake, table, followed, context.pin)
    touch = follower.touched(schema)
    if not touch.keys:
        return Recomputed(schema)
    header = spelled(model.header, schema.names)
    rows = session.stage(follower.rows(schema), folder / "touched", schema, header.partition_by)
    if not rows and not header.allow_empty:
        raise Refused("none of its touched keys has a row, and it says `allow_empty: false`")
    session.bind(TOUCHED, follower.keys())
    return Recomputed(schema, True, rows, touch.files)


def verify(
    context: Context,
    session: Session,
    model: Model,
    table: Table,
    done: Recomputed,
    gates: Sequence[Gate],
    folder: Path,
) -> None:
    """Compare the table as it would become with a full rebuild. Raises LagoaError LG-605 when a row differs.

    Rows that gates set aside do not count.
    """
    shown, good = columns(done.schema.names), passes(gates, done.schema)
    bind_staged(session, _CAME, done.schema, done.rows)
    bind(session, _HELD, table)
    become = f"select {shown} from {_HELD}"
    if done.touched:
        key = spelled(model.header, done.schema.names).key
        same = " and ".join(f"h.{quote(k)} is not distinct from t.{quote(k)}" for k in key)
        become += f" h anti join {TOUCHED} t on {same} union all select {shown} from {_CAME} where {good}"
    compare(context, session, model, done.schema, become, folder, good)


def compare(
    context: Context, session: Session, model: Model, schema: pa.Schema, become: str, folder: Path, good: str = "true"
) -> None:
    """Compare the rows of a query with those of a full rebuild that are `good`. Raises LagoaError LG-605."""
    bind_staged(session, _FULL, schema, sql_model.stage(session, model, schema, folder / "full"))
    rebuilt = f"select {columns(schema.names)} from {_FULL} where {good}"
    differ = f"(({become}) except all ({rebuilt})) union all (({rebuilt}) except all ({become}))"
    if number := int(session.rows(f"select count(*) from ({differ})")[0][0]):
        message = (
            f"{model.name}: what was recomputed differs from a full rebuild in {number:,} rows; nothing was published"
        )
        raise LagoaError("LG-605", message, hint=f"`lagoa run --full -s {model.name}` rebuilds it; please report this")
    context.events.emit("note", str(model.name), text=f"{model.name}: what was recomputed equals a full rebuild")


def passes(gates: Sequence[Gate], schema: pa.Schema) -> str:
    """Write the condition of the rows that no gate sets aside."""
    aside = [gate for gate in gates if gate.local and gate.on_fail == "quarantine" and gate.column is not None]
    asked = [Asked(quoted(g), "", {}, sql_type(schema.field(g.column).type)) for g in aside]
    return " and ".join(f"not ({g.breaks(a)})" for g, a in zip(aside, asked, strict=True)) or "true"


def bind_staged(session: Session, name: str, schema: pa.Schema, files: Sequence[StagedFile]) -> None:
    """Give staged rows a name."""
    session.bind(name, FileSet(schema, [str(f.path) for f in files], {str(f.path): f.partition for f in files}))
