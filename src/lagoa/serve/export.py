"""Writes a query's rows as CSV, JSON or Parquet, batch by batch: memory does not grow with the result."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from lagoa.errors import LakeError, StepError
from lagoa.kit.refusal import translate
from lagoa.kit.text import literal
from lagoa.ports import Session
from lagoa.serve import written

Format = Literal["csv", "json", "parquet"]
SUFFIXES: dict[str, Format] = {".csv": "csv", ".json": "json", ".parquet": "parquet"}
"""What a file's ending says of its format."""


def schema_of(session: Session, sql: str) -> pa.Schema:
    """Return the names and Arrow types that a query gives; as `distinct` names them. Raises StepError LG-501."""
    try:
        return session.arrow(f"{distinct(sql)} limit 0").read_all().schema
    except StepError as error:
        if error.place is not None and error.place.line is not None:
            error.place = replace(error.place, line=error.place.line - 1)  # our own first line
        raise


def distinct(sql: str) -> str:
    """Give the second of two columns of one name another: a, a_1."""
    return f"select * from (\n{sql}\n)"


def batches(session: Session, sql: str) -> Iterator[pa.RecordBatch]:
    """Stream a query's rows. Raises StepError LG-501, also when the query fails midway."""
    reader = session.arrow(sql)
    try:
        yield from reader
    except (pa.ArrowException, OSError, RuntimeError) as error:
        raise translate(error, sql) from error


def write_csv(session: Session, sql: str, out: BinaryIO) -> int:
    """Write a header and one line per row; return the number of rows."""
    schema = schema_of(session, sql)
    out.write((",".join(map(_header, schema.names)) + "\n").encode())
    fields = [written.csv(f"c{i}", kind) for i, kind in enumerate(schema.types)]
    return _lines(session, sql, schema, " || ',' || ".join(fields) + " || chr(10)", out)


def write_json(session: Session, sql: str, out: BinaryIO) -> int:
    """Write an array with one object per line; return the number of rows."""
    schema = schema_of(session, sql)
    pairs = " || ',' || ".join(
        f"{literal(written.json_name(name))} || {written.json(f'c{i}', kind)}"
        for i, (name, kind) in enumerate(zip(schema.names, schema.types, strict=True))
    )
    line = f"',' || chr(10) || '{{' || {pairs} || '}}'"
    first = _First(out)
    rows = _lines(session, sql, schema, line, first)
    out.write(b"\n]\n" if rows else b"[]\n")
    return rows


def write_parquet(session: Session, sql: str, out: BinaryIO) -> int:
    """Write one Parquet file; return the number of rows."""
    schema = schema_of(session, sql)
    rows = 0
    with pq.ParquetWriter(out, schema, compression="zstd") as writer:
        for batch in batches(session, distinct(sql)):
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows


WRITERS: dict[str, Callable[[Session, str, BinaryIO], int]] = {
    "csv": write_csv,
    "json": write_json,
    "parquet": write_parquet,
}
"""How each format is written."""


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file that appears under its name only when all of it is written. Raises LakeError LG-306."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as out:
            yield out
        part.replace(path)
    except OSError as error:
        raise LakeError("LG-306", f"cannot write {path}: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _lines(session: Session, sql: str, schema: pa.Schema, line: str, out: BinaryIO | _First) -> int:
    """Let the engine write each row as text, and pass the text on as the bytes that it is."""
    names = ", ".join(f"c{i}" for i in range(len(schema)))
    rows = 0
    for batch in batches(session, f"select {line} from (\n{sql}\n) as _row({names})"):
        out.write(_bytes(batch.column(0)))
        rows += batch.num_rows
    return rows


def _bytes(column: pa.Array) -> memoryview:
    """Return the letters of a text column without null, one after the other, without copying them."""
    text = column.cast(pa.large_string())
    _, offsets, letters = text.buffers()
    if letters is None or not len(text):
        return memoryview(b"")
    ends = memoryview(offsets).cast("q")
    return memoryview(letters)[ends[text.offset] : ends[text.offset + len(text)]]


class _First:
    """Turns the comma before the first object of a JSON array into its bracket."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._begun = False

    def write(self, text: memoryview) -> None:
        if not self._begun and len(text):
            self._begun = True
            self._out.write(b"[")
            text = text[1:]
        self._out.write(text)


def _header(name: str) -> str:
    special = not name or any(c in name for c in '",\r\n')
    return '"' + name.replace('"', '""') + '"' if special else name
