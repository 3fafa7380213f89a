"""Every row of the pages' tables of types: what is asked of a server that no test has, and what it lands as."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from tests.adapters.sources.types_page import WORDS, rows_after

from lagoa.errors import SourceError
from lagoa.kit.database.cursor import Speech, cursor_of
from lagoa.kit.database.judged import Found, Judged
from lagoa.kit.oracle import columns as oracle
from lagoa.kit.oracle.catalog import table_columns
from lagoa.kit.sqlserver import columns as sqlserver
from lagoa.kit.types import sql_type

SQLSERVER = rows_after("sqlserver.md", "What each type becomes")
ORACLE = rows_after("oracle.md", "What each type becomes")
TSQL, PLSQL = sqlserver.SqlServerSpeech(), oracle.OracleSpeech()


def said(column: Judged) -> str:
    found = sql_type(column.lands).lower()
    for word, ours in WORDS.items():
        found = found.replace(word, ours)
    return found


def bounds(kind: str) -> tuple[int | None, int | None]:
    found = re.search(r"\((\d+)(?:,(-?\d+))?\)", kind)
    return (int(found[1]), int(found[2] or 0)) if found else (None, None)


@pytest.mark.parametrize(("kind", "becomes", "asked"), SQLSERVER)
def test_a_type_of_sql_server_is_asked_for_as_the_page_says(kind: str, becomes: str, asked: str) -> None:
    first, second = bounds(kind)
    scale = first if kind.startswith("datetime") else second
    column = sqlserver.read_as(Found("v", kind.partition("(")[0], first or 0, scale or 0), "v", None)
    assert (said(column), column.value) == (becomes, asked)


@pytest.mark.parametrize(("kind", "becomes", "asked"), ORACLE)
def test_a_type_of_oracle_is_asked_for_as_the_page_says(kind: str, becomes: str, asked: str) -> None:
    precision, scale = bounds(kind) if kind.startswith("number") else (None, None)
    row = {"n": "v", "t": kind if not kind.startswith("number") else "number", "p": precision, "s": scale}
    [found] = table_columns(lambda _: [{**row, "nullable": "Y"}], "LAGOA", "T")
    column = oracle.read_as(found, "v", None)
    assert (said(column), column.value) == (becomes, asked)


def test_the_pages_have_rows_to_try() -> None:
    assert len(SQLSERVER) > 35
    assert len(ORACLE) > 30


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("money", "cast(cast(t.[v] as decimal(19,4)) as varchar(40))"),
        ("datetime", "cast(cast(t.[v] as datetime2(3)) as varchar(40))"),
        ("float", "convert(varchar(40), t.[v], 3)"),
        ("int", "cast(t.[v] as varchar(60))"),
        ("rowversion", "cast(cast(t.[v] as bigint) as varchar(20))"),
    ],
)
def test_the_text_of_a_value_loses_nothing_of_it(kind: str, text: str) -> None:
    assert sqlserver.read_as(Found("v", kind), "v", "text").value == text


def test_a_type_that_oracle_cannot_write_as_text_is_refused_by_name() -> None:
    with pytest.raises(SourceError) as caught:
        oracle.read_as(Found("PIC", "bfile"), "PIC", None)
    assert caught.value.message == "column `PIC` is of the type bfile, which cannot be read"


def test_a_year_before_the_first_is_set_aside_with_its_sign() -> None:
    column = oracle.read_as(Found("v", "date"), "v", None)
    assert column.odd == "case when t.\"v\" < date '0001-01-01' then to_char(t.\"v\", 'SYYYY-MM-DD HH24:MI:SS') end"
    assert column.why == "which lies outside the years 1 to 9999"


@pytest.mark.parametrize(
    ("room", "speech", "found", "value", "lag", "where"),
    [
        (sqlserver, TSQL, Found("v", "int"), "7", 2, "t.[v] >= 5"),
        (sqlserver, TSQL, Found("v", "rowversion"), "2001", 0, "t.[v] >= cast(cast(2001 as bigint) as binary(8))"),
        (
            sqlserver,
            TSQL,
            Found("v", "datetimeoffset", scale=6),
            "2024-01-01 00:30:00.5000000+00:00",
            timedelta(hours=1),
            "t.[v] >= cast('2023-12-31 23:30:00.500000 +00:00' as datetimeoffset(7))",
        ),
        (
            sqlserver,
            TSQL,
            Found("v", "varchar"),
            "it's",
            0,
            "cast(t.[v] as nvarchar(4000)) collate Latin1_General_BIN2 >= N'it''s'",
        ),
        (
            oracle,
            PLSQL,
            Found("v", "date"),
            "0999-01-01 00:00:00",
            0,
            "t.\"v\" >= to_date('0999-01-01 00:00:00', 'YYYY-MM-DD HH24:MI:SS')",
        ),
        (
            oracle,
            PLSQL,
            Found("v", "timestamp with time zone", scale=6),
            "2024-01-01 00:00:00.000001+00:00",
            0,
            "t.\"v\" >= from_tz(to_timestamp('2024-01-01 00:00:00.000001', 'YYYY-MM-DD HH24:MI:SS.FF6'), 'UTC')",
        ),
    ],
)
def test_a_window_is_written_in_the_words_of_its_server(
    room: Any, speech: Speech, found: Found, value: str, lag: Any, where: str
) -> None:
    column = room.read_as(found, "v", None)
    cursor = cursor_of(column, {"column": "v", "type": found.type, "value": value}, lag, speech)
    assert cursor.where(nulls=False) == where
