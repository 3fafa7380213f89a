"""DuckDB: the default engine, in memory, over the lake's Parquet files; no database file, no extension."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar

import duckdb
import pyarrow as pa

from lagoa.errors import LagoaError, LakeError, StepError
from lagoa.kit.refusal import translate
from lagoa.kit.scan import FILE, Shape, Shapes, scan
from lagoa.kit.staged import Column, projection, staged_files, written_columns
from lagoa.kit.text import columns, literal, quote
from lagoa.kit.types import from_duckdb
from lagoa.ports import FileSet, StagedFile

_SHARE = 0.6
_FILE_SIZE = "128MB"
_GROUP = 122_880
"""Rows of a row group, DuckDB's own number."""
_FLUSH = 40_960
"""Rows of a partition held back before they are written: DuckDB's own 524,288 takes four times the memory."""


class DuckDB:
    """One in-memory DuckDB for a whole run; its sessions share threads, memory and the spill folder."""

    name: ClassVar[str] = "duckdb"

    def __init__(self, threads: int | None, memory: str | None, folder: Path) -> None:
        self.threads = threads or os.cpu_count() or 1
        folder.mkdir(parents=True, exist_ok=True)
        self._root = duckdb.connect(
            ":memory:",
            config={
                "threads": self.threads,
                "memory_limit": f"{_bytes(memory)}B",
                "temp_directory": str(folder / "spill"),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "allow_community_extensions": False,
                "allow_persistent_secrets": False,
                "python_enable_replacements": False,
                "partitioned_write_flush_threshold": _FLUSH,
            },
        )
        self._root.execute("set global TimeZone = 'UTC'")
        self._numbers = count(1)
        self._lock = Lock()
        self._shapes = Shapes()

    @contextmanager
    def session(self) -> Iterator[DuckDBSession]:
        """Open a session; closing it forgets all its names."""
        with self._lock:
            cursor, place = self._root.cursor(), f"s{next(self._numbers)}"
        cursor.execute(f"attach ':memory:' as {place}; use {place}; set errors_as_json = true")
        try:
            yield DuckDBSession(cursor, self._shapes)
        finally:
            with suppress(duckdb.Error):
                cursor.execute("use memory")
                cursor.execute(f"detach {place}")
            cursor.close()

    def close(self) -> None:
        """Free everything."""
        self._root.close()


Adapter = DuckDB


class DuckDBSession:
    """A cursor with a catalog of its own. Read an `arrow()` reader to its end before the next call."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, shapes: Shapes) -> None:
        self._con, self._shapes = cursor, shapes
        self._files: dict[str, FileSet] = {}
        self._numbers = count(1)

    def bind(self, name: str, rows: FileSet | pa.Table | pa.RecordBatchReader | str) -> None:
        """Give rows (or SQL, as a view) a name: `x`, or `silver.orders`, in place of what it meant."""
        head = f"create or replace view {_quoted(name)} as "
        if "." in name:
            self._ask(f"create schema if not exists {quote(name.partition('.')[0])}")
        if isinstance(rows, str):
            self._view(head, rows)
        elif isinstance(rows, FileSet):
            self._ask(head + scan(rows, self._shape(rows)), files=rows.paths)
        else:
            self._ask(f"{head}from {self._registered(rows)}")
        if self._files.pop(name, None):
            self._ask(f"drop view if exists {_quoted(_shadow(name))}")
        if isinstance(rows, FileSet):
            self._files[name] = rows

    def files_of(self, name: str) -> str:
        """Return SQL for the rows of a bound FileSet, with the path of each row's file as `_file`."""
        if name not in self._files:
            raise KeyError(f"{name} is not bound to files in this session")
        files, view = self._files[name], _quoted(_shadow(name))
        query = scan(files, self._shape(files), with_file=True)
        self._ask(f"create view if not exists {view} as {query}")
        return view

    def schema(self, sql: str) -> pa.Schema:
        """Return the columns that a query gives, as types that Delta can hold, without running it.

        Raises StepError when the query is wrong, or gives two columns of one name.
        """
        return pa.schema([pa.field(name, kind) for name, _, kind in self._columns(sql)])

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a query that answers with few rows."""
        return self._ask(sql, sql)

    def arrow(self, sql: str) -> pa.RecordBatchReader:
        """Run a query and stream its rows."""
        try:
            relation = self._con.sql(sql)
            if relation is None:
                raise StepError("LG-501", "the query gives no rows")
            reader = relation.to_arrow_reader(65_536)
        except duckdb.Error as error:
            raise self._located(error, sql) from error
        return pa.RecordBatchReader.from_batches(reader.schema, self._translating(reader))

    def run(self, sql: str) -> None:
        """Run a statement (create temp table …) for its effect in this session."""
        self._ask(sql, sql)

    def stage(
        self,
        rows: str | pa.RecordBatchReader,
        into: Path,
        schema: pa.Schema | None = None,
        partition_by: Sequence[str] = (),
        rows_per_file: int | None = None,
    ) -> list[StagedFile]:
        """Stream rows into Parquet files under `into`, cast to `schema` by name when given.

        Columns beyond `schema` are refused, but for `_reason` and `_raw`, which are kept as text; a missing
        one is null. Files are of 128 MB or so, or of `rows_per_file` rows rounded up to a row group, and follow the
        query's order, so that their bounds tell them apart; empty ones are left out. An empty text in a partition
        column becomes null, as in Delta.
        Raises StepError (the query), LakeError LG-204 (columns), LG-308 (values), LG-306 (the disk).
        """
        if isinstance(rows, str):
            return self._staged(rows, into, schema, partition_by, rows_per_file)
        watched = _Watched(rows)
        name = self._registered(watched.reader())
        try:
            return self._staged(f"from {name}", into, schema, partition_by, rows_per_file)
        except LagoaError:
            if watched.error is not None:
                raise watched.error from None
            raise
        finally:
            self._con.unregister(name)

    def casting(self, sql: str, schema: pa.Schema, partition_by: Sequence[str] = ()) -> str:
        """Return the query that `stage` runs, without running it. Raises what `stage` raises of the columns."""
        head, tail = _framed(self._columns(sql), schema, partition_by)
        return f"{head}{sql}{tail}"

    def relation(self, name: str) -> duckdb.DuckDBPyRelation:
        """Return what a Python model gets for a bound name: a DuckDB relation, with DuckDB's own errors."""
        self._ask("set errors_as_json = false")
        return self._con.sql(f"from {_quoted(name)}")

    def interrupt(self) -> None:
        """Make what runs in this session raise Stopped soon; safe to call from another thread."""
        self._con.interrupt()

    def _shape(self, files: FileSet) -> Shape:
        return self._shapes.shape(files.paths, lambda sql: self._ask(sql, files=files.paths))

    def _view(self, head: str, sql: str) -> None:
        try:
            self._con.execute(head + sql).fetchall()
        except duckdb.Error as error:
            raise self._located(error, sql) from error

    def _staged(
        self, sql: str, into: Path, schema: pa.Schema | None, partition_by: Sequence[str], rows_per_file: int | None
    ) -> list[StagedFile]:
        found = self._columns(sql)
        wanted = schema if schema is not None else pa.schema([(name, kind) for name, _, kind in found])
        rows_head, rows_tail = _framed(found, wanted, partition_by)
        by = f"file_size_bytes '{_FILE_SIZE}'"
        if partition_by:
            by = f"partition_by ({columns(partition_by)})"
        elif rows_per_file is not None:
            by = f"row_groups_per_file {-(-rows_per_file // _GROUP)}"  # DuckDB keeps one of the two limits alone
        head = f"copy ({rows_head}"
        tail = f"{rows_tail}) to {literal(str(into))} (format parquet, {by}, return_stats, overwrite_or_ignore, "
        with _writable():
            into.mkdir(parents=True, exist_ok=True)
        written = self._ask(head + sql + tail + "filename_pattern 'part-{uuidv7}')", sql, len(head.encode()))
        staged = staged_files(written, wanted, partition_by)
        inside = written_columns(found, wanted, partition_by)
        for file in staged:
            self._shapes.wrote(str(file.path), inside)
        return staged

    def _columns(self, sql: str) -> list[Column]:
        """Name, DuckDB type and Delta's type of each column. Raises StepError when two have one name."""
        try:
            relation = self._con.sql(sql)
        except duckdb.Error as error:
            raise self._located(error, sql) from error
        if relation is None:
            raise StepError("LG-501", "the query gives no rows", hint="write one SELECT")
        seen: set[str] = set()
        for name in relation.columns:
            if name.lower() in seen:
                message = f"two columns are called `{name}`"
                raise StepError("LG-501", message, hint="name one of them anew: `… as other`")
            seen.add(name.lower())
        return [(n, str(t), from_duckdb(t)) for n, t in zip(relation.columns, relation.types, strict=True)]

    def _registered(self, rows: Any) -> str:
        name = f"_arrow{next(self._numbers)}"
        self._con.register(name, rows)
        return name

    def _ask(self, statement: str, sql: str = "", before: int = 0, files: Sequence[str] = ()) -> list[tuple[Any, ...]]:
        """Run a statement of ours around a query of the user's, which starts after `before` bytes."""
        try:
            return self._con.execute(statement).fetchall()
        except (duckdb.Error, MemoryError) as error:
            raise self._translated(error, sql, before, files) from error

    def _located(self, error: duckdb.Error, sql: str) -> LagoaError:
        """A relation's errors say no place; an explanation of the same query fails with one."""
        head = "explain "
        try:
            self._con.execute(head + sql).fetchall()
        except duckdb.Error as placed:
            return self._translated(placed, sql, len(head))
        return self._translated(error)

    def _translated(self, error: Exception, sql: str = "", before: int = 0, files: Sequence[str] = ()) -> LagoaError:
        known = [*files, *(path for bound in self._files.values() for path in bound.paths)]
        return translate(error, sql, before, known)

    def _translating(self, reader: pa.RecordBatchReader) -> Iterator[Any]:
        try:
            yield from reader
        except (duckdb.Error, OSError, pa.ArrowException) as error:
            raise self._translated(error) from error


class _Watched:
    """A reader whose own error is kept, since DuckDB passes on only its text."""

    def __init__(self, rows: pa.RecordBatchReader) -> None:
        self._rows = rows
        self.error: BaseException | None = None

    def reader(self) -> pa.RecordBatchReader:
        return pa.RecordBatchReader.from_batches(self._rows.schema, self._batches())

    def _batches(self) -> Iterator[Any]:
        try:
            yield from self._rows
        except BaseException as error:
            self.error = error
            raise


@contextmanager
def _writable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LakeError("LG-306", f"cannot write: {error}") from error


def _framed(found: Sequence[Column], wanted: pa.Schema, partition_by: Sequence[str]) -> tuple[str, str]:
    """Give what stands before and after a query that is cast to a table's columns."""
    return f"select {', '.join(projection(found, wanted, partition_by))} from (\n", "\n)"


def _quoted(name: str) -> str:
    return ".".join(quote(part) for part in name.split(".", 1))


def _shadow(name: str) -> str:
    """Name the view that shows a bound FileSet with its files."""
    return f"{FILE} {name.replace('.', ' ')}"


def _bytes(memory: str | None) -> int:
    """Read `4GB`, `4GiB` or `50%`; 60 % of the machine when nothing is said."""
    found = re.fullmatch(r"([\d.]+)\s*([KMGT]i?B|%)", (memory or "").strip())
    if found is None:
        return int(_machine() * _SHARE)
    number, unit = float(found[1]), found[2]
    if unit == "%":
        return int(_machine() * number / 100)
    return int(number * (1024 if "i" in unit else 1000) ** ("KMGT".index(unit[0]) + 1))


def _machine() -> int:
    """Bytes of memory that this process may use: the machine's, or its control group's when that is less."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):
            found.append(int(Path(limit).read_text()))
    return min(found)
