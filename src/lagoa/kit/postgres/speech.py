"""How PostgreSQL compares the values of a cursor."""

from __future__ import annotations

from lagoa.kit.database.column import Column
from lagoa.kit.database.cursor import Family
from lagoa.kit.postgres.columns import column
from lagoa.kit.text import literal

_FAMILIES: dict[str, Family] = {
    **dict.fromkeys(("int2", "int4", "int8", "oid"), "whole"),
    "numeric": "number",
    **dict.fromkeys(("float4", "float8"), "float"),
    "date": "day",
    "timestamp": "time",
    "timestamptz": "instant",
    **dict.fromkeys(("text", "varchar", "uuid"), "text"),
}


class PostgresSpeech:
    """PostgreSQL's words; see `Speech`."""

    def family(self, type: str) -> Family | None:
        """Say what the values of a type are, domains resolved."""
        return _FAMILIES.get(type)

    def compared(self, found: Column) -> str:
        """Write what is compared."""
        name = column(found.found.name)
        return f'{name} collate "C"' if found.found.type in ("text", "varchar") else name

    def raw(self, found: Column) -> str:
        """Write the column."""
        return column(found.found.name)

    def value(self, text: str, type: str) -> str:
        """Write a value."""
        return f"{literal(text)}::{type}"

    def text(self, found: Column) -> str:
        """Write the value as text."""
        return f"{column(found.found.name)}::text"

    def first(self, shown: str, rest: str) -> str:
        """Write the query for one row."""
        return f"select {shown} {rest} limit 1"
