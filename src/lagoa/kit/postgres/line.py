"""One connection to PostgreSQL through ADBC, inside one read-only transaction, with every wait bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import pyarrow as pa

from lagoa.kit.patience import Patience, call
from lagoa.kit.text import literal

BATCH_BYTES = 4 << 20
"""How large the driver makes its batches: enough rows for vectors, few enough that several fit in memory."""
_SIZE_HINT = "adbc.postgresql.batch_size_hint_bytes"

# What decides how the server writes values as text is pinned, so that two readings are equal wherever they run
_SETTINGS = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "3",
    "xmloption": "content",
    "standard_conforming_strings": "on",
    "idle_in_transaction_session_timeout": "0",
}


class Line:
    """A connection that opens with its first use. One thread reads through it at a time; `cancel` may come from any.

    `connect` is the driver's way to open one. With `snapshot` it sees exactly what the line that exported it sees.
    Nothing here waits for a network that does not answer, but for `batches` and `cancel`: a thread may be left behind
    in the driver, so the connection is closed by whoever leaves it last, never under another thread's feet.
    """

    def __init__(self, connect: Callable[[], Any], patience: Patience, snapshot: str | None = None) -> None:
        self._connect, self._patience, self._snapshot = connect, patience, snapshot
        self._connection: Any = None
        self._users = 0
        self._closed = False
        self._lock = Lock()

    def ask(self, sql: str) -> list[dict[str, Any]]:
        """Run a query that answers with few rows."""
        rows: list[dict[str, Any]] = call(lambda: self._ask(sql), self._patience)
        return rows

    def fields(self, sql: str) -> list[tuple[str, int]]:
        """Name the columns of a query with their typmods, without running it."""
        return call(lambda: self._fields(sql), self._patience)

    def batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        """Stream a query's rows; waits without bounds, so run it under a Pump."""
        options = {_SIZE_HINT: str(BATCH_BYTES)}
        with self._used() as connection, connection.cursor(adbc_stmt_kwargs=options) as cursor:
            cursor.execute(sql)
            yield from cursor.fetch_record_batch()

    def export(self) -> str:
        """Give others this line's view of the data, for as long as it stays open."""
        name: str = self.ask("select pg_export_snapshot() as name")[0]["name"]
        return name

    def cancel(self) -> None:
        """Ask the server to stop what runs here; waits for its answer."""
        with self._lock:
            connection = self._connection
            if connection is None:
                return
            self._users += 1
        try:
            connection.adbc_cancel()
        finally:
            self._leave()

    def close(self) -> None:
        """End the transaction and the connection, at once or as soon as nobody is inside the driver any more."""
        with self._lock:
            self._closed = True
            self._users += 1
        self._leave()

    def _leave(self) -> None:
        with self._lock:
            self._users -= 1
            done = self._closed and self._users == 0
            connection = self._connection if done else None
            self._connection = None if done else self._connection
        if connection is not None:
            connection.close()

    @contextmanager
    def _used(self) -> Iterator[Any]:
        with self._lock:
            self._users += 1
        try:
            if self._closed:
                raise ConnectionError("the connection was given up")
            if self._connection is None:
                self._connection = self._opened()
            yield self._connection
        finally:
            self._leave()

    def _opened(self) -> Any:
        connection = self._connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute("begin isolation level repeatable read read only")
                if self._snapshot is not None:
                    cursor.execute(f"set transaction snapshot {literal(self._snapshot)}")
                pairs = ", ".join(f"({literal(k)}, {literal(v)})" for k, v in _SETTINGS.items())
                cursor.execute(
                    "select set_config(s.name, v.value, true) "
                    f"from (values {pairs}) as v(name, value) join pg_settings s on s.name = v.name"
                )
                cursor.fetchall()
        except BaseException:
            connection.close()
            raise
        return connection

    def _ask(self, sql: str) -> list[dict[str, Any]]:
        with self._used() as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            rows: list[dict[str, Any]] = cursor.fetch_arrow_table().to_pylist()
            return rows

    def _fields(self, sql: str) -> list[tuple[str, int]]:
        with self._used() as connection, connection.cursor() as cursor:
            schema = cursor.adbc_execute_schema(sql)
        return [(f.name, int((f.metadata or {}).get(b"POSTGRESQL:typmod", b"-1"))) for f in schema]
