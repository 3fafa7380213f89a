"""What a declared SQLite type becomes in a Delta table, and the SQL that tells the values that have another class."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal

import pyarrow as pa

from lagoa.kit.database.column import Column
from lagoa.kit.database.cursor import Family
from lagoa.kit.database.judged import Found, Judged
from lagoa.kit.text import literal, quote
from lagoa.kit.values import declared_type

Shape = Literal["whole", "real", "truth", "number", "text", "bytes", "any"]
"""What a column's values are: whole numbers, floats, 0 and 1, decimals, texts, bytes, or whatever but bytes."""
_LARGEST = 38  # digits of a Delta decimal
_BOUNDS = re.compile(r"\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)")
_ARRIVES = {
    "whole": (pa.int64(), "no whole number"),
    "real": (pa.float64(), "no floating point number"),
    "truth": (pa.bool_(), "neither 0 nor 1"),
    "text": (pa.string(), "no text"),
    "bytes": (pa.binary(), "not bytes"),
    "any": (pa.string(), "no text"),
}
_FAMILIES: dict[Shape, Family] = {"whole": "whole", "real": "float", "number": "number", "text": "text"}


def column(name: str) -> str:
    """Write a column of the row that is being read."""
    return f"t.{quote(name)}"


def shape(declared: str) -> Shape:
    """Say what a declared type means.

    Source: sqlite.org/datatype3.html, 3.1, whose rules decide by parts of the word; booleans, decimals and times, which
    they all take for numbers, come first.
    """
    word = declared.upper()
    bounds = _BOUNDS.search(word)
    if word.startswith("BOOL"):
        return "truth"
    if word.startswith(("DATE", "TIME")):
        return "text"
    if word.startswith(("DECIMAL", "NUMERIC")):
        return "number" if bounds and 0 < int(bounds[1]) <= _LARGEST else "any"
    if "INT" in word:
        return "whole"
    if any(part in word for part in ("CHAR", "CLOB", "TEXT")):
        return "text"
    if "BLOB" in word:
        return "bytes"
    return "real" if any(part in word for part in ("REAL", "FLOA", "DOUB")) else "any"


def family(type: str) -> Family | None:
    """Say what the values of a type are to a cursor."""
    return _FAMILIES.get(shape(type))


def read_as(found: Found, name: str, declared: str | None) -> Judged:
    """Decide how a column is read; `declared` is the type that the user gave it, `name` its name in the table."""
    found = _meant(found, declared)
    kind, value = shape(found.type), column(found.name)
    if kind == "number":
        return _number(found, name, value)
    wire, why = _ARRIVES[kind]
    sound = {
        "whole": f"typeof({value}) = 'integer'",
        "real": f"typeof({value}) in ('real', 'integer') and cast({value} as real) = {value}",
        "truth": f"typeof({value}) = 'integer' and {value} in (0, 1)",
        "text": f"typeof({value}) = 'text'",
        "bytes": f"typeof({value}) = 'blob'",
        "any": f"typeof({value}) <> 'blob'",
    }[kind]
    kept = {"any": _written(value), "real": f"cast({value} as real)"}.get(kind, value)
    return Judged(name, found, *_judged(value, sound, kept, wire, wire), f"which is {why}")


def _judged(
    value: str, sound: str, kept: str, wire: pa.DataType, lands: pa.DataType
) -> tuple[str, pa.DataType, pa.DataType, str]:
    odd = f"case when {value} is null or ({sound}) then null else {_shown(value)} end"
    return f"case when {sound} then {kept} end", wire, lands, odd


def _meant(found: Found, declared: str | None) -> Found:
    """Let the user say of which class the values are; texts are then whatever there is."""
    try:
        kind = declared_type(declared) if declared is not None else None
    except ValueError:  # a word that ingesting refuses, with its place
        kind = None
    if kind is None:
        return found
    if pa.types.is_decimal(kind):
        return replace(
            found, type=f"DECIMAL({kind.precision},{kind.scale})", precision=kind.precision, scale=kind.scale
        )
    if pa.types.is_integer(kind):
        return replace(found, type="INTEGER")
    if pa.types.is_floating(kind):
        return replace(found, type="REAL")
    if pa.types.is_boolean(kind):
        return replace(found, type="BOOLEAN")
    return replace(found, type="TEXT" if pa.types.is_temporal(kind) else "ANY")


def bounds(declared: str) -> tuple[int, int]:
    """Read precision and scale; 0 and 0 when the type has none."""
    found = _BOUNDS.search(declared)
    return (int(found[1]), int(found[2] or 0)) if found else (0, 0)


def _number(found: Found, name: str, value: str) -> Judged:
    """Read a decimal, which SQLite keeps as a float: it is the one decimal whose float it is, or no such decimal."""
    precision, scale = bounds(found.type)
    text = f"printf('%!.{scale}f', {value})"
    sound = (
        f"typeof({value}) = 'integer' and abs({value} * 1.0) < 1e{precision - scale}"
        f" or typeof({value}) = 'real' and cast({text} as real) = {value} and abs({value}) < 1e{precision - scale}"
    )
    kept = f"case typeof({value}) when 'integer' then cast({value} as text) else {text} end"
    lands = pa.decimal128(precision, scale)
    why = f"which is no number of {precision} digits, {scale} of them after the point"
    return Judged(name, found, *_judged(value, sound, kept, pa.string(), lands), why)


def _written(value: str) -> str:
    """Write a value as text: floats with as many digits as tell them from others."""
    short, long = f"printf('%!.15g', {value})", f"printf('%!.17g', {value})"
    real = f"case when cast({short} as real) = {value} then {short} else {long} end"
    return f"case typeof({value}) when 'real' then {real} else cast({value} as text) end"


def _shown(value: str) -> str:
    most = 100  # bytes: a reason is for people
    return f"case typeof({value}) when 'blob' then quote(substr({value}, 1, {most})) else {_written(value)} end"


class LiteSpeech:
    """SQLite's words; see `Speech`. A value of another class than its column's counts as null."""

    def family(self, type: str) -> Family | None:
        """Say what the values of a type are."""
        return family(type)

    def compared(self, found: Column) -> str:
        """Write what is compared, so that an index serves."""
        name = column(found.found.name)
        return f"{name} collate binary" if family(found.found.type) == "text" else name

    def raw(self, found: Column) -> str:
        """Write the value."""
        known = Found(found.found.name, found.found.type)
        return f"({read_as(known, known.name, None).value})"

    def value(self, text: str, type: str) -> str:
        """Write a value."""
        return literal(text) if family(type) == "text" else text

    def text(self, found: Column) -> str:
        """Write the value as text."""
        return f"({_written(column(found.found.name))})"

    def first(self, shown: str, rest: str) -> str:
        """Write the query for one row."""
        return f"select {shown} {rest} limit 1"
