"""Partition values as text: what Delta writes, and nothing that would keep a table from being opened."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from lagoa.errors import LakeError

_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d{1,6})?)(Z|\+00(?::00)?)?")


def normal(table: object, partition: Mapping[str, str | None], schema: pa.Schema) -> dict[str, str | None]:
    """Return a staged file's partition as the log takes it. Raises LakeError LG-308 for what it cannot take.

    delta-rs commits any text and then cannot open the table any more.
    """
    return {name: _normal(table, name, schema.field(name).type, text) for name, text in partition.items()}


def _normal(table: object, name: str, kind: pa.DataType, text: str | None) -> str | None:
    if text is None:
        return None
    if text == "":
        raise LakeError(
            "LG-308",
            f"{table} is partitioned by `{name}`, which holds empty text: for Delta that is null",
            hint=f"write nullif({name}, '') or partition by another column",
        )
    written = _written(kind, text)
    if written is None:
        raise LakeError(
            "LG-308",
            f"{table} is partitioned by `{name}`, whose value {text!r} is no {kind} as Delta writes it",
            hint="partition by another column",
        )
    return written


def _written(kind: pa.DataType, text: str) -> str | None:
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return text
    if pa.types.is_boolean(kind):
        return text.lower() if text.lower() in ("true", "false") else None
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        return text if _NUMBER.fullmatch(text) else None
    if pa.types.is_floating(kind):
        return _float(text)
    if pa.types.is_date(kind):
        return text if _DATE.fullmatch(text) else None
    return _time(kind, text) if pa.types.is_timestamp(kind) else None


def _float(text: str) -> str | None:
    try:
        return text if math.isfinite(float(text)) else None
    except ValueError:
        return None


def _time(kind: pa.DataType, text: str) -> str | None:
    found = _TIME.fullmatch(text)
    if found is None or bool(found[3]) != bool(kind.tz):
        return None
    return f"{found[1]}T{found[2]}Z" if kind.tz else f"{found[1]} {found[2]}"


def as_text(value: Any) -> str | None:
    """Write a partition value that delta-rs has read."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        form = "%Y-%m-%dT%H:%M:%S.%fZ" if value.tzinfo else "%Y-%m-%d %H:%M:%S.%f"
        return value.strftime(form)
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
