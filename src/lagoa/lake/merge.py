"""Merges staged rows into a table by key: rewrites only files that hold a row which really changes, copy on
write."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from lagoa.kit.text import columns, literal, quote
from lagoa.lake.near import Bounds, near
from lagoa.ports import FileSet, Session, StagedFile

SIDE = "_side"
"""The column of a changes file that says whether the row is the `old` or the `new` one."""
_CAME, _HELD, _OLD, _KEYS = "_merge_came", "_merge_held", "_merge_old", "_merge_keys"
_FEW = 2
"""So few files are read whole at once; more are first asked for their keys alone."""
_SIZE = 128 * 1024 * 1024
"""Bytes of files that are rewritten together."""


@dataclass
class Merge:
    """What a merge does to the table: files to add, paths to remove, and exactly the rows that changed."""

    adds: list[StagedFile] = field(default_factory=list)
    removes: list[str] = field(default_factory=list)
    """Paths as the held FileSet gives them."""
    changes: list[StagedFile] = field(default_factory=list)
    """Files of the schema's columns after `_side`: a changed row once as `old` and once as `new`; none when nothing is
    removed, for then the added files are the changed rows."""


def merge(
    session: Session,
    held: FileSet,
    staged: Sequence[StagedFile],
    key: Sequence[str],
    schema: pa.Schema,
    into: Path,
    *,
    bounds: Bounds | None = None,
    partition_by: Sequence[str] = (),
    deleted: str | None = None,
    staged_schema: pa.Schema | None = None,
    ignore: Collection[str] = (),
    order_by: Sequence[str] = (),
    rows_per_file: int | None = None,
) -> Merge:
    """Update rows whose key is held, insert the others, and keep every row that does not change where it is.

    Staged keys are unique (see `newest`); null keys are equal to each other. `deleted` is a predicate over
    the staged rows, whose columns are `staged_schema`'s: true removes the key. A row that differs in columns
    of `ignore` alone does not change. When no row changes nothing is written. `order_by` sorts the rows of the
    files that are written, and `rows_per_file` cuts them.
    """
    came = staged_schema or schema
    held = FileSet(schema, held.paths, held.partitions)
    session.bind(_CAME, FileSet(came, [str(f.path) for f in staged], _partitions(staged)))
    same = _Same(key, staged)
    among = near(session, _CAME, dict(zip(key, key, strict=True)), schema, held.paths, bounds or {})
    touched = _touched(session, held, same, among)
    session.bind(_HELD, _of(held, touched))
    old = f"from {session.files_of(_HELD)} h semi join {_CAME} s on {same('h', 's')}"
    session.run(f"create or replace temp table {_OLD} as select h.* replace ({place_in(held)} as _file) {old}")
    session.run(f"create or replace temp table {_KEYS} as {_changed(same, schema, deleted, ignore)}")
    done = Merge(removes=at_places(session, held, f"from {_OLD} o semi join {_KEYS} c on {same('o', 'c')}"))
    news = _News(same, schema, deleted)
    layout = _Layout(session, into, schema, partition_by, order_by, rows_per_file)
    for number, group in enumerate(_groups(done.removes)):
        session.bind(_HELD, _of(held, group))
        kept = f"select {columns(schema.names)} from {_HELD} h anti join {_KEYS} c on {same('h', 'c')}"
        done.adds += layout(f"{kept} union all {news(f'c._file in ({_places(held, group)})')}", f"rewritten-{number}")
    # apart from the rewritten rows, so that new keys do not widen the bounds of old files
    done.adds += layout(news("c._file is null"), "inserted")
    gone = f"from {_OLD} o semi join {_KEYS} c on {same('o', 'c')}"
    changes = f"select 'old' as {SIDE}, {columns(schema.names)} {gone} union all select 'new', * from ({news()})"
    sides = pa.schema([pa.field(SIDE, pa.string()), *schema])
    done.changes = session.stage(changes, into / "changes", sides) if done.removes else []
    session.run(f"drop table {_OLD}")
    session.run(f"drop table {_KEYS}")
    return done


def newest(session: Session, rows: str, key: Sequence[str], order_by: Sequence[str]) -> str:
    """Return SQL that keeps one row of each key: the one that is greatest in the columns of `order_by`.

    `rows` is a relation or a query. Nulls count as least. Rows equal in all of `order_by` are told apart by
    all their other columns, so that the same rows in any order give the same answer.
    """
    source = rows if _is_name(rows) else f"({rows})"
    names = session.schema(f"select * from {source}").names
    rest = [name for name in names if name not in {*key, *order_by}]
    order = ", ".join(f"{quote(name)} desc nulls last" for name in [*order_by, *rest])
    ranked = f"row_number() over (partition by {columns(key)} order by {order})" if order else "1"
    return f"select {columns(names)} from {source} qualify {ranked} = 1"


def _is_name(rows: str) -> bool:
    return not any(c.isspace() for c in rows) or rows.startswith("(")


def sides(old: str, new: str, names: Sequence[str]) -> str:
    """Write the query for the rows in which two queries differ, as often as they do: `_side`, then the columns.

    To count each row over both sides takes a third of what EXCEPT ALL takes, which numbers equal rows and joins them.
    """
    shown = columns(names)
    both = f"select {shown}, -1 as {SIDE} from ({old}) union all select {shown}, 1 from ({new})"
    return (
        f"select case when d.{SIDE} > 0 then 'new' else 'old' end as {SIDE}, {columns(names, 'd.')} "
        f"from (select {shown}, sum({SIDE})::bigint as {SIDE} from ({both}) group by {shown}) d, range(abs(d.{SIDE}))"
    )


class _Same:
    """Writes the join condition of two relations by key; null-safe where a staged key is null."""

    def __init__(self, key: Sequence[str], staged: Sequence[StagedFile]) -> None:
        self.key = key
        self.nullable = {k for k in key if any(_nulls(f, k) for f in staged)}

    def __call__(self, left: str, right: str) -> str:
        return " and ".join(
            f"{left}.{quote(k)} {'is not distinct from' if k in self.nullable else '='} {right}.{quote(k)}"
            for k in self.key
        )


def _nulls(file: StagedFile, column: str) -> bool:
    """Say whether a file may hold a null in a column, as far as what was said of it when it was written tells."""
    if column in file.partition:
        return file.partition[column] is None
    told = file.stats.get(column)
    return told is None or told.nulls != 0


def _partitions(staged: Sequence[StagedFile]) -> dict[str, Mapping[str, str | None]]:
    return {str(f.path): f.partition for f in staged if f.partition}


@dataclass(frozen=True)
class _News:
    """Writes the query for the staged rows that change the table."""

    same: _Same
    schema: pa.Schema
    deleted: str | None

    def __call__(self, which: str = "true") -> str:
        rows = f"(from {_CAME} where ({self.deleted}) is not true)" if self.deleted else _CAME
        keys = f"(from {_KEYS} c where {which})"
        return f"select {columns(self.schema.names)} from {rows} s semi join {keys} c on {self.same('s', 'c')}"


@dataclass(frozen=True)
class _Layout:
    """Stages rows of the table as they are to lie in its files."""

    session: Session
    into: Path
    schema: pa.Schema
    partition_by: Sequence[str]
    order_by: Sequence[str]
    rows_per_file: int | None

    def __call__(self, rows: str, name: str) -> list[StagedFile]:
        order = f" order by {columns(self.order_by)}" if self.order_by else ""
        return self.session.stage(rows + order, self.into / name, self.schema, self.partition_by, self.rows_per_file)


def _of(held: FileSet, paths: Sequence[str]) -> FileSet:
    return FileSet(held.schema, paths, {p: held.partitions[p] for p in paths if p in held.partitions})


def _texts(paths: Sequence[str]) -> str:
    return ", ".join(literal(path) for path in paths)


def _groups(paths: Sequence[str]) -> list[list[str]]:
    """Rewrite a large file alone, so that it keeps its bounds and size, and small neighbours into one."""
    groups: list[list[str]] = []
    room = 0
    for path in paths:
        size = Path(path).stat().st_size
        if not groups or size > room:
            groups.append([])
            room = _SIZE
        groups[-1].append(path)
        room -= size
    return groups


def _touched(session: Session, held: FileSet, same: _Same, near: list[str]) -> list[str]:
    """Leave out the files that hold none of the staged keys, reading the keys alone."""
    if len(near) <= _FEW:
        return near
    keys = pa.schema([held.schema.field(k) for k in same.key])
    session.bind(_HELD, FileSet(keys, near, _of(held, near).partitions))
    return _files(session, held, f"from {session.files_of(_HELD)} h semi join {_CAME} s on {same('h', 's')}")


def _files(session: Session, held: FileSet, rows: str) -> list[str]:
    found = {path for (path,) in session.rows(f"select distinct _file {rows}")}
    return [path for path in held.paths if path in found]


def place_in(held: FileSet) -> str:
    """Write the place of a row's file among the held ones, from one: to keep its path costs more than to read it."""
    return f"list_position([{_texts(held.paths)}], _file)"


def at_places(session: Session, held: FileSet, rows: str) -> list[str]:
    """List the files of rows whose `_file` is a place."""
    found = {place for (place,) in session.rows(f"select distinct _file {rows}")}
    return [path for place, path in enumerate(held.paths, 1) if place in found]


def _places(held: FileSet, group: Sequence[str]) -> str:
    among = set(group)
    return ", ".join(str(place) for place, path in enumerate(held.paths, 1) if path in among)


def _changed(same: _Same, schema: pa.Schema, deleted: str | None, ignore: Collection[str]) -> str:
    """Write the query for the keys whose rows change: new, different, deleted, or held more than once.

    `_file` is the place in the held files where one lies, so that its new row is written once even if it is held
    twice.
    """
    names = [n for n in schema.names if n not in ignore and n not in same.key]
    gone = f"({deleted}) is true" if deleted else "false"
    differs = " or ".join(["s._gone", *(f"o.{quote(n)} is distinct from s.{quote(n)}" for n in names)])
    return (
        f"select {columns(same.key, 's.')}, min(o._file) as _file "
        f"from (select *, {gone} as _gone from {_CAME}) s left join {_OLD} o on {same('s', 'o')} group by all "
        f"having bool_or(case when o._file is null then not s._gone else {differs} end) or count(o._file) > 1"
    )
