"""Between staging and audit: one row a key for a merge, no row twice for an append, no news for an equal replace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from lagoa.ingest.definition import personal
from lagoa.ingest.shape import business, fingerprint, unmet
from lagoa.kit.text import columns
from lagoa.lake.merge import newest
from lagoa.lake.table import Table, bind
from lagoa.ports import RAW, REASON, SOURCE, FileSet, Session, StagedFile
from lagoa.run.write import Mode
from lagoa.spec.stream import Stream

_CAME, _HAD, _ASIDE = "_came", "_had", "_aside"
_FILE = f"regexp_replace({SOURCE}, ':\\d+$', '')"
_PARTS = f"regexp_extract_all({_FILE}, '\\d+|\\D+')"
_NATURAL = f"list_transform({_PARTS}, lambda p: case when p[1] between '0' and '9' then lpad(p, 40, '0') else p end)"
"""Orders files as a person would: day_9.csv before day_10.csv."""
_LINE = f"try_cast(regexp_extract({SOURCE}, ':(\\d+)$', 1) as bigint)"


@dataclass(frozen=True)
class Landed:
    """A stream's staged rows beside the table that they are for; `mode` is how they will be written.

    `mixed` says that not all files have the types of `schema`.
    """

    session: Session
    table: Table
    stream: Stream
    mode: Mode
    schema: pa.Schema
    files: Sequence[StagedFile]
    mixed: bool = False


def settled(landed: Landed, folder: Path, overlap: str | None) -> list[StagedFile]:
    """Stage again what must be: rows of a key that came twice, rows that the table has already, partitions.

    `overlap` is the predicate of the table's rows among which the staged ones may already be; None: none.
    """
    session, stream, files = landed.session, landed.stream, landed.files
    if not sum(f.rows for f in files):
        return list(files)
    session.bind(_CAME, FileSet(_with_reasons(landed), [str(f.path) for f in files]))
    query = None
    if stream.mode == "merge":
        query = _one_a_key(landed)
    elif landed.mode == "append" and overlap:
        bind(session, _HAD, landed.table)
        same = list(stream.key) or business(landed.schema).names
        doubtful = _refuses(files)
        query = unmet(_HAD, f"(from {_CAME} where {REASON} is null)" if doubtful else _CAME, same, overlap)
        if doubtful:
            query += f" union all by name select * from {_CAME} where {REASON} is not null"
    if query is None and (stream.partition_by or landed.mixed):
        query = f"select * from {_CAME}"
    return session.stage(query, folder / "settled", landed.schema, stream.partition_by) if query else list(files)


def same_rows(landed: Landed, staged: Sequence[StagedFile], aside: Table) -> bool:
    """Say whether a full read brought exactly what the table holds, and its quarantine `aside`: nothing is written."""
    session, table = landed.session, landed.table
    doubtful = any(f.refused for f in staged)
    if not table.exists or table.distrust is not None or not _same_shape(landed):
        return False
    if table.rows > sum(f.rows for f in staged) or (not doubtful and table.rows != sum(f.rows for f in staged)):
        return False
    names = business(landed.schema).names
    bind(session, _HAD, table)
    session.bind(_CAME, FileSet(_with_reasons(landed), [str(f.path) for f in landed.files]))
    good = f"(from {_CAME} where {REASON} is null)" if doubtful else _CAME
    if session.rows(fingerprint(_HAD, names)) != session.rows(fingerprint(good, names)):
        return False
    return _same_refused(landed, doubtful, aside)


def _same_refused(landed: Landed, doubtful: bool, aside: Table) -> bool:
    """Say whether the rows that are refused are those that were: the quarantine follows its table, and may be late."""
    session, state, names = landed.session, landed.table.state, (SOURCE, REASON, RAW)
    if state is None or state.bad_at is None:
        return not doubtful
    if not aside.exists or aside.state is None or aside.distrust is not None or aside.state.cursor != state.bad_at:
        return False
    if not doubtful:
        return aside.rows == 0
    bind(session, _ASIDE, aside)
    bad = f"(from {_CAME} where {REASON} is not null)"
    return session.rows(fingerprint(_ASIDE, names)) == session.rows(fingerprint(bad, names))


def _same_shape(landed: Landed) -> bool:
    table, stream = landed.table, landed.stream
    if table.state is None:
        return False
    if table.schema != landed.schema or tuple(table.partition_by) != tuple(stream.partition_by):
        return False
    return set(table.state.personal) == personal(stream)


def _one_a_key(landed: Landed) -> str | None:
    """Return SQL that keeps the newest row of each key, and every refused one; None when no key comes twice."""
    stream, doubtful = landed.stream, _refuses(landed.files)
    fine = f"(select * from {_CAME} where {REASON} is null)" if doubtful else _CAME
    keys = f"select distinct {columns(stream.key)} from {fine}"
    rows, different = landed.session.rows(f"select (select count(*) from {fine}), (select count(*) from ({keys}))")[0]
    if rows == different:
        return None
    order = [stream.cursor] if stream.cursor is not None and stream.cursor in landed.schema.names else []
    ranked = f"select *, {_NATURAL} as _in, {_LINE} as _line from {fine}"
    kept = newest(landed.session, ranked, list(stream.key), [*order, "_in", "_line"])
    kept = f"select {columns(_with_reasons(landed).names)} from ({kept})"
    return f"{kept} union all by name select * from {_CAME} where {REASON} is not null" if doubtful else kept


def _refuses(files: Sequence[StagedFile]) -> bool:
    return any(REASON in f.stats for f in files)


def _with_reasons(landed: Landed) -> pa.Schema:
    """Give the files' columns: those that may hold refused rows have two more."""
    if not _refuses(landed.files):
        return landed.schema
    return pa.schema([*landed.schema, pa.field(REASON, pa.string()), pa.field(RAW, pa.string())])
