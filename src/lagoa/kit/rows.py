"""A whole row as one text, for people who look at what was set aside."""

from __future__ import annotations

import pyarrow as pa

from lagoa.kit.text import quote


def row_as_json(schema: pa.Schema) -> str:
    """Return SQL for a row as JSON; what JSON would round (decimals) or cannot hold (times) is text in it."""
    if not schema.names:
        return "'{}'"
    shown = ", ".join(f"{quote(f.name)} := {quote(f.name)}{_exact(f.type)}" for f in schema)
    return f"to_json(struct_pack({shown}))::varchar"


def _exact(kind: pa.DataType) -> str:
    return "::varchar" if pa.types.is_decimal(kind) or pa.types.is_binary(kind) else ""
