"""Oracle: tables and queries through oracledb in its thin mode, exact, as of one moment, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from lagoa.errors import MissingExtra, SourceError
from lagoa.kit.database.choice import chosen, refuse_twins
from lagoa.kit.database.cursor import Cursor
from lagoa.kit.database.judged import Judged, JudgedRows
from lagoa.kit.database.reading import DatabaseReading
from lagoa.kit.database.stream import DatabaseStream
from lagoa.kit.endpoint import Endpoint
from lagoa.kit.oracle.catalog import find_relation, query_columns, table_columns
from lagoa.kit.oracle.columns import OracleSpeech, read_as
from lagoa.kit.oracle.failure import explain, silence
from lagoa.kit.oracle.line import Line
from lagoa.kit.patience import Patience
from lagoa.ports import Batch, Portion, Reading, Source
from lagoa.spec.duration import Duration
from lagoa.spec.secret import Secret

_PORT = 1521


class Oracle(Source):
    """An Oracle database, 12.2 or later. Not yet verified against a server."""

    connection: Secret
    """Where it is: oracle://user:password@host:1521/service, best given as ${secret:name}."""
    connect_timeout: Duration = timedelta(seconds=10)
    """How long to wait for a connection."""
    idle_timeout: Duration = timedelta(minutes=5)
    """How long the server may send nothing before the reading is given up."""
    streams: Mapping[str, DatabaseStream] = Field(default_factory=dict)
    """What is read from it, by name; each lands in bronze.<source>_<stream>."""
    lists_keys: ClassVar[bool] = True

    def read(self, reading: Reading) -> Iterator[Batch]:
        """Read a stream as of one moment; see ports.Source."""
        work = _Work(self, self.streams[reading.stream], reading)
        try:
            yield from work.batches()
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

    def __init__(self, source: Oracle, stream: DatabaseStream, reading: Reading) -> None:
        super().__init__(stream, reading, OracleSpeech())
        self.endpoint = _endpoint(source.connection, self.what)
        idle = source.idle_timeout.total_seconds()
        self.patience = Patience(reading.stopped, idle, lambda: silence(idle, self.endpoint, self.what))
        self.line = Line(partial(_connected, self.endpoint, source), self.patience)

    def ask(self, sql: str) -> list[dict[str, Any]]:
        """Run a small query as of the moment of this reading. Raises SourceError."""
        rows: list[dict[str, Any]] = self.said(lambda: self.line.ask(sql))
        return rows

    def explain(self, error: Exception) -> Exception:
        """Say what a driver's error means."""
        if isinstance(error, ImportError):
            return MissingExtra("the source `oracle`", "oracle")
        return explain(error, self.endpoint, self.what)

    def columns(self) -> list[Judged]:
        """Find what is read, and decide how each column is."""
        if self.stream.table is not None:
            owner, name, self.from_ = find_relation(self.ask, self.stream.table)
            found = table_columns(self.ask, owner, name)
        else:
            found = query_columns(self.said(lambda: self.line.fields(f"select * from {self.from_} t where 1 = 0")))
            refuse_twins([f.name for f in found], self.what)
        return chosen(found, self.stream, self.what, read_as)

    def portions(self, columns: Sequence[Judged], where: str, cursor: Cursor | None) -> Iterator[Portion]:
        """Give the rows that fulfil `where`, all as one portion."""
        yield JudgedRows(
            line=self.line,
            patience=self.patience,
            explain=self.explain,
            columns=columns,
            source=self.from_,
            where=where,
            origin=self.reading.stream,
            telling=self.telling(columns, cursor),
            hidden=self.hidden,
        ).portion()


def _endpoint(connection: Secret, what: str) -> Endpoint:
    try:
        endpoint = Endpoint.parse(connection, ("oracle",))
        if not endpoint.database:
            raise ValueError("it names no service")
        if "," in endpoint.hosts:
            raise ValueError("it names several servers, of which one can be read")
        if endpoint.options.get("protocol", "tcp") not in ("tcp", "tcps") or set(endpoint.options) - {"protocol"}:
            raise ValueError("the one option is `protocol=tcps`")
    except ValueError as error:
        said = f"{what}: `connection:` cannot be used: {error}"
        raise SourceError("LG-201", said, hint="oracle://user:password@host:1521/service") from None
    return endpoint


def _connected(endpoint: Endpoint, source: Oracle) -> Any:
    import oracledb

    host, colon, port = endpoint.hosts.rpartition(":")
    host, port = (host, port) if colon and not endpoint.hosts.endswith("]") else (endpoint.hosts, str(_PORT))
    connection = oracledb.connect(
        user=endpoint.user,
        password=endpoint.password,
        host=host.strip("[]") or "localhost",
        port=int(port),
        service_name=endpoint.database,
        protocol=endpoint.options.get("protocol", "tcp"),
        tcp_connect_timeout=source.connect_timeout.total_seconds(),
        retry_count=0,
    )
    connection.call_timeout = max(1, int(source.idle_timeout.total_seconds())) * 1000
    return connection


Adapter = Oracle
