"""One connection to MySQL or MariaDB, inside one read-only transaction that sees one moment, every wait bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from lagoa.kit.patience import Patience, call

ANSWER = 16 << 20
"""Bytes of the longest text that the server may make of many rows."""
_ROWS, _BYTES = 4000, 8 << 20
"""Rows, and bytes of them, that are taken from the driver at once: whichever comes first."""
_SETTINGS = (
    "set session time_zone = '+00:00'",
    "set session net_write_timeout = 3600",
    f"set session group_concat_max_len = {ANSWER}",
    "set session transaction isolation level repeatable read",
    "start transaction with consistent snapshot, read only",
)


class Line:
    """A connection that opens with its first use; `connect` opens one, `streaming` gives the cursor that holds no rows.

    One thread reads through it at a time, `cancel` may come from any.
    """

    def __init__(self, connect: Callable[[], Any], streaming: Callable[[], Any], patience: Patience) -> None:
        self._connect, self._streaming, self._patience = connect, streaming, patience
        self._connection: Any = None

    def ask(self, sql: str) -> list[dict[str, Any]]:
        """Run a query that answers with few rows; names of columns in lower case."""
        names, rows = call(lambda: self._ask(sql), self._patience)
        return [dict(zip(names, row, strict=True)) for row in rows]

    def one(self, sql: str) -> tuple[Any, ...]:
        """Run a query that answers with one row, without bounds: use it under a Pump."""
        with self._opened().cursor() as cursor:
            cursor.execute(sql)
            found: tuple[Any, ...] = cursor.fetchone()
        return found

    def fields(self, sql: str) -> Sequence[Any]:
        """Describe the columns of a query: the driver's field packets."""
        found: Sequence[Any] = call(lambda: self._fields(sql), self._patience)
        return found

    def rows(self, sql: str) -> Iterator[Sequence[tuple[Any, ...]]]:
        """Stream a query's rows, every value as its bytes, holding few; waits without bounds: run it under a Pump."""
        connection = self._opened()
        cursor = connection.cursor(self._streaming())
        known, connection.use_unicode, connection.decoders = connection.decoders, False, {}
        try:
            try:
                cursor.execute(sql)
            finally:
                connection.use_unicode, connection.decoders = True, known
            while rows := _some(cursor):
                yield rows
        except BaseException:  # also when the rows are not wanted any more: what is unread ends with the connection
            _abandon(cursor)
            with suppress(Exception):
                connection.close()
            raise
        cursor.close()

    def cancel(self) -> None:
        """Ask the server, through another connection, to stop what runs here."""
        connection = self._connection
        if connection is None:
            return
        with suppress(Exception):  # it may have ended by itself, and nobody waits for it any more
            other = self._connect()
            try:
                with other.cursor() as cursor:
                    cursor.execute(f"kill {int(connection.thread_id())}")
            finally:
                other.close()

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
                    for setting in _SETTINGS:
                        cursor.execute(setting)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _ask(self, sql: str) -> tuple[list[str], Sequence[tuple[Any, ...]]]:
        with self._opened().cursor() as cursor:
            cursor.execute(sql)
            names = [str(d[0]).lower() for d in cursor.description or ()]
            return names, cursor.fetchall()

    def _fields(self, sql: str) -> Sequence[Any]:
        with self._opened().cursor() as cursor:
            cursor.execute(sql)
            found: Sequence[Any] = cursor._result.fields  # the only place that tells bytes from text
            return found


def _some(cursor: Any) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    size = 0
    while len(rows) < _ROWS and size < _BYTES and (row := cursor.fetchone()) is not None:
        rows.append(row)
        size += sum([len(value) for value in row if value is not None])
    return rows


def _abandon(cursor: Any) -> None:
    """Keep the driver from reading a result to its end once nobody wants it, or nobody sends it."""
    result, cursor._result, cursor.connection = cursor._result, None, None
    if result is not None:
        result.unbuffered_active, result.connection = False, None
