"""Says what DuckDB's COPY must write so that files have a table's types, and reads what it tells of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from lagoa.errors import LakeError, did_you_mean
from lagoa.kit.casts import Risk, risk, strict
from lagoa.kit.text import quote
from lagoa.kit.types import is_nested, sql_type
from lagoa.ports import RAW, REASON, ColumnStats, StagedFile

Column = tuple[str, str, pa.DataType]
"""A column of a query: its name, its type in DuckDB, and the type in which Delta holds that."""


def projection(found: Sequence[Column], wanted: pa.Schema, partition_by: Sequence[str]) -> list[str]:
    """Write the select list that gives `wanted`, by name, from the columns found.

    Raises LakeError LG-204 for a column that is not wanted, LG-308 for a type that cannot be cast.
    """
    arriving = {column[0].lower(): column for column in found}
    shown = [_cast(f, arriving.pop(f.name.lower(), None), f.name in partition_by) for f in wanted]
    shown += [f"{quote(name)}::VARCHAR as {name}" for name in (REASON, RAW) if arriving.pop(name, None)]
    if arriving:
        names = [name for name, *_ in arriving.values()]
        hint = did_you_mean(names[0], wanted.names) or f"the table has {', '.join(wanted.names)}"
        raise LakeError("LG-204", f"the table has no column {', '.join(f'`{n}`' for n in names)}", hint=hint)
    return shown


def written_columns(found: Sequence[Column], wanted: pa.Schema, partition_by: Sequence[str]) -> pa.Schema:
    """Return the columns that `projection` gives to a file: those of a partition stand in its path alone."""
    names = {column[0].lower() for column in found}
    more = [pa.field(name, pa.string()) for name in (REASON, RAW) if name in names and name not in wanted.names]
    return pa.schema([*(f for f in wanted if f.name not in partition_by), *more])


def _cast(field: pa.Field, arrives: Column | None, partition: bool) -> str:
    to = sql_type(field.type)
    if arrives is None:
        return f"null::{to} as {quote(field.name)}"
    name, raw, kind = arrives
    if risk(kind, field.type) is Risk.NEVER:
        raise LakeError("LG-308", f"column `{field.name}` is {to.lower()} and cannot hold {raw.lower()}")
    value = strict(quote(name), raw, kind, field.type, field.name)
    if partition and to == "VARCHAR":
        value = f"nullif({value}, '')"
    return f"{value} as {quote(field.name)}"


def staged_files(
    written: Iterable[tuple[Any, ...]], wanted: pa.Schema, partition_by: Sequence[str]
) -> list[StagedFile]:
    """Read what COPY … return_stats answered; a file without rows is removed and left out."""
    found = []
    for name, rows, size, _, stats, partition, *_ in written:
        path = Path(name)
        if not rows:
            path.unlink(missing_ok=True)
            continue
        apart = {column: (partition or {}).get(column) for column in partition_by}
        found.append(StagedFile(path, rows, size, _stats(stats, wanted, apart), apart))
    return found


def _stats(
    told: Mapping[str, Mapping[str, str]], wanted: pa.Schema, apart: Mapping[str, Any]
) -> dict[str, ColumnStats]:
    """Nested columns have none: delta-rs forgets all of a file's statistics over one that it cannot read."""
    found = {
        field.name: _of(told[quote(field.name)], sql_type(field.type))
        for field in wanted
        if field.name not in apart and quote(field.name) in told and not is_nested(field.type)
    }
    # how many rows of a file are refused is known without reading it; what they hold is nobody's bound
    refused = {name: ColumnStats(int(told[quote(name)]["null_count"])) for name in (REASON, RAW) if quote(name) in told}
    return found | refused


def _of(told: Mapping[str, str], kind: str) -> ColumnStats:
    nulls = int(told["null_count"]) if "null_count" in told else None
    if told.get("has_nan") == "true":
        return ColumnStats(nulls)
    return ColumnStats(nulls, _bound(told, "min", kind), _bound(told, "max", kind))


def _bound(told: Mapping[str, str], side: str, kind: str) -> str | None:
    """Exact text or nothing: a cut upper bound would hide rows."""
    text = told.get(side)
    if text is None or kind == "BLOB" or told.get(f"{side}_is_exact") == "false":
        return None
    if kind != "VARCHAR" and "inf" in text:
        return None
    return {"0": "false", "1": "true"}.get(text) if kind == "BOOLEAN" else text
