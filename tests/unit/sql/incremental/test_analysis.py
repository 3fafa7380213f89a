"""What is followed and what is refused, and that the rewritten query means what the written one does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import duckdb
import pytest

from lagoa.sql.incremental.analysis import KEYS, Analysis, Leaf, Question, Refused, analyse

COLUMNS = {"id": "INTEGER", "v": "INTEGER", "d": "DATE", "s": "VARCHAR", "f": "DOUBLE", "n": "DECIMAL(12,2)"}
VIEWS = {"s.big": "with q as (select * from s.a where v > 1) select q.id, q.v from q"}


def wanted(leaf: Leaf) -> str:
    """Write the query for no more rows of an input than those that a leaf wants."""
    among = (f'exists (select 1 from {KEYS} k where k.{k} is not distinct from t."{c}")' for c, k in leaf.pairs.items())
    return f'select * from "{leaf.input}__new" t where {" and ".join(among)}'


class Engine:
    """Tables s.a and s.b with rows, and everything that an analysis asks for."""

    def __init__(self) -> None:
        self.con = duckdb.connect(config={"threads": 1})
        self.con.execute("create schema s; set timezone = 'UTC'")
        for name in ("s.a", "s.b", "_i0", "_i1"):
            self.con.execute(f"create table {name} ({', '.join(f'{c} {kind}' for c, kind in COLUMNS.items())})")
        rows = (
            "select i::int, nullif(i % 7, 3)::int, date '2024-02-20' + (i * 9)::int, "
            "case i % 4 when 0 then 'Àbc-x' when 1 then '  2021-03-04 ' when 2 then '' end, "
            "i / 7.0::double, (i * 1.37)::decimal(12,2) from range(40) t(i)"
        )
        for name in ("s.a", "s.b"):
            self.con.execute(f"insert into {name} {rows}")
        for name, body in VIEWS.items():
            self.con.execute(f"create view {name} as {body}")
        for bare, name in (("_i0", "s.a"), ("_i1", "s.b")):
            for version in ("old", "new", "chg", "u"):
                self.con.execute(f"create view {bare}__{version} as from {name}")

    def describe(self, query: str) -> Mapping[str, str]:
        return {name.lower(): kind for name, kind, *_ in self.con.execute(f"describe {query}").fetchall()}

    def analyse(self, query: str, key: str = "id") -> Analysis:
        tables, columns = {"s.a": "_i0", "s.b": "_i1"}, {"_i0": COLUMNS, "_i1": COLUMNS}
        return analyse(Question(query, key.split(), tables, columns, VIEWS), self.describe)

    def why(self, query: str, key: str = "id") -> str:
        """Give the reason for which a query, or a change of one of its inputs, is refused; '' when it is not."""
        try:
            return " ".join(o.why for o in self.analyse(query, key).occurrences if o.why)
        except Refused as refused:
            return str(refused)

    def differ(self, query: str, key: str = "id") -> int:
        """Count the rows in which the query for all keys differs from the query as it is written."""
        found = self.analyse(query, key)
        shown = ", ".join(f"{k} as k{i}" for i, k in enumerate(key.split()))
        self.con.execute(f"create or replace temp table {KEYS} as select distinct {shown} from ({query})")
        for leaf in found.leaves:
            self.con.execute(f'create or replace temp view "{leaf.relation}" as {wanted(leaf)}')
        differ = f"(({query}) except all ({found.rows})) union all (({found.rows}) except all ({query}))"
        answer = self.con.execute(f"select count(*) from ({differ})").fetchone()
        return int(answer[0]) if answer else -1


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    made = Engine()
    yield made
    made.con.close()


FUNCTIONS = """
upper(s); lower(s); trim(s); ltrim(s); rtrim(s); trim(s, ' 2'); length(s); concat(s, 'x', v); s || 'x'; substring(s, 2, 3); substr(s, 2); replace(s, 'b', 'z')
left(s, 2); right(s, 2); lpad(s, 6, '0'); rpad(s, 6, '0'); split_part(s, '-', 1); starts_with(s, 'A'); contains(s, 'b'); reverse(s); md5(s)
regexp_matches(s, '[0-9]'); s like '%b%'; s not like '%b%'; s ilike 'àB%'; abs(-v); round(f, 2); round(n); floor(f); ceil(f); sign(v - 3); sqrt(f)
ln(f + 1); power(v, 2); v % 3; mod(v, 3); v // 2; v / 2; -v; v + 1 * 2; (v + 1) * 2; coalesce(v, 0); ifnull(v, 7); nullif(v, 2); greatest(v, 2); least(v, id)
year(d); quarter(d); month(d); week(d); day(d); dayofweek(d); extract(year from d); extract(month from d); date_trunc('month', d); date_trunc('week', d)
date_diff('day', d, date '2024-06-01'); datediff('month', d, date '2024-06-01'); strftime(d, '%d/%m/%Y'); strptime('2024-01-0' || (v + 1), '%Y-%m-%d')
last_day(d); make_date(2020, v + 1, 1); d + interval 3 day; d - interval '1 month'; d + v; try_cast(s as date); cast(v as varchar); v::decimal(9, 3)
if(v > 2, 'a', 'b'); case when v > 2 then 1 when v is null then 2 end; case v when 1 then 'x' else 'y' end; v between 2 and 4; v not in (1, 2); v in (1, null)
v is distinct from 3; v is not distinct from null; not (v > 2 and s is null or v = 1); s is not null; (v > 2) is true; null::date; true; date '2024-01-01'
timestamp '2024-01-01 10:00:00'; hour(timestamp '2024-01-01 10:00:00' + v * interval 1 hour); f; -f::decimal(9, 1); 1.5 * n; n / 3; 'a''b'
"""  # noqa: E501  # a list to be read as a list


@pytest.mark.parametrize(
    "expression", [e.strip() for line in FUNCTIONS.split("\n") for e in line.split(";") if e.strip()]
)
def test_a_followed_expression_is_rewritten_without_another_meaning(engine: Engine, expression: str) -> None:
    assert engine.differ(f"select id, {expression} as x from s.a") == 0
    assert engine.why(f"select id, {expression} as x from s.a") == ""


@pytest.mark.parametrize(
    "query",
    [
        "select id, count(*) as c, count(v) as cv, sum(v) as sv, avg(n) as an, min(s) as mn, max(d) as mx, "
        "median(v) as md, bool_or(v > 2) as bo, bool_and(v > 0) as ba, count_if(v > 3) as ci, "
        "count(distinct s) as cd, sum(v) filter (where v > 2) as sf from s.a group by id",
        "select a.id, a.v from s.a a semi join s.b b on a.id = b.v",
        "select a.id, a.v from s.a a anti join s.b b on a.id = b.v and b.s is not null",
        "select id, v from s.big",
        "select x.id, y.v from s.big x left join s.big y on x.id = y.v",
        "with q as (select id, v from s.a), r as (select id, sum(v) as t from q group by id) select * from r",
        "select A.ID, a.V as Value from s.a as A",
        "select id, max(v) as w from s.a group by 1",
        "select id, a.v, b.s from s.a a join s.b b using (id)",
        "select a.* from s.a a",
        "select upper(s) as id, v % 2 as w, count(*) as c, sum(v) + 1 as t from s.a group by all",
        "select * exclude (f) from s.a",
        "select id, v + 1 as p, p * 2 as q from s.a where p > 2",
        "from s.a select id, v",
        "select id, s, lag(v) over (partition by id order by v, s) as l from s.a",
        "select id, dense_rank() over (partition by id order by v desc nulls last) as r from s.a",
    ],
)  # fmt: skip
def test_a_followed_query_is_rewritten_without_another_meaning(engine: Engine, query: str) -> None:
    assert engine.differ(query) == 0
    assert engine.why(query) == ""


REFUSED = {
    "LIMIT": "select id from s.a limit 3",
    "OFFSET": "select id from s.a offset 3",
    "a sample": "select id from s.a using sample 3",
    "random()": "select id, random() as r from s.a",
    "now()": "select id, now() as r from s.a",
    "current_timestamp": "select id, current_timestamp as r from s.a",
    "my_macro()": "select id, my_macro(v) as r from s.a",
    "depends on the order": "select id, sum(f) as r from s.a group by id",
    "avg() of DOUBLE": "select id, avg(v / 2) as r from s.a group by id",
    "max() of DOUBLE": "select id, max(f) as r from s.a group by id",
    "it groups by DOUBLE": "select id, f, count(*) as r from s.a group by id, f",
    "partitions a window by DOUBLE": "select id, rank() over (partition by id, f order by v) as r from s.a",
    "DISTINCT compares DOUBLE": "select distinct id, f from s.a",
    "compares rows with DOUBLE": "select id, f from s.a union select id, f from s.b",
    "leaves out": "select id, row_number() over (partition by id order by v) as r, s from s.a",
    "several rows": "select id, (select b.v from s.b b where b.id = a.id) as r from s.a a",
    "DISTINCT ON": "select distinct on (id) id, v from s.a",
    "a recursive query": "with recursive r as (select id from s.a union all select id + 1 from r) from r",
    "GROUPING SETS": "select id, v, count(*) as c from s.a group by grouping sets ((id), (id, v))",
    "a column has no name": "select id, count(*) from s.a group by id",
    "GROUP BY ALL": "select *, count(*) as c from s.a group by all",
    "is not one of its columns": "select v from s.a",
    "with its layer": "select s.a.id from s.a",
    "UNNEST": "select id, unnest([v]) as u from s.a",
    "group_concat()": "select id, string_agg(s, ',') as t from s.a group by id",
    "Lagoa uses itself": "select __k.id from s.a as __k",
    "to be followed exactly": "select id, [v] as l from s.a",
    "no condition of a join": "select a.id from s.a a cross join s.b b",
    "computed over groups": "select id, count(*) over () as c from s.a",
    "its key is computed": "select (select max(b.v) from s.b b where b.id = a.v) as id from s.a a",
    "POSITIONAL or": "select a.id from s.a a positional join s.b b",
    "ASOF, ": "select a.id from s.a a asof join s.b b on a.id = b.id and a.v >= b.v",
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_is_not_known_to_be_exact_is_refused_with_its_reason(engine: Engine, reason: str) -> None:
    engine.con.execute("create or replace macro my_macro(x) as x + 1")
    assert reason in engine.why(REFUSED[reason])


def test_a_key_of_which_equal_values_may_differ_is_refused(engine: Engine) -> None:
    assert "DOUBLE" in engine.why("select f, v from s.a", "f")
    assert "INTERVAL" in engine.why("select interval (v) day as i, v from s.a", "i")


def test_whatever_breaks_inside_the_analysis_is_a_refusal(engine: Engine) -> None:
    def broken(_: str) -> Mapping[str, str]:
        raise KeyError("x")

    question = Question("select id from s.a", ["id"], {"s.a": "_i0"}, {"_i0": COLUMNS}, {})
    with pytest.raises(Refused, match="KeyError"):
        analyse(question, broken)
    deep = "select id, " + "(" * 3000 + "v" + ")" * 3000 + " as x from s.a"
    assert engine.why(deep) != ""
