"""Arrow and Delta schemas: one becomes the other, and which type holds another's values without loss."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache

import pyarrow as pa
from deltalake import Schema

from lagoa.errors import LakeError

_INTEGERS = {pa.int8(): 3, pa.int16(): 5, pa.int32(): 10, pa.int64(): 19}
"""How many decimal digits hold every value of an integer type."""
_ORDER = list(_INTEGERS)
_EXACT = {
    pa.int8(): (pa.float32(), pa.float64()),
    pa.int16(): (pa.float32(), pa.float64()),
    pa.int32(): (pa.float64(),),
}
"""Floats that hold every value of an integer type."""


def to_delta(schema: pa.Schema) -> Schema:
    """Return the Delta schema of Arrow columns, all of them nullable. Raises LakeError LG-308 for what
    Delta lacks."""
    twice_named(schema.names)
    return Schema.from_arrow(pa.schema([pa.field(f.name, delta_type(f.type, f.name)) for f in schema]))


@lru_cache(maxsize=1024)
def from_json(text: str) -> pa.Schema:
    """Return the Arrow schema of a Delta schema's JSON text."""
    return pa.schema(Schema.from_json(text).to_arrow())


def from_delta(schema: Schema) -> pa.Schema:
    """Return the Arrow schema of a Delta schema."""
    return from_json(schema.to_json())


def twice_named(names: Iterable[str]) -> None:
    """Refuse names that differ only in case, which no engine that reads Delta can tell apart. Raises
    LakeError LG-308."""
    seen: dict[str, str] = {}
    for name in names:
        if (other := seen.setdefault(name.casefold(), name)) is not name:
            raise LakeError(
                "LG-308",
                f"columns `{other}` and `{name}` have the same name but for upper and lower case",
                hint="rename one of them",
            )


def delta_type(kind: pa.DataType, column: str) -> pa.DataType:
    """Return the type as which Delta keeps an Arrow type; LakeError LG-308 when there is none without
    loss."""
    if pa.types.is_nested(kind):
        return _nested(kind, column)
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", "UTC" if kind.tz else None)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind) or pa.types.is_fixed_size_binary(kind):
        return pa.binary()
    if pa.types.is_decimal(kind) and kind.precision <= 38 and 0 <= kind.scale <= kind.precision:
        return pa.decimal128(kind.precision, kind.scale)
    kept = pa.types.is_signed_integer(kind) or pa.types.is_boolean(kind) or kind in (pa.float32(), pa.float64())
    if kept or kind in (pa.string(), pa.binary(), pa.date32()):
        return kind
    raise LakeError("LG-308", f"column `{column}` is {kind}, which Delta cannot keep", hint="cast it to another type")


def _nested(kind: pa.DataType, column: str) -> pa.DataType:
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(f.name, delta_type(f.type, f"{column}.{f.name}")) for f in kind])
    if pa.types.is_map(kind):
        return pa.map_(delta_type(kind.key_type, column), delta_type(kind.item_type, column))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return pa.list_(pa.field("element", delta_type(kind.value_type, column)))
    raise LakeError("LG-308", f"column `{column}` is {kind}, which Delta cannot keep", hint="cast it to another type")


def same_type(a: pa.DataType, b: pa.DataType) -> bool:
    """Say whether two types are one and the same in Delta."""
    try:
        return bool(delta_type(a, "") == delta_type(b, ""))
    except LakeError:
        return bool(a == b)


def same(a: pa.Schema, b: pa.Schema) -> bool:
    """Say whether two schemas have the same columns, in the same order, of the same types."""
    return a.names == b.names and all(same_type(x.type, y.type) for x, y in zip(a, b, strict=True))


def same_json(a: str, b: str) -> bool:
    """Compare two of Delta's texts of a schema: delta-rs writes the metadata of a column in any order."""
    return a == b or bool(json.loads(a) == json.loads(b))


def widens(narrow: pa.DataType, wide: pa.DataType) -> bool:
    """Say whether every value of `narrow` has exactly one equal value in `wide`."""
    if same_type(narrow, wide):
        return True
    if pa.types.is_null(narrow):
        return True
    if pa.types.is_integer(narrow):
        return _integer_widens(narrow, wide)
    if pa.types.is_decimal(narrow) and pa.types.is_decimal(wide):
        whole = narrow.precision - narrow.scale <= wide.precision - wide.scale
        return bool(whole and narrow.scale <= wide.scale)
    if narrow == pa.float32():
        return bool(wide == pa.float64())
    return bool(narrow == pa.date32() and pa.types.is_timestamp(wide) and not wide.tz)


def _integer_widens(narrow: pa.DataType, wide: pa.DataType) -> bool:
    if narrow not in _INTEGERS:
        return False
    if wide in _INTEGERS:
        return _ORDER.index(narrow) <= _ORDER.index(wide)
    if pa.types.is_decimal(wide):
        return bool(wide.precision - wide.scale >= _INTEGERS[narrow])
    return wide in _EXACT.get(narrow, ())


def common(a: pa.DataType, b: pa.DataType) -> pa.DataType | None:
    """Return the narrowest type that holds every value of both without loss; None when there is none."""
    if widens(a, b):
        return b
    if widens(b, a):
        return a
    if a in _INTEGERS and b in _INTEGERS:
        return max(a, b, key=_ORDER.index)
    digits = [_digits(t) for t in (a, b)]
    if all(digits):
        whole = max(d[0] for d in digits if d)
        scale = max(d[1] for d in digits if d)
        return pa.decimal128(whole + scale, scale) if whole + scale <= 38 else None
    floats = (pa.int8(), pa.int16(), pa.int32(), pa.float32())
    return pa.float64() if a in floats and b in floats else None


def _digits(kind: pa.DataType) -> tuple[int, int] | None:
    if kind in _INTEGERS:
        return _INTEGERS[kind], 0
    return (kind.precision - kind.scale, kind.scale) if pa.types.is_decimal(kind) else None
