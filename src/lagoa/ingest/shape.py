"""Writes the SQL that gives a portion's rows the table's columns, with a reason beside each row that does not fit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa

from lagoa.ingest.drift import Drift
from lagoa.kit.casts import survival
from lagoa.kit.rows import row_as_json
from lagoa.kit.text import columns, literal, quote
from lagoa.kit.types import sql_type
from lagoa.ports import LOADED_AT, OWN, RAW, REASON, RUN, SOURCE
from lagoa.spec.stream import Stream


def table_schema(drift: Drift) -> pa.Schema:
    """Return the whole table's columns: the stream's and Lagoa's own."""
    own = [pa.field(RUN, pa.string()), pa.field(LOADED_AT, pa.timestamp("us", "UTC")), pa.field(SOURCE, pa.string())]
    return pa.schema([*drift.schema, *own])


def business(schema: pa.Schema) -> pa.Schema:
    """Return a bronze table's columns without Lagoa's own."""
    return pa.schema([f for f in schema if f.name not in OWN])


def shaped(rows: str, arriving: pa.Schema, drift: Drift, stream: Stream, run: str, at: datetime) -> str:
    """Return the query that stages a portion's rows: the table's columns, then `_reason` and `_raw` if needed."""
    shown = [_column(f, arriving, drift) for f in drift.schema]
    shown += [f"{literal(run)} as {RUN}", f"timestamptz {literal(at.isoformat())} as {LOADED_AT}", SOURCE]
    reasons = _reasons(arriving, drift, stream)
    came = REASON in arriving.names
    if reasons:
        reason = f"nullif(concat_ws('; ', {', '.join([REASON] * came + reasons)}), '')"
        shown += [f"{reason} as {REASON}", f"case when {reason} is not null then {_raw(arriving, stream)} end as {RAW}"]
    elif came:
        shown += [REASON, f"case when {REASON} is not null then {_raw(arriving, stream)} end as {RAW}"]
    return f"select {', '.join(shown)} from ({rows})"


def _column(column: pa.Field, arriving: pa.Schema, drift: Drift) -> str:
    kind = sql_type(column.type)
    name = drift.arriving.get(column.name)
    if name is None:
        return f"null::{kind} as {quote(column.name)}"
    if column.name in drift.doubtful:
        cast, kept = _survival(arriving.field(name), column)
        return f"{cast if kept is None else f'case when {kept} then {cast} end'} as {quote(column.name)}"
    return f"{quote(name)}::{kind} as {quote(column.name)}"


def _survival(arrives: pa.Field, column: pa.Field) -> tuple[str, str | None]:
    return survival(quote(arrives.name), sql_type(arrives.type), arrives.type, column.type)


def _reasons(arriving: pa.Schema, drift: Drift, stream: Stream) -> list[str]:
    found = []
    for column in drift.schema:
        name = drift.arriving.get(column.name)
        if name is None or column.name not in drift.doubtful:
            continue
        _, kept = _survival(arriving.field(name), column)
        if kept is not None:
            bad = f"{quote(name)} is not null and ({kept}) is not true"
            found.append(f"case when {bad} then {literal(f'{column.name} is not {sql_type(column.type).lower()}')} end")
    found += [f"case when {quote(n)} is not null then {literal(f'unknown column {n}')} end" for n in drift.refused]
    if stream.schema_ == "quarantine" and drift.missing:
        found.append(literal(f"column {', '.join(drift.missing)} is missing"))
    if stream.mode == "merge":
        for name in stream.key:
            arrives = drift.arriving.get(name)
            test = f"{quote(arrives)} is null" if arrives else "true"
            found.append(f"case when {test} then {literal(f'key {name} is null')} end")
    return found


def _raw(arriving: pa.Schema, stream: Stream) -> str:
    hidden = {REASON, RAW, SOURCE, *(name.casefold() for name in stream.dropped)}
    names: Sequence[str] = [n for n in arriving.names if n.casefold() not in hidden]
    whole = row_as_json(pa.schema([arriving.field(n) for n in names]))
    return f"coalesce({RAW}, {whole})" if RAW in arriving.names else whole


def unmet(held: str, staged: str, names: Sequence[str], overlap: str) -> str:
    """Return SQL for the staged rows that the table does not have yet, compared as multisets within `overlap`.

    `held` and `staged` are relations; `names` the columns that make two rows the same.
    """
    same = " and ".join(f"s.{quote(n)} is not distinct from h.{quote(n)}" for n in names)
    numbered = f"select *, row_number() over (partition by {columns(names)}) as _nth from {staged}"
    return (
        f"select s.* exclude (_nth) from ({numbered}) s "
        f"left join (select {columns(names)}, count(*) as _times from {held} where {overlap} group by all) h on {same} "
        "where s._nth > coalesce(h._times, 0)"
    )


def fingerprint(relation: str, names: Sequence[str]) -> str:
    """Return a query whose row is the same for equal multisets of rows: their number and two sums of hashes."""
    if not names:  # PostgreSQL has tables of no columns
        return f"select count(*) from {relation}"
    one, two = f"hash({columns(names)})", f"hash('lagoa', {columns(names)})"
    return f"select count(*), sum({one}::hugeint), sum({two}::hugeint) from {relation}"
