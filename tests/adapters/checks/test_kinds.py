"""What each kind of check calls a violation, on the real engine."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from lagoa.ports import Asked, Check, Session
from lagoa.registry import adapter, names


def check(kind: str, value: Any = None) -> Check:
    made: Check = adapter("checks", kind).model_validate({} if value is None else {"value": value})
    return made


def broken(session: Session, kind: str, value: Any, rows: str, column_type: str = "VARCHAR", **asked: Any) -> list[Any]:
    """Return the values of column `x` that break the rule."""
    session.bind("t", f"select x::{column_type} as x from (values {rows}) v(x)")
    rule = check(kind, value).breaks(Asked('"x"', "t", column_type=column_type, **asked))
    return [row[0] for row in session.rows(f"select x::varchar from t where {rule} order by 1")]


@pytest.mark.parametrize(
    ("kind", "value", "column_type", "rows", "bad"),
    [
        ("not_null", None, "INTEGER", "(1), (null)", [None]),
        ("in", ["a", "b's"], "VARCHAR", "('a'), ('b''s'), ('c'), (null)", ["c"]),
        ("in", [1, 2], "BIGINT", "(1), (3), (null)", ["3"]),
        ("in", [True], "BOOLEAN", "(true), (false), (null)", ["false"]),
        ("in", ["2026-01-01"], "DATE", "('2026-01-01'), ('2026-01-02')", ["2026-01-02"]),
        ("min", 0, "DECIMAL(12,2)", "(0), (-0.01), (null), (5)", ["-0.01"]),
        ("min", 0.5, "DOUBLE", "(0.5), (0.49)", ["0.49"]),
        ("min", "2026-01-01", "DATE", "('2025-12-31'), ('2026-01-01'), (null)", ["2025-12-31"]),
        ("max", 10, "INTEGER", "(10), (11), (null)", ["11"]),
        ("max", "2026-01-01 12:00", "TIMESTAMP", "('2026-01-01 12:00:01'), ('2026-01-01')", ["2026-01-01 12:00:01"]),
        ("max", "b", "VARCHAR", "('a'), ('c')", ["c"]),
        ("matches", "[0-9]{5}-[0-9]{3}", "VARCHAR", "('01310-100'), ('x01310-100'), ('01310-1001'), (null)",
         ["01310-1001", "x01310-100"]),
        ("matches", "[0-9]+", "INTEGER", "(1), (-1)", ["-1"]),
        ("matches", "(?i)it's.*", "VARCHAR", "('IT''S ok'), ('its')", ["its"]),
        ("unique", None, "INTEGER", "(1), (2), (2), (null), (null)", ["2", "2"]),
    ],
)  # fmt: skip
def test_a_rule_finds_the_values_that_break_it(
    session: Session, kind: str, value: Any, column_type: str, rows: str, bad: list[str | None]
) -> None:
    assert broken(session, kind, value, rows, column_type) == bad


def test_unique_takes_columns_together(session: Session) -> None:
    session.bind("t", "from (values (1, 'a', 1), (1, 'b', 2), (1, 'a', 3), (1, null, 4), (1, null, 5)) v(x, y, n)")
    rule = check("unique", ["x", "y"]).breaks(Asked(None, "t"))
    assert session.rows(f"select n from t where {rule} order by n") == [(1,), (3,)]


def test_unique_judges_what_is_staged_against_the_whole_table(session: Session) -> None:
    session.bind("held", "from (values (1), (7), (7)) v(x)")
    session.bind("came", "from (values (1), (2)) v(x)")
    session.bind("become", "from held union all from came")
    rule = check("unique").breaks(Asked('"x"', "become", staged="came"))
    assert session.rows(f"select x from came where {rule}") == [(1,)]
    assert session.rows(f"select distinct x from become where {rule}") == [(1,)], "7 was there before and is not judged"


def test_a_foreign_key_stands_in_the_other_table(session: Session) -> None:
    session.bind("silver.customers", "from (values (1), (2), (null)) v(id)")
    tables = {"silver.customers": "silver.customers"}
    assert broken(session, "foreign_key", "silver.customers.id", "(1), (3), (null)", "INTEGER", tables=tables) == ["3"]
    assert list(check("foreign_key", "silver.customers.id").tables()) == ["silver.customers"]


@pytest.mark.parametrize(
    ("value", "violations"),
    [(3, 0), (2, 1), ({"min": 3}, 0), ({"min": 4}, 1), ({"max": 2}, 1), ({"equals": 3}, 0), ({"min": 1, "max": 5}, 0)],
)
def test_row_count_counts_the_whole_table(session: Session, value: Any, violations: int) -> None:
    session.bind("t", "select range as x from range(3)")
    assert len(session.rows(check("row_count", value).violations(Asked(None, "t")))) == violations


@pytest.mark.parametrize(
    ("newest", "violations"),
    [
        ("timestamptz '2026-01-02 00:00:00+00'", 0),
        ("date '2026-01-01'", 0),
        ("timestamp '2025-12-30'", 1),
        ("null::date", 1),
    ],
)
def test_freshness_looks_at_the_newest_time(session: Session, newest: str, violations: int) -> None:
    session.bind("t", f"select unnest([{newest}, null]) as seen")
    asked = Asked(None, "t", at="timestamptz '2026-01-02 00:00:00+00'")
    found = session.rows(check("freshness", {"column": "seen", "max_age": "1d"}).violations(asked))
    assert len(found) == violations


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("not_null", False),
        ("in", []),
        ("min", [1]),
        ("matches", 5),
        ("unique", 5),
        ("foreign_key", "customers"),
        ("row_count", {}),
        ("row_count", {"least": 1}),
        ("row_count", -1),
        ("freshness", {"column": "a", "max_age": "soon"}),
        ("freshness", "1d"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(kind: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        check(kind, value)


@pytest.mark.parametrize("kind", names("checks"))
def test_every_check_says_what_it_is(kind: str) -> None:
    made = adapter("checks", kind)
    assert made.__doc__
    judges = [made.breaks is not Check.breaks, made.violations is not Check.violations]
    assert judges.count(True) == 1
