"""Random chains of models for the histories: each reads what stands before it, and names its shape."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import duckdb

Kind = Literal["incremental", "dated", "append", "scd2", "table", "view"]
"""The kinds of models; a `dated` one is incremental by partitions of its time."""
MOST_ROWS = 400
"""What a join is expected to give at most, so that joins of joins stay small."""
VALUES = {
    "INTEGER": [str(n) for n in range(8)],
    "BIGINT": [str(10 * n) for n in range(8)],
    "VARCHAR": ["'a'", "'b'", "'B'", "''", "'c'", "'é'", "'d'", "'e'"],
    "DATE": [f"DATE '2024-0{n}-01'" for n in range(1, 9)],
}
"""The types that the columns `a` and `b` may have in a history, and their values."""
TIMES = {
    "DATE": [f"DATE '2024-0{m}-{d}'" for m, d in ((1, 30), (1, 31), (2, 29), (3, 10), (3, 11))],
    "TIMESTAMP": [f"TIMESTAMP '2024-0{m}-{d} 23:59:59.5'" for m, d in ((1, 30), (1, 31), (2, 29), (3, 10))]
    + ["TIMESTAMP '2024-02-29 00:00:00'", "TIMESTAMP '2023-12-31 12:00:00'"],
    "TIMESTAMP WITH TIME ZONE": [f"TIMESTAMPTZ '2024-0{m}-{d} 22:30:00-03'" for m, d in ((1, 30), (1, 31), (2, 29))]
    + ["TIMESTAMPTZ '2024-02-29 00:00:00+00'", "TIMESTAMPTZ '2023-12-31 12:00:00+00'"],
}
"""The types that the column `d` may have in a history, and its values."""
TIED = "iab"
"""First letters of the columns by which tables are joined: `i` numbers a row, `a` and `b` group them."""


@dataclass(frozen=True)
class Relation:
    """A table that a model may read: its columns with their DuckDB types, and about how many rows it will have.

    A table that `grows` only ever gains rows; one of `versions` has the columns of a history, too.
    """

    name: str
    columns: Mapping[str, str]
    rows: int
    grows: bool = False
    versions: bool = False


@dataclass(frozen=True)
class Model:
    """A model of a chain; `followed` says that its shape must be recomputed by keys."""

    name: str
    shape: str
    query: str
    key: tuple[str, ...]
    kind: Kind
    followed: bool
    inputs: tuple[str, ...]
    time: str | None = None
    grain: str = "day"

    @property
    def header(self) -> str:
        """Its header, as YAML."""
        if self.kind == "dated":
            return f"kind: incremental\ntime: {self.time}\ngrain: {self.grain}"
        key = f"\nkey: [{', '.join(self.key)}]" if self.kind in ("incremental", "scd2") else ""
        return f"kind: {self.kind}{key}" + (f"\ntime: {self.time}" if self.time else "")


@dataclass(frozen=True)
class Draft:
    """A query on its way to be a model: what it reads, what may be its key, and about how many rows it gives."""

    query: str
    reads: Sequence[Relation]
    rows: int
    key: Sequence[str] = ()


@dataclass
class Chain:
    """Grows a chain of models over streams. `kind` is the type of the columns `a` and `b`."""

    rng: random.Random
    kind: str
    relations: list[Relation] = field(default_factory=list)
    models: list[Model] = field(default_factory=list)
    leader: Relation | None = None
    """What the next model must read first."""

    def __post_init__(self) -> None:
        self.con = duckdb.connect(config={"threads": 1})
        for schema in ("bronze", "silver", "gold"):
            self.con.execute(f"create schema {schema}")

    def read(self, relation: Relation) -> None:
        """Let models read a table."""
        more = {"valid_from": "timestamptz", "valid_to": "timestamptz", "is_current": "boolean"}
        columns = {**relation.columns, **(more if relation.versions else {})}
        shown = ", ".join(f"{column} {kind}" for column, kind in columns.items())
        self.con.execute(f"create table {relation.name} ({shown})")
        self.relations.append(relation)

    def grow(self, shape: str, kind: Kind = "incremental") -> Model:
        """Add a model of a shape over random tables of those before it."""
        self.leader = self.rng.choice(self._growing()) if kind == "append" else None
        made, columns = self._drafted(shape)
        time = self._time((), columns) if kind == "scd2" else None
        time = self._time(made.key, columns) if kind == "dated" else time
        while kind == "dated" and time is None:
            shape = "daily" if self.rng.random() < 0.2 else shape
            made, columns = self._drafted(shape)
            time = self._time(made.key, columns)
        key, self.leader = tuple(made.key) or self.key(columns), None
        if kind == "scd2":
            key, time = key[:1], time if time not in key[:1] and self.rng.random() < 0.6 else None
            made, columns = self._apart(made, columns, key[0], time)
        name = f"{'silver' if len(self.models) < 4 else 'gold'}.m{len(self.models)}"
        inputs = tuple(dict.fromkeys(r.name for r in made.reads))
        followed = shape in SHAPES and kind in ("incremental", "dated")
        grain = self.rng.choice(["day", "month", "year"])
        model = Model(name, shape, made.query, key, kind, followed, inputs, time, grain)
        self.models.append(model)
        self.read(Relation(name, columns, made.rows, kind == "append", kind == "scd2"))
        return model

    def _drafted(self, shape: str) -> tuple[Draft, dict[str, str]]:
        made = {**SHAPES, **REFUSED}[shape](self)
        return made, {c: t for c, t, *_ in self.con.execute(f"describe {made.query}").fetchall()}

    def _growing(self) -> list[Relation]:
        return [r for r in self.relations if r.grows and r.rows <= 100]

    def _time(self, among: Sequence[str], columns: Mapping[str, str]) -> str | None:
        """Choose a column that says when, among some or all."""
        able = [c for c, kind in columns.items() if kind in TIMES and (c in among or not among)]
        return self.rng.choice(able) if able else None

    def _apart(
        self, made: Draft, columns: Mapping[str, str], key: str, time: str | None
    ) -> tuple[Draft, dict[str, str]]:
        """Keep one row of each key, or of each key and time."""
        exact = {c: kind for c, kind in columns.items() if kind != "DOUBLE"}
        shown, by = ", ".join(exact), [key, *([time] if time else [])]
        here = " and ".join(f"{c} is not null" for c in by)
        query = (
            f"select {shown} from ({made.query}) q where {here} "
            f"qualify row_number() over (partition by {', '.join(by)} order by {shown}) = 1"
        )
        return Draft(query, made.reads, made.rows), exact

    def key(self, columns: Mapping[str, str]) -> tuple[str, ...]:
        """Choose one or two columns that a change can be followed to."""
        able = [c for c in columns if c[0] in TIED]
        return tuple(self.rng.sample(able, 2 if len(able) > 1 and self.rng.random() < 0.2 else 1))

    # ------------------------------------------------------------ parts of queries
    def fresh(self, letter: str) -> str:
        """Name a column as no table before this model has one."""
        return f"{letter}_{len(self.models)}"

    def any(self) -> Relation:
        """Choose a table, sooner one of the last ones."""
        late = self.relations[-4:] if self.rng.random() < 0.7 else self.relations
        return self.rng.choice(late)

    def first(self) -> Relation:
        """Choose the table that a query reads first."""
        return self.leader or self.any()

    def pair(self) -> tuple[Relation, Relation, str, str, int]:
        """Choose two tables, a column of each by which they are joined, and about how many rows that gives."""
        while True:
            x, y = self.first(), self.any()
            ties = [
                (c, d)
                for c, one in x.columns.items()
                for d, other in y.columns.items()
                if one == other and c[0] in TIED and d[0] in TIED and (c[0] == "i") == (d[0] == "i")
            ]
            if not ties:
                continue
            c, d = self.rng.choice(ties)
            rows = x.rows * y.rows // (40 if c[0] == "i" else 8)
            if rows <= MOST_ROWS:
                return x, y, c, d, max(rows, x.rows, 1)

    def shown(self, x: Relation, alias: str, taken: Sequence[str] = (), least: int = 2) -> list[str]:
        """Choose columns of a table, written under names that are free; one of them can be a key."""
        rng, names = self.rng, list(x.columns)
        keep = rng.sample(names, min(len(names), rng.randint(least, 5)))
        if not any(c[0] in TIED for c in keep):
            keep.append(rng.choice([c for c in names if c[0] in TIED]))
        free = {c: next(n for n in [c, *(f"{c[0]}{i}" for i in range(2, 99))] if n not in taken) for c in keep}
        if len(set(free.values())) < len(free):
            free = {c: f"{c[0]}{i + 100}" for i, c in enumerate(keep)}
        return [f"{alias}.{c} as {n}" for c, n in free.items()]

    def both(self, x: Relation, y: Relation) -> str:
        """Choose columns of two tables."""
        first = self.shown(x, "x")
        taken = [s.rpartition(" ")[2] for s in first]
        return ", ".join(first + self.shown(y, "y", taken))

    def value(self, column: str, kind: str) -> str:
        """Write a value that a column may have."""
        if column[0] == "d":
            return self.rng.choice(TIMES[kind])
        if column[0] in "ab":
            return self.rng.choice(VALUES[kind])
        if kind == "VARCHAR":
            return self.rng.choice(["'x'", "'y'", "''"])
        return str(self.rng.randint(0, 40 if column[0] == "i" else 4))

    def condition(self, alias: str, x: Relation, depth: int = 0) -> str:
        """Write a random condition on a table's columns."""
        rng = self.rng
        if depth < 2 and rng.random() < 0.2:
            return f"({self.condition(alias, x, depth + 1)} or {self.condition(alias, x, depth + 1)})"
        if rng.random() < 0.1:
            return f"not ({self.condition(alias, x, depth + 1)})"
        c = rng.choice([n for n, kind in x.columns.items() if kind != "DOUBLE"])
        if x.columns[c] == "BOOLEAN":
            return f"not {alias}.{c}"
        one, other = self.value(c, x.columns[c]), self.value(c, x.columns[c])
        shapes = ["<> {0}", ">= {0}", "<= {0}", "is not null", "in ({0}, {1})", "is distinct from {0}"]
        return f"{alias}.{c} " + rng.choice([*shapes, "not in ({0}, {1})"]).format(one, other)

    def where(self, *sides: tuple[str, Relation]) -> str:
        """Write a WHERE, or none."""
        found = [self.condition(alias, x) for alias, x in sides if self.rng.random() < 0.6]
        return f" where {' and '.join(found)}" if found else ""

    def grouping(self, x: Relation) -> str:
        """Choose a column to group by."""
        return self.rng.choice([c for c in x.columns if c[0] in "ab"] or [c for c in x.columns if c[0] == "i"])

    def measures(self, x: Relation, alias: str) -> str:
        """Write aggregates over a table's columns; none depends on the order of its rows."""
        found = ["count(*) as n"]
        for c, kind in x.columns.items():
            at = f"{alias}.{c}"
            if c[0] in "vt":
                found += [f"sum({at})::bigint as t", f"count({at}) as n2", f"avg({at}) as f", f"max({at}) as v"]
            elif c[0] == "s":
                found += [f"min({at}) as s", f"count(distinct {at}) as n3"]
            elif c[0] == "i":
                found += [f"count(distinct {at}) as n4", f"min({at}) filter (where {at} > 5) as i9"]
            elif c[0] == "d":
                found.append(f"max({at}) as d9")
            elif kind.startswith("DECIMAL"):
                found.append(f"sum({at})::decimal(12, 2) as m")
        by_name = {f.rpartition(" ")[2]: f for f in found}
        return ", ".join(self.rng.sample(list(by_name.values()), min(len(by_name), self.rng.randint(1, 4))))


# ---------------------------------------------------------------- shapes that must be followed
def project(m: Chain) -> Draft:
    x = m.first()
    more = f", case when {m.condition('x', x)} then 1 else 0 end as {m.fresh('v')}" if m.rng.random() < 0.4 else ""
    return Draft(f"select {', '.join(m.shown(x, 'x'))}{more} from {x.name} x{m.where(('x', x))}", [x], x.rows)


def alive(m: Chain) -> Draft:
    """Rows that are marked as deleted leave the table."""
    x = m.rng.choice([r for r in m.relations if {"gone", "id"} <= r.columns.keys()])
    kept = ", ".join(c for c in x.columns if c != "gone")
    return Draft(f"select {kept} from {x.name} x where not gone", [x], x.rows, ("id",))


def inner(m: Chain) -> Draft:
    x, y, c, d, rows = m.pair()
    where = m.where(("x", x), ("y", y))
    return Draft(f"select {m.both(x, y)} from {x.name} x join {y.name} y on x.{c} = y.{d}{where}", [x, y], rows)


def outer(m: Chain, side: str) -> Draft:
    x, y, c, d, rows = m.pair()
    on = f"x.{c} = y.{d}" + (f" and {m.condition('y', y)}" if m.rng.random() < 0.4 else "")
    where = m.where(("x" if side == "left" else "y", x if side == "left" else y)) if side != "full" else ""
    key = f"coalesce(x.{c}, y.{d}) as {m.fresh(c[0])}, " if m.rng.random() < 0.5 or side == "full" else ""
    query = f"select {key}{m.both(x, y)} from {x.name} x {side} join {y.name} y on {on}{where}"
    return Draft(query, [x, y], rows + y.rows, (m.fresh(c[0]),) if key else ())


def group(m: Chain) -> Draft:
    x = m.first()
    by = m.grouping(x)
    having = " having count(*) > 1" if m.rng.random() < 0.2 else ""
    query = f"select x.{by}, {m.measures(x, 'x')} from {x.name} x{m.where(('x', x))} group by x.{by}{having}"
    return Draft(query, [x], 9, (by,))


def group_join(m: Chain) -> Draft:
    x, y, c, d, _ = m.pair()
    by, side = m.grouping(x), m.rng.choice(["join", "left join"])
    query = f"select x.{by}, {m.measures(y, 'y')} from {x.name} x {side} {y.name} y on x.{c} = y.{d} group by x.{by}"
    return Draft(query, [x, y], 9, (by,))


def cte(m: Chain) -> Draft:
    x, y, c, d, _ = m.pair()
    shown = ", ".join(m.shown(x, "x"))
    query = (
        f"with p as (select {d} as k, count(*) as n from {y.name} group by {d}) "
        f"select {shown}, coalesce(p.n, 0) as {m.fresh('n')} "
        f"from {x.name} x left join p on p.k = x.{c}{m.where(('x', x))}"
    )
    return Draft(query, [x, y], x.rows)


def union(m: Chain) -> Draft:
    while True:
        x, y = m.any(), m.any()
        same = [c for c, kind in x.columns.items() if y.columns.get(c) == kind]
        if any(c[0] in TIED for c in same) and x.rows + y.rows <= MOST_ROWS:
            break
    names = ", ".join(same)
    word = m.rng.choice(["union all", "union all", "union", "except", "intersect", "except all"])
    query = f"select {names} from {x.name} x{m.where(('x', x))} {word} select {names} from {y.name} y"
    return Draft(query, [x, y], x.rows + y.rows)


def window(m: Chain) -> Draft:
    x = m.first()
    by, names = m.grouping(x), [c for c, kind in x.columns.items() if kind != "DOUBLE"]
    ordered, total = m.rng.choice(names), ", ".join(names)
    functions = [
        f"rank() over (partition by {by} order by {ordered} desc)",
        f"dense_rank() over (partition by {by} order by {ordered})",
        f"count({ordered}) over (partition by {by} order by {ordered})",
        f"row_number() over (partition by {by} order by {total})",
    ]
    where = m.where(("x", x))
    query = f"select {total}, {m.rng.choice(functions)}::bigint as {m.fresh('r')} from {x.name} x{where}"
    if m.rng.random() < 0.4:
        query += f" qualify rank() over (partition by {by} order by {ordered} desc) <= 2"
    return Draft(query, [x], x.rows, (by,))


def best(m: Chain) -> Draft:
    """The first rows of each group, joined by or counted by another column than the group's."""
    x, y, c, d, rows = m.pair()
    by = m.rng.choice([n for n in y.columns if n[0] in TIED and n != d] or [d])
    o = m.rng.choice([n for n, kind in y.columns.items() if kind != "DOUBLE"])
    q = f"(select {d}, {o} as o from {y.name} qualify rank() over (partition by {by} order by {o}) <= 2) q"
    if m.rng.random() < 0.5:
        return Draft(f"select {d}, count(*) as {m.fresh('n')} from {q} group by {d}", [y], 9, (d,))
    shown = ", ".join(m.shown(x, "x"))
    return Draft(f"select {shown}, q.o as {m.fresh('o')} from {q} join {x.name} x on x.{c} = q.{d}", [x, y], rows)


def semi(m: Chain) -> Draft:
    x, y, c, d, _ = m.pair()
    shown, more = ", ".join(m.shown(x, "x")), m.where(("y", y)).replace(" where", " and")
    ways = [
        f"{x.name} x where exists (select 1 from {y.name} y where y.{d} = x.{c}{more})",
        f"{x.name} x where x.{c} in (select y.{d} from {y.name} y where true{more})",
        f"{x.name} x semi join {y.name} y on y.{d} = x.{c}",
    ]
    return Draft(f"select {shown} from {m.rng.choice(ways)}", [x, y], x.rows)


def anti(m: Chain) -> Draft:
    x, y, c, d, _ = m.pair()
    shown, more = ", ".join(m.shown(x, "x")), m.where(("y", y)).replace(" where", " and")
    ways = [
        f"{x.name} x where not exists (select 1 from {y.name} y where y.{d} = x.{c}{more})",
        f"{x.name} x where x.{c} not in (select y.{d} from {y.name} y where y.{d} is not null{more})",
        f"{x.name} x where x.{c} not in (select y.{d} from {y.name} y where true{more})",
        f"{x.name} x left join {y.name} y on y.{d} = x.{c}{more} where y.{d} is null",
        f"{x.name} x anti join {y.name} y on y.{d} = x.{c}",
    ]
    return Draft(f"select {shown} from {m.rng.choice(ways)}", [x, y], x.rows)


def scalar(m: Chain) -> Draft:
    x, y, c, d, _ = m.pair()
    shown = ", ".join(m.shown(x, "x"))
    inside = f"select count(y.{d}) from {y.name} y where y.{d} = x.{c}"
    return Draft(f"select {shown}, ({inside}) as {m.fresh('n')} from {x.name} x{m.where(('x', x))}", [x, y], x.rows)


def distinct(m: Chain) -> Draft:
    x = m.first()
    exact = replace(x, columns={c: kind for c, kind in x.columns.items() if kind != "DOUBLE"})  # others are refused
    return Draft(f"select distinct {', '.join(m.shown(exact, 'x'))} from {x.name} x{m.where(('x', x))}", [x], x.rows)


def daily(m: Chain) -> Draft:
    """What happened on each day or in each month."""
    x = m.rng.choice([r for r in m.relations if any(kind in TIMES for kind in r.columns.values())])
    c = m.rng.choice([c for c, kind in x.columns.items() if kind in TIMES])
    whole = m.rng.choice(["cast({} as date)", "date_trunc('month', {})", "{}"]).format(f"x.{c}")
    key, by = m.fresh("d"), f"x.{m.grouping(x)}"
    shown = f"{whole} as {key}, {by}, {m.measures(x, 'x')}"
    return Draft(f"select {shown} from {x.name} x{m.where(('x', x))} group by {whole}, {by}", [x], x.rows, (key,))


def current(m: Chain) -> Draft:
    """The versions that last, or all with their times; where there is no history, plain rows."""
    able = [r for r in m.relations if r.versions]
    if not able:
        return project(m)
    x = m.rng.choice(able)
    shown = ", ".join(m.shown(x, "x"))
    if m.rng.random() < 0.5:
        return Draft(f"select {shown} from {x.name} x where x.is_current", [x], x.rows)
    query = f"select {shown}, x.valid_from as {m.fresh('d')}, x.valid_to is null as {m.fresh('l')} from {x.name} x"
    return Draft(query, [x], x.rows)


SHAPES: dict[str, Callable[[Chain], Draft]] = {
    "project": project,
    "alive": alive,
    "inner": inner,
    "left": lambda m: outer(m, "left"),
    "right": lambda m: outer(m, "right"),
    "full": lambda m: outer(m, "full"),
    "group": group,
    "group_join": group_join,
    "cte": cte,
    "union": union,
    "window": window,
    "best": best,
    "semi": semi,
    "anti": anti,
    "scalar": scalar,
    "distinct": distinct,
    "daily": daily,
    "current": current,
}
"""Shapes that must be recomputed by keys whenever what they read tells its changes."""
LOGGED = ["project", "inner", "left", "group", "group_join", "semi", "anti", "distinct", "window"]
"""Shapes whose text reads their first table first: an `append` model follows what that one gains."""


# ---------------------------------------------------------------- shapes that are refused, and rebuilt
def limited(m: Chain) -> Draft:
    x = m.any()
    names = ", ".join(c for c, kind in x.columns.items() if kind != "DOUBLE")
    return Draft(f"select {names} from {x.name} order by all limit 7", [x], 7)


def overall(m: Chain) -> Draft:
    x = m.any()
    return Draft(
        f"select {', '.join(m.shown(x, 'x'))}, count(*) over () as {m.fresh('n')} from {x.name} x", [x], x.rows
    )


def compared(m: Chain) -> Draft:
    x, y = m.any(), m.any()
    inside = f"select count(*) from {y.name}"
    return Draft(f"select {', '.join(m.shown(x, 'x'))}, ({inside}) as {m.fresh('n')} from {x.name} x", [x, y], x.rows)


REFUSED: dict[str, Callable[[Chain], Draft]] = {"limited": limited, "overall": overall, "compared": compared}
