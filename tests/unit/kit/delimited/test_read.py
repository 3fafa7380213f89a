"""Any text with delimiters, read in one piece or in many, gives the cells and lines that were written."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lagoa.kit.bundle import Noted
from lagoa.kit.delimited.dialect import Dialect
from lagoa.kit.delimited.read import Delimited, Text
from lagoa.kit.landing import Found
from lagoa.kit.pieces import Scratch
from lagoa.kit.shape import Shape
from lagoa.ports import Portion


@cache
def duck() -> duckdb.DuckDBPyConnection:
    """One DuckDB for all examples: opening one costs more than they do."""
    return duckdb.connect(config={"threads": 1})


CELLS = st.one_of(
    st.none(),
    st.text(alphabet='ab1 ;,"\n\r|é€\0', max_size=8),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=6),
)


@dataclass(frozen=True)
class Written:
    """A file's text and what it means: cells, each record's line, and which lines are damaged."""

    text: bytes
    rows: list[tuple[Any, ...]]
    lines: list[int]
    damaged: list[int]


@st.composite
def files(draw: st.DrawFn, encodings: tuple[str, ...] = ("utf-8",)) -> tuple[Written, Dialect, str]:
    """Draw a file: its dialect, its records, blank lines and damaged ones between them."""
    delimiter = draw(st.sampled_from([";", ",", "\t", "||"]))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    encoding = draw(st.sampled_from(encodings))
    width = draw(st.integers(2, 4))
    out, rows, starts, damaged, line = [delimiter.join(f"h{i}" for i in range(width)) + end], [], [], [], 2
    for _ in range(draw(st.integers(0, 12))):
        kind = draw(st.sampled_from(["row", "row", "row", "blank", "short", "long"]))
        if kind == "row":
            cells = [_kept(c, encoding) for c in draw(st.lists(CELLS, min_size=width, max_size=width))]
            quoted = [draw(st.booleans()) for _ in cells]
            text = delimiter.join(_spelled(c, q, delimiter) for c, q in zip(cells, quoted, strict=True)) + end
            rows.append(tuple(cells))
            starts.append(line)
        elif kind == "blank":
            text = end
        else:
            text = delimiter.join(["x"] * (width + (1 if kind == "long" else -1))) + end
            damaged.append(line)
        out.append(text)
        line += _ends(text)
    whole = "".join(out)
    if draw(st.booleans()) and whole.endswith(end):
        whole = whole[: -len(end)]
    return Written(whole.encode(encoding), rows, starts, damaged), Dialect(delimiter=delimiter), encoding


def _kept(cell: str | None, encoding: str) -> str | None:
    return None if cell is None else cell.encode(encoding, "ignore").decode(encoding)


def _spelled(cell: str | None, quoted: bool, delimiter: str) -> str:
    if cell is None:
        return ""
    special = any(c in cell for c in (delimiter[0], '"', "\n", "\r"))
    if quoted or special or not cell or cell != cell.strip(" "):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def _ends(text: str) -> int:
    return text.count("\n") + text.count("\r") - text.count("\r\n")


def read(written: Written, dialect: Dialect, encoding: str, small: int, piece: int) -> tuple[list[Any], list[Any]]:
    """Read a file in pieces of some size; return rows with their line, and rejects, each in order."""
    rows: list[Any] = []
    rejects: list[Any] = []
    connection = duck()
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "x.csv"
        path.write_bytes(written.text)
        format = Delimited(Text(dialect, encoding), Scratch(Path(name)), Noted(), small, piece)
        found = Found(path, "x.csv", path.stat().st_size)
        shape = Shape(pa.schema(list(format.schema([found]).items())))

        def stage(portion: Portion) -> None:
            table = connection.sql(str(portion.rows)).fetchall()
            settled = portion.settle(len(table), lambda sql: connection.execute(sql).fetchall())
            portion.close()
            if isinstance(settled, Portion):
                stage(settled)
                return
            assert settled.read == len(table) + len(settled.rejects)
            rows.extend((int(r[-1].rpartition(":")[2]), tuple(r[:-1])) for r in table)
            rejects.extend(r.line for r in settled.rejects)

        for portion in format.portions([found], shape):
            stage(portion)
    return sorted(rows), sorted(rejects)


@pytest.mark.parametrize(("small", "piece"), [(1 << 20, 1 << 20), (0, 1 << 20), (0, 64), (0, 16), (1 << 20, 16)])
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(file=files())
def test_every_cell_and_line_comes_back(small: int, piece: int, file: tuple[Written, Dialect, str]) -> None:
    written, dialect, encoding = file
    rows, rejects = read(written, dialect, encoding, small, piece)
    assert rows == sorted(zip(written.lines, written.rows, strict=True))
    assert rejects == written.damaged


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(file=files(encodings=("cp1252", "utf-16", "cp1251")))
def test_other_encodings_come_back(file: tuple[Written, Dialect, str]) -> None:
    written, dialect, encoding = file
    rows, rejects = read(written, dialect, encoding, 1 << 20, 1 << 20)
    assert rows == sorted(zip(written.lines, written.rows, strict=True))
    assert rejects == written.damaged


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=st.text(alphabet='a;"\n\r ', max_size=40), piece=st.sampled_from([16, 1 << 20]))
def test_no_text_at_all_loses_a_record_in_silence(text: str, piece: int) -> None:
    written = Written(b"p;q\n" + text.encode(), [], [], [])
    careful = read(written, Dialect(delimiter=";"), "utf-8", 1 << 20, 1 << 20)
    plain = read(written, Dialect(delimiter=";"), "utf-8", 0, piece)
    lines = [line for line, _ in careful[0]] + careful[1]
    assert len(set(lines)) == len(lines)
    if piece > 16:
        assert plain == careful
