"""DuckDB: tables and queries of a file, by a DuckDB of its own that reads this file and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from lagoa.errors import SourceError
from lagoa.kit.database.choice import chosen
from lagoa.kit.database.cursor import Cursor
from lagoa.kit.database.judged import Found, Judged, JudgedRows
from lagoa.kit.database.reading import DatabaseReading
from lagoa.kit.database.stream import DatabaseStream
from lagoa.kit.database.whole import WholeSchema, streams_of
from lagoa.kit.duckdb_file.catalog import find_relation, tables_of
from lagoa.kit.duckdb_file.columns import DuckSpeech, read_as
from lagoa.kit.duckdb_file.failure import explain, silence
from lagoa.kit.duckdb_file.line import Line
from lagoa.kit.patience import Patience
from lagoa.kit.text import quote
from lagoa.ports import Batch, Portion, Reading, Source
from lagoa.spec.duration import Duration


class DuckDBFile(Source):
    """A DuckDB database: a file, read without writing to it."""

    path: str
    """The file, from the project's folder on."""
    idle_timeout: Duration = timedelta(minutes=5)
    """How long no row may come before the reading is given up."""
    streams: Mapping[str, DatabaseStream] = Field(default_factory=dict)
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
        nothing = Reading("*", None, project, project, "the tables of `*`")
        work = _Work(self, DatabaseStream(table="*"), nothing)
        try:
            schema = whole.schema_ or "main"
            return streams_of(whole, tables_of(work.ask, schema), schema, quote)
        finally:
            work.line.close()

    def schemas(self, project: Path) -> list[str]:
        """Name the schemas that hold tables. Raises SourceError."""
        work = _Work(self, DatabaseStream(table="*"), Reading("*", None, project, project, "the schemas"))
        try:
            known = "select distinct schema_name as s from duckdb_tables() where database_name = 'file' order by 1"
            return [row["s"] for row in work.ask(known)]
        finally:
            work.line.close()

    def check(self, stream: str, project: Path) -> None:
        """Open the file and look the stream's columns up. Raises SourceError."""
        work = _Work(self, self.streams[stream], Reading(stream, None, project, project, stream))
        try:
            work.columns()
        finally:
            work.line.close()


class _Work(DatabaseReading[Judged]):
    """One reading of one stream: its connection, its moment, its columns."""

    def __init__(self, source: DuckDBFile, stream: DatabaseStream, reading: Reading) -> None:
        super().__init__(stream, reading, DuckSpeech())
        self.path, self.file = source.path, reading.project / source.path
        if not self.file.is_file():
            raise SourceError(
                "LG-203", f"{self.what}: there is no file {source.path}", hint="`path:` begins at the project's folder"
            )
        idle = source.idle_timeout.total_seconds()
        self.patience = Patience(reading.stopped, idle, lambda: silence(idle, self.path, self.what))
        self.line = Line(self.file, reading.folder, reading.threads, self.patience)
        self.numbered = False

    def ask(self, sql: str) -> list[dict[str, Any]]:
        """Run a small query as of the moment of this reading. Raises SourceError."""
        rows: list[dict[str, Any]] = self.said(lambda: self.line.ask(sql))
        return rows

    def explain(self, error: Exception) -> Exception:
        """Say what DuckDB's error means."""
        return explain(error, self.file, self.path, self.what)

    def columns(self) -> list[Judged]:
        """Find what is read, and decide how each column is."""
        if self.stream.table is not None:
            self.from_, self.numbered = find_relation(self.ask, self.stream.table)
            query = f"select * from {self.from_}"
        else:
            query = (self.stream.query or "").strip().rstrip(";")
        fields = self.said(lambda: self.line.fields(query))
        kinds = dict(fields)
        found = [Found(name, str(kind)) for name, kind in fields]
        return chosen(found, self.stream, self.what, lambda f, name, said: read_as(f, name, said, kinds[f.name]))

    def portions(self, columns: Sequence[Judged], where: str, cursor: Cursor | None) -> Iterator[Portion]:
        """Give the rows that fulfil `where`, all as one portion."""
        telling = self.telling(columns, cursor)
        yield JudgedRows(
            line=self.line,
            patience=self.patience,
            explain=self.explain,
            columns=columns,
            source=self.from_,
            where=where,
            origin=self.reading.stream,
            telling=telling,
            hidden=self.hidden,
            place="cast(t.rowid as varchar)" if self.numbered and not telling else None,
        ).portion()


Adapter = DuckDBFile
