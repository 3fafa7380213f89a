"""Every row of the page's tables of types is tried on a real file, so that page and code cannot drift apart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.adapters.sources.types_page import as_text, rows_after, type_of

from lagoa import registry
from lagoa.ports import REASON, Engine
from lagoa.testing.sources import Landed, Reader

TYPES = rows_after("duckdb.md", "What each type becomes")
REFUSED = rows_after("duckdb.md", "Values that a Delta table cannot hold")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    found: Engine = registry.adapter("engines", "duckdb")(2, "500MB", tmp_path_factory.mktemp("engine"))
    yield found
    found.close()


def read(folder: Path, engine: Engine, script: str, columns: dict[str, Any] | None = None, **how: Any) -> Landed:
    with duckdb.connect(str(folder / "t.duckdb")) as connection:
        connection.execute(script)
    said = {**(how or {"table": "t"}), "columns": columns or {}}
    source = registry.adapter("sources", "duckdb")(type="duckdb", path="t.duckdb", streams={"t": said})
    return Reader(source, folder, engine, folder / "scratch").read("t")


@pytest.mark.parametrize("way", ["table", "query"])
@pytest.mark.parametrize(("kind", "becomes", "example", "arrives"), TYPES)
def test_a_type_becomes_what_the_page_says(
    kind: str, becomes: str, example: str, arrives: str, way: str, engine: Engine, tmp_path: Path
) -> None:
    how: dict[str, Any] = {"query": "select v from t"} if way == "query" else {}
    landed = read(tmp_path, engine, f"create table t (v {kind}); insert into t values ({example}), (null);", **how)
    assert type_of(landed) == becomes
    assert as_text(landed, engine) == [arrives, None]
    assert landed.refused == []


@pytest.mark.parametrize(("kind", "value", "reason"), REFUSED)
def test_a_value_that_delta_cannot_hold_is_set_aside_with_the_reason(
    kind: str, value: str, reason: str, engine: Engine, tmp_path: Path
) -> None:
    script = f"create or replace table t (v {kind}, w int); insert into t values ({value}, 1), (null, 2);"
    landed = read(tmp_path, engine, script)
    assert [row["w"] for row in landed.rows] == [2]
    assert [row[REASON] for row in landed.refused] == [reason]
    as_declared = read(tmp_path, engine, script, {"v": {"type": "text"}})
    assert as_declared.refused == []
    assert [row["v"] for row in as_declared.rows] == [reason.removeprefix("v is ").partition(", which")[0], None]


def test_the_page_has_rows_to_try() -> None:
    assert len(TYPES) > 35
    assert len(REFUSED) >= 8
