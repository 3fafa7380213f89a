"""The one path of every write: staged rows are audited, merged where the mode says so, and published by one commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from lagoa.check.audit import Audited, Batch, audit
from lagoa.check.gates import Gate
from lagoa.errors import CheckFailed, LagoaError
from lagoa.ingest.shape import unmet
from lagoa.kit.text import columns, quote
from lagoa.lake import quarantine
from lagoa.lake.files import rows_per_file
from lagoa.lake.merge import Merge, merge
from lagoa.lake.publish import Change, publish
from lagoa.lake.state import CheckResult, Input
from lagoa.lake.swap import swap
from lagoa.lake.table import Table, bind
from lagoa.ports import RAW, REASON, SOURCE, FileSet, Session, StagedFile
from lagoa.run.context import Context
from lagoa.spec.names import QUARANTINE, TableName
from lagoa.transform.bind import bind_tables, tables_behind
from lagoa.transform.incremental import VANISHED

Mode = Literal["append", "merge", "replace"]
_HELD, _GOOD, _BECOME, _BAD, _GONE = "_held", "_staged", "_become", "_bad", "_gone"


@dataclass
class Work:
    """Staged rows on their way into a table, with all that the commit must remember."""

    table: Table
    mode: Mode
    schema: pa.Schema
    staged: Sequence[StagedFile]
    definition: Any
    gates: Sequence[Gate] = ()
    key: Sequence[str] = ()
    refused: Sequence[StagedFile] = ()
    """Records that never became rows: they go to the quarantine with those that fail a check."""
    again: bool = False
    """The source may have delivered some of these rows before."""
    inputs: Mapping[str, Input] = field(default_factory=dict)
    cursor: Any = None
    partition_by: Sequence[str] = ()
    personal: frozenset[str] = frozenset()
    silent: Sequence[str] = ()
    """Columns in which a merged row may differ without having changed: which run loaded it, and when."""
    description: str | None = None
    judge_all: bool = False
    """The checks are new to rows that the table has already, so these are judged, too."""
    empty: LagoaError | None = None
    """What is wrong when a replace leaves no row; None: nothing."""
    vanished: Sequence[StagedFile] = ()
    """Keys that a merge removes: rows of `schema` and the true column `VANISHED`."""
    touched: str | None = None
    """A relation of the keys whose rows the staged ones are, all of them: a merge removes a key that has none."""
    among: Sequence[str] | None = None
    """The table's files that may hold rows of touched keys; None: its bounds tell."""
    where: str | None = None
    """A merge without key: the rows for which this is true give way to the staged ones."""
    order_by: Sequence[str] = ()
    """How rows lie in the files that a merge writes."""
    judged: Sequence[CheckResult] = ()
    """What checks have found before the rows were staged."""


@dataclass(frozen=True)
class Written:
    """What a commit did; `table` is the version that it made, or the old one when there was nothing to write."""

    table: Table
    rows: int
    quarantined: int
    changed: bool


def write(context: Context, session: Session, work: Work, folder: Path) -> Written:
    """Audit and publish. Raises CheckFailed when a blocking check fails, Conflict when a rival won."""
    name = work.table.name
    context.events.emit(
        "step.staged",
        str(name),
        rows=sum(f.rows for f in work.staged),
        bytes=sum(f.size for f in work.staged),
        files=len(work.staged),
    )
    audited = _audited(context, session, work, folder)
    if work.mode == "replace" and not audited.good and work.empty is not None:
        raise work.empty
    change = _change(context, session, work, audited, folder)
    quarantined = sum(f.rows for f in change.bad)
    if _idle(work, change):
        return Written(work.table, 0, 0, changed=False)
    context.stop.check()
    published = publish(context.lake, work.table, change)
    quarantine.follow(context.lake, name)
    context.move(published)
    rows = sum(f.rows for f in audited.good)
    context.events.emit("step.published", str(name), version=published.version, rows=rows, quarantined=quarantined)
    return Written(published, rows, quarantined, changed=True)


def _audited(context: Context, session: Session, work: Work, folder: Path) -> Audited:
    name = work.table.name
    usable = [gate for gate in work.gates if can_be_asked(context, name, gate)]
    others = sorted({TableName.parse(t) for gate in usable for t in gate.tables} - {name})
    bind_tables(session, context.project, others, context.pin)
    batch = Batch(
        session,
        name,
        work.schema,
        usable,
        lambda files: _become(session, work, files),
        folder / "audit",
        context.run,
        context.at,
        work.personal | _personal(context, others),
        work.partition_by,
        work.judge_all and work.mode != "replace",
        work.mode == "replace",
    )
    audited = audit(batch, work.staged)
    found = [*work.judged, *audited.results]
    results = [{"check": r.name, "on_fail": r.on_fail, "violations": r.violations} for r in found]
    if results:
        context.events.emit("step.audited", str(name), checks=results)
    for check, number in audited.left.items():
        if number:
            text = f"{number:,} rows that were loaded before break `{check}`; `lagoa run --full -s {name}` judges them"
            context.events.emit("note", str(name), text=text)
    return audited


def can_be_asked(context: Context, name: TableName, gate: Gate) -> bool:
    """Say whether what a check reads is built. What is made of the guarded table itself cannot be, the first time."""
    read = tables_behind(context.project, [TableName.parse(t) for t in gate.tables])
    lacking = [t for t in read if t.guarded != name and t.layer != QUARANTINE and not context.pin(t).exists]
    if not lacking:
        return True
    message = f"check `{gate.name}` of `{name}` reads {lacking[0]}, which is not built yet"
    if lacking[0] not in context.project.graph.downstream([name]):
        raise CheckFailed("LG-402", message, place=gate.place, hint=f"lagoa run -s {lacking[0]}")
    context.unpin(lacking[0])
    context.events.emit("note", str(name), text=f"{message}: it is left out until then")
    return False


def _personal(context: Context, others: Sequence[TableName]) -> set[str]:
    """Name the personal columns of other tables that a check reads: a sample must not show them either."""
    states = (context.pin(name).state for name in tables_behind(context.project, others))
    return {column for state in states if state is not None for column in state.personal}


def _become(session: Session, work: Work, files: Sequence[StagedFile]) -> str:
    """Bind and name the table as it would be with these rows published."""
    session.bind(_GOOD, FileSet(work.schema, [str(f.path) for f in files], _partitions(files)))
    if work.mode == "replace" or not work.table.exists:
        return _GOOD
    bind(session, _HELD, work.table)
    kept = f"select {columns(work.schema.names)} from {_HELD}"
    if work.where is not None:
        kept += f" where ({work.where}) is not true"
    elif work.mode == "merge":
        same = " and ".join(f"h.{quote(k)} is not distinct from s.{quote(k)}" for k in work.key)
        kept = (
            f"select {columns(work.schema.names, 'h.')} from {_HELD} h where not exists (from {_GOOD} s where {same})"
        )
        if work.touched is not None:
            kept += f" and not exists (from {work.touched} s where {same})"
        if work.vanished:
            session.bind(_GONE, FileSet(work.schema, [str(f.path) for f in work.vanished], _partitions(work.vanished)))
            kept += f" and not exists (from {_GONE} s where {same})"
    session.bind(_BECOME, f"{kept} union all select {columns(work.schema.names)} from {_GOOD}")
    return _BECOME


def _partitions(files: Sequence[StagedFile]) -> dict[str, Mapping[str, str | None]]:
    return {str(f.path): f.partition for f in files if f.partition}


def _unseen(
    context: Context, session: Session, work: Work, bad: Sequence[StagedFile], folder: Path
) -> Sequence[StagedFile]:
    """Leave out rows that lie in the quarantine already: a source that reads its last rows again meets them again."""
    held = context.lake.open(work.table.name.quarantine, trust=True) if work.again and bad else None
    if held is None or not held.exists or work.mode == "replace":
        return bad
    bind(session, _HELD, held)
    session.bind(_BAD, FileSet(quarantine.SCHEMA, [str(f.path) for f in bad]))
    return session.stage(unmet(_HELD, _BAD, (SOURCE, REASON, RAW), "true"), folder / "unseen", quarantine.SCHEMA)


def _change(context: Context, session: Session, work: Work, audited: Audited, folder: Path) -> Change:
    table = work.table
    change = Change(
        mode=work.mode,
        schema=work.schema,
        adds=audited.good,
        bad=_unseen(context, session, work, [*work.refused, *audited.bad], folder),
        definition=work.definition,
        inputs=dict(work.inputs),
        cursor=work.cursor,
        checks=[*work.judged, *audited.results],
        partition_by=tuple(work.partition_by),
        personal=work.personal,
        run=context.run,
        description=work.description,
    )
    if work.mode == "replace" and table.exists:
        change.removes = list(table.files)
    elif work.mode == "append" or (work.mode == "merge" and table.exists and not table.rows):
        change.changes = []  # the added files are the changed rows
    elif work.mode == "merge" and table.exists:
        _merged(session, work, audited, change, folder)
    return change


def _merged(session: Session, work: Work, audited: Audited, change: Change, folder: Path) -> None:
    done = _by_key(session, work, audited, folder) if work.where is None else _swapped(session, work, audited, folder)
    root = str(work.table.path) + "/"
    change.adds, change.changes = done.adds, done.changes
    change.removes = [path.removeprefix(root) for path in done.removes]


def _swapped(session: Session, work: Work, audited: Audited, folder: Path) -> Merge:
    held, where = work.table.fileset(work.among), work.where or "false"
    return swap(session, held, audited.good, where, work.schema, folder / "swapped", work.partition_by)


def _by_key(session: Session, work: Work, audited: Audited, folder: Path) -> Merge:
    table = work.table
    vanished = [*work.vanished, *_without_row(session, work, audited.good, folder)]
    return merge(
        session,
        table.fileset(work.among),
        [*audited.good, *vanished],
        list(work.key),
        work.schema,
        folder / "merged",
        bounds=table.bounds(work.key) if work.among is None else None,
        partition_by=work.partition_by,
        deleted=VANISHED if vanished else None,
        staged_schema=pa.schema([*work.schema, (VANISHED, pa.bool_())]) if vanished else None,
        ignore=work.silent,
        order_by=work.order_by if _is_part(work) else (),
        rows_per_file=rows_per_file(table.rows, sum(f.size for f in table.files.values())),
    )


def _is_part(work: Work) -> bool:
    """Say whether a merge rewrites a few of the table's files: to sort all of them costs more than it gains."""
    return work.among is not None and len(work.among) * 2 <= max(len(work.table.files), 2)


def _without_row(session: Session, work: Work, good: Sequence[StagedFile], folder: Path) -> Sequence[StagedFile]:
    """Stage the touched keys of which no row came, or none that may go on."""
    if work.touched is None:
        return ()
    session.bind(_GOOD, FileSet(work.schema, [str(f.path) for f in good], _partitions(good)))
    same = " and ".join(f"t.{quote(k)} is not distinct from s.{quote(k)}" for k in work.key)
    gone = f"select {columns(work.key, 't.')}, true as {VANISHED} from {work.touched} t anti join {_GOOD} s on {same}"
    if not session.rows(f"select 1 from ({gone}) limit 1"):
        return ()
    marked = pa.schema([*work.schema, (VANISHED, pa.bool_())])
    return session.stage(gone, folder / "vanished", marked, work.partition_by)


def _idle(work: Work, change: Change) -> bool:
    """Say whether the commit would say nothing new."""
    state = work.table.state
    if state is None or change.adds or change.removes or change.bad:
        return False
    same_cursor = change.cursor is None or change.cursor == state.cursor
    return same_cursor and state.definition == change.definition and dict(state.inputs) == dict(change.inputs)
