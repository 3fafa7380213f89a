"""SQL Server: tables and queries through mssql-python, exact, as of one moment, in bounded memory."""

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
from lagoa.kit.database.judged import Judged, JudgedRows
from lagoa.kit.database.ranges import Range, cut_by, ranges
from lagoa.kit.database.reading import DatabaseReading
from lagoa.kit.database.stream import RangedStream
from lagoa.kit.database.whole import WholeSchema, streams_of
from lagoa.kit.endpoint import Endpoint
from lagoa.kit.patience import Patience
from lagoa.kit.sqlserver.catalog import find_relation, primary_key, query_columns, table_columns, tables_of
from lagoa.kit.sqlserver.columns import WHOLE, SqlServerSpeech, column, quote, read_as
from lagoa.kit.sqlserver.failure import explain, silence
from lagoa.kit.sqlserver.line import Line
from lagoa.ports import Batch, Portion, Reading, Source
from lagoa.spec.duration import Duration
from lagoa.spec.secret import Secret

_OPTIONS = {
    "encrypt": "Encrypt",
    "trust_server_certificate": "TrustServerCertificate",
    "application_intent": "ApplicationIntent",
    "multi_subnet_failover": "MultiSubnetFailover",
}
_PORT = 1433


class SQLServer(Source):
    """A SQL Server, 2016 or later, or Azure SQL. Not yet verified against a server."""

    connection: Secret
    """Where it is: sqlserver://user:password@host:1433/database, best given as ${secret:name}."""
    snapshot: bool = True
    """Whether everything is read as of one moment, which the database must allow (allow_snapshot_isolation)."""
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
            work.line.close()

    def discover(self, whole: WholeSchema, project: Path) -> dict[str, dict[str, Any]]:
        """List the tables of a schema as streams. Raises SourceError."""
        work = _Work(self, RangedStream(table="*"), Reading("*", None, project, project, "the schema of `*`"))
        try:
            schema = whole.schema_ or "dbo"
            return streams_of(whole, tables_of(work.ask, schema), schema, quote)
        finally:
            work.line.close()

    def check(self, stream: str, project: Path) -> None:
        """Connect and look the stream's columns up. Raises SourceError."""
        work = _Work(self, self.streams[stream], Reading(stream, None, project, project, stream))
        try:
            work.columns()
        finally:
            work.line.close()


class _Work(DatabaseReading[Judged]):
    """One reading of one stream: its connection, its moment, its columns."""

    def __init__(self, source: SQLServer, stream: RangedStream, reading: Reading) -> None:
        super().__init__(stream, reading, SqlServerSpeech())
        self.endpoint = _endpoint(source.connection, self.what)
        idle = source.idle_timeout.total_seconds()
        self.patience = Patience(reading.stopped, idle, lambda: silence(idle, self.endpoint, self.what))
        self.ranged = stream
        self.another = partial(Line, partial(_connected, self.endpoint, source), source.snapshot, self.patience)
        self.line = self.another()
        self.cut: Judged | None = None

    def ask(self, sql: str) -> list[dict[str, Any]]:
        """Run a small query as of the moment of this reading. Raises SourceError."""
        rows: list[dict[str, Any]] = self.said(lambda: self.line.ask(sql))
        return rows

    def explain(self, error: Exception) -> Exception:
        """Say what a driver's error means."""
        if isinstance(error, ImportError):
            return MissingExtra("the source `sqlserver`", "sqlserver")
        return explain(error, self.endpoint, self.what)

    def columns(self) -> list[Judged]:
        """Find what is read, and decide how each column is."""
        if self.stream.table is None:
            found = query_columns(self.ask, (self.stream.query or "").strip().rstrip(";"))
            refuse_twins([f.name for f in found], self.what)
            return chosen(found, self.stream, self.what, read_as)
        self.from_, number = find_relation(self.ask, self.stream.table)
        columns = chosen(table_columns(self.ask, number), self.stream, self.what, read_as)
        if self.ranged.ranges > 1:
            self.cut = cut_by(columns, self.ranged, primary_key(self.ask, number), WHOLE)
        return columns

    def portions(self, columns: Sequence[Judged], where: str, cursor: Cursor | None) -> Iterator[Portion]:
        """Give the rows that fulfil `where`: as one portion, or those of a whole table in ranges."""
        rows = partial(
            JudgedRows,
            patience=self.patience,
            explain=self.explain,
            columns=columns,
            source=self.from_,
            origin=self.reading.stream,
            telling=self.telling(columns, cursor),
            hidden=self.hidden,
        )
        parts = self._ranges() if where == EVERYTHING else []
        if not parts:
            yield rows(line=self.line, where=where).portion()
        for part in parts:
            label = f"{self.reading.stream} ({part.label})"
            yield rows(line=self.another(), where=part.where, label=label, own=True).portion()

    def _ranges(self) -> list[Range]:
        if self.cut is None:
            return []
        shown = column(self.cut.found.name)
        bounds = self.ask(f"select min({shown}) as low, max({shown}) as high from {self.from_} t")[0]
        return ranges(shown, self.cut, bounds, self.ranged.ranges)


def _endpoint(connection: Secret, what: str) -> Endpoint:
    try:
        endpoint = Endpoint.parse(connection, ("sqlserver", "mssql"))
        if not endpoint.database:
            raise ValueError("it names no database")
        if "," in endpoint.hosts:
            raise ValueError("it names several servers, of which one can be read")
        if unknown := [name for name in endpoint.options if name not in _OPTIONS]:
            raise ValueError(f"`{unknown[0]}` is no option; {', '.join(_OPTIONS)} are")
    except ValueError as error:
        said = f"{what}: `connection:` cannot be used: {error}"
        raise SourceError("LG-201", said, hint="sqlserver://user:password@host:1433/database") from None
    return endpoint


def _connected(endpoint: Endpoint, source: SQLServer) -> Any:
    import mssql_python

    login = max(1, int(source.connect_timeout.total_seconds()))
    idle = max(1, int(source.idle_timeout.total_seconds()))
    return mssql_python.connect(
        _words(endpoint),
        autocommit=True,  # the transaction is begun by hand, at the level that is asked for
        attrs_before={mssql_python.SQL_ATTR_LOGIN_TIMEOUT: login},
        timeout=idle,
    )


def _words(endpoint: Endpoint) -> str:
    """Write the connection string; values stand in braces, so that none can begin another keyword."""
    host, colon, port = endpoint.hosts.rpartition(":")
    host, port = (host, port) if colon and not endpoint.hosts.endswith("]") else (endpoint.hosts, str(_PORT))
    said = {
        "Server": f"{host.strip('[]') or 'localhost'},{port}",
        "Database": endpoint.database,
        "UID": endpoint.user or "",
        "PWD": endpoint.password or "",
        "Encrypt": "yes",
        **{_OPTIONS[name]: value for name, value in endpoint.options.items()},
    }
    return "".join(f"{name}={{{value.replace('}', '}}')}}};" for name, value in said.items())


Adapter = SQLServer
