"""One connection to SQL Server, inside one transaction that sees one moment where the database allows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pyarrow as pa

from lagoa.kit.database.judged import conformed
from lagoa.kit.patience import Patience, call

_ROWS = 1000  # of one Arrow batch


class Line:
    """A connection that opens with its first use. One thread uses it at a time, `cancel` may come from any."""

    def __init__(self, connect: Callable[[], Any], snapshot: bool, patience: Patience) -> None:
        self._connect, self._snapshot, self._patience = connect, snapshot, patience
        self._connection: Any = None
        self._running: Any = None

    def ask(self, sql: str) -> list[dict[str, Any]]:
        """Run a query that answers with few rows; names of columns in lower case."""
        names, rows = call(lambda: self._ask(sql), self._patience)
        return [dict(zip(names, row, strict=True)) for row in rows]

    def batches(self, sql: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Stream a query's rows; waits without bounds: run it under a Pump."""
        cursor = self._running = self._opened().cursor()
        try:
            cursor.execute(sql)
            reader = cursor.arrow_reader(batch_size=_ROWS)
            for batch in reader:
                yield conformed(batch, schema)
        finally:
            self._running = None
            cursor.close()

    def cancel(self) -> None:
        """Cut the connection, so that whoever reads through it stops."""
        with suppress(Exception):  # it may have ended by itself
            if self._running is not None:
                self._running.close()
        self.close()

    def close(self) -> None:
        """End the transaction and the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):  # a connection that is gone cannot say goodbye
                connection.close()

    def _opened(self) -> Any:
        if self._connection is None:
            connection = self._connect()
            level = "snapshot" if self._snapshot else "read committed"
            try:
                for setting in (f"set transaction isolation level {level}", "begin transaction"):
                    with_cursor = connection.cursor()
                    with_cursor.execute(setting)
                    with_cursor.close()
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _ask(self, sql: str) -> tuple[list[str], list[Any]]:
        cursor = self._opened().cursor()
        try:
            cursor.execute(sql)
            return [str(d[0]).lower() for d in cursor.description or ()], [tuple(row) for row in cursor.fetchall()]
        finally:
            cursor.close()
