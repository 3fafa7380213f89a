"""Declared types read text exactly, or refuse it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from lagoa.kit.values import Spelling, declared_type

REFUSED = "refused"
SPELLED: list[tuple[Spelling, str, Any]] = [
    *[(Spelling("bigint"), t, v) for t, v in [("12", 12), ("-7", -7), ("+5", 5), ("007", 7), ("12.00", 12)]],
    *[(Spelling("bigint"), t, REFUSED) for t in [" 12", "12 ", "1e3", "1_000", "0x10", "1.5", "", "NaN", "1,0"]],
    (Spelling("bigint"), "9223372036854775807", 2**63 - 1),
    (Spelling("bigint"), "9223372036854775808", REFUSED),
    (Spelling("smallint"), "32768", REFUSED),
    *[(Spelling("decimal(12, 2)"), t, Decimal(v)) for t, v in [("1.20", "1.2"), ("58.9", "58.9"), (".5", "0.5")]],
    (Spelling("decimal(12, 2)"), "1.230000", Decimal("1.23")),
    *[(Spelling("decimal(12, 2)"), t, REFUSED) for t in ["1.239", "1e3", "NaN", "inf", "12345678901.00", "1.", " 1"]],
    (Spelling("decimal(12, 2)", decimal=",", thousands="."), "1.234,56", Decimal("1234.56")),
    (Spelling("decimal(12, 2)", decimal=",", thousands="."), "1234,5", Decimal("1234.5")),
    (Spelling("decimal(12, 2)", decimal=",", thousands="."), "12.34,56", REFUSED),
    (Spelling("decimal(12, 2)", decimal=",", thousands="."), "1.5", REFUSED),
    (Spelling("decimal(12, 2)", decimal=","), "1,239", REFUSED),
    (Spelling("decimal(12, 2)", decimal=","), "1.23", REFUSED),
    (Spelling("decimal(38, 10)"), "9" * 28 + ".0123456789", Decimal("9" * 28 + ".0123456789")),
    (Spelling("bigint", thousands="."), "1.234.567", 1234567),
    (Spelling("double"), "1e3", 1000.0),
    (Spelling("double", decimal=","), "0,25", 0.25),
    *[(Spelling("double"), t, REFUSED) for t in ["1e999", "x", " 1", "1_0", "0x1"]],
    *[(Spelling("boolean"), t, True) for t in ["true", "T", "1", "Sim", "S", "yes"]],
    *[(Spelling("boolean"), t, False) for t in ["false", "F", "0", "não", "NÃO", "n"]],
    *[(Spelling("boolean"), t, REFUSED) for t in ["2", "maybe", ""]],
    (Spelling("date"), "2024-02-29", date(2024, 2, 29)),
    (Spelling("date"), "2024-02-29 00:00:00", date(2024, 2, 29)),
    *[(Spelling("date"), t, REFUSED) for t in ["2023-02-29", "00000000", "2024-01-05 10:00:00", "infinity", "24-1-5"]],
    (Spelling("date", "%d/%m/%Y"), "31/01/2024", date(2024, 1, 31)),
    (Spelling("date", "%d/%m/%Y"), "1/2/2024", date(2024, 2, 1)),
    *[(Spelling("date", "%d/%m/%Y"), t, REFUSED) for t in ["31/02/2024", "1/2/24", "1/2/2024 ", "00/00/0000"]],
    (Spelling("date", "%Y%m%d"), "20240131", date(2024, 1, 31)),
    (Spelling("date", "%Y%m%d"), "00000000", REFUSED),
    (Spelling("date", "%d/%m/%Y %H:%M"), "31/01/2024 00:00", date(2024, 1, 31)),
    (Spelling("date", "%d/%m/%Y %H:%M"), "31/01/2024 10:00", REFUSED),
    (Spelling("timestamp"), "2024-01-31 10:20:30.123456", datetime(2024, 1, 31, 10, 20, 30, 123456)),
    (Spelling("timestamp"), "2024-01-31T10:20", datetime(2024, 1, 31, 10, 20)),
    (Spelling("timestamp"), "2024-01-31", datetime(2024, 1, 31)),
    *[(Spelling("timestamp"), t, REFUSED)
      for t in ["2024-01-31 24:00:00", "2024-01-31 10:20:30.1234567", "2024-01-31 1+03", "infinity", "-infinity",
                "10000-01-01 00:00:00", "0000-12-31 23:59:59"]],
    (Spelling("timestamp", "%d/%m/%Y %H:%M"), "31/01/2024 23:59", datetime(2024, 1, 31, 23, 59)),
    (Spelling("timestamp", "%d/%m/%Y %H:%M"), "31/01/2024 24:00", REFUSED),
    (Spelling("timestamptz"), "2024-01-31T10:00:00-03:00", datetime(2024, 1, 31, 13, tzinfo=UTC)),
    (Spelling("timestamptz"), "2024-01-31T10:00:00Z", datetime(2024, 1, 31, 10, tzinfo=UTC)),
    (Spelling("timestamptz"), "2024-01-31 10:00:00", datetime(2024, 1, 31, 10, tzinfo=UTC)),
    (Spelling("json"), '{"a": 1}', '{"a": 1}'),
    *[(Spelling("json"), t, REFUSED) for t in ["{", '{"a": NaN}', "[1,]"]],
    (Spelling("text"), " anything ", " anything "),
]  # fmt: skip


def read(spelling: Spelling, text: str) -> Any:
    """Read a text the careful way, and the quick way when there is one; both must agree."""
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        careful = connection.execute(f"select {spelling.parse('t')} from (select ? as t)", [text]).fetchall()[0][0]
        if quick := spelling.quick("t", "w"):
            sql = f"select w, {quick[1]} from (select t, {quick[0]} as w from (select ?::varchar as t))"
            value, right = connection.execute(sql, [text]).fetchall()[0]
            assert not right or value == careful, f"{text!r}: {value!r} quickly, {careful!r} with care"
    return careful


@pytest.mark.parametrize(("spelling", "text", "wanted"), SPELLED, ids=lambda v: str(getattr(v, "type", v))[:40])
def test_a_text_becomes_its_value_or_is_refused(spelling: Spelling, text: str, wanted: Any) -> None:
    assert read(spelling, text) == (None if wanted is REFUSED else wanted)


@pytest.mark.parametrize("text", ["decimal(39, 2)", "decimal(2, 3)", "struct(a int)", "money", ""])
def test_an_unknown_type_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"type|digits"):
        declared_type(text)


def test_types_are_validated_with_the_project(load: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="'money' is not a type"):
        load({"path": "x.csv", "columns": {"a": {"type": "money"}}})
    with pytest.raises(ValueError, match="decimal and thousands are both `,`"):
        load({"path": "x.csv", "decimal": ",", "thousands": ",", "columns": {"a": {"type": "double"}}})
