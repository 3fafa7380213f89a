"""Chinook and Northwind, loaded into a real server: every cell of every table is what psql's own COPY says it is."""

from __future__ import annotations

import csv
import io
import struct
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from lagoa import registry
from lagoa.testing.postgres import PostgresServer
from lagoa.testing.sources import Reader

NULL = "\\N"


@pytest.mark.parametrize(("name", "tables", "rows"), [("chinook", 11, 15607), ("northwind", 14, 3362)])
def test_every_cell_of_a_sample_database_is_exact(
    name: str, tables: int, rows: int, shared_data: Path, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    database = load(name, shared_data, postgres_server)
    listed = postgres_server.sql(
        "select tablename from pg_tables where schemaname = 'public' order by 1", database
    ).split()
    source = registry.adapter("sources", "postgres")(
        type="postgres",
        connection=postgres_server.uri(database),
        streams={table: {"table": f"public.{table}"} for table in listed},
    )
    engine = registry.adapter("engines", "duckdb")(2, "500MB", tmp_path / "engine")
    reader = Reader(source, tmp_path, engine, tmp_path / "scratch")
    total = 0
    for table in listed:
        landed = reader.read(table)
        assert landed.schema is not None
        assert landed.refused == []
        expected = copied(postgres_server, database, table, landed.schema)
        assert Counter(shown(row, landed.schema) for row in landed.rows) == expected, table
        total += len(landed.rows)
    engine.close()
    assert (len(listed), total) == (tables, rows)


def load(name: str, shared_data: Path, server: PostgresServer) -> str:
    """Load a dump into a database of its own; statements that make or choose a database are left out."""
    database = server.database(name)
    script = (shared_data / "sqldumps" / f"{name}_postgres.sql").read_text(encoding="utf-8")
    kept = [x for x in script.splitlines() if not x.startswith(("DROP DATABASE", "CREATE DATABASE", "\\c "))]
    server.psql([], database, "\n".join(kept))
    return database


def copied(server: PostgresServer, database: str, table: str, schema: pa.Schema) -> Counter[str]:
    """Read psql's own text of a table, each cell as the value that its type in the lake means."""
    script = f"copy public.\"{table}\" to stdout (format csv, header, null '{NULL}')"
    text = server.psql(["-c", script], database)
    head, *rows = csv.reader(io.StringIO(text))
    assert head == schema.names
    reads = [reading(field.type) for field in schema]
    return Counter(
        repr([None if cell == NULL else read(cell) for read, cell in zip(reads, row, strict=True)]) for row in rows
    )


def reading(kind: pa.DataType) -> Callable[[str], Any]:
    types: list[tuple[Callable[[Any], Any], Callable[[str], Any]]] = [
        (pa.types.is_integer, int),
        (pa.types.is_decimal, Decimal),
        (pa.types.is_float32, lambda text: struct.unpack("f", struct.pack("f", float(text)))[0]),
        (pa.types.is_float64, float),
        (pa.types.is_boolean, lambda text: {"t": True, "f": False}[text]),
        (pa.types.is_date, date.fromisoformat),
        (pa.types.is_timestamp, datetime.fromisoformat),
        (pa.types.is_binary, lambda text: bytes.fromhex(text.removeprefix("\\x"))),
        (pa.types.is_string, str),
    ]
    return next(read for holds, read in types if holds(kind))


def shown(row: dict[str, Any], schema: pa.Schema) -> str:
    return repr([row[name] for name in schema.names])
