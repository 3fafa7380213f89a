"""SQLite: tables and queries of a file, exact though its types are those of single values, as of one moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from lagoa.errors import SourceError
from lagoa.kit.database.choice import chosen
from lagoa.kit.database.cursor import Cursor
from lagoa.kit.database.judged import Judged, JudgedRows
from lagoa.kit.database.reading import DatabaseReading
from lagoa.kit.database.stream import DatabaseStream
from lagoa.kit.database.whole import WholeSchema, streams_of
from lagoa.kit.patience import Patience
from lagoa.kit.sqlite.catalog import find_relation, numbered_times, query_columns, tables_of
from lagoa.kit.sqlite.columns import LiteSpeech, read_as
from lagoa.kit.sqlite.failure import explain, silence
from lagoa.kit.sqlite.line import Line
from lagoa.kit.text import quote
from lagoa.ports import Batch, Portion, Reading, Source
from lagoa.spec.duration import Duration


class SQLite(Source):
    """An SQLite database: a file, read without writing to it."""

    path: str
    """The file, from the project's folder on."""
    busy_timeout: Duration = timedelta(seconds=10)
    """How long to wait for a writer that holds the file."""
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
        """List the tables of the file as streams. Raises SourceError."""
        nothing = Reading("*", None, project, project, "the tables of `*`")
        work = _Work(self, DatabaseStream(table="*"), nothing)
        try:
            tables = tables_of(work.ask)
            times = {f'"main".{quote(t.name)}': numbered_times(work.ask, t.name) for t in tables}
            streams = streams_of(whole, tables, "main", quote)
            for stream in streams.values():
                if typed := times[stream["table"]]:
                    stream["columns"] = {name: {"type": kind} for name, kind in typed.items()}
            return streams
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

    def __init__(self, source: SQLite, stream: DatabaseStream, reading: Reading) -> None:
        super().__init__(stream, reading, LiteSpeech())
        self.path = source.path
        file = reading.project / source.path
        if not file.is_file():
            raise SourceError(
                "LG-203", f"{self.what}: there is no file {source.path}", hint="`path:` begins at the project's folder"
            )
        idle = source.idle_timeout.total_seconds()
        self.patience = Patience(reading.stopped, idle, lambda: silence(idle, self.path, self.what))
        self.line = Line(file, source.busy_timeout.total_seconds(), self.patience)
        self.place: str | None = None

    def ask(self, sql: str) -> list[dict[str, Any]]:
        """Run a small query as of the moment of this reading. Raises SourceError."""
        rows: list[dict[str, Any]] = self.said(lambda: self.line.ask(sql))
        return rows

    def explain(self, error: Exception) -> Exception:
        """Say what a driver's error means."""
        return explain(error, self.path, self.what)

    def columns(self) -> list[Judged]:
        """Find what is read, and decide how each column is."""
        if self.stream.table is not None:
            relation = find_relation(self.ask, self.stream.table)
            self.from_, self.place, found = relation.sql, relation.place, relation.columns
        else:
            query = (self.stream.query or "").strip().rstrip(";")
            self.from_ = self.said(lambda: self.line.view(query))
            found = query_columns(self.ask)
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
            place=self.place,
        ).portion()


Adapter = SQLite
