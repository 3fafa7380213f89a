"""PostgreSQL: tables and queries through ADBC, exact, from one snapshot, in parallel and in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from lagoa.errors import MissingExtra, SourceError
from lagoa.kit.database.choice import chosen, refuse_twins
from lagoa.kit.database.cursor import EVERYTHING, Cursor
from lagoa.kit.database.reading import DatabaseReading
from lagoa.kit.database.stream import DatabaseStream
from lagoa.kit.database.whole import WholeSchema, streams_of
from lagoa.kit.endpoint import Endpoint
from lagoa.kit.patience import Patience
from lagoa.kit.postgres.catalog import (
    Relation,
    find_relation,
    money_scale,
    query_columns,
    schemas_of,
    table_columns,
    tables_of,
)
from lagoa.kit.postgres.columns import PgColumn, read_as
from lagoa.kit.postgres.failure import explain, silence
from lagoa.kit.postgres.line import Line
from lagoa.kit.postgres.part import Part
from lagoa.kit.postgres.speech import PostgresSpeech
from lagoa.kit.text import quote
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
    whole: ClassVar[type[WholeSchema]] = WholeSchema

    def read(self, reading: Reading) -> Iterator[Batch]:
        """Read a stream from one snapshot of the server; see ports.Source."""
        work = _Work(self, self.streams[reading.stream], reading)
        try:
            yield from work.batches()
        finally:
            work.main.close()

    def discover(self, whole: WholeSchema, project: Path) -> dict[str, dict[str, Any]]:
        """List the tables of a schema as streams. Raises SourceError."""
        nothing = Reading("*", None, project, project, "the schema of `*`")
        work = _Work(self, DatabaseStream(table="*"), nothing)
        try:
            schema = whole.schema_ or "public"
            return streams_of(whole, tables_of(work.ask, schema), schema, quote)
        finally:
            work.main.close()

    def schemas(self, project: Path) -> list[str]:
        """Name the schemas in which the user may read tables. Raises SourceError."""
        work = _Work(self, DatabaseStream(table="*"), Reading("*", None, project, project, "the schemas"))
        try:
            return schemas_of(work.ask)
        finally:
            work.main.close()

    def check(self, stream: str, project: Path) -> None:
        """Connect and look the stream's columns up. Raises SourceError."""
        work = _Work(self, self.streams[stream], Reading(stream, None, project, project, stream))
        try:
            work.columns()
        finally:
            work.main.close()


class _Work(DatabaseReading[PgColumn]):
    """One reading of one stream: its connections, its snapshot, its columns."""

    def __init__(self, source: Postgres, stream: DatabaseStream, reading: Reading) -> None:
        super().__init__(stream, reading, PostgresSpeech())
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

    def ask(self, sql: str) -> list[dict[str, Any]]:
        """Run a small query in the snapshot. Raises SourceError."""
        rows: list[dict[str, Any]] = self.said(lambda: self.main.ask(sql))
        return rows

    def explain(self, error: Exception) -> Exception:
        """Say what a driver's error means."""
        if isinstance(error, ImportError):
            return MissingExtra("the source `postgres`", "postgres")
        return explain(error, self.endpoint, self.what)

    def columns(self) -> list[PgColumn]:
        """Find what is read, and decide how each column is."""
        if self.stream.table is not None:
            self.relation = find_relation(self.ask, self.stream.table)
            self.from_ = self.relation.sql
            found = table_columns(self.ask, self.relation)
        else:
            fields = self.said(lambda: self.main.fields(f"select * from {self.from_} as t"))
            refuse_twins([name for name, _ in fields], self.what)
            found = query_columns(self.ask, self.from_, fields)
        scale = money_scale(self.ask) if any(f.type == "money" for f in found) else 2
        return chosen(found, self.stream, self.what, lambda f, name, said: read_as(f, name, said, scale))

    def portions(self, columns: Sequence[PgColumn], where: str, cursor: Cursor | None) -> Iterator[Portion]:
        """Give the rows that fulfil `where`."""
        stream, telling = self.reading.stream, self.telling(columns, cursor)
        shown = [c.as_text() if i in telling else c for i, c in enumerate(columns)]
        part = partial(Part, patience=self.patience, explain=self.explain, columns=shown, source=self.from_)
        table = self.relation
        ranges = self._ranges() if where == EVERYTHING else []
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


Adapter = Postgres
