"""Text that becomes values of declared types: exactly, or not at all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from lagoa.kit.text import listed, literal

TRUE = ("true", "t", "1", "yes", "y", "sim", "s", "verdadeiro", "v", "on")
FALSE = ("false", "f", "0", "no", "n", "não", "nao", "falso", "off")
"""How booleans are spelled, in any case."""

_NAMES: dict[str, Any] = {
    **dict.fromkeys(("text", "varchar", "string", "char", "uuid", "time"), pa.string()),
    **dict.fromkeys(("bigint", "int8", "long", "int64"), pa.int64()),
    **dict.fromkeys(("integer", "int", "int4", "int32"), pa.int32()),
    **dict.fromkeys(("smallint", "int2", "int16", "short"), pa.int16()),
    **dict.fromkeys(("tinyint", "byte"), pa.int8()),
    **dict.fromkeys(("double", "float8", "double precision", "float64"), pa.float64()),
    **dict.fromkeys(("float", "real", "float4", "float32"), pa.float32()),
    **dict.fromkeys(("boolean", "bool"), pa.bool_()),
    "date": pa.date32(),
    **dict.fromkeys(("timestamp", "datetime", "timestamp without time zone"), pa.timestamp("us")),
    **dict.fromkeys(("timestamptz", "timestamp with time zone"), pa.timestamp("us", "UTC")),
    "json": pa.string(),
}
_DECIMAL = re.compile(r"(?:decimal|numeric)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?")
_DIRECTIVES = {
    "Y": r"\d{4}",
    "y": r"\d{2}",
    "m": r"\d{1,2}",
    "d": r"\d{1,2}",
    "H": r"\d{1,2}",
    "I": r"\d{1,2}",
    "M": r"\d{1,2}",
    "S": r"\d{1,2}",
    "f": r"\d{1,6}",
    "j": r"\d{1,3}",
    "p": r"[AaPp][Mm]",
    "z": r"(Z|[+-]\d{2}(:?\d{2})?)",
    "%": "%",
}
IMPLIED = "implied"
"""The decimal separator of numbers that are written without one: the last digits are the type's scale."""
_OFFSET = r"([Zz]|[+-]\d{2}(:?\d{2})?)"
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6}0*)?)?"
_LOOSE_JSON = r"NaN|Infinity|,[ \t\r\n]*[]}]"
_DATE = r"\d{4}[-/]\d{2}[-/]\d{2}"


def declared_type(text: str) -> Any:
    """Return the Arrow type that a declaration such as `decimal(12, 2)` names. Raises ValueError for an unknown one."""
    plain = " ".join(text.lower().split())
    if plain in _NAMES:
        return _NAMES[plain]
    found = _DECIMAL.fullmatch(plain)
    if not found:
        raise ValueError(
            f"{text!r} is not a type of a file's column; use text, bigint, integer, decimal(p, s), double, boolean, "
            "date, timestamp, timestamptz or json"
        )
    precision, scale = int(found[1] or 18), int(found[2] or (0 if found[1] else 3))
    if not 1 <= precision <= 38 or scale > precision:
        raise ValueError(f"{text!r}: a decimal holds 1 to 38 digits, and no more after the point than in all")
    return pa.decimal128(precision, scale)


def is_declared_text(declared: str | None) -> bool:
    """Say whether a user declared a column to be text; a word that is no type is refused elsewhere, with its place."""
    try:
        return declared is not None and bool(declared_type(declared) == pa.string())
    except ValueError:
        return False


@dataclass(frozen=True)
class Spelling:
    """How a column's values are written: its declared type's text, and its separators and format, None: the default."""

    type: str
    format: str | None = None
    decimal: str = "."
    thousands: str | None = None
    null_values: tuple[str, ...] = ()

    def kind(self) -> Any:
        """Return the Arrow type."""
        return declared_type(self.type)

    def is_text(self) -> bool:
        """Say whether every text is a value of it."""
        return bool(pa.types.is_string(self.kind())) and self.type.lower() not in ("json", "uuid", "time")

    def parse(self, text: str) -> str:
        """Return SQL that reads `text` (an SQL expression) as the type, giving null where it is not exactly a value."""
        kind, t = self.kind(), pa.types
        if t.is_string(kind):
            return self._special(text)
        if t.is_integer(kind):
            return self._number(text, kind, 0)
        if t.is_decimal(kind):
            return self._number(text, kind, kind.scale)
        if t.is_floating(kind):
            return self._float(text, kind)
        if t.is_boolean(kind):
            low = f"lower({text})"
            return f"case when {low} in {_tuple(TRUE)} then true when {low} in {_tuple(FALSE)} then false end"
        return self._time(text, kind)

    def quick(self, text: str, cast: str) -> tuple[str, str] | None:
        """Return a cheap cast of `text`, and a test of `cast` (its value, by name) that proves it exact.

        `parse` must decide about values that fail the test; None: there is no cheap way.
        """
        kind = self.kind()
        if self.format or self.thousands or self.decimal != ".":
            return None
        whole = pa.types.is_integer(kind) or pa.types.is_decimal(kind) or kind == pa.timestamp("us")
        if kind != pa.date32() and not whole:
            return None
        exact = f"{cast}::varchar = {text}" if whole else f"strlen({text}) = 10"
        if pa.types.is_temporal(kind):
            # `infinity` and years beyond 9999 are spelled as DuckDB spells them, too
            exact += f" and {_within(cast, kind)}"
        return f"try_cast({text} as {_sql(kind)})", exact

    def _special(self, text: str) -> str:
        if self.type.lower() == "json":
            # json_valid takes NaN and trailing commas, too
            loose = f"regexp_matches({text}, {literal(_LOOSE_JSON)})"
            return f"case when json_valid({text}) and not {loose} then {text} end"
        if self.type.lower() == "uuid":
            return f"try_cast({text} as uuid)::varchar"
        if self.type.lower() == "time":
            return _when(text, _CLOCK, text)
        return text

    def _number(self, text: str, kind: Any, scale: int) -> str:
        if self.decimal == IMPLIED:
            digits = f"lpad(ltrim({text}, '+-'), greatest(strlen(ltrim({text}, '+-')), {scale + 1})::integer, '0')"
            sign = f"case when starts_with({text}, '-') then '-' else '' end"
            plain = f"{sign} || left({digits}, -{scale}) || '.' || right({digits}, {scale})" if scale else text
            return _when(text, r"[+-]?\d+", f"try_cast({plain} as {_sql(kind)})")
        point, mark = re.escape(self.decimal), re.escape(self.thousands or "")
        whole = rf"(\d+|\d{{1,3}}({mark}\d{{3}})+)" if mark else r"\d+"
        fraction = rf"({point}\d{{1,{scale}}}0*)" if scale else rf"({point}0+)"
        pattern = rf"[+-]?({whole}{fraction}?" + (rf"|{fraction})" if scale else ")")
        plain = text
        if self.thousands:
            plain = f"replace({plain}, {literal(self.thousands)}, '')"
        if self.decimal != ".":
            plain = f"replace({plain}, {literal(self.decimal)}, '.')"
        return _when(text, pattern, f"try_cast({plain} as {_sql(kind)})")

    def _float(self, text: str, kind: Any) -> str:
        point, mark = re.escape(self.decimal), re.escape(self.thousands or "")
        whole = rf"(\d+|\d{{1,3}}({mark}\d{{3}})+)" if mark else r"\d+"
        pattern = rf"[+-]?({whole}({point}\d*)?|{point}\d+)([eE][+-]?\d+)?|[+-]?([Nn]a[Nn]|[Ii]nf(inity)?)"
        plain = text
        if self.thousands:
            plain = f"replace({plain}, {literal(self.thousands)}, '')"
        if self.decimal != ".":
            plain = f"replace({plain}, {literal(self.decimal)}, '.')"
        value = f"try_cast({plain} as {_sql(kind)})"
        # 1e999 would become infinity without a word
        return _when(text, pattern, f"case when not isinf({value}) or lower({text}) like '%inf%' then {value} end")

    def _time(self, text: str, kind: Any) -> str:
        is_date, zoned = kind == pa.date32(), getattr(kind, "tz", None)
        if self.format:
            value = f"try_strptime({text}, {literal(self.format)})"
            pattern = format_pattern(self.format)
            if is_date:
                # a time of day that a date cannot hold is not thrown away
                value = f"case when {value}::time = time '00:00:00' then {value}::date end"
            else:
                value = f"{value}::{_sql(kind)}"
        elif is_date:
            pattern, value = rf"{_DATE}([ T]00:00(:00(\.0+)?)?)?", f"try_cast(left({text}, 10) as date)"
        else:
            offset = rf"{_OFFSET}?" if zoned else ""
            pattern, value = rf"{_DATE}([ T]{_CLOCK} ?{offset})?", f"try_cast({text} as {_sql(kind)})"
        return _when(text, pattern, f"case when {_within(value, kind)} then {value} end")


def format_pattern(format: str) -> str:
    """Return a regular expression of the texts that a strptime format means: `%Y` is four digits, never `24`."""
    parts, rest = [], format
    while rest:
        if rest[0] == "%" and len(rest) > 1:
            directive = rest[2:3] if rest[1] == "-" else rest[1]
            parts.append(_DIRECTIVES.get(directive, ".+"))
            rest = rest[3:] if rest[1] == "-" else rest[2:]
        else:
            parts.append(re.escape(rest[0]))
            rest = rest[1:]
    return "".join(parts)


def _within(value: str, kind: Any) -> str:
    """Return SQL that is true within the years that every reader of a Delta table agrees on."""
    name = _sql(kind)
    after = "date '9999-12-31'" if kind == pa.date32() else f"{name} '9999-12-31 23:59:59.999999'"
    return f"{value} between {name} '0001-01-01' and {after}"


def _when(text: str, pattern: str, value: str) -> str:
    return f"case when regexp_full_match({text}, {literal(pattern)}) then {value} end"


def _sql(kind: Any) -> str:
    t = pa.types
    if t.is_decimal(kind):
        return f"decimal({kind.precision}, {kind.scale})"
    if t.is_timestamp(kind):
        return "timestamptz" if kind.tz else "timestamp"
    names = {
        pa.int64(): "bigint",
        pa.int32(): "integer",
        pa.int16(): "smallint",
        pa.int8(): "tinyint",
        pa.float64(): "double",
        pa.float32(): "float",
    }
    return names.get(kind, "date")


def _tuple(words: tuple[str, ...]) -> str:
    return "(" + listed(words)[1:-1] + ")"
