"""The suite that every source passes: inherit `SourceContract`, give it a source, and it tests what a run relies on."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from itertools import islice, pairwise
from pathlib import Path
from threading import Event
from typing import Any, ClassVar

import pyarrow as pa
import pytest
from pydantic import BaseModel, ValidationError

from lagoa import registry
from lagoa.errors import LagoaError, SourceError, Stopped
from lagoa.kit.text import columns
from lagoa.ports import RAW, REASON, SOURCE, Batch, Engine, Json, Portion, Reading, Source
from lagoa.spec.names import is_name
from lagoa.spec.stream import Stream

STOP_SECONDS = 5.0
"""How soon a reading ends once its run is stopped."""


@dataclass
class Landed:
    """What one reading of a stream delivered: rows as dictionaries, the refused ones apart."""

    schema: pa.Schema | None = None
    rows: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    rejects: int = 0
    cursor: Json = None
    batches: int = 0
    largest: int = 0
    """Bytes of the largest Arrow batch; 0 when portions were SQL."""
    said: list[str] = field(default_factory=list)
    """What people get to read beside the rows: notes, and what portions are called."""


@dataclass
class Reader:
    """Reads streams the way a run does: each portion staged by the engine, its rows then read back."""

    source: Source
    project: Path
    engine: Engine
    scratch: Path

    def read(self, stream: str, since: Json = None, held: Landed | None = None, batches: int | None = None) -> Landed:
        """Read what is new since a cursor; of an append, the rows that the table (`held`) has are left out.

        After so many `batches` the reading is given up, as by a kill: what comes after them is lost.
        """
        landed = Landed(cursor=since)
        columns_now = held.schema if held else None
        reading = Reading(stream, since, self._folder(), self.project, f"bronze.test_{stream}", held=columns_now)
        coming = self.source.read(reading)
        for batch in islice(coming, batches):
            landed.batches += 1
            mine = self._staged(batch)
            if landed.schema is not None:
                assert batch.schema == landed.schema, f"{stream}: one stream, two schemas"
            landed.schema = batch.schema
            landed.said += mine.said
            known = [*(held.rows if held else ()), *landed.rows]
            landed.rows += self._unmet(batch, mine, known) if batch.overlap and known else mine.rows
            landed.refused += mine.refused
            landed.rejects += mine.rejects
            landed.largest = max(landed.largest, mine.largest)
            landed.said += batch.notes
            cursor = batch.cursor()
            if cursor is not None:
                assert json.loads(json.dumps(cursor)) == cursor, f"{stream}: the cursor does not survive JSON"
                landed.cursor = cursor
        _end(coming)
        return landed

    def _staged(self, batch: Batch) -> Landed:
        while True:
            mine = Landed(schema=batch.schema)
            for portion in batch.portions:
                mine.said.append(portion.label)
                self.stage(portion, batch, mine)
            if not batch.again():
                return mine

    def abandon(self, stream: str) -> None:
        """Begin to read, and give up with the first rows, before anything is published."""
        coming = self.source.read(Reading(stream, None, self._folder(), self.project, f"bronze.test_{stream}"))
        for batch in islice(coming, 1):
            for portion in islice(batch.portions, 1):
                if not isinstance(portion.rows, str):
                    next(iter(portion.rows), None)
                _close(portion)
        _end(coming)

    def stage(self, portion: Portion, batch: Batch, landed: Landed) -> None:
        """Stage one portion, let the source settle it, and take its rows."""
        schema = pa.schema([*batch.schema, pa.field(SOURCE, pa.string())])
        try:
            with self.engine.session() as session:
                rows: Any = _measured(portion.rows, landed) if not isinstance(portion.rows, str) else portion.rows
                files = session.stage(rows, self._folder(), schema)
                count = sum(f.rows for f in files)
                settled = portion.settle(count, session.rows)
        finally:
            portion.close()
        if isinstance(settled, Portion):
            self.stage(settled, batch, landed)
            return
        if settled.read is not None:
            assert count + len(settled.rejects) == settled.read, f"{portion.label}: rows are unaccounted for"
        landed.rejects += len(settled.rejects)
        for file in files:
            for row in self._table(file.path).to_pylist():
                (landed.refused if row.get(REASON) is not None else landed.rows).append(row)

    def _table(self, path: Path) -> pa.Table:
        with self.engine.session() as session:
            return session.arrow(f"select * from read_parquet('{path}')").read_all()

    def _unmet(self, batch: Batch, new: Landed, held: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Leave out, as a multiset, the rows that the table holds inside the overlap."""
        fields = [*batch.schema, pa.field(SOURCE, pa.string())]
        with self.engine.session() as session:
            session.bind("held", pa.Table.from_pylist(held, pa.schema(fields)))
            shown = columns(batch.schema.names)
            overlap = session.arrow(f"select {shown} from held where {batch.overlap}").read_all().to_pylist()
        have = Counter(_same(row, batch.schema) for row in overlap)
        fresh = []
        for row in new.rows:
            same = _same(row, batch.schema)
            if have[same]:
                have[same] -= 1
            else:
                fresh.append(row)
        return fresh

    def _folder(self) -> Path:
        folder = self.scratch / f"reading-{time.monotonic_ns()}"
        folder.mkdir(parents=True)
        return folder


def _measured(rows: pa.RecordBatchReader, landed: Landed) -> pa.RecordBatchReader:
    def batches() -> Iterator[pa.RecordBatch]:
        for batch in rows:
            landed.largest = max(landed.largest, batch.nbytes)
            yield batch

    return pa.RecordBatchReader.from_batches(rows.schema, batches())


def _same(row: dict[str, Any], schema: pa.Schema) -> str:
    return repr([row.get(name) for name in schema.names])


def multiset(landed: Landed) -> Counter[str]:
    """Count equal rows, Lagoa's own columns left out."""
    assert landed.schema is not None
    return Counter(_same(row, landed.schema) for row in landed.rows)


class SourceContract:
    """What a run relies on. Give the fixture `source`; `project`, `grow` and `broken` when they apply."""

    secrets: ClassVar[tuple[str, ...]] = ()
    """Texts that the source's configuration hides and that no output may show."""
    page: ClassVar[Path | None] = None
    """The adapter's page of documentation."""
    in_batches: ClassVar[tuple[str, ...]] = ()
    """Streams of `source` that come in several batches, where the source can: a kill between them is tried."""
    batch_bytes: ClassVar[int] = 64 << 20
    """The size that no Arrow batch exceeds, however long the stream is: reading takes bounded memory."""

    @pytest.fixture
    def source(self) -> Source:
        """Return the source to test, with at least one stream that has rows."""
        raise NotImplementedError("the fixture `source` returns the source to test")

    @pytest.fixture
    def project(self, tmp_path: Path) -> Path:
        """Return the project's folder, for relative paths."""
        return tmp_path

    @pytest.fixture
    def grow(self) -> Callable[[str], None] | None:
        """Return what adds rows to a stream, some of them like rows that are there; None: its streams cannot grow."""
        return None

    @pytest.fixture
    def broken(self) -> list[Source]:
        """Return sources that cannot be reached, each in its own way."""
        return []

    @pytest.fixture
    def reader(self, source: Source, project: Path, tmp_path: Path) -> Iterator[Reader]:
        """Read the source with the default engine."""
        engine = registry.adapter("engines", "duckdb")(2, "500MB", tmp_path / "engine")
        try:
            yield Reader(source, project, engine, tmp_path / "scratch")
        finally:
            engine.close()

    def test_streams_have_names_that_tables_can_have(self, source: Source) -> None:
        """A stream's name becomes part of a table's."""
        assert source.streams
        assert [name for name in source.streams if not is_name(name)] == []

    def test_every_field_is_described(self, source: Source) -> None:
        """Fields are the reference page and the editor's help."""
        kinds: list[type[BaseModel]] = [type(source), *{type(s) for s in source.streams.values()}]
        bare = [
            f"{kind.__name__}.{name}" for kind in kinds for name in kind.model_fields if name not in _described(kind)
        ]
        assert bare == []
        assert all(kind.__doc__ for kind in kinds)

    def test_the_adapter_has_a_page(self, source: Source) -> None:
        """The page names every key of the adapter."""
        if self.page is None:
            return
        text = self.page.read_text(encoding="utf-8")
        stream = next(iter(source.streams.values()))
        own = {f.alias or n for k in (type(source), type(stream)) for n, f in k.model_fields.items()}
        assert [name for name in sorted(own) if f"`{name}`" not in text and f"{name}:" not in text] == []

    def test_the_page_states_the_guarantee(self, source: Source) -> None:
        """Whoever reads on must know whether rows may come twice."""
        if self.page is not None:
            assert f"**{source.guarantee.capitalize()}**" in self.page.read_text(encoding="utf-8")

    def test_an_unknown_option_is_refused(self, source: Source) -> None:
        """A misspelt key must not be ignored, be it the source's or a stream's."""
        for declared in (source, *source.streams.values()):
            given = {name: getattr(declared, name) for name in type(declared).model_fields}
            type(declared).model_validate(given)
            with pytest.raises(ValidationError, match="no_such_option"):
                type(declared).model_validate({**given, "no_such_option": 1})

    def test_reading_twice_gives_equal_rows(self, source: Source, reader: Reader) -> None:
        """Nothing depends on the moment or the order of reading."""
        for stream in source.streams:
            first, second = reader.read(stream), reader.read(stream)
            assert first.rows, f"{stream} has no rows"
            assert first.schema == second.schema
            assert multiset(first) == multiset(second)
            assert first.cursor == second.cursor

    def test_every_row_says_where_it_comes_from(self, source: Source, reader: Reader) -> None:
        """`_source` is text and never null, also of refused rows, which say why and how they were."""
        for stream in source.streams:
            landed = reader.read(stream)
            assert all(isinstance(row[SOURCE], str) and row[SOURCE] for row in landed.rows + landed.refused)
            assert all(row[REASON] and row[RAW] for row in landed.refused)

    def test_columns_are_unique_and_dropped_ones_never_arrive(self, source: Source, reader: Reader) -> None:
        """Names differ in more than case; a dropped value does not leave the source."""
        for name, stream in source.streams.items():
            landed = reader.read(name)
            assert landed.schema is not None
            assert len({n.casefold() for n in landed.schema.names}) == len(landed.schema.names)
            assert not stream.dropped & {*landed.schema.names, *(landed.rows[0] if landed.rows else ())}

    def test_no_batch_is_larger_than_the_bound(self, source: Source, reader: Reader) -> None:
        """Memory is bounded by the size of a batch, not by that of the stream."""
        for stream in source.streams:
            assert reader.read(stream).largest <= self.batch_bytes

    def test_reading_on_loses_no_row_and_repeats_none(
        self, source: Source, reader: Reader, grow: Callable[[str], None] | None
    ) -> None:
        """What was read, and then what is new, is what one reading of everything gives."""
        for name, stream in source.streams.items():
            if stream.mode == "replace" or grow is None:
                continue
            before = reader.read(name)
            grow(name)
            news = reader.read(name, before.cursor, before)
            whole = reader.read(name)
            assert len(whole.rows) > len(before.rows), f"`grow` added nothing to {name}"
            assert news.schema in (None, before.schema), f"{name}: one stream, two schemas"
            joined = _joined(stream, before, news, whole)
            assert multiset(joined) == multiset(whole)
            again = reader.read(name, news.cursor, joined)
            assert again.cursor == news.cursor
            if stream.mode == "append":
                assert again.rows == []

    def test_a_reading_that_is_killed_after_any_batch_is_taken_up(self, source: Source, reader: Reader) -> None:
        """What was published before the kill, and what a later reading adds, is what an undisturbed one gives.

        Where the source says `at least once`, an append may have rows twice, and lacks none.
        """
        for name, stream in source.streams.items():
            reader.abandon(name)
            whole = reader.read(name)
            assert whole.batches > 1 or name not in self.in_batches, f"{name} comes in one batch"
            for killed in range(whole.batches if stream.mode != "replace" else 1):
                before = reader.read(name, batches=killed)
                after = reader.read(name, before.cursor, before)
                found, meant = multiset(_joined(stream, before, after, whole)), multiset(whole)
                if source.guarantee == "at least once" and stream.mode == "append":
                    assert found.keys() == meant.keys()
                    assert found >= meant
                else:
                    assert found == meant, f"{name}: killed after {killed} batches"

    def test_reading_stops_soon_after_the_run_is_stopped(self, source: Source, project: Path, tmp_path: Path) -> None:
        """It ends, or raises Stopped; portions close either way."""
        stopped = Event()
        stream = next(iter(source.streams))
        reading = Reading(stream, None, tmp_path, project, f"bronze.test_{stream}", stopped=stopped)
        portions: list[Portion] = []
        began = time.monotonic()
        try:
            for batch in source.read(reading):
                for portion in batch.portions:
                    portions.append(portion)
                    stopped.set()
                    began = time.monotonic()
                    if not isinstance(portion.rows, str):
                        portion.rows.read_all()
        except (Stopped, pa.ArrowException):
            pass
        for portion in portions:
            _close(portion)
        assert time.monotonic() - began < STOP_SECONDS

    def test_no_secret_is_shown(self, source: Source) -> None:
        """Not by repr, str, JSON or the fields of the configuration."""
        shown = [repr(source), str(source), source.model_dump_json(), repr(source.model_dump())]
        assert [s for s in self.secrets for text in shown if s in text] == []

    def test_nothing_that_is_read_shows_a_secret(self, source: Source, reader: Reader) -> None:
        """Not the rows, the reasons of refused ones, the cursors, the notes or what portions are called."""
        for name in source.streams:
            landed = reader.read(name)
            shown = [*landed.said, json.dumps(landed.cursor), *(repr(row) for row in landed.rows + landed.refused)]
            assert [s for s in self.secrets for text in shown if s in text] == []

    def test_errors_are_plain_and_show_no_secret(self, broken: list[Source], project: Path, tmp_path: Path) -> None:
        """Whatever goes wrong on the way is a SourceError with a hint, and says nothing that is secret."""
        for source in broken:
            for stream in source.streams:
                reading = Reading(stream, None, tmp_path, project, f"bronze.test_{stream}")
                for attempt in (
                    lambda r=reading, s=source: list(s.read(r)),
                    lambda n=stream, s=source: s.check(n, project),
                ):
                    with pytest.raises(SourceError) as caught:
                        attempt()
                    text = f"{caught.value}{caught.value!r}{caught.value.hint}"
                    assert caught.value.hint
                    assert [s for s in self.secrets if s in text] == []


def _described(kind: type[BaseModel]) -> set[str]:
    """Name the fields that have a text below them, in the class or in one that it inherits from."""
    found: set[str] = set()
    for parent in kind.__mro__[: kind.__mro__.index(BaseModel)]:
        body = ast.parse(textwrap.dedent(inspect.getsource(parent))).body[0]
        assert isinstance(body, ast.ClassDef)
        for this, below in pairwise(body.body):
            if isinstance(this, ast.AnnAssign) and isinstance(this.target, ast.Name) and isinstance(below, ast.Expr):
                found.add(this.target.id)
    return found


def _joined(stream: Stream, before: Landed, after: Landed, whole: Landed) -> Landed:
    """Put two readings together as a table does: a merge keeps the last row of each key."""
    rows = before.rows + after.rows
    if stream.mode == "merge":
        rows = list({repr([row[name] for name in stream.key]): row for row in rows}.values())
    return Landed(whole.schema, rows)


def _end(coming: Iterator[Batch]) -> None:
    """Give a reading up, as a run does that ends."""
    if isinstance(coming, Generator):
        coming.close()


def _close(portion: Portion) -> None:
    try:
        portion.close()
    except LagoaError as error:
        assert isinstance(error, Stopped | SourceError)
