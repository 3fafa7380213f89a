"""One DuckDB of our own that sees a file, reads it and nothing else, inside one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from lagoa.kit.database.lease import Lease
from lagoa.kit.patience import Patience, call
from lagoa.kit.text import literal

_ROWS = 2048  # of one Arrow batch: what DuckDB itself holds of a column at a time
_CLOSED = {
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
    "allow_community_extensions": "false",
    "memory_limit": "512MB",
}


class Line:
    """A connection that opens with its first use. One thread uses it at a time, `cancel` may come from any."""

    def __init__(self, path: Path, scratch: Path, threads: int, patience: Patience) -> None:
        # a folder of its own: DuckDB lets queries read the one in which it may spill
        self._path, self._scratch, self._threads, self._patience = path, scratch, threads, patience
        self._lease = Lease(self._opened)

    def ask(self, sql: str) -> list[dict[str, Any]]:
        """Run a query that answers with few rows; names of columns in lower case. Raises what DuckDB raises."""
        names, rows = call(lambda: self._ask(sql), self._patience)
        return [dict(zip(names, row, strict=True)) for row in rows]

    def fields(self, sql: str) -> list[tuple[str, Any]]:
        """Describe the columns of a query: names, and DuckDB's types."""
        return call(lambda: self._fields(sql), self._patience)

    def batches(self, sql: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Stream a query's rows; waits without bounds: run it under a Pump."""
        with self._lease.used() as connection:
            reader: Any = connection.sql(sql).to_arrow_reader(_ROWS)
            for batch in reader:
                yield batch.cast(schema)

    def cancel(self) -> None:
        """Interrupt what runs here."""
        self._lease.interrupted(lambda connection: connection.interrupt())

    def close(self) -> None:
        """Forget the file."""
        self._lease.close()

    def _opened(self) -> duckdb.DuckDBPyConnection:
        config: dict[str, Any] = {
            **_CLOSED,
            "threads": str(self._threads),
            "temp_directory": str(self._scratch / "spill"),
        }
        connection = duckdb.connect(":memory:", config=config)
        try:
            for setting in (
                "set TimeZone = 'UTC'",
                f"attach {literal(str(self._path))} as file (type duckdb, read_only)",
                "use file",
                "set enable_external_access = false",
                "set lock_configuration = true",
                "begin transaction read only",
            ):
                connection.execute(setting)
        except BaseException:
            connection.close()
            raise
        return connection

    def _ask(self, sql: str) -> tuple[list[str], list[Any]]:
        with self._lease.used() as connection:
            result = connection.execute(sql)
            return [d[0].lower() for d in result.description or ()], result.fetchall()

    def _fields(self, sql: str) -> list[tuple[str, Any]]:
        with self._lease.used() as connection:
            found = connection.sql(sql)
            return list(zip(found.columns, found.types, strict=True))
