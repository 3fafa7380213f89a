"""Compares two versions of a table row by row, inside the engine; files that both have are not read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import pyarrow as pa

from lagoa.catalog.describe import MASK, personal_columns
from lagoa.errors import CommandError, LakeError, did_you_mean
from lagoa.kit.text import literal, quote
from lagoa.kit.types import sql_type
from lagoa.lake.files import hash_in
from lagoa.lake.store import Lake
from lagoa.lake.table import DataFile, Table, bind
from lagoa.ports import OWN, Session
from lagoa.project.model import Project
from lagoa.serve import written
from lagoa.serve.difference import Columns, Counts, Diff, Differing, Side, What
from lagoa.spec.model import HISTORY
from lagoa.spec.names import TableName
from lagoa.spec.spelling import spelled

BEFORE, AFTER, PAIRED = "_before", "_after", "_paired"
"""What the two sides, and their rows side by side, are called in the session."""


def side(project: Project, lake: Lake, name: TableName, when: int | datetime | None = None) -> Side:
    """Pin one side on the project's target: its newest version, or an older one.

    Raises LakeError LG-103 when there is no such table, LG-307 when there is no such version.
    """
    table = lake.open(name) if when is None else lake.at(name, when)
    if not table.exists:
        hint = f"lagoa run -t {project.target_name} -s +{name}"
        raise LakeError("LG-103", f"{name} has not been built yet on {project.target_name}", hint=hint)
    through = project.defer.target if project.defer and name.guarded in lake.elsewhere else project.target_name
    return Side(project.target_name, lake, table, through)


def before_last(found: Side) -> int:
    """Return the version before a side's, with which it is compared when nothing else is named. Raises LG-601."""
    if found.table.version == 0:
        hint = "name another target: --with TARGET"
        raise CommandError("LG-601", f"{found.table.name} has one version, and nothing to compare it with", hint=hint)
    return found.table.version - 1


def diff(
    project: Project, session: Session, before: Side, after: Side, key: Sequence[str] = (), limit: int = 5
) -> Diff:
    """Compare two sides in the columns that both have, but for Lagoa's own; `limit` rows of each sort are shown.

    Rows belong together by `key`, or by the declared key; without one, or where it repeats, whole rows are compared
    as often as they occur. Raises CommandError LG-601 for an unknown key, LakeError, StepError.
    """
    name = after.table.name
    both = _common(before.table, after.table)
    names = [c.name for c in both]
    chosen = _key(project, name, key, names)
    shared = _bound(session, before.table, after.table)
    note = None if chosen else "it has no key, so whole rows are compared"
    if not key and HISTORY[0] in names and _is_history(project, name) and _repeats(session, both, chosen):
        chosen = (*chosen, HISTORY[0])  # of a history a key has several versions
    if chosen and (repeats := _repeats(session, both, chosen)):
        note = f"its key {', '.join(chosen)} repeats {repeats}, so whole rows are compared"
        chosen = ()
    pair: _Keyed | _Whole = _Keyed(session, both, chosen) if chosen else _Whole(session, both)
    counts = pair.counts()
    masked = _personal(project, before, after)
    return Diff(
        name,
        before,
        after,
        _columns(before.table.schema, after.table.schema),
        replace(counts, same=counts.same + shared),
        chosen,
        note if counts else None,
        list(pair.sample(counts, masked, limit)),
        frozenset(n for n in names if n.lower() in masked),
        shared,
    )


# ---------------------------------------------------------------- columns
@dataclass(frozen=True)
class _Column:
    """A column of both sides: its name and, for either, SQL of its value and the value's type."""

    name: str
    before: str
    after: str
    type: pa.DataType


def _own_left_out(schema: pa.Schema) -> dict[str, pa.Field]:
    return {f.name.lower(): f for f in schema if f.name not in OWN}


def _columns(then: pa.Schema, now: pa.Schema) -> Columns:
    old, new = _own_left_out(then), _own_left_out(now)
    return Columns(
        {f.name: sql_type(f.type).lower() for key, f in new.items() if key not in old},
        {f.name: sql_type(f.type).lower() for key, f in old.items() if key not in new},
        {
            f.name: (sql_type(old[key].type).lower(), sql_type(f.type).lower())
            for key, f in new.items()
            if key in old and old[key].type != f.type
        },
    )


def _common(then: Table, now: Table) -> list[_Column]:
    old, new = _own_left_out(then.schema), _own_left_out(now.schema)
    return [_column(old[key], field) for key, field in new.items() if key in old]


def _column(old: pa.Field, new: pa.Field) -> _Column:
    before, after = quote(old.name), quote(new.name)
    if old.type == new.type:
        return _Column(new.name, before, after, new.type)
    # a value that the new type cannot hold differs from every value that it can
    before = f"coalesce(try_cast({before} as {sql_type(new.type)})::varchar, {before}::varchar)"
    return _Column(new.name, before, f"{after}::varchar", pa.string())


def _key(project: Project, name: TableName, asked: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    if asked:
        found = {n.lower(): n for n in names}
        for column in asked:
            if column.lower() not in found:
                hint = did_you_mean(column, names) or f"both have {', '.join(names)}"
                raise CommandError("LG-601", f"{name} has no column `{column}` on both sides", hint=hint)
        return tuple(found[column.lower()] for column in asked)
    declared = _declared_key(project, name, names)
    return declared if set(declared) <= set(names) else ()


def _is_history(project: Project, name: TableName) -> bool:
    model = project.models.get(name)
    return model is not None and model.header.kind == "scd2"


def _declared_key(project: Project, name: TableName, names: Sequence[str]) -> tuple[str, ...]:
    if (model := project.models.get(name)) is not None:
        return spelled(model.header, names).key
    stream = project.graph.streams.get(name)
    return spelled(stream.spec, names).key if stream is not None else ()


def _personal(project: Project, *sides: Side) -> set[str]:
    """Name the columns to be masked, in lower case: by what is declared, and by what either version says itself."""
    found: set[str] = set()
    for each in sides:
        found |= personal_columns(project, each.lake, each.table.name).keys()
        found |= {n.lower() for n in (each.table.state.personal if each.table.state else ())}
    return found


# ---------------------------------------------------------------- rows
def _bound(session: Session, then: Table, now: Table) -> int:
    """Bind what either side has that the other has not; return how many rows are in files that both have."""
    if not (then.plain and now.plain):
        bind(session, BEFORE, then)
        bind(session, AFTER, now)
        return 0
    old, new = _by_bytes(then, now), _by_bytes(now, then)
    both = Counter({what: min(len(paths), len(new.get(what, ()))) for what, paths in old.items()})
    session.bind(BEFORE, then.fileset([path for what, paths in old.items() for path in paths[both[what] :]]))
    session.bind(AFTER, now.fileset([path for what, paths in new.items() for path in paths[both[what] :]]))
    return sum(now.files[path].rows for what, count in both.items() for path in new.get(what, ())[:count])


def _by_bytes(table: Table, other: Table) -> dict[object, list[str]]:
    """Group a table's files by what makes their rows equal: the path within one table, or the hash of their bytes."""
    found: dict[object, list[str]] = {}
    for path, file in table.files.items():
        found.setdefault(path if table.path == other.path else _bytes(file), []).append(path)
    return found


def _bytes(file: DataFile) -> object:
    digest = hash_in(file.path)
    return file.path if digest is None else (digest, file.size, tuple(sorted(file.partition.items(), key=str)))


def _repeats(session: Session, both: Sequence[_Column], key: Sequence[str]) -> str | None:
    """Say on which side a key stands for several rows."""
    for name, words in ((AFTER, "after"), (BEFORE, "before")):
        values = ", ".join((c.before if name == BEFORE else c.after) for c in both if c.name in key)
        found = f"select 1 from {name} group by {values} having count(*) > 1 limit 1"
        if session.rows(found):
            return words
    return None


def _shown(both: Sequence[_Column], prefix: str, masked: set[str]) -> str:
    """Write the values of a side as text, those of personal columns hidden."""
    return ", ".join(
        f"case when {prefix}{i} is not null then {literal(MASK)} end"
        if c.name.lower() in masked
        else written.plain(f"{prefix}{i}", c.type)
        for i, c in enumerate(both)
    )


def _values(both: Sequence[_Column], before: bool) -> str:
    return ", ".join(f"{c.before if before else c.after} as v{i}" for i, c in enumerate(both))


class _Keyed:
    """The rows of two sides, joined by a key that repeats on neither."""

    def __init__(self, session: Session, both: Sequence[_Column], key: Sequence[str]) -> None:
        self._session, self._both = session, both
        self._key = [i for i, c in enumerate(both) if c.name in key]
        self._others = [i for i, c in enumerate(both) if c.name not in key]
        on = " and ".join(f"b.v{i} is not distinct from a.v{i}" for i in self._key)
        told = ", ".join(f"b.v{i} as b{i}, a.v{i} as a{i}" for i in range(len(both)))
        then = f"select true as here, {_values(both, before=True)} from {BEFORE}"
        now = f"select true as here, {_values(both, before=False)} from {AFTER}"
        session.bind(
            PAIRED, f"select b.here as was, a.here as still, {told} from ({then}) b full join ({now}) a on {on}"
        )
        differ = " or ".join(f"b{i} is distinct from a{i}" for i in self._others) or "false"
        self._where = {
            "changed": f"was and still and ({differ})",
            "added": "was is null",
            "removed": "still is null",
            "same": f"was and still and not ({differ})",
        }

    def counts(self) -> Counts:
        """Count the rows of each sort and, for each column, those in which it differs."""
        asked = list(self._where.values())
        asked += [f"was and still and b{i} is distinct from a{i}" for i in self._others]
        found = self._session.rows(f"select {', '.join(f'count(*) filter ({w})' for w in asked)} from {PAIRED}")[0]
        columns = zip((self._both[i].name for i in self._others), found[4:], strict=True)
        counted = {name: count for name, count in columns if count}
        return Counts(found[1], found[2], found[0], found[3], counted)

    def sample(self, counts: Counts, masked: set[str], limit: int) -> Iterator[Differing]:
        """Give the first rows of each sort, by key."""
        then, now = _shown(self._both, "b", masked), _shown(self._both, "a", masked)
        order = ", ".join(f"coalesce(b{i}, a{i})" for i in self._key)
        sorts: list[tuple[What, str, int]] = [
            ("changed", f"{then}, {now}", counts.changed),
            ("added", now, counts.added),
            ("removed", then, counts.removed),
        ]
        for what, shown, there in sorts:
            if there and limit:
                query = f"select {shown} from {PAIRED} where {self._where[what]} order by {order} limit {limit}"
                yield from (_differing(what, self._both, row) for row in self._session.rows(query))


class _Whole:
    """The rows of two sides as multisets: how often each occurs on either."""

    def __init__(self, session: Session, both: Sequence[_Column]) -> None:
        self._session, self._both = session, both
        values = ", ".join(f"v{i}" for i in range(len(both)))
        then = f"select 1 as was, 0 as still{_after_comma(_values(both, before=True))} from {BEFORE}"
        now = f"select 0 as was, 1 as still{_after_comma(_values(both, before=False))} from {AFTER}"
        group = f" group by {values}" if both else ""
        session.bind(
            PAIRED,
            f"select sum(was) as was, sum(still) as still{_after_comma(values)} "
            f"from ({then} union all {now}) rows_of_both{group}",
        )

    def counts(self) -> Counts:
        """Count the rows that one side has more often than the other."""
        more, fewer = "sum(greatest(still - was, 0))", "sum(greatest(was - still, 0))"
        found = self._session.rows(f"select {more}, {fewer}, sum(least(was, still)) from {PAIRED}")[0]
        added, removed, same = (int(n or 0) for n in found)
        return Counts(added, removed, same=same)

    def sample(self, counts: Counts, masked: set[str], limit: int) -> Iterator[Differing]:
        """Give the first rows that one side has more often."""
        shown = _shown(self._both, "v", masked)
        sorts: list[tuple[What, str, int]] = [
            ("added", "still > was", counts.added),
            ("removed", "was > still", counts.removed),
        ]
        for what, where, there in sorts:
            if there and limit and shown:
                query = f"select {shown} from {PAIRED} where {where} order by all limit {limit}"
                yield from (_differing(what, self._both, row) for row in self._session.rows(query))


def _differing(what: What, both: Sequence[_Column], row: Sequence[str | None]) -> Differing:
    names = [c.name for c in both]
    before = dict(zip(names, row[: len(names)], strict=True)) if what != "added" else None
    after = dict(zip(names, row[-len(names) :], strict=True)) if what != "removed" else None
    return Differing(what, before, after)


def _after_comma(text: str) -> str:
    return f", {text}" if text else ""
