"""MySQL and MariaDB: tables and queries through PyMySQL, exact, as of one moment, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from lagoa.errors import MissingExtra, SourceError
from lagoa.kit.database.choice import chosen, landing_name, refuse_twins
from lagoa.kit.database.cursor import EVERYTHING, Cursor
from lagoa.kit.database.ranges import edges
from lagoa.kit.database.reading import DatabaseReading
from lagoa.kit.database.stream import RangedStream
from lagoa.kit.database.whole import WholeSchema, streams_of
from lagoa.kit.endpoint import Endpoint
from lagoa.kit.mysql.catalog import Relation, find_relation, query_columns, table_columns, tables_of
from lagoa.kit.mysql.columns import MyColumn, column, quote, read_as
from lagoa.kit.mysql.failure import explain, silence
from lagoa.kit.mysql.line import ANSWER, Line
from lagoa.kit.mysql.part import Part, Walk
from lagoa.kit.mysql.speech import MySpeech
from lagoa.kit.mysql.tls import OPTIONS, driver_options, mode_of
from lagoa.kit.patience import Patience
from lagoa.ports import Batch, Portion, Reading, Source
from lagoa.spec.duration import Duration
from lagoa.spec.secret import Secret

_OPTIONS = (*OPTIONS, "unix_socket")
_PORT = 3306


class MySQL(Source):
    """A MySQL server, 5.7 or later, or MariaDB, 10.3 or later."""

    connection: Secret
    """Where it is: mysql://user:password@host:3306/database, best given as ${secret:name}."""
    connect_timeout: Duration = timedelta(seconds=10)
    """How long to wait for a connection."""
    idle_timeout: Duration = timedelta(minutes=5)
    """How long the server may send nothing before the reading is given up."""
    streams: Mapping[str, RangedStream] = Field(default_factory=dict)
    """What is read from it, by name; each lands in bronze.<source>_<stream>."""
    lists_keys: ClassVar[bool] = True
    whole: ClassVar[type[WholeSchema]] = WholeSchema

    def read(self, reading: Reading) -> Iterator[Batch]:
        """Read a stream as of one moment; see ports.Source."""
        work = _Work(self, self.streams[reading.stream], reading)
        try:
            yield from work.batches()
        finally:
            work.main.close()

    def discover(self, whole: WholeSchema, project: Path) -> dict[str, dict[str, Any]]:
        """List the tables of a schema as streams. Raises SourceError."""
        nothing = Reading("*", None, project, project, "the schema of `*`")
        work = _Work(self, RangedStream(table="*"), nothing)
        try:
            schema = whole.schema_ or work.endpoint.database
            return streams_of(whole, tables_of(work.ask, schema), schema, quote)
        finally:
            work.main.close()

    def check(self, stream: str, project: Path) -> None:
        """Connect and look the stream's columns up. Raises SourceError."""
        work = _Work(self, self.streams[stream], Reading(stream, None, project, project, stream))
        try:
            work.columns()
        finally:
            work.main.close()


class _Work(DatabaseReading[MyColumn]):
    """One reading of one stream: its connection, its moment, its columns."""

    def __init__(self, source: MySQL, stream: RangedStream, reading: Reading) -> None:
        super().__init__(stream, reading, MySpeech())
        self.ranges = stream.ranges
        self.endpoint = _endpoint(source.connection, self.what)
        idle = source.idle_timeout.total_seconds()
        self.patience = Patience(reading.stopped, idle, lambda: silence(idle, self.endpoint, self.what))
        self.line = partial(Line, partial(_connected, self.endpoint, source), _streaming, self.patience)
        self.main = self.line()
        self.relation: Relation | None = None

    def ask(self, sql: str) -> list[dict[str, Any]]:
        """Run a small query as of the moment of this reading. Raises SourceError."""
        rows: list[dict[str, Any]] = self.said(lambda: self.main.ask(sql))
        return rows

    def explain(self, error: Exception) -> Exception:
        """Say what a driver's error means."""
        if isinstance(error, ImportError):
            return MissingExtra("the source `mysql`", "mysql")
        return explain(error, self.endpoint, self.what)

    def columns(self) -> list[MyColumn]:
        """Find what is read, and decide how each column is."""
        if self.stream.table is not None:
            self.relation = find_relation(self.ask, self.stream.table, self.endpoint.database)
            self.from_ = self.relation.sql
            found = table_columns(self.ask, self.relation)
        else:
            fields = self.said(lambda: self.main.fields(f"select * from {self.from_} as t limit 0"))
            found = query_columns(fields)
            refuse_twins([f.name for f in found], self.what)
        return chosen(found, self.stream, self.what, read_as)

    def portions(self, columns: Sequence[MyColumn], where: str, cursor: Cursor | None) -> Iterator[Portion]:
        """Give the rows that fulfil `where`."""
        stream = self.reading.stream
        part = partial(
            Part,
            patience=self.patience,
            explain=self.explain,
            columns=columns,
            source=self.from_,
            where=where,
            telling=self.telling(columns, cursor),
            hidden=self.hidden,
        )
        walks = self._walks() if where == EVERYTHING else []
        if len(walks) < 2:
            walk = walks[0] if walks else None
            yield part(self.main, True, origin=stream, label=stream, walk=walk).portion()
            return
        for number, walk in enumerate(walks, 1):
            label = f"{stream} (range {number} of {len(walks)})"
            yield part(self.line(), False, origin=stream, label=label, walk=walk).portion()

    def _walks(self) -> list[Walk]:
        """Cut the key of a table into ranges; none when it has no key of whole numbers, or one that is dropped."""
        table = self.relation
        if table is None or table.walk is None or landing_name(table.walk) in self.stream.dropped:
            return []
        by = column(table.walk)
        most = min(ANSWER, int(self.ask("select @@max_allowed_packet as m")[0]["m"])) - 1024  # less half a character
        found = self.ask(f"select min({by}) as low, max({by}) as high from {self.from_} as t")[0]
        if found["low"] is None:
            return []
        low, high = int(found["low"]), int(found["high"])
        starts = [*edges(low, high, self.ranges), high + 1]
        return [Walk(table.walk, start, end - 1, most) for start, end in pairwise(starts)]


def _endpoint(connection: Secret, what: str) -> Endpoint:
    try:
        endpoint = Endpoint.parse(connection, ("mysql", "mariadb"))
        if not endpoint.database:
            raise ValueError("it names no database")
        if "," in endpoint.hosts:
            raise ValueError("it names several servers, of which one can be read")
        if unknown := [name for name in endpoint.options if name not in _OPTIONS]:
            raise ValueError(f"`{unknown[0]}` is no option; {', '.join(_OPTIONS)} are")
        mode_of(endpoint.options)
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
    options = driver_options(endpoint.options)
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
        unix_socket=endpoint.options.get("unix_socket"),
        **options,
    )


Adapter = MySQL
