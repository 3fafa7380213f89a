"""Writes values as text in SQL, so that the engine makes the lines of CSV and JSON, exactly and fast."""

from __future__ import annotations

import pyarrow as pa

from lagoa.kit.text import literal, quote
from lagoa.kit.types import is_list


def plain(value: str, kind: pa.DataType) -> str:
    """Write a value for a person: dates with a blank, nested values as JSON; null stays null."""
    if _is_nested(kind):
        return f"case when {value} is not null then {json(value, kind)} end"
    return f"({value})::varchar"


def csv(value: str, kind: pa.DataType) -> str:
    """Write a value as a field of CSV: nothing for null, "" for an empty text, quotes where needed."""
    text = _iso(value, kind)
    if _bare(kind):
        return f"coalesce({text}, '')"
    special = f"{text} = '' or regexp_matches({text}, '[\",\\r\\n]')"
    quoted = f"""'"' || replace({text}, '"', '""') || '"'"""
    return f"case when {value} is null then '' when {special} then {quoted} else {text} end"


def json(value: str, kind: pa.DataType, depth: int = 0) -> str:
    """Write a value as JSON: decimals with every digit, times as ISO 8601, what is no number as null."""
    item = f"_v{depth}"
    t = pa.types
    if t.is_boolean(kind) or t.is_integer(kind) or t.is_decimal(kind):
        return f"coalesce(({value})::varchar, 'null')"
    if t.is_floating(kind):
        return f"case when isfinite({value}) then ({value})::varchar else 'null' end"
    if is_list(kind):
        inside = f"list_transform({value}, lambda {item}: {json(item, kind.value_type, depth + 1)})"
        return f"case when {value} is null then 'null' else '[' || array_to_string({inside}, ',') || ']' end"
    if t.is_struct(kind):
        fields = [(json_name(f.name), json(f"{value}.{quote(f.name)}", f.type, depth)) for f in kind]
        pairs = " || ',' || ".join(f"{literal(name)} || {written}" for name, written in fields)
        return f"case when {value} is null then 'null' else '{{' || {pairs} || '}}' end"
    if t.is_map(kind):
        held = json(f"{item}.value", kind.item_type, depth + 1)
        pair = f"to_json({item}.key::varchar)::varchar || ':' || {held}"
        inside = f"array_to_string(list_transform(map_entries({value}), lambda {item}: {pair}), ',')"
        return f"case when {value} is null then 'null' else '{{' || {inside} || '}}' end"
    return f"coalesce(to_json({_iso(value, kind)})::varchar, 'null')"


def _iso(value: str, kind: pa.DataType) -> str:
    """Write a value that is not nested, or a nested one as JSON."""
    t = pa.types
    if t.is_timestamp(kind):
        # sessions are in UTC, so that every zoned time ends in +00
        zone = " || ':00'" if kind.tz else ""
        return f"replace(({value})::varchar, ' ', 'T'){zone}"
    if t.is_binary(kind) or t.is_large_binary(kind) or t.is_binary_view(kind):
        return f"base64(({value})::blob)"
    return plain(value, kind)


def _bare(kind: pa.DataType) -> bool:
    t = pa.types
    number = t.is_integer(kind) or t.is_decimal(kind) or t.is_floating(kind)
    return bool(number or t.is_boolean(kind) or t.is_temporal(kind))


def _is_nested(kind: pa.DataType) -> bool:
    return bool(is_list(kind) or pa.types.is_struct(kind) or pa.types.is_map(kind))


def json_name(name: str) -> str:
    """Write a key of a JSON object."""
    return _text(name) + ":"


def _text(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c >= " " else f"\\u{ord(c):04x}" for c in escaped) + '"'
