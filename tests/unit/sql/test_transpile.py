"""Queries of other dialects become DuckDB's, and every change is told where it stands."""

from __future__ import annotations

import duckdb
import pytest

from lagoa.sql.transpile import (
    DIALECTS,
    Unreadable,
    expression,
    in_dialect,
    refusal,
    strange_functions,
    tables_renamed,
    transpile,
)


def test_duckdbs_own_stays_letter_by_letter() -> None:
    text = "SELECT  a -- why\nfrom   silver.x"
    assert transpile(text, "duckdb") == type(transpile(text, "duckdb"))(text, (), ())


@pytest.mark.parametrize(
    ("dialect", "before", "after", "value"),
    [
        ("bigquery", "SAFE_DIVIDE(1, 0)", "CASE WHEN 0 <> 0 THEN 1 / 0 ELSE NULL END", None),
        ("bigquery", "COUNTIF(TRUE)", "COUNT_IF(TRUE)", 1),
        ("snowflake", "IFF(TRUE, 1, 2)", "CASE WHEN TRUE THEN 1 ELSE 2 END", 1),
        ("redshift", "NVL(NULL, 3)", "COALESCE(NULL, 3)", 3),
        ("postgres", "TO_CHAR(CAST('2024-02-01' AS DATE), 'YYYY-MM')", None, "2024-02"),
    ],
)
def test_a_change_is_told_with_its_line_and_runs(dialect: str, before: str, after: str | None, value: object) -> None:
    found = transpile(f"select\n  {before} as x", dialect)
    assert duckdb.connect().sql(found.text).fetchall() == [(value,)]
    if after is not None and dialect != "redshift":
        assert [(change.before, change.after) for change in found.changes] == [(before, after)]


def test_the_smallest_changed_part_is_told_not_the_query_around_it() -> None:
    text = "with a as (select safe_cast(x as int64) as x from t)\nselect x from a\nwhere\n  x > 1"
    assert [(c.line, c.before) for c in transpile(text, "bigquery").changes] == [(1, "SAFE_CAST(x AS INT64)")]


def test_what_cannot_be_read_is_told_with_its_line() -> None:
    with pytest.raises(Unreadable) as error:
        transpile("select 1 as x,\n  (2 as y", "postgres")
    assert error.value.line == 2
    with pytest.raises(Unreadable):
        expression("a >", "postgres")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_is_written_in_a_dialect_comes_back(dialect: str) -> None:
    there = in_dialect("coalesce(a::varchar, 'x')", dialect)
    back = expression(there, dialect)
    assert duckdb.connect().sql(f"select {back} from (select null::int as a)").fetchall() == [("x",)]


def test_tables_are_renamed_by_all_their_parts_and_keep_their_alias() -> None:
    text = 'select * from "db"."main"."x" join "db"."main"."y" as q using (a) join "other"."main"."x" as z using (a)'
    found = " ".join(tables_renamed(text, "duckdb", {"db.main.x": "silver.x", "db.main.y": "gold.y"}).split())
    assert "FROM silver.x AS x" in found
    assert "gold.y AS q" in found
    assert '"other"."main"."x" AS z' in found


def test_functions_that_nobody_knows_are_named_with_their_line() -> None:
    assert strange_functions("select lower(a),\n  nonesuch(b)", {"lower"}) == [("nonesuch", 2)]


def test_a_query_that_is_never_followed_is_told_why() -> None:
    assert refusal("select a from silver.x") is None
    assert refusal("select a from silver.x limit 1") == "LIMIT picks rows by their order"
