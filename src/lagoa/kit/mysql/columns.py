"""What each MySQL and MariaDB type becomes in a Delta table, and the SQL that writes its values as exact text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import pyarrow as pa

from lagoa.kit.values import is_declared_text

Shape = Literal["number", "text", "bytes", "day", "time"]
"""How a value is written: digits, any text, bytes as they are, a date, a date and time. Only texts and bytes can be
empty."""
_LARGEST = 38  # digits of a Delta decimal
_WHOLE: Mapping[str, tuple[Any, Any]] = {  # signed, unsigned
    "tinyint": (pa.int8(), pa.int16()),
    "smallint": (pa.int16(), pa.int32()),
    "mediumint": (pa.int32(), pa.int32()),
    "int": (pa.int32(), pa.int64()),
    "bigint": (pa.int64(), pa.decimal128(20, 0)),
    "year": (pa.int16(), pa.int16()),
}
_BYTES = ("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob")
_TEXTS = ("char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set", "json")
_SHAPES = (
    "geometry",
    "point",
    "linestring",
    "polygon",
    "multipoint",
    "multilinestring",
    "multipolygon",
    "geometrycollection",
    "geomcollection",
)


@dataclass(frozen=True)
class Found:
    """A column as the catalog knows it: `type` is `data_type`, `precision` that of a decimal or a `bit`."""

    name: str
    type: str
    unsigned: bool = False
    precision: int = 0
    scale: int = 0
    required: bool = False
    comment: str | None = None


@dataclass(frozen=True)
class MyColumn:
    """How one column is read: `value` is SQL over the row `t` for its value, null for null."""

    name: str
    found: Found
    value: str
    shape: Shape
    wire: pa.DataType
    lands: pa.DataType

    @property
    def text(self) -> str:
        """SQL for the value as text."""
        return self.value if self.shape in ("text", "bytes") else f"cast({self.value} as char)"

    @property
    def packed(self) -> str:
        """SQL that tells null (the empty text) from every value, the empty text included; bytes are written in hex."""
        text = f"hex({self.value})" if self.shape == "bytes" else self.value
        if self.found.required:
            return text
        if self.shape in ("text", "bytes"):
            return f"if({column(self.found.name)} is null, '', concat('=', {text}))"
        return f"ifnull({text}, '')"

    @property
    def single(self) -> str:
        """SQL for the value by itself: as it stands where the server converts it on its way, whatever its length."""
        return column(self.found.name) if self.shape == "text" and self.found.type in _TEXTS else self.text


def quote(name: str) -> str:
    """Write a name as an identifier."""
    return "`" + name.replace("`", "``") + "`"


def column(name: str) -> str:
    """Write a column of the row that is being read."""
    return f"t.{quote(name)}"


def literal(text: str) -> str:
    """Write a text that means the same in every sql_mode."""
    return f"convert(x'{text.encode().hex()}' using utf8mb4)" if text else "''"


def read_as(found: Found, name: str, declared: str | None) -> MyColumn:
    """Decide how a column is read; `declared` is the type that the user gave it, `name` its name in the table."""
    value, kind = column(found.name), found.type
    as_text = MyColumn(name, found, _converted(value), "text", pa.string(), pa.string())
    if kind in _SHAPES:
        return replace(as_text, value=_converted(f"st_astext({value})"))
    if kind in _BYTES:
        return MyColumn(name, found, value, "bytes", pa.binary(), pa.binary())
    if is_declared_text(declared):
        return as_text
    if kind in ("date", "datetime", "timestamp"):
        lands = pa.timestamp("us", "UTC" if kind == "timestamp" else None) if kind != "date" else pa.date32()
        return MyColumn(name, found, value, "day" if kind == "date" else "time", lands, lands)
    return _number(found, name, value) or as_text


def _number(found: Found, name: str, value: str) -> MyColumn | None:
    kind, lands = found.type, None
    if kind in _WHOLE:
        lands = _WHOLE[kind][found.unsigned]
    elif kind == "decimal" and 0 < found.precision <= _LARGEST:
        lands = pa.decimal128(found.precision, found.scale)
    elif kind == "float":  # its own text has six digits; as a double it has all that it holds
        lands, value = pa.float32(), f"{value} + 0e0"
    elif kind == "double":
        lands = pa.float64()
    elif kind == "bit":
        lands, value = _bits(found.precision), f"{value} + 0"
    if lands is None:
        return None
    wire = pa.string() if pa.types.is_decimal(lands) else lands
    return MyColumn(name, found, value, "number", wire, lands)


def _bits(width: int) -> Any:
    if width == 1:
        return pa.bool_()
    return pa.int64() if width < 64 else pa.decimal128(20, 0)


def _converted(value: str) -> str:
    return f"convert({value} using utf8mb4)"
