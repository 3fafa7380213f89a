"""A query for a range of its time gives all rows of that range, whatever its inputs' own times are."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import duckdb
import pyarrow as pa
import pytest

from lagoa.spec.model import Grain
from lagoa.sql.incremental import ranges
from lagoa.sql.incremental.analysis import NEW, Analysis, Question, Refused, analyse
from lagoa.transform.partitions import Stretches, after, begins, by_partition, joined

TABLES = {
    "_i0": {"id": "BIGINT", "sold": "TIMESTAMP", "day": "DATE", "v": "INTEGER"},
    "_i1": {"id": "BIGINT", "day": "DATE", "seen": "TIMESTAMP WITH TIME ZONE", "text": "VARCHAR"},
}
QUERIES = {
    "its own": ("select sold as t, id from s.a", 1),
    "cast": ("select cast(sold as date) as t, count(*) as n from s.a group by all", 1),
    "cast zone": ("select seen::date as t, id from s.b", 1),
    "to a timestamp": ("select cast(day as timestamp) as t, id from s.b where text is not null", 1),
    "month": ("select date_trunc('month', sold)::date as t, sum(v) as v from s.a group by 1", 1),
    "week of a day": ("select date_trunc('week', cast(sold as date)) as t, id from s.a", 1),
    "year": ("select t, count(*) as n from (select date_trunc('year', seen) as t from s.b) as q group by t", 1),
    "having": ("select day as t, max(v) as v from s.a group by day having count(*) > 1", 1),
    "window": ("select day as t, id, rank() over (partition by day order by v) as r from s.a", 1),
    "window beyond": ("select day as t, id, rank() over (partition by id order by v) as r from s.a", 0),
    "qualify": ("select day as t, id from s.a qualify rank() over (partition by day order by v) = 1", 1),
    "left": ("select x.day as t, y.id from s.a x left join s.b y on y.day = x.day and y.id > 3", 2),
    "left, its other side": ("select y.day as t, x.id from s.a x left join s.b y on y.day = x.day", 0),
    "right": ("select y.day as t, x.id from s.a x right join s.b y on y.day = x.day", 1),
    "full": ("select coalesce(x.day, y.day) as t, x.id from s.a x full join s.b y on y.day = x.day", 0),
    "inner": ("select x.day as t, y.id from s.a x join s.b y on y.day = x.day where y.id <> x.id", 2),
    "other types": ("select x.sold as t, y.id from s.a x join s.b y on y.day = x.sold", 1),
    "union": ("select day as t, id from s.a union all select seen::date as t, id from s.b", 2),
    "except": ("select day as t, id from s.a except select day as t, id from s.b", 2),
    "anti": ("select x.day as t, x.id from s.a x where not exists (select 1 from s.b y where y.day = x.day)", 1),
    "two levels": (
        "with d as (select sold::date as d, count(*) as n from s.a group by 1) "
        "select d.d as t, d.n, y.id from d left join s.b y on y.day = d.d",
        2,
    ),
    "a text": ("select try_cast(text as date) as t, id from s.b", 0),
    "moved": ("select cast(sold + interval 1 day as date) as t, id from s.a", 0),
    "no time": ("select max(sold) as t, id from s.a group by id", 0),
}
"""Queries, and how many of their inputs are read for the range alone."""


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    con = duckdb.connect(config={"threads": 1})
    con.execute("set TimeZone = 'UTC'; create schema s")
    rng = random.Random(3)
    for (bare, columns), name in zip(TABLES.items(), "ab", strict=True):
        shown = ", ".join(f"{c} {kind}" for c, kind in columns.items())
        con.execute(f"create table {bare} ({shown}); create view s.{name} as from {bare}")
        con.execute(f'create view "{bare}{NEW}" as from {bare}')
        rows = [f"({', '.join(_value(rng, kind) for kind in columns.values())})" for _ in range(60)]
        con.execute(f"insert into {bare} values {', '.join(rows)}")
    yield con
    con.close()


def _value(rng: random.Random, kind: str) -> str:
    if rng.random() < 0.05:
        return "null"
    if kind in ("BIGINT", "INTEGER"):
        return str(rng.randrange(8))
    moment = datetime(1969, 12, 20) + timedelta(days=rng.randrange(40))
    moment += rng.choice([timedelta(0), timedelta(days=1, microseconds=-1), timedelta(hours=rng.randrange(24))])
    if rng.random() < 0.03 and kind != "VARCHAR":
        return f"'{rng.choice(['infinity', '-infinity'])}'::{kind}"
    if kind in ("DATE", "VARCHAR"):
        return f"'{moment:%Y-%m-%d}'"
    return f"'{moment}{'+00' if 'ZONE' in kind else ''}'"


def _analysis(con: duckdb.DuckDBPyConnection, query: str, grain: Grain) -> Analysis:
    def describe(sql: str) -> Mapping[str, str]:
        return {name.lower(): kind for name, kind, *_ in con.execute(f"describe {sql}").fetchall()}

    question = Question(by_partition(query, "t", grain), ["__partition"], {"s.a": "_i0", "s.b": "_i1"}, TABLES, {}, "t")
    return analyse(question, describe)


def _arrow(kind: str) -> pa.DataType:
    return pa.date32() if kind == "DATE" else pa.timestamp("us", "UTC" if "ZONE" in kind else None)


def _stretches(rng: random.Random, grain: Grain) -> Stretches:
    moments = [datetime(1969, 12, 20, tzinfo=UTC) + timedelta(days=rng.randrange(40)) for _ in range(2)]
    starts = {begins(moment, grain) for moment in moments} | {after(moments[0], grain)}
    return joined([*starts, *([None] if rng.random() < 0.3 else [])], grain)


def _differing(con: duckdb.DuckDBPyConnection, query: str, found: Analysis, part: Stretches) -> int:
    assert found.ranged is not None
    for reach in found.ranged.reaches:
        where = part.until(reach.days).where(reach.column, _arrow(TABLES[reach.input][reach.column]))
        con.execute(f'create or replace view "{reach.relation}" as from {reach.input} where {where}')
    kind = {name: kind for name, kind, *_ in con.execute(f"describe {query}").fetchall()}["t"]
    where = part.where("t", _arrow(kind))
    names = ", ".join(con.sql(query).columns)
    whole, some = (f"select {names} from ({q}) where {where}" for q in (query, found.ranged.rows))
    differ = f"(({whole}) except all ({some})) union all (({some}) except all ({whole}))"
    (row,) = con.execute(f"select count(*) from ({differ})").fetchall()
    return int(row[0])


@pytest.mark.parametrize("name", QUERIES)
def test_a_range_of_a_query_is_what_the_whole_query_has_in_it(con: duckdb.DuckDBPyConnection, name: str) -> None:
    query, reached = QUERIES[name]
    rng = random.Random(name)
    for grain in ("day", "month", "year"):
        found = _analysis(con, query, grain)
        assert found.ranged is not None
        assert len(found.ranged.reaches) == reached
        for _ in range(4):
            assert _differing(con, query, found, _stretches(rng, grain)) == 0


def test_without_the_days_that_a_unit_may_hide_rows_would_be_lost(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranges, "_DAYS", dict.fromkeys(ranges._DAYS, 0))
    found = _analysis(con, QUERIES["week of a day"][0], "day")
    rng = random.Random(1)
    assert any(_differing(con, QUERIES["week of a day"][0], found, _stretches(rng, "day")) for _ in range(12))


def test_filtering_the_optional_side_of_a_join_would_be_wrong(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lagoa.sql.incremental.restrict.nullable", lambda _: set())
    query, rng = QUERIES["left, its other side"][0], random.Random(2)
    found = _analysis(con, query, "day")
    assert found.ranged is not None
    assert found.ranged.reaches
    timeless = Stretches(timeless=True)
    assert any(_differing(con, query, found, part) for part in [timeless, *(_stretches(rng, "day") for _ in range(12))])


def test_a_query_that_is_not_followed_has_no_range(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(Refused, match="LIMIT"):
        _analysis(con, "select sold as t from s.a limit 3", "day")
