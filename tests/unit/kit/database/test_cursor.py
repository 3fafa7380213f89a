"""The window that is read again, and the same window in the lake's words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import duckdb
import pytest

from lagoa.errors import SourceError
from lagoa.kit.database.cursor import EVERYTHING, cursor_of
from lagoa.kit.postgres.columns import Found, read_as
from lagoa.kit.postgres.speech import PostgresSpeech

HOURS = timedelta(hours=36)


def cursor(kind: str, value: str | None, lag: Any = 0, modifier: int = -1) -> Any:
    column = read_as(Found("c", kind, modifier), "c", None)
    since = None if value is None else {"column": "c", "type": kind, "value": value}
    return cursor_of(column, since, lag, PostgresSpeech())


@pytest.mark.parametrize(
    ("kind", "value", "lag", "bound"),
    [
        ("int8", "9223372036854775807", 7, "9223372036854775800"),
        ("int4", "5", 0, "5"),
        ("date", "2024-03-01", HOURS, "2024-02-28"),
        ("timestamp", "2024-03-01 00:00:00.000001", HOURS, "2024-02-28 12:00:00.000001"),
        ("timestamptz", "2024-03-01 00:00:00.5+00", HOURS, "2024-02-28 12:00:00.500000+00:00"),
        ("numeric", "0.1000000000000000000000000001", 0, "0.1000000000000000000000000001"),
        ("numeric", "12345678901234567890123456789012345678901.5", 1, "12345678901234567890123456789012345678900.5"),
        ("text", "it's", 0, "it's"),
    ],
)
def test_the_lag_lowers_the_bound_exactly(kind: str, value: str, lag: Any, bound: str) -> None:
    assert cursor(kind, value, lag).bound() == bound


@pytest.mark.parametrize(
    ("kind", "value", "sql_type", "inside", "outside"),
    [
        ("int8", "7", "bigint", "7", "6"),
        ("numeric", "12345678901234567890.5", "varchar", "12345678901234567890.5", "12"),
        ("float8", "0.1", "double", "0.1", "0.09999999999999999"),
        ("date", "2024-01-01", "date", "2024-01-01", "2023-12-31"),
        ("timestamptz", "2024-01-01 00:00:00+00", "timestamptz", "2024-01-01 00:00:00+00", "2023-12-31 23:59:59+00"),
        ("text", "it's", "varchar", "it's", "it"),
        ("uuid", "b0000000-0000-0000-0000-000000000000", "varchar", "b0000000-0000-0000-0000-000000000000", "a"),
    ],
)
def test_the_overlap_is_the_window_in_duckdbs_words(
    kind: str, value: str, sql_type: str, inside: str, outside: str
) -> None:
    overlap = cursor(kind, value).overlap()
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    for text, holds in ((inside, True), (outside, False)):
        row = connection.execute(f'select {overlap} from (select ?::{sql_type} as "c")', [text]).fetchone()
        assert row == (holds,)


def test_a_cursor_that_has_seen_nothing_reads_everything() -> None:
    fresh = cursor("int8", None, 5)
    assert (fresh.where(nulls=False), fresh.overlap(), fresh.bound()) == (EVERYTHING, None, None)


@pytest.mark.parametrize(("kind", "lag"), [("text", 5), ("int8", HOURS), ("timestamptz", 5), ("float8", 1)])
def test_a_lag_that_does_not_fit_shows_at_the_first_reading(kind: str, lag: Any) -> None:
    with pytest.raises(SourceError) as caught:
        cursor(kind, None, lag)
    assert caught.value.code == "LG-207"
