"""Recomputes one model in a session: which keys changes touch, which files may hold them, and whether it pays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from lagoa.kit.text import columns, quote
from lagoa.lake.changes import Changed
from lagoa.lake.merge import SIDE
from lagoa.lake.near import near
from lagoa.lake.store import Lake
from lagoa.lake.table import Table, bind
from lagoa.ports import Session
from lagoa.spec.names import TableName
from lagoa.sql.incremental.analysis import CHANGED, KEYS, NEW, OLD, UNITED, Refused
from lagoa.transform.bind import Pins
from lagoa.transform.compared import consumed_version, differences, worth_comparing
from lagoa.transform.incremental import Followed, alike, news, own_history

_MANY = 10_000
"""Fewer touched keys than this are always worth following."""
_REMOVED, _SIDES, _ADDED = "__del", "__sides", "__added"
_READ, _MADE, _WRITTEN, _TOUCHED = 1, 2, 8, 60
"""What a row costs that is read past, that is joined and grouped, that is written; and what a key costs that is looked
for in the inputs and in the table, and compared. Measured: `bench/cost.py`."""


@dataclass(frozen=True)
class Touch:
    """How many keys are touched, and in which of the table's files rows of them may lie."""

    keys: int
    files: Sequence[str] = ()
    of: int = 0
    """How many files the table has."""

    def __str__(self) -> str:
        return f"{self.keys:,} key{'s' if self.keys != 1 else ''}, in {len(self.files)} of {self.of} files"


def cost(keys: int, read: int, whole: int, rows: int, rewritten: int) -> tuple[float, float]:
    """Return what it costs to follow touched keys and to rebuild, in units of a row that is read past.

    `read` and `whole`: rows of the inputs that are read for the keys, and all of them; `rows`: those of the table;
    `rewritten`: those in its files that hold touched keys.
    """
    share = min(1.0, keys / max(rows, 1))
    alone = read * _READ + keys * _TOUCHED + share * (whole * _MADE + rows * _WRITTEN) + rewritten * _WRITTEN
    return alone, whole * (_READ + _MADE) + rows * _WRITTEN


@dataclass
class Follower:
    """Recomputes one model in a session, over its inputs at their pinned versions, under names of its own."""

    session: Session
    lake: Lake
    table: Table
    followed: Followed
    pins: Pins
    _changes: dict[TableName, Changed] = field(default_factory=dict)

    def changes(self) -> dict[TableName, Changed]:
        """Find the changes of each input since it was consumed. Raises Refused when they are not known."""
        for name in self.followed.names:
            if name not in self._changes:
                taken = self.table.state.inputs.get(str(name)) if self.table.state else None
                since = taken.state if taken else None
                now = self.pins(name)
                self._changes[name] = found = news(self.lake, name, now, since, self.followed.queries)
                if found.kind == "everything":
                    old = consumed_version(self.lake, now, since)
                    worth_comparing(now, old.rows, [self.pins(other) for other in self.followed.names])
        return self._changes

    def question(self) -> str | None:
        """Return the query for the touched keys; None when nothing that is read has changed. Raises Refused."""
        own_history(self.table)
        read = {occurrence.input for occurrence in self.followed.analysis.occurrences}
        moved = [n for n, found in self.changes().items() if found.kind != "nothing" and self.followed.names[n] in read]
        if not moved:
            return None
        return self.followed.analysis.touched([self.followed.names[name] for name in moved])

    def touched(self, schema: pa.Schema) -> Touch:
        """Make the relation of the touched keys, bind what their rows are computed from, and say how many there are.

        `schema` is what a full rebuild would give now. Partitions of time are computed by `Reading` instead. Raises
        Refused, also when a rebuild costs less.
        """
        if not alike(schema, self.table.schema):
            raise Refused("its columns changed")
        sql = self.question()
        if sql is None:
            return Touch(0)
        touch, leaves = self._looked_at(sql)
        if self.followed.analysis.ranged is not None:
            return touch  # what is computed of them is not read by key
        for relation, (table, paths) in leaves.items() if touch.keys else ():
            if table.plain:
                self.session.bind(relation, table.fileset(paths))
            else:
                bind(self.session, relation, table)
        if touch.keys:
            self._bind(self.followed.analysis.rows)
        return touch

    def counted(self) -> Touch | None:
        """Count the touched keys where the changed rows alone tell them; None where more would have to be read.

        Raises Refused, also when a rebuild costs less.
        """
        sql = self.question()
        if sql is None or any(f'{suffix}"' in sql for suffix in (OLD, NEW, UNITED)):
            return None
        if any(found.kind == "everything" for found in self.changes().values()):
            return None
        return self._looked_at(sql)[0]

    @property
    def _key(self) -> Sequence[str]:
        """The key, as the columns of the table are spelled."""
        names = {name.lower(): name for name in self.table.schema.names}
        return [names.get(k.lower(), k) for k in self.followed.key]

    def rows(self, schema: pa.Schema) -> str:
        """Return the query for the rows of the touched keys."""
        shown = ", ".join(f"{quote(n.lower())} as {quote(n)}" for n in schema.names)
        return f"select {shown} from ({self.followed.analysis.rows})"

    def keys(self) -> str:
        """Return the query for the touched keys, as the table's columns hold them."""
        texts = self._texts
        values = [f"nullif(k{i}, '')" if k in texts else f"k{i}" for i, k in enumerate(self._key)]
        shown = ", ".join(f"{value} as {quote(k)}" for value, k in zip(values, self._key, strict=True))
        return f"select {'distinct ' if texts else ''}{shown} from {KEYS}"

    # ------------------------------------------------------------ how much it is
    def _looked_at(self, sql: str) -> tuple[Touch, dict[str, tuple[Table, list[str]]]]:
        """Make the relation of the touched keys; find the files that may hold rows of them. Raises Refused.

        The files are the table's own and, by the names under which they are read, the inputs'.
        """
        self._bind(sql)
        self.session.run(f"create or replace temp table {KEYS} as {sql}")
        for number in (i for i, k in enumerate(self._key) if k in self._texts):
            self._null_and_empty(f"k{number}")
        keys = int(self.session.rows(f"select count(*) from {KEYS}")[0][0])
        if not keys:
            return Touch(0), {}
        own = {k: f"k{i}" for i, k in enumerate(self._key) if k in self.table.schema.names and k not in self._texts}
        touch = Touch(keys, self._near(self.table, own), len(self.table.files))
        inputs = {bare: self.pins(name) for name, bare in self.followed.names.items()}
        leaves = {
            leaf.relation: (inputs[leaf.input], self._near(inputs[leaf.input], leaf.pairs))
            for leaf in self.followed.analysis.leaves
        }
        read = sum(table.files[path].rows for table, paths in leaves.values() for path in paths)
        whole = sum(table.rows for table, _ in leaves.values())
        others = sum(self.followed.analysis.rows.count(f'"{bare}{NEW}"') * t.rows for bare, t in inputs.items())
        self._pays(touch, read + others, whole + others)
        return touch, leaves

    @property
    def _texts(self) -> set[str]:
        """Name the columns of the key whose empty texts the table holds as nulls: its partitions of text."""
        return {k for k in self._key if k in self.table.partition_by and self.table.schema.field(k).type == pa.string()}

    def _null_and_empty(self, key: str) -> None:
        """Touch null where an empty text is touched, and the other way round: the table holds both as one."""
        other = f"select * replace (case when {key} is null then '' end as {key}) from {KEYS}"
        other += f" where coalesce({key}, '') = ''"
        self.session.run(f"create or replace temp table {KEYS} as from {KEYS} union {other}")

    def _near(self, table: Table, pairs: Mapping[str, str]) -> list[str]:
        """Find the files of a table that may hold rows whose columns equal the keys'."""
        if not table.plain:
            return list(table.files)
        root = f"{table.path}/"
        paths = [f"{root}{path}" for path in table.files]
        found = near(self.session, KEYS, pairs, table.schema, paths, table.bounds(list(pairs)))
        return [path.removeprefix(root) for path in found]

    def _pays(self, touch: Touch, read: int, whole: int) -> None:
        """Refuse when a rebuild costs less, as far as the numbers of rows tell."""
        rewritten = sum(self.table.files[path].rows for path in touch.files)
        alone, anew = cost(touch.keys, read, whole, self.table.rows, rewritten)
        if touch.keys > _MANY and alone > anew:
            raise Refused(f"{touch} are touched, which costs more")

    # ------------------------------------------------------------ versions
    def _bind(self, sql: str) -> None:
        """Bind the versions and changes of the inputs that a query reads."""
        for name, bare in self.followed.names.items():
            wanted = {suffix for suffix in (OLD, NEW, CHANGED, UNITED) if f'"{bare}{suffix}"' in sql}
            if wanted & {NEW, UNITED}:
                bind(self.session, bare + NEW, self.pins(name))
            if OLD in wanted:
                self._bind_old(name)
            if wanted & {CHANGED, UNITED}:
                self._bind_changed(name, wanted)

    def _bind_changed(self, name: TableName, wanted: set[str]) -> None:
        bare, found, table = self.followed.names[name], self.changes()[name], self.pins(name)
        names: Sequence[str] = table.schema.names
        removed: list[str] = []
        if found.kind == "everything":
            bind(self.session, bare + NEW, table)
            self._bind_old(name)
            names, differ = differences(bare, table, self.followed.analysis.columns.get(bare, ()))
            self.session.run(f"create or replace temp table {quote(bare + _SIDES)} as {differ}")
        elif found.sides is not None:
            self.session.bind(bare + _SIDES, found.sides)
        shown = columns(names)
        rows = []
        if found.kind == "everything" or found.sides is not None:
            rows.append(f"select {shown} from {quote(bare + _SIDES)}")
            removed.append(f"{rows[0]} where {SIDE} = 'old'")
        if found.added is not None:
            self.session.bind(bare + _ADDED, found.added)
            rows.append(f"select {shown} from {quote(bare + _ADDED)}")
        if CHANGED in wanted:
            self.session.bind(bare + CHANGED, " union all ".join(rows) or self._nothing(table))
        if UNITED in wanted:
            everything = f"select {shown} from {quote(bare + NEW)}"
            self.session.bind(bare + UNITED, " union all ".join([everything, *removed]))

    def _nothing(self, table: Table) -> str:
        relation = "_nothing"
        self.session.bind(relation, table.schema.empty_table())
        return f"from {relation}"

    def _bind_old(self, name: TableName) -> None:
        """Bind the version that was consumed; the one now where nothing has changed."""
        now, bare = self.pins(name), self.followed.names[name]
        if self.changes()[name].kind == "nothing":
            bind(self.session, bare + OLD, now)
            return
        taken = self.table.state.inputs[str(name)].state if self.table.state else None
        bind(self.session, bare + OLD, consumed_version(self.lake, now, taken))
