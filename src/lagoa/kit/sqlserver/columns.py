"""What each SQL Server type becomes in a Delta table, the SQL that asks for it, and how cursors of it compare."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from lagoa.kit.database.column import Column
from lagoa.kit.database.cursor import Family
from lagoa.kit.database.judged import Found, Judged
from lagoa.kit.text import literal
from lagoa.kit.values import is_declared_text

WHOLE = {"tinyint": pa.int16(), "smallint": pa.int16(), "int": pa.int32(), "bigint": pa.int64()}
_ASKED: dict[str, tuple[str, Any]] = {
    "bit": ("{}", pa.bool_()),
    "real": ("{}", pa.float32()),
    "float": ("{}", pa.float64()),
    "money": ("cast({} as decimal(19,4))", pa.decimal128(19, 4)),
    "smallmoney": ("cast({} as decimal(10,4))", pa.decimal128(10, 4)),
    "date": ("{}", pa.date32()),
    "datetime": ("cast({} as datetime2(3))", pa.timestamp("us")),
    "smalldatetime": ("cast({} as datetime2(0))", pa.timestamp("us")),
    **dict.fromkeys(("timestamp", "rowversion"), ("cast({} as bigint)", pa.int64())),
    **dict.fromkeys(("binary", "varbinary"), ("{}", pa.binary())),
    "image": ("cast({} as varbinary(max))", pa.binary()),
    **dict.fromkeys(("nchar", "nvarchar"), ("{}", pa.string())),
    "time": ("cast({} as varchar(16))", pa.string()),
    "uniqueidentifier": ("cast({} as char(36))", pa.string()),
    "hierarchyid": ("{}.ToString()", pa.string()),
    **dict.fromkeys(("geometry", "geography"), ("{}.ToString()", pa.string())),
}
"""How a column is asked for, and what it is then. Of `rowversion` the catalog's own word is `timestamp`."""
_TEXT = "cast({} as nvarchar(max))"
_FAMILIES: dict[str, Family] = {
    **dict.fromkeys((*WHOLE, "timestamp", "rowversion"), "whole"),
    **dict.fromkeys(("decimal", "numeric", "money", "smallmoney"), "number"),
    "date": "day",
    **dict.fromkeys(("datetime", "smalldatetime", "datetime2"), "time"),
    "datetimeoffset": "instant",
    **dict.fromkeys(("char", "varchar", "nchar", "nvarchar"), "text"),
}
_MICROSECONDS = 6


def quote(name: str) -> str:
    """Write a name as an identifier."""
    return "[" + name.replace("]", "]]") + "]"


def column(name: str) -> str:
    """Write a column of the row that is being read."""
    return f"t.{quote(name)}"


def read_as(found: Found, name: str, declared: str | None) -> Judged:
    """Decide how a column is asked for; `declared` is the type that the user gave it. No value is ever odd."""
    asked, lands = _asked(found)
    if is_declared_text(declared) and not pa.types.is_binary(lands) and not pa.types.is_string(lands):
        asked, lands = _as_text(found), pa.string()
    return Judged(name, found, asked.format(column(found.name)), lands, lands)


def _as_text(found: Found) -> str:
    if found.type in ("money", "smallmoney"):  # their own text has two digits after the point
        return f"cast({_ASKED[found.type][0]} as varchar(40))"
    if found.type in ("datetime", "smalldatetime"):  # theirs names the month
        return f"cast({_ASKED[found.type][0]} as varchar(40))"
    if found.type in ("timestamp", "rowversion"):
        return "cast(cast({} as bigint) as varchar(20))"
    return "convert(varchar(40), {}, 3)" if found.type in ("real", "float") else "cast({} as varchar(60))"


def _asked(found: Found) -> tuple[str, Any]:
    kind = found.type
    if kind in WHOLE:
        return "{}", WHOLE[kind]
    if kind in ("decimal", "numeric"):
        return "{}", pa.decimal128(found.precision, found.scale)
    if kind == "datetime2" and found.scale <= _MICROSECONDS:
        return "{}", pa.timestamp("us")
    if kind == "datetimeoffset" and found.scale <= _MICROSECONDS:
        return "cast(switchoffset({}, '+00:00') as datetime2(6))", pa.timestamp("us", "UTC")
    if kind in ("datetime2", "datetimeoffset"):
        return "cast({} as varchar(40))", pa.string()
    return _ASKED.get(kind, (_TEXT, pa.string()))


class SqlServerSpeech:
    """SQL Server's words; see `Speech`."""

    def family(self, type: str) -> Family | None:
        """Say what the values of a type are. `float` is left out: its text would be another number on old servers."""
        return _FAMILIES.get(type)

    def compared(self, found: Column) -> str:
        """Write what is compared."""
        name = self.raw(found)
        text = self.family(found.found.type) == "text"
        return f"cast({name} as nvarchar(4000)) collate Latin1_General_BIN2" if text else name

    def raw(self, found: Column) -> str:
        """Write the column."""
        return column(found.found.name)

    def value(self, text: str, type: str) -> str:
        """Write a value."""
        family = self.family(type)
        if type in ("timestamp", "rowversion"):
            return f"cast(cast({text} as bigint) as binary(8))"
        if family in ("whole", "number"):
            return text
        if family == "text":
            return f"N{literal(text)}"
        if family == "day":
            return f"cast({literal(text)} as date)"
        if family == "instant":
            return f"cast({literal(text.removesuffix('+00:00').rstrip() + ' +00:00')} as datetimeoffset(7))"
        return f"cast({literal(text)} as datetime2(7))"

    def text(self, found: Column) -> str:
        """Write the value as text."""
        name, family = self.raw(found), self.family(found.found.type)
        if family == "text":
            return f"cast({name} as nvarchar(4000))"
        if family == "instant":
            return f"cast(cast(switchoffset({name}, '+00:00') as datetime2(7)) as varchar(40)) + '+00:00'"
        known = Found(found.found.name, found.found.type)
        return _as_text(known).format(name)

    def first(self, shown: str, rest: str) -> str:
        """Write the query for one row."""
        return f"select top 1 {shown} {rest}"
