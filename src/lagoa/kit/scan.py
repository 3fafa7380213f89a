"""Writes the SQL by which DuckDB reads a set of Parquet files as one relation of known columns."""

from __future__ import annotations

import re

from lagoa.kit.text import listed, literal, quote
from lagoa.kit.types import sql_type
from lagoa.ports import FileSet

FILE = "_file"
"""The column that says from which file a row comes."""


def scan(files: FileSet, with_file: bool = False) -> str:
    """Write a query over the files: exactly their schema's columns, and `_file` when asked for."""
    shown = [_column(files, f.name, sql_type(f.type), with_file) for f in files.schema]
    if not files.paths:
        shown += [f"null::VARCHAR as {FILE}"] if with_file else []
        return f"select {', '.join(shown)} where false"
    shown += [FILE] if with_file else []
    return f"select {', '.join(shown)} from {_read(files, with_file)}"


def _column(files: FileSet, name: str, kind: str, with_file: bool) -> str:
    if not files.paths:
        return f"null::{kind} as {quote(name)}"
    if name not in _partition_names(files):
        return quote(name)
    values = [files.partitions.get(path, {}).get(name) for path in files.paths]
    texts = f"cast([{', '.join(literal(v or None) for v in values)}] as {kind}[])"
    if with_file:
        # a filter on _file renumbers file_index, so that only the path itself is safe to go by
        return f"map({listed(files.paths)}, {texts})[{FILE}] as {quote(name)}"
    # a constant for each file: DuckDB skips the files that a filter on it excludes
    return f"{texts}[file_index::BIGINT + 1] as {quote(name)}"


def _partition_names(files: FileSet) -> frozenset[str]:
    return frozenset(name for values in files.partitions.values() for name in values)


def _read(files: FileSet, with_file: bool) -> str:
    """Give the schema: binding 1,000 files then opens no footer, and a file without a column gives null."""
    apart = _partition_names(files)
    inside = [(literal(f.name), literal(sql_type(f.type))) for f in files.schema if f.name not in apart]
    shape = ", ".join(f"{n}: {{name: {n}, type: {kind}, default_value: NULL}}" for n, kind in inside)
    named = f", filename = {literal(FILE)}" if with_file else ""
    paths = listed(_unglobbed(path) for path in files.paths)
    return f"read_parquet({paths}, schema = map {{{shape}}}, hive_partitioning = false{named})"


def _unglobbed(path: str) -> str:
    """Make *, ? and [ stand for themselves."""
    return re.sub(r"([*?\[])", r"[\1]", path)
