"""A generator of the project's own: functions in `sources/x.py` yield rows, with the guarantees of every source."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import Field, model_validator

from lagoa.errors import LagoaError, Place, SourceError, Stopped
from lagoa.kit import user_code
from lagoa.kit.bundle import Noted
from lagoa.kit.landing import Found
from lagoa.kit.parquet_files import ParquetFiles
from lagoa.kit.shape import Shape
from lagoa.kit.text import literal, quote
from lagoa.kit.types import from_duckdb, sql_type
from lagoa.ports import Batch, Json, Reading, Source
from lagoa.spec.secret import Secret
from lagoa.spec.stream import Stream

T = TypeVar("T")
_ROWS = "yield a dict, a list of dicts, an Arrow table or batch, or a data frame"


class PythonStream(Stream):
    """A function of the file; it is called as the stream is."""

    each: bool = False
    """Publish each chunk that the function yields as it comes, so that a run that was killed goes on after the last.
    The chunks must come in the order of the cursor."""

    @model_validator(mode="after")
    def _can_be_followed(self) -> Self:
        if self.each and (self.mode == "replace" or self.cursor is None):
            raise ValueError("`each:` needs `cursor:` and mode: append or merge")
        if self.mode == "replace" and self.cursor is not None:
            raise ValueError("mode: replace reads everything and takes no `cursor:`")
        return self


class Python(Source):
    """A Python file of the project, `sources/x.py`; these keys stand in its docstring, below a line `---`."""

    type: str = "python"
    """Which source this is; a file that ends in .py is of this type without saying so."""
    file: str = ""
    """The file; filled in."""
    settings: dict[str, str | int | float | bool | Secret | None] = Field(default_factory=dict)
    """What the functions need to know, secrets among it; given to those that take `settings`."""
    streams: Mapping[str, PythonStream] = Field(default_factory=dict)
    """What is read, by the name of the function that yields it; each lands in bronze.<source>_<stream>."""

    def read(self, reading: Reading) -> Iterator[Batch]:
        """Call the stream's function and gather what it yields; see ports.Source."""
        work = _Work(self, self.streams[reading.stream], reading)
        yield from work.each() if work.stream.each else work.whole()

    def check(self, stream: str, project: Path) -> None:
        """Import the file and find the function; nothing is called. Raises SourceError."""
        _Work(self, self.streams[stream], Reading(stream, None, project, project, stream)).function()


class _Work:
    """One call of one function."""

    def __init__(self, source: Python, stream: PythonStream, reading: Reading) -> None:
        self.source, self.stream, self.reading = source, stream, reading
        self.cursor: Json = None
        self._chunks = 0

    def whole(self) -> Iterator[Batch]:
        """Give everything that the function yields as one batch, none when it yields nothing."""
        chunks = [self._kept(rows) for rows in self._rows()]
        if chunks:
            yield self._batch(chunks)

    def each(self) -> Iterator[Batch]:
        """Give a batch for each chunk."""
        for rows in self._rows():
            yield self._batch([self._kept(rows)])

    # ------------------------------------------------------------ the user's code
    def _rows(self) -> Iterator[pa.Table]:
        function = self.function()
        told: dict[str, Any] = {"since": self._since(), "settings": self._settings()}
        takes = inspect.signature(function).parameters
        made = self._guarded(lambda: function(**{k: v for k, v in told.items() if k in takes}))
        yielded = made if isinstance(made, Iterator) else iter([made] if made is not None else [])
        while True:
            if self.reading.stopped.is_set():
                raise Stopped("LG-503", "the run was stopped")
            try:
                item = self._guarded(lambda: next(yielded))
            except StopIteration as end:
                if self.stream.cursor is None and end.value is not None:
                    self.cursor = end.value
                return
            table = self._guarded(partial(_table, item))
            if table.num_rows or table.schema.names:
                yield table

    def function(self) -> Callable[..., Any]:
        """Import the file as it is now and return the stream's function. Raises SourceError."""
        return self._guarded(self._loaded)

    def _loaded(self) -> Callable[..., Any]:
        path = self.reading.project / self.source.file
        module = user_code.load(path, self.reading.project, f"lagoa_source_{path.stem}")
        if module is None:
            raise SourceError("LG-202", f"{self.source.file} cannot be imported", place=Place(self.source.file))
        found: Callable[..., Any] = getattr(module, self.reading.stream)
        return found

    def _guarded(self, call: Callable[[], T]) -> T:
        """Call the user's code; whatever it raises, an exit included, is the user's to see."""
        try:
            return call()
        except (LagoaError, StopIteration):
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001  # the user's code may raise anything
            line, said = user_code.line_and_words(self.source.file, error)
            for value in self.source.settings.values():
                if isinstance(value, Secret) and value.reveal():
                    said = said.replace(value.reveal(), "***")
            what = f"{self.reading.table}: {self.source.file} raised {said}"
            hint = "mend the file and run again; nothing of this chunk was published"
            raise SourceError("LG-202", what, place=Place(self.source.file, line), hint=hint) from None

    def _settings(self) -> dict[str, Any]:
        said = self.source.settings
        return {name: value.reveal() if isinstance(value, Secret) else value for name, value in said.items()}

    def _since(self) -> Any:
        held = self.reading.since
        if held is None or self.stream.cursor is None:
            return held
        return _read_value(held["type"], held["value"])

    # ------------------------------------------------------------ its rows
    def _kept(self, table: pa.Table) -> Found:
        """Take a chunk to disk: memory holds one at a time."""
        self._chunks += 1
        table = table.drop_columns([n for n in table.schema.names if n in self.stream.dropped])
        if self.stream.cursor is not None and table.num_rows:
            self._advance(table)
        name = f"{self.reading.stream}-{self._chunks}"
        path = self.reading.folder / f"{name}.parquet"
        pq.write_table(table, path, compression="zstd")
        return Found(path, name, path.stat().st_size)

    def _advance(self, table: pa.Table) -> None:
        """Move the cursor to the highest value of the chunk."""
        name = str(self.stream.cursor)
        if name not in table.schema.names:
            said = f"{self.reading.table} yields no column `{name}`, which is its cursor"
            raise SourceError("LG-207", said, place=Place(self.source.file))
        column = table.column(name)
        if column.null_count and self.stream.mode == "append":
            said = f"{column.null_count} rows of {self.reading.table} have no `{name}`, so an append would skip them"
            raise SourceError("LG-207", said, hint="give them a value, or use `mode: merge`")
        top = pc.max(column).as_py()
        if top is None:
            return
        now, before = _written(top, name, self.reading.table), self.cursor or self.reading.since
        if before is not None and (before["column"], before["type"]) != (name, now["type"]):
            said = f"{self.reading.table} was read up to `{before['column']}` ({before['type']}) = {before['value']}, "
            said += f"and the cursor is now `{name}` ({now['type']})"
            raise SourceError("LG-207", said, hint="`lagoa run --reset-cursor` reads the stream from its beginning")
        if before is None or _read_value(before["type"], before["value"]) < top:
            self.cursor = now

    def _batch(self, chunks: list[Found]) -> Batch:
        duck = _Duck(self.reading.threads)
        noted = Noted()
        format = ParquetFiles(self.reading.folder, noted, duck.rows, duck.columns)
        kinds = format.schema(chunks)
        fields = [pa.field(name, kind) for name, kind in kinds.items() if name not in self.stream.dropped]
        private = frozenset(name for name, column in self.stream.columns.items() if column.pii)
        shape = Shape(pa.schema(fields), {}, private, self.stream.dropped, ())
        cursor = self.cursor
        return Batch(
            format.portions(chunks, shape),
            shape.schema,
            cursor=lambda: cursor,
            overlap=self._overlap(shape.schema),
            notes=noted.notes,
            apart=self.stream.each,
        )

    def _overlap(self, schema: pa.Schema) -> str | None:
        held, name = self.reading.since, self.stream.cursor
        if self.stream.mode != "append" or held is None or name is None:
            return None
        return f"{quote(name)} >= {literal(held['value'])}::{sql_type(schema.field(name).type)}"


class _Duck:
    """A private DuckDB that answers questions about files."""

    def __init__(self, threads: int) -> None:
        import duckdb

        self._connection = duckdb.connect(config={"threads": threads})

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql).fetchall()

    def columns(self, sql: str) -> dict[str, tuple[str, Any]]:
        found = self._connection.sql(sql)
        return {name: (str(t), from_duckdb(t)) for name, t in zip(found.columns, found.types, strict=True)}


def _table(item: Any) -> pa.Table:
    """Make a table of what was yielded. Raises TypeError for what holds no rows."""
    if isinstance(item, dict):
        item = [item]
    if isinstance(item, list | tuple) and all(isinstance(row, dict) for row in item):
        names = list(dict.fromkeys(name for row in item for name in row))
        return pa.table({name: _column(name, [row.get(name) for row in item]) for name in names})
    if isinstance(item, pa.Table):
        return item
    if isinstance(item, pa.RecordBatch):
        return pa.Table.from_batches([item])
    if hasattr(item, "__arrow_c_stream__"):
        return pa.RecordBatchReader.from_stream(item).read_all()
    if type(item).__module__.startswith("pandas."):
        return pa.Table.from_pandas(item, preserve_index=False)
    raise TypeError(f"{type(item).__name__} holds no rows; {_ROWS}")


def _column(name: Any, values: list[Any]) -> pa.Array:
    if not isinstance(name, str):
        raise TypeError(f"a row has the key {name!r}, which is no text")
    try:
        return pa.array(values)
    except (pa.ArrowException, OverflowError) as error:
        raise ValueError(f"no type holds all values of `{name}` exactly: {error}") from error


_VALUES: Mapping[str, Callable[[str], Any]] = {
    "int": int,
    "float": float,
    "decimal": Decimal,
    "timestamp": datetime.fromisoformat,
    "date": date.fromisoformat,
    "text": str,
}
_TYPES = ((bool, None), (int, "int"), (float, "float"), (Decimal, "decimal"), (datetime, "timestamp"), (date, "date"))


def _read_value(kind: str, text: str) -> Any:
    return _VALUES[kind](text)


def _written(value: Any, column: str, table: str) -> dict[str, str]:
    kind = next((name for python, name in _TYPES if isinstance(value, python)), "text")
    if kind is None or (kind == "text" and not isinstance(value, str)) or value != value:
        said = f"column `{column}` of {table} holds {value!r}, which is no cursor"
        raise SourceError("LG-207", said, hint="choose a column that only grows (an id, a time of change)")
    text = value.isoformat() if isinstance(value, date) else str(value)
    return {"column": column, "type": kind, "value": text}


Adapter = Python
