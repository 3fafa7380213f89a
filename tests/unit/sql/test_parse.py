"""What a query says: the tables that it reads, what it gives, and what is refused."""

from __future__ import annotations

import pytest

from lagoa.errors import ProjectError
from lagoa.sql.parse import Query, bare, is_select, parse


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("select * from silver.a", "silver.a"),
        ("from silver.a", "silver.a"),
        ("from silver.a select x", "silver.a"),
        ("table silver.a", "silver.a"),
        ('select * from "silver"."a"', "silver.a"),
        ("select * from SILVER.A", "silver.a"),
        ("with a as (select 1) select * from a", ""),
        ("with a as (select * from silver.a) select * from a", "silver.a"),
        ("with A as (select 1) select * from a", ""),
        ("with recursive t as (select 1 as n union all select n + 1 from t) select * from t", ""),
        ("select * from silver.a, silver.b", "silver.a silver.b"),
        ("select * from silver.a join silver.b using (id) asof join silver.c using (at)", "silver.a silver.b silver.c"),
        ("select * from silver.a positional join silver.b", "silver.a silver.b"),
        ("from silver.a semi join silver.b using (id) anti join silver.c using (id)", "silver.a silver.b silver.c"),
        ("select (select max(x) from silver.b) from silver.a", "silver.a silver.b"),
        ("select 1 where exists (from silver.a)", "silver.a"),
        ("from silver.a where x in (select y from silver.b)", "silver.a silver.b"),
        ("from silver.a where z = any (select 1 from silver.c)", "silver.a silver.c"),
        ("from silver.a union all by name from silver.b except from silver.c", "silver.a silver.b silver.c"),
        ("pivot silver.a on x using sum(y)", "silver.a"),
        ("unpivot silver.a on x, y into name n value v", "silver.a"),
        ("select * from (pivot silver.a on x using sum(y))", "silver.a"),
        ("select * from silver.a, lateral (select * from silver.b where b.id = a.id)", "silver.a silver.b"),
        ("from silver.a order by (from silver.b) limit (select 1 from silver.c)", "silver.a silver.b silver.c"),
        ("select list_transform(x, lambda y: y + 1), {'a': 1}, [z for z in x if z] from silver.a", "silver.a"),
        ("select * from range(3), generate_series(1, 2), unnest([1]), json_each('{}')", ""),
        ("values (1, 2)", ""),
        ("select silver.a.x from silver.a", "silver.a"),
        ("select * from silver.a group by all order by all limit 10%", "silver.a"),
        ("from silver.a qualify row_number() over (partition by (from silver.b)) = 1", "silver.a silver.b"),
        ("select sum(x) filter (where exists (from silver.b)) from silver.a tablesample 10%", "silver.a silver.b"),
        ("select -- from silver.x\n 1 /* from silver.y */ from silver.a where t = 'from silver.z'", "silver.a"),
    ],
)  # fmt: skip
def test_every_table_is_found_and_nothing_else(sql: str, tables: str) -> None:
    query = parse(sql, "m.sql")
    assert query.trouble is None
    assert all(reference.is_function or reference.table for reference in query.references)
    assert " ".join(sorted(map(str, query.tables))) == tables


def test_a_cte_is_seen_only_where_it_is_in_scope() -> None:
    query = parse("with a as (with b as (from silver.x) from b) select * from a, b", "m.sql")
    assert [(r.written, r.column) for r in query.references] == [("silver.x", 28), ("b", 63)]


def test_positions_are_those_of_the_user_s_file() -> None:
    query = parse("select 'não',\n  x\n  from silver.a\n  join bronze.b using (id)", "m.sql", first_line=7)
    assert [(r.written, r.line, r.column) for r in query.references] == [("silver.a", 9, 8), ("bronze.b", 10, 8)]
    place = query.place(9, 8)
    assert (str(place), place.text) == ("m.sql:9:8", "  from silver.a")


@pytest.mark.parametrize(
    ("sql", "place", "words"),
    [
        ("select a\nfrom silver.x\nwhere", "m.sql:12:1", "near `where`"),
        ("select a, 'abc\nfrom b", "m.sql:10:11", "opens a text that is never closed"),
        ('select "a', "m.sql:10:8", "opens a quoted name that is never closed"),
        ("select 1 /* x", "m.sql:10:10", "opens a comment that is never closed"),
        ("select (a\n from b", "m.sql:11:2", "near `from`"),
        ("select a from b where a = = 1", "m.sql:10:27", "near `=`"),
        ("select 'não' from b where a = = 1", "m.sql:10:31", "near `=`"),
    ],
)
def test_bad_sql_is_told_where_it_is_in_the_user_s_file(sql: str, place: str, words: str) -> None:
    with pytest.raises(ProjectError) as caught:
        parse(sql, "m.sql", first_line=10)
    assert caught.value.code == "LG-105"
    assert words in caught.value.message
    assert str(caught.value.place) == place


@pytest.mark.parametrize(
    ("sql", "words", "line", "column"),
    [
        ("", "there is no query", 1, 1),
        ("-- nothing", "there is no query", 1, 1),
        ("select 1;\n\n select 2", "several statements", 3, 2),
        ("create table x as select 1", "`create` is not a query", 1, 1),
        (" copy silver.a to 'x'", "`copy` is not a query", 1, 2),
        ("insert into silver.a select 1", "`insert` is not a query", 1, 1),
        ("with x as (select 1) delete from silver.a", "is not a query", 1, 1),
        ("attach 'x.db'", "`attach` is not a query", 1, 1),
        ("install httpfs", "`install` is not a query", 1, 1),
        ("set threads = 1", "`set` is not a query", 1, 1),
        ("pragma database_list", "`pragma` is not a query", 1, 1),
        ("call enable_logging()", "`call` is not a query", 1, 1),
        ("explain analyze select 1", "`explain` is not a query", 1, 1),
        ("describe silver.a", "`describe` is not a query", 1, 1),
        ("summarize silver.a", "`summarize` is not a query", 1, 1),
        ("show tables", "`show` is not a query", 1, 1),
        ("select * from (describe silver.a)", "`describe` is not a query", 1, 25),
        ("select * into silver.b from silver.a", "is not a query", 1, 1),
        ("select * from read_csv('a.csv')", "`read_csv(…)` reads outside", 1, 15),
        ("select * from read_parquet(['a'])", "`read_parquet(…)` reads outside", 1, 15),
        ("select * from parquet_scan('a')", "`parquet_scan(…)` reads outside", 1, 15),
        ("select 1 from silver.a, glob('*')", "`glob(…)` reads outside", 1, 25),
        ("select * from query('select 1')", "`query(…)` reads outside", 1, 15),
        ("select * from postgres_scan('a', 'b', 'c')", "`postgres_scan(…)` reads outside", 1, 15),
        ("select * from duckdb_secrets()", "`duckdb_secrets(…)` reads outside", 1, 15),
        ("select * from 'x.parquet'", "'x.parquet' is read as a file", 1, 15),
        ('select * from "data/x"', "'data/x' is read as a file", 1, 15),
        ("select * from 's3://b/x'", "'s3://b/x' is read as a file", 1, 15),
        ("select x, getenv('HOME') from silver.a", "`getenv(…)` reaches outside", 1, 11),
        ("select read_text('/etc/passwd')", "reaches outside", 1, 8),
    ],
)
def test_what_is_not_one_query_over_tables_is_told(sql: str, words: str, line: int, column: int) -> None:
    trouble = parse(sql, "m.sql").trouble
    assert trouble is not None
    assert words in trouble[0]
    assert trouble[1:] == (line, column)


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("select a, b as c, silver.x.d from silver.x", ("a", "c", "d")),
        ('select 1 as "A b", count(*) as n from silver.x', ("A b", "n")),
        ("with c as (select 1) select q as z from c", ("z",)),
        ("select (select max(x) from silver.y) as m", ("m",)),
        ("select a from silver.x union all select b from silver.y", ("a",)),
        ("select * from silver.x", None),
        ("select x.*, 1 as a from silver.x", None),
        ("from silver.x", None),
        ("select a, sum(b) from silver.x", None),
        ("select columns('a.*') as b from silver.x", None),
        ("select unnest(s) as u from silver.x", None),
        ("select a from silver.x union all by name select b from silver.y", None),
        ("pivot silver.x on y using sum(z)", None),
    ],
)
def test_columns_are_known_only_when_nothing_hides_them(sql: str, columns: tuple[str, ...] | None) -> None:
    assert parse(sql, "m.sql").columns == columns


@pytest.mark.parametrize(
    ("sql", "is_one"),
    [
        ("select 1", True),
        ("select 1;", True),
        ("from silver.a", True),
        ("with a as (select 1) from a", True),
        ("values (1)", True),
        ("pivot silver.a on x using sum(y)", True),
        ("", False),
        ("select 1; select 2", False),
        ("select 1; drop table x", False),
        ("drop table x", False),
        ("copy (select 1) to 'x'", False),
        ("select (", False),
        ("select 'x", False),
        ("merge into a using b on true when matched then delete", False),
    ],
)
def test_a_query_is_one_statement_that_only_reads(sql: str, is_one: bool) -> None:
    assert is_select(sql) is is_one


def test_what_the_cache_keeps_is_the_whole_query() -> None:
    for sql in ("select a from silver.x", "select * from glob('*')", "select 1; select 2"):
        query = parse(sql, "m.sql", first_line=3)
        assert Query.from_json(sql, "m.sql", query.to_json()) == query


def test_deep_nesting_is_an_error_and_no_crash() -> None:
    with pytest.raises(ProjectError) as caught:
        parse("select " + "(" * 20_000 + "1" + ")" * 20_000, "m.sql")
    assert caught.value.code == "LG-105"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("select 1", "select 1"),
        ("select 1 ; ;-- done\n", "select 1 "),
        ("\n\nselect ';' as x -- a; b\n;\n/* ; */", "\n\nselect ';' as x -- a; b\n"),
        ("select ';'", "select ';'"),
    ],
)
def test_a_query_is_bare_without_its_last_semicolons(text: str, left: str) -> None:
    assert bare(text) == left


def test_a_comment_behind_the_semicolon_is_no_statement() -> None:
    assert parse("select 1; -- done", "a.sql").trouble is None
