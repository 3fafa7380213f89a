"""Every row of the page's tables of types is tried on a real file, so that page and code cannot drift apart."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.adapters.sources.types_page import as_text, rows_after, type_of

from lagoa import registry
from lagoa.ports import RAW, REASON, Engine
from lagoa.testing.sources import Landed, Reader

TYPES = rows_after("sqlite.md", "What each type becomes")
REFUSED = rows_after("sqlite.md", "Values that a Delta table cannot hold")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    found: Engine = registry.adapter("engines", "duckdb")(2, "500MB", tmp_path_factory.mktemp("engine"))
    yield found
    found.close()


def read(folder: Path, engine: Engine, script: str, columns: dict[str, Any] | None = None, **how: Any) -> Landed:
    (folder / "t.db").unlink(missing_ok=True)
    with sqlite3.connect(folder / "t.db") as connection:
        connection.executescript(script)
    connection.close()
    said = {**(how or {"table": "t"}), "columns": columns or {}}
    source = registry.adapter("sources", "sqlite")(type="sqlite", path="t.db", streams={"t": said})
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
def test_a_value_of_another_class_is_set_aside_with_the_reason(
    kind: str, value: str, reason: str, engine: Engine, tmp_path: Path
) -> None:
    landed = read(tmp_path, engine, f"create table t (v {kind}, w int); insert into t values ({value}, 1), (null, 2);")
    assert [row["w"] for row in landed.rows] == [2]
    assert [row[REASON] for row in landed.refused] == [reason]
    assert '"w": "1"' in landed.refused[0][RAW]


def test_the_page_has_rows_to_try() -> None:
    assert len(TYPES) > 30
    assert len(REFUSED) > 12


@pytest.mark.parametrize(
    ("kind", "value", "declared", "arrives"),
    [
        ("date", "1704067200", "bigint", 1704067200),
        ("json", "0.25", "double", 0.25),
        ("json", "3", "double", 3.0),
        ("text", "'yes'", "text", "yes"),
        ("integer", "'abc'", "text", "abc"),
        ("any", "1.5", "decimal(6,2)", "1.50"),
        ("int", "1", "boolean", True),
    ],
)
def test_the_user_says_of_which_class_the_values_are(
    kind: str, value: str, declared: str, arrives: Any, engine: Engine, tmp_path: Path
) -> None:
    script = f"create table t (v {kind}); insert into t values ({value});"
    landed = read(tmp_path, engine, script, {"v": {"type": declared}})
    assert landed.refused == []
    found = landed.rows[0]["v"]
    assert found == arrives or str(found) == arrives


def test_a_personal_value_is_not_repeated_in_the_reason(engine: Engine, tmp_path: Path) -> None:
    script = "create table t (v int); insert into t values ('529.982.247-25');"
    landed = read(tmp_path, engine, script, {"v": {"pii": "cpf"}})
    assert [row[REASON] for row in landed.refused] == ["v is not shown, which is no whole number"]
