"""MySQL and MariaDB: tables and queries through PyMySQL, exact, as of one moment, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
from pydantic import Field

from lagoa.errors import MissingExtra, SourceError
from lagoa.kit.database.choice import chosen, named, refuse_twins
from lagoa.kit.database.cursor import Cursor, cursor_of, refuse_endless, refuse_nulls
from lagoa.kit.database.stream import DatabaseStream
from lagoa.kit.endpoint import Endpoint
from lagoa.kit.mysql.catalog import Relation, find_relation, query_columns, table_columns
from lagoa.kit.mysql.columns import MyColumn, column, read_as
from lagoa.kit.mysql.failure import explain, silence
from lagoa.kit.mysql.line import ANSWER, Line
from lagoa.kit.mysql.part import Part, Walk
from lagoa.kit.mysql.speech import MySpeech
from lagoa.kit.patience import Patience
from lagoa.ports import Batch, Portion, Reading, Source
from lagoa.spec.duration import Duration
from lagoa.spec.secret import Secret

_OPTIONS = ("ssl_ca", "ssl_cert", "ssl_key", "ssl_verify_identity", "unix_socket")
_PORT = 3306


class MySQLStream(DatabaseStream):
    """A table, a view or a query of the server."""

    ranges: int = Field(1, ge=1, le=64)
    """Into how many ranges of its key a table is cut, each read by a connection of its own that sees its own moment.
    1 reads everything as of one moment."""


class MySQL(Source):
    """A MySQL server, 5.7 or later, or MariaDB, 10.3 or later."""

    connection: Secret
    """Where it is: mysql://user:password@host:3306/database, best given as ${secret:name}."""
    connect_timeout: Duration = timedelta(seconds=10)
    """How long to wait for a connection."""
    idle_timeout: Duration = timedelta(minutes=5)
    """How long the server may send nothing before the reading is given up."""
    streams: Mapping[str, MySQLStream] = Field(default_factory=dict)
    """What is read from it, by name; each lands in bronze.<source>_<stream>."""
    lists_keys: ClassVar[bool] = True

    def read(self, reading: Reading) -> Iterator[Batch]:
        """Read a stream as of one moment; see ports.Source."""
        work = _Work(self, self.streams[reading.stream], reading)
        try:
            yield from work.batches()
        finally:
            work.main.close()

    def check(self, stream: str, project: Path) -> None:
        """Connect and look the stream's columns up. Raises SourceError."""
        work = _Work(self, self.streams[stream], Reading(stream, None, project, project, stream))
        try:
            work.columns()
        finally:
            work.main.close()


class _Work:
    """One reading of one stream: its connection, its moment, its columns."""

    def __init__(self, source: MySQL, stream: MySQLStream, reading: Reading) -> None:
        self.stream, self.reading = stream, reading
        self.what = reading.table
        self.endpoint = _endpoint(source.connection, self.what)
        idle = source.idle_timeout.total_seconds()
        self.patience = Patience(reading.stopped, idle, lambda: silence(idle, self.endpoint, self.what))
        self.line = partial(Line, partial(_connected, self.endpoint, source), _streaming, self.patience)
        self.main = self.line()
        self.relation: Relation | None = None
        self.from_ = f"(\n{(stream.query or '').strip().rstrip(';')}\n)"

    def ask(self, sql: str) -> list[dict[str, Any]]:
        """Run a small query as of the moment of this reading. Raises SourceError."""
        rows: list[dict[str, Any]] = self._said(lambda: self.main.ask(sql))
        return rows

    def _said(self, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except ImportError:
            raise MissingExtra("the source `mysql`", "mysql") from None
        except Exception as error:  # noqa: BLE001  # a driver may raise anything
            raise self.explain(error) from None  # the driver's own words may hold secrets

    def explain(self, error: Exception) -> Exception:
        """Say what a driver's error means."""
        return explain(error, self.endpoint, self.what)

    def columns(self) -> list[MyColumn]:
        """Find what is read, and decide how each column is."""
        if self.stream.table is not None:
            self.relation = find_relation(self.ask, self.stream.table, self.endpoint.database)
            self.from_ = self.relation.sql
            found = table_columns(self.ask, self.relation)
        else:
            fields = self._said(lambda: self.main.fields(f"select * from {self.from_} as t limit 0"))
            found = query_columns(fields)
            refuse_twins([f.name for f in found], self.what)
        return chosen(found, self.stream, self.what, read_as)

    def batches(self) -> Iterator[Batch]:
        """Give the one batch of this reading, or none when nothing is new."""
        columns = self.columns()
        for name in self.stream.key:
            named(columns, name, self.what, "key")
        cursor, value, where = self._window(columns)
        still = cursor is not None and value is _NOTHING
        if still and not self.stream.compares:
            return
        append = self.stream.mode == "append" and cursor is not None
        yield Batch(
            portions=iter(()) if still else self._portions(columns, where, cursor),
            schema=pa.schema([pa.field(c.name, c.lands) for c in columns]),
            cursor=lambda: None if cursor is None or value is None or still else cursor.json(value),
            overlap=cursor.overlap() if append and cursor is not None else None,
            keys=self._keys([c for c in columns if c.name in self.stream.key]) if self.stream.compares else None,
        )

    def _keys(self, columns: Sequence[MyColumn]) -> Batch:
        """Give every key that this reading's moment holds."""
        schema = pa.schema([pa.field(c.name, c.lands) for c in columns])
        return Batch(self._portions(columns, "true", None), schema)

    def _window(self, columns: Sequence[MyColumn]) -> tuple[Cursor | None, Any, str]:
        """Say which rows are new: the cursor, its highest value (or `_NOTHING`), and the condition."""
        if self.stream.cursor is None:
            return None, None, "true"
        by = named(columns, self.stream.cursor, self.what, "cursor")
        cursor = cursor_of(by, self.reading.since, self.stream.lag, MySpeech())
        nulls = 0
        if not by.found.required:
            nulls = self.ask(f"select count(*) as n from {self.from_} as t where {column(by.found.name)} is null")[0][
                "n"
            ]
            if self.stream.mode != "merge":
                refuse_nulls(by, nulls, self.what)
        top = self._highest(cursor, columns)
        if cursor.last is not None and not nulls and not self._has_news(cursor):
            return cursor, _NOTHING, "false"
        return cursor, top if top is not None else cursor.last, cursor.where(nulls=nulls > 0)

    def _highest(self, cursor: Cursor, columns: Sequence[MyColumn]) -> str | None:
        by = column(cursor.column.found.name)
        above = f"{by} is not null and {replace(cursor, lag=0).where(nulls=False)}"
        text = next(c.text for c in columns if c.name == cursor.column.name)
        rows = self.ask(f"select {text} as v from {self.from_} as t where {above} order by {cursor.sql} desc limit 1")
        top: str | None = rows[0]["v"] if rows else None
        refuse_endless(cursor, top)
        if top is not None and cursor.family == "instant":
            top += "+00:00"
        return top

    def _has_news(self, cursor: Cursor) -> bool:
        rows = self.ask(f"select 1 as one from {self.from_} as t where {cursor.where(nulls=False)} limit 1")
        return bool(rows)

    def _portions(self, columns: Sequence[MyColumn], where: str, cursor: Cursor | None) -> Iterator[Portion]:
        stream = self.reading.stream
        hidden = frozenset(name for name, said in self.stream.columns.items() if said.pii)
        part = partial(
            Part,
            patience=self.patience,
            explain=self.explain,
            columns=columns,
            source=self.from_,
            where=where,
            telling=_telling(self.stream, columns, cursor),
            hidden=hidden,
        )
        walks = self._walks(columns) if where == "true" else []
        if len(walks) < 2:
            walk = walks[0] if walks else None
            yield part(self.main, True, origin=stream, label=stream, walk=walk).portion()
            return
        for walk in walks:
            label = f"{stream} ({walk.key} {walk.low} to {walk.high})"
            yield part(self.line(), False, origin=stream, label=label, walk=walk).portion()

    def _walks(self, columns: Sequence[MyColumn]) -> list[Walk]:
        """Cut the key of a table into ranges; none when it has no key of whole numbers, or one that is not read."""
        table = self.relation
        if table is None or table.walk is None or table.walk not in [c.found.name for c in columns]:
            return []
        by = column(table.walk)
        most = min(ANSWER, int(self.ask("select @@max_allowed_packet as m")[0]["m"])) - 1024  # less half a character
        found = self.ask(f"select min({by}) as low, max({by}) as high from {self.from_} as t")[0]
        if found["low"] is None:
            return []
        low, high = int(found["low"]), int(found["high"])
        count = min(self.stream.ranges, high - low + 1)
        edges = [low + (high - low + 1) * n // count for n in range(count)] + [high + 1]
        return [Walk(table.walk, edges[n], edges[n + 1] - 1, most) for n in range(count)]


_NOTHING: Any = object()


def _endpoint(connection: Secret, what: str) -> Endpoint:
    try:
        endpoint = Endpoint.parse(connection, ("mysql", "mariadb"))
        if not endpoint.database:
            raise ValueError("it names no database")
        if "," in endpoint.hosts:
            raise ValueError("it names several servers, of which one can be read")
        if unknown := [name for name in endpoint.options if name not in _OPTIONS]:
            raise ValueError(f"`{unknown[0]}` is no option; {', '.join(_OPTIONS)} are")
    except ValueError as error:
        said = f"{what}: `connection:` cannot be used: {error}"
        raise SourceError("LG-201", said, hint="mysql://user:password@host:3306/database") from None
    return endpoint


def _address(endpoint: Endpoint) -> tuple[str, int]:
    host, _, port = endpoint.hosts.rpartition(":") if not endpoint.hosts.endswith("]") else (endpoint.hosts, "", "")
    host, port = (host, port) if host or endpoint.hosts.startswith(":") else (port, "")
    return host.strip("[]"), int(port or _PORT)


def _streaming() -> Any:
    from pymysql.cursors import SSCursor

    return SSCursor


def _connected(endpoint: Endpoint, source: MySQL) -> Any:
    import pymysql

    host, port = _address(endpoint)
    options: dict[str, Any] = dict(endpoint.options)
    if "ssl_verify_identity" in options:
        options["ssl_verify_identity"] = options["ssl_verify_identity"].lower() in ("1", "true", "yes")
    return pymysql.connect(
        host=host or "localhost",
        port=port,
        user=endpoint.user or "",
        password=(endpoint.password or "").encode(),  # as text the driver would write it in latin-1
        database=endpoint.database,
        charset="utf8mb4",
        connect_timeout=max(1, int(source.connect_timeout.total_seconds())),
        read_timeout=max(1, int(source.idle_timeout.total_seconds()) + 5),
        program_name="lagoa",
        autocommit=True,
        **options,
    )


def _telling(stream: MySQLStream, columns: Sequence[MyColumn], cursor: Cursor | None) -> list[int]:
    """Choose the columns whose values say where a row comes from; personal ones are not repeated."""
    names = stream.key if stream.mode == "merge" else ((cursor.column.name,) if cursor else ())
    personal = {name for name, said in stream.columns.items() if said.pii}
    found = [i for i, c in enumerate(columns) if c.name in names]
    unfit = any(columns[i].name in personal or columns[i].shape == "bytes" for i in found)
    return [] if unfit else found


Adapter = MySQL
