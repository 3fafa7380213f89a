"""Chinook, loaded into a real server: every cell of every table is what the server's own client says it is."""

from __future__ import annotations

import subprocess
import xml.etree.ElementTree as xml
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from lagoa import registry
from lagoa.testing.mariadb import MariaServer
from lagoa.testing.sources import Reader


def test_every_cell_of_a_sample_database_is_exact(
    shared_data: Path, mariadb_server: MariaServer, tmp_path: Path
) -> None:
    database = load(shared_data, mariadb_server)
    listed = mariadb_server.sql("show tables", database).split()
    source = registry.adapter("sources", "mysql")(
        type="mysql",
        connection=mariadb_server.uri(database),
        streams={table.lower(): {"table": table} for table in listed},
    )
    engine = registry.adapter("engines", "duckdb")(2, "500MB", tmp_path / "engine")
    reader = Reader(source, tmp_path, engine, tmp_path / "scratch")
    total = 0
    for table in listed:
        landed = reader.read(table.lower())
        assert landed.schema is not None
        assert landed.refused == []
        expected = printed(mariadb_server, database, table, landed.schema)
        assert Counter(shown(row, landed.schema) for row in landed.rows) == expected, table
        total += len(landed.rows)
    engine.close()
    assert (len(listed), total) == (11, 15607)


def load(shared_data: Path, server: MariaServer) -> str:
    """Load the dump into a database of its own; statements that make or choose a database are left out."""
    database = server.database("chinook")
    script = (shared_data / "sqldumps/chinook_mysql.sql").read_text(encoding="utf-8")
    kept = [x for x in script.splitlines() if not x.startswith(("DROP DATABASE", "CREATE DATABASE", "USE "))]
    server.sql("\n".join(kept), database)
    return database


def printed(server: MariaServer, database: str, table: str, schema: pa.Schema) -> Counter[str]:
    """Read the client's own text of a table, as XML, each cell as the value that its type in the lake means."""
    client = [server.binaries[2], "--no-defaults", "--default-character-set=utf8mb4", f"--socket={server.folder / 's'}"]
    asked = ["-uroot", "--xml", "-e", f"select * from `{table}`", database]
    done = subprocess.run([*client, *asked], capture_output=True, check=True)
    reads = [reading(field.type) for field in schema]
    rows: Counter[str] = Counter()
    for row in xml.fromstring(done.stdout.decode()):
        assert [cell.get("name") for cell in row] == schema.names
        nulls = [any(name.endswith("nil") for name, _ in cell.items()) for cell in row]
        rows[repr([None if nil else read(c.text or "") for nil, read, c in zip(nulls, reads, row, strict=True)])] += 1
    return rows


def reading(kind: pa.DataType) -> Callable[[str], Any]:
    types: list[tuple[Callable[[Any], Any], Callable[[str], Any]]] = [
        (pa.types.is_integer, int),
        (pa.types.is_decimal, Decimal),
        (pa.types.is_timestamp, datetime.fromisoformat),
        (pa.types.is_string, str),
    ]
    return next(read for holds, read in types if holds(kind))


def shown(row: dict[str, Any], schema: pa.Schema) -> str:
    return repr([row[name] for name in schema.names])
