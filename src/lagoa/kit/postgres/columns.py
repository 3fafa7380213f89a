"""What each PostgreSQL type becomes in a Delta table, and the SQL that brings it there without loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import pyarrow as pa

from lagoa.kit.text import literal, quote
from lagoa.kit.values import is_declared_text

Risk = Literal["date", "time", "number", "array"]
_ROW = '"a whole row"'  # an alias that no column is called
_LARGEST = 38  # digits of a Delta decimal

_NATIVE: Mapping[str, pa.DataType] = {
    "bool": pa.bool_(),
    "int2": pa.int16(),
    "int4": pa.int32(),
    "int8": pa.int64(),
    "float4": pa.float32(),
    "float8": pa.float64(),
    "text": pa.string(),
    "varchar": pa.string(),
    "bpchar": pa.string(),
    "bytea": pa.binary(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", "UTC"),
}
_LISTED = ("bool", "int2", "int4", "int8", "float4", "float8", "text", "varchar", "bpchar")
_RISKS: Mapping[str, Risk] = {"date": "date", "timestamp": "time", "timestamptz": "time"}
_BAD: Mapping[Risk, str] = {
    "date": "({0} < date '0001-01-01' or {0} > date '9999-12-31')",
    "time": "({0} < timestamp '0001-01-01' or {0} >= timestamp '10000-01-01')",
    "number": "({0} = 'NaN'::numeric)",
    "array": "(array_ndims({0}) > 1)",
}
_WHY: Mapping[Risk, str] = {
    "date": "'{1} is ' || {0}::text || ', which lies outside the years 1 to 9999'",
    "time": "'{1} is ' || {0}::text || ', which lies outside the years 1 to 9999'",
    "number": "'{1} is ' || {0}::text || ', which is no decimal number'",
    "array": "'{1} has ' || array_ndims({0}) || ' dimensions, which is no list'",
}


@dataclass(frozen=True)
class Found:
    """A column as the catalog knows it, domains resolved: `type` is `pg_type.typname`, `modifier` its typmod.

    `builtin` is false for types of extensions and users. `element` names the type of an array's elements.
    """

    name: str
    type: str
    modifier: int = -1
    builtin: bool = True
    element: str | None = None
    dimensions: int = 0
    required: bool = False
    comment: str | None = None


@dataclass(frozen=True)
class PgColumn:
    """How one column is read: `value` is SQL over the row `t`, `wire` its type on the way, `lands` the table's."""

    name: str
    found: Found
    value: str
    wire: pa.DataType
    lands: pa.DataType
    risk: Risk | None = None

    def as_text(self) -> PgColumn:
        """Let a uuid come as text already, for those who write it elsewhere too."""
        return replace(self, value=f"{self.value}::text", wire=pa.string()) if self.wire == pa.uuid() else self

    @property
    def bad(self) -> str:
        """SQL that is true of a row whose value a Delta table cannot hold."""
        return "false" if self.risk is None else _BAD[self.risk].format(column(self.found.name))

    @property
    def why(self) -> str:
        """SQL for the reason why such a value is refused."""
        if self.risk is None:
            return "null"
        name = literal(self.name)[1:-1].replace("{", "{{").replace("}", "}}")
        return _WHY[self.risk].format(column(self.found.name), name)


def column(name: str) -> str:
    """Write a column of the row that is being read."""
    return "t." + quote(name)


def read_as(found: Found, name: str, declared: str | None, money_scale: int = 2) -> PgColumn:
    """Decide how a column is read; `declared` is the type that the user gave it, `name` its name in the table."""
    value = column(found.name)
    as_text = PgColumn(name, found, f"{value}::text", pa.string(), pa.string())
    if not found.builtin or is_declared_text(declared):
        return as_text
    if found.type in _NATIVE:
        kind = _NATIVE[found.type]
        return PgColumn(name, found, value, kind, kind, _RISKS.get(found.type))
    if found.type == "uuid":
        return PgColumn(name, found, value, pa.uuid(), pa.string())
    if found.type == "oid":
        return PgColumn(name, found, f"{value}::int8", pa.int64(), pa.int64())
    if found.type == "money":
        return PgColumn(name, found, f"{value}::numeric::text", pa.string(), pa.decimal128(19, money_scale))
    if found.type == "numeric" and (kind := _decimal(found.modifier)) is not None:
        return PgColumn(name, found, f"{value}::text", pa.string(), kind, "number")
    if found.element is not None and found.dimensions <= 1:
        return _list(found, name)
    return as_text


def _decimal(modifier: int) -> Any:
    """Read numeric(p, s)'s modifier; None when it has no bounds or more digits than a Delta decimal holds.

    PostgreSQL 15 allows s < 0 and s > p; source: numeric_typmod_precision in the server's numeric.c.
    """
    if modifier < 4:
        return None
    precision, scale = (modifier - 4) >> 16, (((modifier - 4) & 0x7FF) ^ 1024) - 1024
    if scale < 0:
        precision, scale = precision - scale, 0
    precision = max(precision, scale)
    return pa.decimal128(precision, scale) if precision <= _LARGEST else None


def _list(found: Found, name: str) -> PgColumn:
    value = column(found.name)
    if found.element in _LISTED:
        kind = pa.list_(_NATIVE[str(found.element)])
        return PgColumn(name, found, value, kind, kind, "array")
    kind = pa.list_(pa.string())
    return PgColumn(name, found, f"{value}::text[]", kind, kind, "array")


def reading_sql(columns: Sequence[PgColumn], source: str, where: str) -> str:
    """Write the query that reads fast; its last column is true of rows with an array that is no list."""
    arrays = [c.bad for c in columns if c.risk == "array"]
    odd = " or ".join(arrays) if arrays else "null::bool"
    return f"select {', '.join([*(c.value for c in columns), odd])} from {source} as t where {where}"


def judging_sql(columns: Sequence[PgColumn], source: str, where: str) -> str:
    """Write the query that reads the same rows and says of each why it is refused, and how it reads, or null."""
    risky = [c for c in columns if c.risk is not None]
    reasons = ", ".join(f"case when {c.bad} then {c.why} end" for c in risky)
    values = [f"case when {c.bad} is not true then {c.value} end" if c.risk else c.value for c in columns]
    whole = ", ".join(f"{column(c.found.name)} as {quote(c.name)}" for c in columns)
    raw = f"case when r.why is not null then (select row_to_json({_ROW})::text from (select {whole}) as {_ROW}) end"
    return (
        f"select {', '.join([*values, 'r.why', raw])} from {source} as t "
        f"cross join lateral (select nullif(concat_ws('; ', {reasons}), '') as why) as r where {where}"
    )
