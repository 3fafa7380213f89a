"""One connection to Oracle, which sees one moment: its read-only transaction's, or the one that its query names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import pyarrow as pa

from lagoa.kit.database.judged import conformed
from lagoa.kit.patience import Patience, call

_ROWS = 1000  # of one Arrow batch
_SETTINGS = (
    "alter session set time_zone = '+00:00'",
    "alter session set nls_comp = binary",
    "alter session set nls_sort = binary",
)


class Line:
    """A connection that opens with its first use. One thread uses it at a time, `cancel` may come from any."""

    def __init__(self, connect: Callable[[], Any], patience: Patience, moment: bool = True) -> None:
        """Without `moment` each query sees its own, or the one that it names."""
        self._connect, self._patience = connect, patience
        self._settings = (*_SETTINGS, "set transaction read only") if moment else _SETTINGS
        self._connection: Any = None

    def ask(self, sql: str) -> list[dict[str, Any]]:
        """Run a query that answers with few rows; names of columns in lower case."""
        names, rows = call(lambda: self._ask(sql), self._patience)
        return [dict(zip(names, row, strict=True)) for row in rows]

    def fields(self, sql: str) -> Sequence[Any]:
        """Describe the columns of a query: the driver's `FetchInfo`."""
        found: Sequence[Any] = call(lambda: self._fields(sql), self._patience)
        return found

    def batches(self, sql: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Stream a query's rows; waits without bounds: run it under a Pump."""
        connection = self._opened()
        naive = pa.schema([pa.field(f.name, _naive(f.type)) for f in schema])  # Arrow times of the driver have no zone
        for frame in connection.fetch_df_batches(sql, size=_ROWS, requested_schema=naive):
            for batch in pa.table(frame).to_batches():
                yield conformed(batch, schema)

    def cancel(self) -> None:
        """Ask the server to stop what runs here."""
        connection = self._connection
        if connection is not None:
            with suppress(Exception):  # it may have ended by itself
                connection.cancel()

    def close(self) -> None:
        """End the transaction and the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):  # a connection that is gone cannot say goodbye
                connection.close()

    def _opened(self) -> Any:
        if self._connection is None:
            connection = self._connect()
            try:
                with connection.cursor() as cursor:
                    for setting in self._settings:
                        cursor.execute(setting)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _ask(self, sql: str) -> tuple[list[str], list[Any]]:
        with self._opened().cursor() as cursor:
            cursor.execute(sql)
            return [str(d[0]).lower() for d in cursor.description or ()], cursor.fetchall()

    def _fields(self, sql: str) -> Sequence[Any]:
        with self._opened().cursor() as cursor:
            cursor.execute(sql)
            found: Sequence[Any] = cursor.description
            return found


def _naive(kind: pa.DataType) -> pa.DataType:
    return pa.timestamp(kind.unit) if pa.types.is_timestamp(kind) else kind
