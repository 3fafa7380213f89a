"""Writes the SQL by which DuckDB reads a set of Parquet files as one relation of known columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from lagoa.kit.text import listed, literal, quote
from lagoa.kit.types import sql_type
from lagoa.ports import FileSet

FILE = "_file"
"""The column that says from which file a row comes."""

Ask = Callable[[str], list[tuple[Any, ...]]]
Kinds = tuple[tuple[str, str], ...]
"""The columns of a file: names and DuckDB's types."""


@dataclass(frozen=True)
class Shape:
    """What a set of files holds: the columns of all together, as name → DuckDB type by lower-case name."""

    alike: bool
    """Every file has every column in one type, so that DuckDB need not open them all to bind a query."""
    columns: Mapping[str, str]


class Shapes:
    """Remembers the columns of files that were read or written once; a file of the lake never changes.

    DuckDB's own ways are each wrong for us: the first file's columns hide what later files gained, a given
    `schema` leaves the optimiser without row counts (and joins built on the wrong side), `union_by_name` opens
    every file at each query.
    """

    def __init__(self) -> None:
        self._of: dict[str, Kinds] = {}
        self._together: dict[frozenset[Kinds], dict[str, str]] = {}

    def shape(self, paths: Sequence[str], ask: Ask) -> Shape:
        """Return what the files hold together; only those not seen before are opened."""
        if unseen := [path for path in paths if path not in self._of]:
            self._of.update((path, _top(nodes)) for path, nodes in ask(_nodes_of(unseen)))
        samples = {self._of[path]: path for path in paths}
        kinds = frozenset(samples)
        if kinds not in self._together:
            told = next(iter(kinds), ())
            if len(kinds) > 1:
                told = tuple(
                    (name, kind) for name, kind, *_ in ask(f"describe from {_read([*samples.values()], False)}")
                )
            self._together[kinds] = {name.lower(): kind for name, kind in told}
        return Shape(len(kinds) <= 1, self._together[kinds])

    def wrote(self, path: str, schema: pa.Schema) -> None:
        """Note a file whose columns were just written, cast to these types."""
        self._of[path] = tuple((field.name, sql_type(field.type)) for field in schema)


def _nodes_of(paths: Sequence[str]) -> str:
    nodes = "list(row(column_id, name, duckdb_type, num_children))"
    return f"select file_name, {nodes} from parquet_schema({_listed(paths)}) group by file_name"


def _top(nodes: Sequence[tuple[int, str, str, int | None]]) -> Kinds:
    """Leave out the root of a schema, and what lies inside its columns; each node comes before its children."""
    found: list[tuple[str, str]] = []
    inside = 0
    for _, name, kind, children in sorted(nodes)[1:]:
        if not inside:
            found.append((name, kind))
        inside = max(inside - 1, 0) + (children or 0)
    return tuple(found)


def scan(files: FileSet, shape: Shape, with_file: bool = False) -> str:
    """Write a query over the files: exactly their schema's columns, and `_file` when asked for."""
    apart = {name for values in files.partitions.values() for name in values} & set(files.schema.names)
    shown = [_column(files, shape, f.name, sql_type(f.type), apart) for f in files.schema]
    if not files.paths:
        shown += [f"null::VARCHAR as {FILE}"] if with_file else []
        return f"select {', '.join(shown)} where false"
    shown += [FILE] if with_file else []
    return f"select {', '.join(shown)} from {_read(files.paths, shape.alike, with_file or bool(apart))}"


def _column(files: FileSet, shape: Shape, name: str, kind: str, apart: set[str]) -> str:
    if files.paths and name in apart:
        # a constant for each file, so that DuckDB skips the files that a filter on it excludes; file_index is
        # renumbered by a filter on the path, and the virtual filename fails under ORDER BY … LIMIT
        values = [files.partitions.get(path, {}).get(name) or None for path in files.paths]
        texts = ", ".join(literal(value) for value in values)
        return f"map({listed(files.paths)}, cast([{texts}] as {kind}[]))[{FILE}] as {quote(name)}"
    held = shape.columns.get(name.lower())
    if held is None:
        return f"null::{kind} as {quote(name)}"
    return quote(name) if held == kind else f"{quote(name)}::{kind} as {quote(name)}"


def _read(paths: Sequence[str], alike: bool, with_file: bool = False) -> str:
    union = "" if alike else ", union_by_name = true"
    named = f", filename = {literal(FILE)}" if with_file else ""
    return f"read_parquet({_listed(paths)}, hive_partitioning = false{union}{named})"


def _listed(paths: Sequence[str]) -> str:
    """Make *, ? and [ stand for themselves."""
    return listed(re.sub(r"([*?\[])", r"[\1]", path) for path in paths)
