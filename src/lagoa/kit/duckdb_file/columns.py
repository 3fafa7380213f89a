"""What each type of a DuckDB file becomes in a Delta table, and which values of it no such table holds."""

from __future__ import annotations

from typing import Any

from lagoa.kit.casts import survival
from lagoa.kit.database.column import Column
from lagoa.kit.database.cursor import Family
from lagoa.kit.database.judged import Found, Judged
from lagoa.kit.text import literal, quote
from lagoa.kit.types import from_duckdb, sql_type
from lagoa.kit.values import is_declared_text

_FAMILIES: dict[str, Family] = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"), "whole"),
    **dict.fromkeys(("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"), "whole"),
    "DECIMAL": "number",
    **dict.fromkeys(("FLOAT", "DOUBLE"), "float"),
    "DATE": "day",
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"), "time"),
    "TIMESTAMP WITH TIME ZONE": "instant",
    **dict.fromkeys(("VARCHAR", "UUID"), "text"),
}
_YEARS = "between timestamp '0001-01-01' and timestamp '9999-12-31 23:59:59.999999'"


def column(name: str) -> str:
    """Write a column of the row that is being read."""
    return f"t.{quote(name)}"


def read_as(found: Found, name: str, declared: str | None, kind: Any) -> Judged:
    """Decide how a column is read; `kind` is DuckDB's type of it, `declared` the type that the user gave it."""
    value = column(found.name)
    lands = from_duckdb(kind)
    if is_declared_text(declared) and found.type != "BLOB":
        lands = from_duckdb("VARCHAR")
    to = sql_type(lands)
    if to == "VARCHAR":
        return Judged(name, found, f"cast({value} as varchar)", lands, lands)
    cast, kept = survival(value, found.type, from_duckdb(kind), lands)
    why = f"which {to.lower()} cannot keep as it is"
    if found.type == "DATE" or found.type.startswith("TIMESTAMP"):
        inside = f"cast({value} as timestamp) {_YEARS}".replace("cast", "try_cast")
        kept = inside if kept is None else f"({kept} and {inside})"
        why = "which lies outside the years 1 to 9999" if found.type != "TIMESTAMP_NS" else why
    if kept is None:
        return Judged(name, found, cast, lands, lands)
    sound = f"({value} is null or coalesce({kept}, false))"
    odd = f"case when {sound} then null else cast({value} as varchar) end"
    return Judged(name, found, f"case when {sound} then {cast} end", lands, lands, odd, why)


class DuckSpeech:
    """DuckDB's words; see `Speech`."""

    def family(self, type: str) -> Family | None:
        """Say what the values of a type are."""
        return _FAMILIES.get(type.partition("(")[0])

    def compared(self, found: Column) -> str:
        """Write what is compared."""
        return self.raw(found)

    def raw(self, found: Column) -> str:
        """Write the column."""
        return column(found.found.name)

    def value(self, text: str, type: str) -> str:
        """Write a value."""
        return f"{literal(text)}::{type}"

    def text(self, found: Column) -> str:
        """Write the value as text."""
        return f"cast({self.raw(found)} as varchar)"

    def first(self, shown: str, rest: str) -> str:
        """Write the query for one row."""
        return f"select {shown} {rest} limit 1"
