"""Oracle: tables and queries through oracledb in its thin mode, exact, as of one moment, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import cached_property, partial
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
from lagoa.kit.oracle.catalog import find_relation, primary_key, query_columns, table_columns, tables_of
from lagoa.kit.oracle.columns import OracleSpeech, column, read_as
from lagoa.kit.oracle.failure import explain, silence
from lagoa.kit.oracle.line import Line
from lagoa.kit.patience import Patience
from lagoa.kit.text import quote
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
            schema, tables = tables_of(work.ask, whole.schema_)
            return streams_of(whole, tables, schema, quote)
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

    def __init__(self, source: Oracle, stream: RangedStream, reading: Reading) -> None:
        super().__init__(stream, reading, OracleSpeech())
        self.endpoint = _endpoint(source.connection, self.what)
        idle = source.idle_timeout.total_seconds()
        self.patience = Patience(reading.stopped, idle, lambda: silence(idle, self.endpoint, self.what))
        self.ranged = stream
        self.another = partial(Line, partial(_connected, self.endpoint, source), self.patience)
        self.line = self.another()
        self.cut: Judged | None = None

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
        if self.stream.table is None:
            found = query_columns(self.said(lambda: self.line.fields(f"select * from {self.from_} t where 1 = 0")))
            refuse_twins([f.name for f in found], self.what)
            return chosen(found, self.stream, self.what, read_as)
        owner, name, self.from_ = find_relation(self.ask, self.stream.table)
        columns = chosen(table_columns(self.ask, owner, name), self.stream, self.what, read_as)
        if self.ranged.ranges > 1:
            self.cut = cut_by(columns, self.ranged, primary_key(self.ask, owner, name), ("number",))
        return columns

    def portions(self, columns: Sequence[Judged], where: str, cursor: Cursor | None) -> Iterator[Portion]:
        """Give the rows that fulfil `where`: as one portion, or those of a whole table in ranges of one moment."""
        rows = partial(
            JudgedRows,
            patience=self.patience,
            explain=self.explain,
            columns=columns,
            origin=self.reading.stream,
            telling=self.telling(columns, cursor),
            hidden=self.hidden,
        )
        parts = self._ranges() if where == EVERYTHING else []
        if not parts:
            yield rows(line=self.line, source=self.from_, where=where).portion()
            return
        source = f"{self.from_} as of scn {self.moment}"
        for part in parts:
            label, line = f"{self.reading.stream} ({part.label})", self.another(moment=False)
            yield rows(line=line, source=source, where=part.where, label=label, own=True).portion()

    def _ranges(self) -> list[Range]:
        if self.cut is None:
            return []
        shown = column(self.cut.found.name)
        bounds = self.ask(f"select min({shown}) as low, max({shown}) as high from {self.from_} t")[0]
        return ranges(shown, self.cut, bounds, self.ranged.ranges)

    @cached_property
    def moment(self) -> int:
        """The moment that all ranges see, rows and keys alike.

        It is never before that of the cursor's highest value, so that no row below that value is missed.
        """
        try:
            return int(self.ask("select dbms_flashback.get_system_change_number as scn from dual")[0]["scn"])
        except SourceError as error:
            if error.retry:
                raise
            said = f"{self.what}: `ranges:` cannot ask for one moment: {error.message.removeprefix(self.what + ': ')}"
            hint = "grant the user EXECUTE on dbms_flashback, and FLASHBACK on the table, or leave `ranges:` out"
            raise SourceError("LG-202", said, hint=hint) from None


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
