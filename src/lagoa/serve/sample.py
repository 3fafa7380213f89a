"""The first rows of a query as text, for a person to look at, and how many more there are."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from lagoa.ports import Session
from lagoa.serve import written
from lagoa.serve.export import batches, schema_of

COUNTED = 1_000_000
"""Rows beyond those shown are counted up to here; finding out more would cost more than it tells."""
ALL = 100_000
"""How many rows a table shows when nobody set a limit: it must be laid out in memory."""


@dataclass(frozen=True)
class Sample:
    """Rows as text, null as None; `right` are the columns of numbers. `open_end`: there are more than `more`."""

    headers: list[str]
    rows: list[list[str | None]]
    right: frozenset[int]
    more: int
    open_end: bool


def sample(session: Session, sql: str, limit: int | None = None) -> Sample:
    """Read the first rows and count the others. Raises StepError LG-501."""
    limit = limit or ALL
    schema = schema_of(session, sql)
    names = [f"c{i}" for i in range(len(schema))]
    shown = ", ".join(f"{written.plain(n, k)} as {n}" for n, k in zip(names, schema.types, strict=True))
    rows: list[list[str | None]] = []
    count = 0
    reader = batches(
        session, f"select {shown} from (\n{sql}\n) as _row({', '.join(names)}) limit {limit + COUNTED + 1}"
    )
    for batch in reader:
        if len(rows) < limit:
            columns = [column.to_pylist() for column in batch.slice(0, limit - len(rows)).columns]
            rows += map(list, zip(*columns, strict=True))
        count += batch.num_rows
    more = count - len(rows)
    right = frozenset(i for i, kind in enumerate(schema.types) if _is_number(kind))
    return Sample(list(schema.names), rows, right, min(more, COUNTED), more > COUNTED)


def _is_number(kind: pa.DataType) -> bool:
    t = pa.types
    return bool(t.is_integer(kind) or t.is_decimal(kind) or t.is_floating(kind))
