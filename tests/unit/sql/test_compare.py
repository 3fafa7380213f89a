"""Two texts of a query: the same, or different in what."""

from __future__ import annotations

import pytest

from lagoa.sql.parse import differences, parse, same

QUERY = "select a, sum(b) as total from silver.x where c > 1 group by a"


@pytest.mark.parametrize(
    "other",
    [
        "SELECT a,\n\n  SUM(b) AS total\nFROM silver.x\nWHERE c > 1\nGROUP BY a;",
        "-- words\nselect a, /* more */ sum(b) as total from silver.x where c > 1 group by a -- end",
        "select a, sum( b ) as total from silver . x where c>1 group by a",
    ],
)
def test_layout_comments_and_the_case_of_keywords_mean_nothing(other: str) -> None:
    assert same(QUERY, other)
    assert parse(QUERY, "m.sql").same_meaning(other)
    assert differences(QUERY, other) == []


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("select 'A' as x", "select 'a' as x"),
        ("select e'A' as x", "select e'a' as x"),
        ("select $$A$$ as x", "select $$a$$ as x"),
        ("select 'a  b' as x", "select 'a b' as x"),
        ("select '--x' as x", "select '--y' as x"),
        ('select "A" from silver.x', 'select "a" from silver.x'),
        ("select a as B from silver.x", "select a as b from silver.x"),
        ("select 1 as x", "select 1.0 as x"),
        ("select 10 as x", "select 1 as x"),
        ("select x'0A' as x", "select x'0B' as x"),
        ("select a from silver.x", "select a from silver.y"),
        ("select a, b from silver.x", "select b, a from silver.x"),
        ("select count(a) from silver.x", "select count(distinct a) from silver.x"),
        ("from silver.x join silver.y using (id)", "from silver.x left join silver.y using (id)"),
        ("from silver.x asof join silver.y using (id)", "from silver.x join silver.y using (id)"),
        ("select a from silver.x tablesample 10%", "select a from silver.x tablesample 20%"),
        ("select sum(a) over (order by b) from silver.x", "select sum(a) over (order by b desc) from silver.x"),
        ("select a from silver.x order by a nulls first", "select a from silver.x order by a"),
        ("select a::int from silver.x", "select try_cast(a as int) from silver.x"),
        ("select a -> b from silver.x", "select a ->> b from silver.x"),
    ],
)
def test_whatever_could_change_a_row_is_a_difference(a: str, b: str) -> None:
    assert not same(a, b)
    assert differences(a, b)


def test_a_text_that_cannot_be_read_is_the_same_as_no_other() -> None:
    assert not same("select (", "select ( ")
    assert not same(QUERY, "select (")
    assert differences("select (", QUERY) == ["the query"]


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ("select a, sum(b) as total, 1 as n from silver.x where c > 1 group by a", ["column n added"]),
        ("select sum(b) as total from silver.x where c > 1 group by a", ["column a removed"]),
        ("select a, max(b) as total from silver.x where c > 1 group by a", ["column total changed"]),
        ("select sum(b) as total, a from silver.x where c > 1 group by a", ["columns in another order"]),
        ("select a, sum(b) as total from silver.y where c > 2 group by a, d", ["from", "where", "group by"]),
        ("select distinct a, sum(b) as total from silver.x where c > 1 group by a limit 1", ["distinct", "limit"]),
        ("with w as (select 1) " + QUERY, ["with"]),
        (QUERY + " union all select 1, 2", ["the query"]),
    ],
)
def test_a_difference_is_said_in_words(other: str, words: list[str]) -> None:
    assert differences(QUERY, other) == words
