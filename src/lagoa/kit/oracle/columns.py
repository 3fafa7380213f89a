"""What each Oracle type becomes in a Delta table, the SQL that asks for it, and how cursors of it compare."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pyarrow as pa

from lagoa.errors import SourceError
from lagoa.kit.database.column import Column
from lagoa.kit.database.cursor import Family
from lagoa.kit.database.judged import Found, Judged
from lagoa.kit.text import literal, quote
from lagoa.kit.values import is_declared_text

_LARGEST = 38  # digits of a Delta decimal
_FITS = 18  # digits of a whole number that 64 bits always hold
_MICROSECONDS = 6
_DIGITS = "to_char({}, 'TM9', 'NLS_NUMERIC_CHARACTERS=''.,''')"
_FLOATS = {"binary_float": pa.float32(), "binary_double": pa.float64()}
_ASKED: dict[str, tuple[str, Any]] = {
    **dict.fromkeys(("char", "nchar", "varchar2", "nvarchar2", "clob", "nclob", "long"), ("{}", pa.string())),
    **dict.fromkeys(("raw", "blob", "long raw"), ("{}", pa.binary())),
    **dict.fromkeys(("interval year to month", "interval day to second"), ("to_char({})", pa.string())),
    **dict.fromkeys(("rowid", "urowid"), ("rowidtochar({})", pa.string())),
    "xmltype": ("xmlserialize(content {} as clob)", pa.string()),
    "json": ("json_serialize({} returning clob)", pa.string()),
    "boolean": ("{}", pa.bool_()),
}
_DAY, _TIME = "YYYY-MM-DD HH24:MI:SS", "YYYY-MM-DD HH24:MI:SS.FF"
_OUTSIDE = "which lies outside the years 1 to 9999"
_FAMILIES: dict[str, Family] = {
    **dict.fromkeys(("number", "float"), "number"),
    **dict.fromkeys(("date", "timestamp"), "time"),
    **dict.fromkeys(("timestamp with time zone", "timestamp with local time zone"), "instant"),
    **dict.fromkeys(("varchar2", "nvarchar2", "char", "nchar"), "text"),
}


def column(name: str) -> str:
    """Write a column of the row that is being read."""
    return f"t.{quote(name)}"


def read_as(found: Found, name: str, declared: str | None) -> Judged:
    """Decide how a column is asked for; `declared` is the type that the user gave it. Raises SourceError LG-202."""
    value, kind = column(found.name), found.type
    if kind == "date" or kind.startswith("timestamp"):
        return _time(found, name, value, is_declared_text(declared))
    if kind in ("number", "float"):
        asked, lands = _number(found)
    elif kind in _FLOATS:
        asked, lands = "{}", _FLOATS[kind]
    elif kind in _ASKED:
        asked, lands = _ASKED[kind]
    else:
        said = f"column `{found.name}` is of the type {kind}, which cannot be read"
        raise SourceError("LG-202", said, hint="drop it, or turn it into text with `query:`")
    if is_declared_text(declared) and kind in ("number", "float", *_FLOATS):
        asked, lands = _DIGITS, pa.string()
    return Judged(name, found, asked.format(value), lands, lands)


def _number(found: Found) -> tuple[str, Any]:
    """Choose by precision and scale; without them a number has up to 40 digits anywhere, and arrives as text."""
    precision, scale = found.precision, found.scale
    if found.type == "float" or not precision:
        return _DIGITS, pa.string()
    if scale < 0:
        precision, scale = precision - scale, 0
    precision = max(precision, scale)
    if precision > _LARGEST:
        return _DIGITS, pa.string()
    whole = scale == 0 and precision <= _FITS
    return "{}", pa.int64() if whole else pa.decimal128(precision, scale)


def _time(found: Found, name: str, value: str, as_text: bool) -> Judged:
    """Ask for a time; years before the first are set aside, and what is finer than microseconds is text."""
    zoned = found.type.endswith("zone")
    plain = f"sys_extract_utc({value})" if zoned else value
    first = "date '0001-01-01'" if found.type == "date" else "timestamp '0001-01-01 00:00:00'"
    before = _shown(found, value, "S")
    if as_text or found.scale > _MICROSECONDS:
        text = f"case when {plain} < {first} then {before} else {_shown(found, value)} end"
        return Judged(name, found, text, pa.string(), pa.string())
    lands = pa.timestamp("us", "UTC") if zoned else pa.timestamp("us")
    sound, odd = f"case when {plain} >= {first} then {plain} end", f"case when {plain} < {first} then {before} end"
    return Judged(name, found, sound, lands, lands, odd, _OUTSIDE)


def _shown(found: Found, value: str, sign: str = "") -> str:
    """Write a time as text; the sign `S` also tells the years before the first."""
    if found.type == "date":
        return f"to_char({value}, '{sign}{_DAY}')"
    fine = f"'{sign}{_TIME}{found.scale or 1}"
    if found.type == "timestamp with time zone":
        return f"to_char({value}, {fine} TZH:TZM')"
    if found.type == "timestamp with local time zone":
        return f"to_char(sys_extract_utc({value}), {fine}') || ' +00:00'"
    return f"to_char({value}, {fine}')"


class OracleSpeech:
    """Oracle's words; see `Speech`. Sessions compare texts by their bytes."""

    def family(self, type: str) -> Family | None:
        """Say what the values of a type are."""
        return _FAMILIES.get(type)

    def compared(self, found: Column) -> str:
        """Write what is compared."""
        return self.raw(found)

    def raw(self, found: Column) -> str:
        """Write the column."""
        return column(found.found.name)

    def value(self, text: str, type: str) -> str:
        """Write a value."""
        family = self.family(type)
        if family == "number":
            return text
        if family == "text":
            return literal(text)
        when = datetime.fromisoformat(text.removesuffix("+00:00")).isoformat(" ", "microseconds")
        if type == "date":
            return f"to_date({literal(when[:19])}, '{_DAY}')"
        stamp = f"to_timestamp({literal(when)}, '{_TIME}6')"
        return f"from_tz({stamp}, 'UTC')" if family == "instant" else stamp

    def text(self, found: Column) -> str:
        """Write the value as text; finer than microseconds is cut, so that the window is never too small."""
        name, kind = self.raw(found), found.found.type
        family = self.family(kind)
        if family == "number":
            return _DIGITS.format(name)
        if family == "text":
            return name
        if kind == "date":
            return f"to_char({name}, '{_DAY}')"
        if family == "instant":
            return f"to_char(sys_extract_utc({name}), '{_TIME}6') || '+00:00'"
        return f"to_char({name}, '{_TIME}6')"

    def first(self, shown: str, rest: str) -> str:
        """Write the query for one row."""
        return f"select {shown} {rest} fetch first 1 rows only"
