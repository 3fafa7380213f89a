"""Text of fixed width: columns by their place, and no line of another length in silence."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

Load = Callable[..., Any]
Put = Callable[[str, bytes | str], Path]
COLUMNS: dict[str, Any] = {
    "id": {"width": 4, "type": "integer"},
    "nome": {"width": 8},
    "valor": {"start": 14, "width": 9, "type": "decimal(9, 2)", "decimal": "implied"},
    "dia": {"width": 8, "type": "date", "format": "%Y%m%d"},
}
LINES = "0001João     000012345" + "20240131\n" + "0002Ana      -00000005" + "20240229\n"


def fixed(**more: Any) -> dict[str, Any]:
    return {"path": "x.txt", "format": "fixed", "columns": COLUMNS, **more}


def test_columns_are_cut_by_their_place(load: Load, put: Put) -> None:
    put("x.txt", LINES)
    loaded = load(fixed())
    assert loaded.reasons() == []
    assert [list(row.values())[:5] for row in loaded.rows] == [
        [1, "João", Decimal("123.45"), dt.date(2024, 1, 31), "x.txt:1"],
        [2, "Ana", Decimal("-0.05"), dt.date(2024, 2, 29), "x.txt:2"],
    ]
    assert loaded.columns == {"id": "int32", "nome": "string", "valor": "decimal128(9, 2)", "dia": "date32[day]"}


def test_lines_of_another_length_are_refused_and_blanks_at_the_end_are_nobodys(load: Load, put: Put) -> None:
    first, second = LINES.splitlines()
    put("x.txt", f"{first}\n{second[:-1]}\n{second}    \r\n{second}X\n\n\x1a")
    loaded = load(fixed())
    assert loaded.column("id") == [1, 2]
    assert loaded.reasons() == [
        "x.txt:2 it has 29 characters where 30 are expected",
        "x.txt:4 it has 31 characters where 30 are expected",
    ]
    assert loaded.refused[1]["_raw"] == f"{second}X"


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16", "cp037", "cp500"])
def test_places_are_characters_in_every_encoding(load: Load, put: Put, encoding: str) -> None:
    put("x.txt", LINES.encode(encoding))
    assert load(fixed(encoding=encoding)).column("nome") == ["João", "Ana"]


@pytest.mark.parametrize("encoding", ["cp037", "latin-1"])
def test_records_may_have_no_line_ends(load: Load, put: Put, encoding: str) -> None:
    put("x.txt", LINES.replace("\n", "").encode(encoding) + "0003".encode(encoding))
    loaded = load(fixed(encoding=encoding, record_length=30))
    assert loaded.column("nome") == ["João", "Ana"]
    assert loaded.reasons() == ["x.txt:3 it has 4 characters where 30 are expected"]


def test_types_of_records_are_told_by_what_lines_look_like(load: Load, put: Put) -> None:
    put("x.txt", "0HEADER 2024\n1A001\n2B9\n1A002\n9TRAILER 002\n")
    columns: dict[str, Any] = {"kind": {"width": 2}, "nr": {"width": 3, "type": "integer"}}
    assert load(fixed(columns=columns, lines="1*")).column("nr") == [1, 2]
    assert load(fixed(columns={"kind": {"width": 2}, "nr": {"width": 1}}, lines="?B*")).column("nr") == ["9"]


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_lines_before_and_after_all_records_are_skipped(load: Load, put: Put, ends: str, last: bool) -> None:
    put("x.txt", ends.join(["top", "0001", "0002", "total", "end"]) + ends * last)
    loaded = load(fixed(columns={"id": {"width": 4}}, skip=1, skip_last=2))
    assert [(r["id"], r["_source"]) for r in loaded.rows] == [("0001", "x.txt:2"), ("0002", "x.txt:3")]


def test_blanks_are_kept_when_asked_and_words_may_mean_null(load: Load, put: Put) -> None:
    put("x.txt", " a N/A\n   x  \n")
    columns = {"a": {"width": 3}, "b": {"width": 3}}
    trimmed = load(fixed(columns=columns, null_values=["N/A"]))
    assert [(r["a"], r["b"]) for r in trimmed.rows] == [("a", None), (None, "x")]
    kept = load(fixed(columns=columns, trim=False))
    assert [(r["a"], r["b"]) for r in kept.rows] == [(" a ", "N/A"), ("   ", "x  ")]


def test_dropped_columns_are_in_no_refused_line(load: Load, put: Put) -> None:
    put("x.txt", "12secret\nxxsecret\n1\n")
    columns: dict[str, Any] = {"id": {"width": 2, "type": "integer"}, "senha": {"width": 6, "drop": True}}
    loaded = load(fixed(columns=columns))
    assert [row["_raw"] for row in loaded.refused] == ["xx", "…"]
    assert "secret" not in str([loaded.rows, loaded.refused, loaded.rejects])


def test_a_large_file_is_read_by_duckdb_and_its_dirt_is_still_found(load: Load, put: Put) -> None:
    lines = [f"{n:08d}{n * 7 % 10**6:06d}ç" for n in range(700_000)]
    columns = {"id": {"width": 8, "type": "integer"}, "v": {"width": 6, "type": "integer"}, "c": {"width": 1}}
    put("x.txt", "\n".join(lines) + "\n")
    loaded = load(fixed(columns=columns))
    assert (len(loaded.rows), loaded.rows[-1]["_source"]) == (700_000, "x.txt:700000")
    lines[300_000], lines[500_000] = "\x01" + lines[300_000], "short"
    put("x.txt", "\n".join(lines) + "\n")
    loaded = load(fixed(columns=columns))
    assert len(loaded.rows) == 699_998
    assert sorted(r.partition(" ")[0] for r in loaded.reasons()) == ["x.txt:300001", "x.txt:500001"]


def test_a_declaration_that_says_no_places_is_refused(load: Load) -> None:
    wrong: list[dict[str, Any]] = [{}, {"a": {}}, {"a": {"start": 3}}]
    for columns in wrong:
        with pytest.raises(ValidationError, match="width"):
            load(fixed(columns=columns))


CELLS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), max_size=6)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 7), min_size=1, max_size=5), st.data())
def test_random_tables_are_read_as_they_were_written(load: Load, put: Put, widths: list[int], data: Any) -> None:
    rows = data.draw(st.lists(st.tuples(*(CELLS for _ in widths)), min_size=1, max_size=6))
    rows = [[cell[:width] for cell, width in zip(row, widths, strict=True)] for row in rows]
    put("x.txt", "".join("".join(c.ljust(w) for c, w in zip(r, widths, strict=True)) + "\n" for r in rows))
    loaded = load(fixed(columns={f"c{n}": {"width": width} for n, width in enumerate(widths)}, encoding="utf-8"))
    assert loaded.reasons() == []
    assert [[row[f"c{n}"] or "" for n in range(len(widths))] for row in loaded.rows] == rows
