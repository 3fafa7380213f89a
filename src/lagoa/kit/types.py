"""Types: what each one becomes in SQL and in Delta, said in one place for every engine and source."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from lagoa.kit.text import quote

_SIMPLE: dict[Any, str] = {
    pa.bool_(): "BOOLEAN",
    pa.int8(): "TINYINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
    pa.string(): "VARCHAR",
    pa.binary(): "BLOB",
    pa.date32(): "DATE",
    pa.timestamp("us"): "TIMESTAMP",
    pa.timestamp("us", "UTC"): "TIMESTAMP WITH TIME ZONE",
}
_UNSIGNED: dict[Any, Any] = {
    pa.uint8(): pa.int16(),
    pa.uint16(): pa.int32(),
    pa.uint32(): pa.int64(),
    pa.uint64(): pa.decimal128(20, 0),
}
_FROM_DUCKDB: dict[str, Any] = {
    **{text: kind for kind, text in _SIMPLE.items()},
    # Delta has no unsigned integers: the next wider type holds every value
    "UTINYINT": pa.int16(),
    "USMALLINT": pa.int32(),
    "UINTEGER": pa.int64(),
    "UBIGINT": pa.decimal128(20, 0),
    # sum() of integers; more than 38 digits is an error, not a rounding
    "HUGEINT": pa.decimal128(38, 0),
    "UHUGEINT": pa.decimal128(38, 0),
    # Delta counts microseconds; nanoseconds that would be lost are an error
    "TIMESTAMP_S": pa.timestamp("us"),
    "TIMESTAMP_MS": pa.timestamp("us"),
    "TIMESTAMP_NS": pa.timestamp("us"),
    "TIMESTAMPTZ_NS": pa.timestamp("us", "UTC"),
    # an untyped null takes DuckDB's own default
    '"NULL"': pa.int32(),
}
"""DuckDB's types by their text; every other simple one (UUID, TIME, INTERVAL, ENUM, JSON, BIT, BIGNUM, UNION,
VARIANT) becomes text, which is how DuckDB prints it."""


def storable(kind: pa.DataType) -> pa.DataType:
    """Return the type in which Delta holds an Arrow type; text where Delta has none."""
    t = pa.types
    if kind in _SIMPLE:
        return kind
    if kind in _UNSIGNED:
        return _UNSIGNED[kind]
    if t.is_decimal(kind):
        return pa.decimal128(min(kind.precision, 38), kind.scale)
    if t.is_timestamp(kind):
        return pa.timestamp("us", "UTC" if kind.tz else None)
    if t.is_dictionary(kind):
        return storable(kind.value_type)
    nested = _nested(kind)
    if nested is not None:
        return nested
    if _is_binary(kind):
        return pa.binary()
    if t.is_date(kind):
        return pa.date32()
    if t.is_float16(kind):
        return pa.float32()
    return pa.int32() if t.is_null(kind) else pa.string()


def _is_binary(kind: pa.DataType) -> bool:
    t = pa.types
    return bool(t.is_large_binary(kind) or t.is_fixed_size_binary(kind) or t.is_binary_view(kind))


def _nested(kind: pa.DataType) -> pa.DataType | None:
    t = pa.types
    if t.is_struct(kind):
        return pa.struct([pa.field(f.name, storable(f.type)) for f in kind])
    if t.is_map(kind):
        return pa.map_(storable(kind.key_type), storable(kind.item_type))
    if is_list(kind):
        return pa.list_(storable(kind.value_type))
    return None


def is_list(kind: pa.DataType) -> bool:
    """Say whether it is a list of any of Arrow's layouts."""
    t = pa.types
    return bool(
        t.is_list(kind)
        or t.is_large_list(kind)
        or t.is_fixed_size_list(kind)
        or t.is_list_view(kind)
        or t.is_large_list_view(kind)
    )


def is_nested(kind: pa.DataType) -> bool:
    """Say whether it holds other values: a struct, a map or a list."""
    return bool(pa.types.is_struct(kind) or pa.types.is_map(kind) or is_list(kind))


def sql_type(kind: pa.DataType) -> str:
    """Write the type, as Delta holds it, in DuckDB's SQL."""
    kind = storable(kind)
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision},{kind.scale})"
    if pa.types.is_struct(kind):
        return f"STRUCT({', '.join(f'{quote(f.name)} {sql_type(f.type)}' for f in kind)})"
    if pa.types.is_map(kind):
        return f"MAP({sql_type(kind.key_type)}, {sql_type(kind.item_type)})"
    return f"{sql_type(kind.value_type)}[]"


def same_columns(one: pa.Schema, two: pa.Schema) -> bool:
    """Say whether two schemas have the same columns, in whatever order."""
    return {f.name: sql_type(f.type) for f in one} == {f.name: sql_type(f.type) for f in two}


def from_duckdb(kind: Any) -> pa.DataType:
    """Return the Arrow type in which Delta holds a DuckDB type (a `DuckDBPyType`)."""
    text = str(kind)
    if text in _FROM_DUCKDB:
        return _FROM_DUCKDB[text]
    inside = dict(kind.children) if kind.id in ("decimal", "list", "array", "struct", "map") else {}
    if kind.id == "decimal":
        return pa.decimal128(inside["precision"], inside["scale"])
    if kind.id in ("list", "array"):
        return pa.list_(from_duckdb(inside["child"]))
    if kind.id == "struct":
        return pa.struct([pa.field(name, from_duckdb(child)) for name, child in inside.items()])
    if kind.id == "map":
        return pa.map_(from_duckdb(inside["key"]), from_duckdb(inside["value"]))
    return pa.string()
