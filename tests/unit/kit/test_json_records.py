"""JSON lines read as they are and record by record give the same rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from lagoa.kit.bundle import Noted
from lagoa.kit.json_records.read import JsonRecords
from lagoa.kit.json_records.structure import guarded, merged, settled
from lagoa.kit.landing import Found
from lagoa.kit.pieces import Scratch
from lagoa.kit.shape import Shape

CLEAN = "".join(f'{{"id": {n}, "name": "é{n}", "tags": ["a", "b"], "at": {{"x": {n}.5}}}}\n' for n in range(40))
DIRTY = CLEAN + '{"id": NaN}\n\n{"id": 18446744073709551615}\r\n[1]\n{"id": 7, "id": 8}\n' + CLEAN


def read(path: Path, small: int, piece: int) -> tuple[list[tuple[Any, ...]], list[int | None], int]:
    """Return all rows, the lines of rejects, and how many portions DuckDB read as they are."""
    with duckdb.connect(config={"threads": 1}) as connection:

        def ask(sql: str) -> list[tuple[Any, ...]]:
            return connection.execute(sql).fetchall()

        format = JsonRecords(Scratch(path.parent), Noted(), ask, small=small, piece=piece)
        found = Found(path, path.name, path.stat().st_size)
        shape = Shape(pa.schema(list(format.schema([found]).items())))
        rows: list[tuple[Any, ...]] = []
        rejects: list[int | None] = []
        plain = 0
        for portion in format.portions([found], shape):
            got = ask(str(portion.rows))
            settled: Any = portion.settle(len(got), ask)
            portion.close()
            assert settled.read == len(got) + len(settled.rejects)
            rows += got
            rejects += [r.line for r in settled.rejects]
            plain += "row_number" in str(portion.rows)
    return sorted(rows, key=lambda r: int(str(r[-1]).rpartition(":")[2])), sorted(rejects, key=str), plain


@pytest.mark.parametrize("text", [CLEAN, DIRTY, CLEAN.rstrip("\n")])
def test_pieces_and_single_records_give_the_same(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.ndjson"
    path.write_bytes(text.encode())
    careful, wrong, _ = read(path, 1 << 20, 1 << 20)
    for piece in (1 << 20, 300):
        rows, rejects, plain = read(path, 0, piece)
        assert (rows, rejects) == (careful, wrong)
        assert plain > 0 or (text is DIRTY and piece > 300)
    assert wrong == ([41] if text is DIRTY else [])


def test_structures_merge_into_what_holds_both() -> None:
    assert merged({"a": "UBIGINT", "n": "NULL"}, {"a": "DOUBLE", "b": ["NULL"], "n": "BOOLEAN"}) == {
        "a": "DOUBLE",
        "n": "BOOLEAN",
        "b": ["NULL"],
    }
    assert merged({"a": 1}, ["UBIGINT"]) == "VARCHAR"
    assert settled({"a b": "BIGINT"}) == "VARCHAR"
    assert settled({"a": {"b": "HUGEINT", "c": ["NULL"]}}) == {"a": {"b": "BIGINT", "c": ["VARCHAR"]}}
    assert guarded({"a": "DOUBLE", "b": "DOUBLE"}, {"a": "JSON", "b": "DOUBLE"}) == {"a": "VARCHAR", "b": "DOUBLE"}
