"""PostgreSQL: tables and queries through ADBC, exact, from one snapshot, in parallel and in bounded memory."""

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
from lagoa.kit.patience import Patience
from lagoa.kit.postgres.catalog import Relation, find_relation, money_scale, query_columns, table_columns
from lagoa.kit.postgres.columns import PgColumn, column, read_as
from lagoa.kit.postgres.failure import explain, silence
from lagoa.kit.postgres.line import Line
from lagoa.kit.postgres.part import Part
from lagoa.kit.postgres.speech import PostgresSpeech
from lagoa.ports import Batch, Portion, Reading, Source
from lagoa.spec.duration import Duration
from lagoa.spec.secret import Secret

_PORTION = 256 << 20  # bytes of a table that one connection reads: few files, and little to read again
_SMALLEST = 16 << 20  # bytes below which a second connection costs more than it saves
_RANGES_SINCE = 140000  # the server version whose planner seeks a range of pages instead of scanning for it


class Postgres(Source):
    """A PostgreSQL server, 9.6 or later, or one that speaks its protocol and has its catalog."""

    connection: Secret
    """Where it is: postgresql://user:password@host:5432/database, best given as ${secret:name}."""
    connect_timeout: Duration = timedelta(seconds=10)
    """How long to wait for a connection."""
    idle_timeout: Duration = timedelta(minutes=5)
    """How long the server may send nothing before the reading is given up."""
    streams: Mapping[str, DatabaseStream] = Field(default_factory=dict)
    """What is read from it, by name; each lands in bronze.<source>_<stream>."""
    lists_keys: ClassVar[bool] = True

    def read(self, reading: Reading) -> Iterator[Batch]:
        """Read a stream from one snapshot of the server; see ports.Source."""
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
    """One reading of one stream: its connections, its snapshot, its columns."""

    def __init__(self, source: Postgres, stream: DatabaseStream, reading: Reading) -> None:
        self.stream, self.reading = stream, reading
        self.what = reading.table
        try:
            self.endpoint = Endpoint.parse(source.connection, ("postgresql", "postgres"))
        except ValueError as error:
            said = f"{self.what}: `connection:` cannot be used: {error}"
            raise SourceError("LG-201", said, hint="postgresql://user:password@host:5432/database") from None
        connect = partial(_connected, self.endpoint.uri(_options(source.connect_timeout)))
        idle = source.idle_timeout.total_seconds()
        self.patience = Patience(reading.stopped, idle, lambda: silence(idle, self.endpoint, self.what))
        self.line = partial(Line, connect, self.patience)
        self.main = self.line()
        self.relation: Relation | None = None
        self.from_ = f"(\n{(stream.query or '').strip().rstrip(';')}\n)"

    def ask(self, sql: str) -> list[dict[str, Any]]:
        """Run a small query in the snapshot. Raises SourceError."""
        rows: list[dict[str, Any]] = self._said(lambda: self.main.ask(sql))
        return rows

    def _said(self, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except ImportError:
            raise MissingExtra("the source `postgres`", "postgres") from None
        except Exception as error:  # noqa: BLE001  # a driver may raise anything
            raise self.explain(error) from None  # the driver's own words may hold secrets

    def explain(self, error: Exception) -> Exception:
        """Say what a driver's error means."""
        return explain(error, self.endpoint, self.what)

    def columns(self) -> list[PgColumn]:
        """Find what is read, and decide how each column is."""
        if self.stream.table is not None:
            self.relation = find_relation(self.ask, self.stream.table)
            self.from_ = self.relation.sql
            found = table_columns(self.ask, self.relation)
        else:
            fields = self._said(lambda: self.main.fields(f"select * from {self.from_} as t"))
            refuse_twins([name for name, _ in fields], self.what)
            found = query_columns(self.ask, self.from_, fields)
        scale = money_scale(self.ask) if any(f.type == "money" for f in found) else 2
        return chosen(found, self.stream, self.what, lambda f, name, said: read_as(f, name, said, scale))

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

    def _keys(self, columns: Sequence[PgColumn]) -> Batch:
        """Give every key that the snapshot holds."""
        schema = pa.schema([pa.field(c.name, c.lands) for c in columns])
        return Batch(self._portions(columns, "true", None), schema)

    def _window(self, columns: Sequence[PgColumn]) -> tuple[Cursor | None, Any, str]:
        """Say which rows are new: the cursor, its highest value (or `_NOTHING`), and the condition."""
        if self.stream.cursor is None:
            return None, None, "true"
        by = named(columns, self.stream.cursor, self.what, "cursor")
        cursor = cursor_of(by, self.reading.since, self.stream.lag, PostgresSpeech())
        merge = self.stream.mode == "merge"
        nulls = 0
        if not by.found.required:
            name = column(by.found.name)
            nulls = self.ask(f"select count(*) as n from {self.from_} as t where {name} is null")[0]["n"]
            if not merge:
                refuse_nulls(by, nulls, self.what)
        top = self._highest(cursor)
        if cursor.last is not None and not nulls and not self._has_news(cursor):
            return cursor, _NOTHING, "false"
        return cursor, top if top is not None else cursor.last, cursor.where(nulls=nulls > 0)

    def _highest(self, cursor: Cursor) -> str | None:
        name = column(cursor.column.found.name)
        above = f"{name} is not null and {replace(cursor, lag=0).where(nulls=False)}"
        rows = self.ask(
            f"select {name}::text as v from {self.from_} as t where {above} order by {cursor.sql} desc limit 1"
        )
        top: str | None = rows[0]["v"] if rows else None
        refuse_endless(cursor, top)
        return top

    def _has_news(self, cursor: Cursor) -> bool:
        rows = self.ask(f"select 1 as one from {self.from_} as t where {cursor.where(nulls=False)} limit 1")
        return bool(rows)

    def _portions(self, columns: Sequence[PgColumn], where: str, cursor: Cursor | None) -> Iterator[Portion]:
        stream, telling = self.reading.stream, _telling(self.stream, columns, cursor)
        shown = [c.as_text() if i in telling else c for i, c in enumerate(columns)]
        part = partial(Part, patience=self.patience, explain=self.explain, columns=shown, source=self.from_)
        table = self.relation
        ranges = self._ranges() if where == "true" else []
        if table is None or not ranges:
            yield part(self.main, True, where=where, origin=stream, telling=telling, label=stream).portion()
            return
        another = partial(self.line, self.main.export())
        for low, high in ranges:
            pages = f"t.ctid >= '({low},0)'::tid" + (f" and t.ctid < '({high},0)'::tid" if high else "")
            label = f"{stream} (pages {low}-{high - 1 if high else ''})"
            yield part(
                another(),
                False,
                where=pages,
                origin=stream if telling else label,
                telling=telling,
                label=label,
                size=table.bytes(low, high),
                again=another,
            ).portion()

    def _ranges(self) -> list[tuple[int, int | None]]:
        """Cut a table into ranges of pages; the last is open, since the table may have grown."""
        table = self.relation
        if table is None or not table.plain:
            return []
        size = table.pages * table.page
        count = max(-(-size // _PORTION), min(self.reading.threads, size // _SMALLEST))
        if count < 2 or not self._seeks():
            return []
        edges = [table.pages * n // count for n in range(count)]
        return list(zip(edges, [*edges[1:], None], strict=True))

    def _seeks(self) -> bool:
        version = self.ask("select current_setting('server_version_num')::int8 as v")[0]["v"]
        return bool(version >= _RANGES_SINCE)


_NOTHING: Any = object()


def _connected(uri: str) -> Any:
    import adbc_driver_postgresql.dbapi as driver

    return driver.connect(uri, autocommit=True)


def _options(timeout: timedelta) -> dict[str, str]:
    """Give libpq's options that bound every wait for the network."""
    return {
        "application_name": "lagoa",
        "client_encoding": "UTF8",
        "connect_timeout": str(max(2, int(timeout.total_seconds()))),
        "keepalives_idle": "30",
        "keepalives_interval": "10",
        "keepalives_count": "3",
        "tcp_user_timeout": "60000",
    }


def _telling(stream: DatabaseStream, columns: Sequence[PgColumn], cursor: Cursor | None) -> list[int]:
    """Choose the columns whose values say where a row comes from; personal ones are not repeated."""
    names = stream.key if stream.mode == "merge" else ((cursor.column.name,) if cursor else ())
    personal = {name for name, said in stream.columns.items() if said.pii}
    found = [i for i, c in enumerate(columns) if c.name in names]
    unfit = any(columns[i].name in personal or pa.types.is_binary(columns[i].wire) for i in found)
    return [] if unfit else found


Adapter = Postgres
