"""One read-only connection to an SQLite file, inside one transaction, and its rows as Arrow batches."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc

from lagoa.kit.database.lease import Lease
from lagoa.kit.patience import Patience, call

_ROWS, _BYTES = 8_000, 8 << 20
"""Rows, and bytes of their texts and bytes, that one batch has: whichever comes first."""
_SHOWN = 100
"""Bytes of a value that is no text that a reason shows."""
_SETTINGS = ("pragma trusted_schema = off", "pragma cell_size_check = on", "begin")


class Line:
    """A connection that opens with its first use. One thread uses it at a time, `cancel` may come from any."""

    def __init__(self, path: Path, busy: float, patience: Patience) -> None:
        self._path, self._busy, self._patience = path, busy, patience
        self._lease = Lease(self._opened)

    def ask(self, sql: str) -> list[dict[str, Any]]:
        """Run a query that answers with few rows; names of columns in lower case. Raises what sqlite3 raises."""
        names, rows = call(lambda: self._ask(sql), self._patience)
        return [dict(zip(names, _text(row), strict=True)) for row in rows]

    def view(self, query: str) -> str:
        """Give a query a name of its own in this connection alone; returns the name, quoted."""
        call(lambda: self._ask(f"create temp view lagoa_query as\n{query}"), self._patience)
        return 'temp."lagoa_query"'

    def batches(self, sql: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Stream a query's rows; what is no UTF-8 in v1 becomes null there, and its bytes the text of o1."""
        wide = [i for i, f in enumerate(schema) if pa.types.is_string(f.type) or pa.types.is_binary(f.type)]
        with self._lease.used() as connection:
            cursor = connection.execute(sql)
            while rows := _some(cursor, wide):
                columns = [_array(list(v), f.type) for v, f in zip(zip(*rows, strict=True), schema, strict=True)]
                yield pa.RecordBatch.from_arrays(_decoded(columns, schema), schema=schema)

    def cancel(self) -> None:
        """Interrupt what runs here."""
        self._lease.interrupted(lambda connection: connection.interrupt())

    def close(self) -> None:
        """End the transaction and the connection."""
        self._lease.close()

    def _opened(self) -> sqlite3.Connection:
        uri = f"file:{quote(str(self._path))}?mode=ro"
        connection = sqlite3.connect(uri, uri=True, timeout=self._busy, isolation_level=None, check_same_thread=False)
        connection.text_factory = bytes  # a text may be no UTF-8
        try:
            for setting in _SETTINGS:
                connection.execute(setting)
            connection.execute("select count(*) from sqlite_master").fetchone()  # the moment begins
        except BaseException:
            connection.close()
            raise
        return connection

    def _ask(self, sql: str) -> tuple[list[str], list[Any]]:
        with self._lease.used() as connection:
            cursor = connection.execute(sql)
            return [d[0].lower() for d in cursor.description or ()], cursor.fetchall()


def _text(row: Sequence[Any]) -> list[Any]:
    return [v.decode(errors="replace") if isinstance(v, bytes) else v for v in row]


def _some(cursor: sqlite3.Cursor, wide: Sequence[int]) -> list[tuple[Any, ...]]:
    if not wide:
        return cursor.fetchmany(_ROWS)
    rows: list[tuple[Any, ...]] = []
    size = 0
    for row in cursor:
        rows.append(row)
        size += sum([len(row[i]) for i in wide if row[i] is not None])
        if len(rows) >= _ROWS or size >= _BYTES:
            break
    return rows


def _array(values: list[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_boolean(kind):
        return pa.array(values, pa.int64()).cast(kind)
    return pa.array(values, pa.binary() if pa.types.is_string(kind) else kind)


def _decoded(columns: list[pa.Array], schema: pa.Schema) -> list[pa.Array]:
    """Turn the bytes of texts into texts; what a value of v1 says goes to o1, which comes later."""
    for i, field in enumerate(schema):
        if pa.types.is_string(field.type):
            columns[i] = _texts(columns, i, schema.get_field_index(f"o{field.name[1:]}"))
    return columns


def _texts(columns: list[pa.Array], i: int, odd: int) -> pa.Array:
    try:
        return columns[i].cast(pa.string())
    except pa.ArrowInvalid:
        raw = columns[i].to_pylist()
    if odd in (-1, i):
        return pa.array([None if v is None else v.decode(errors="replace") for v in raw], pa.string())
    bad = [v if v is not None and not _is_text(v) else None for v in raw]
    shown = pa.array([None if v is None else f"X'{v[:_SHOWN].hex().upper()}'".encode() for v in bad], pa.binary())
    columns[odd] = pc.coalesce(columns[odd], shown)
    return pc.if_else(pc.is_valid(shown), pa.scalar(None, pa.binary()), columns[i]).cast(pa.string())


def _is_text(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
