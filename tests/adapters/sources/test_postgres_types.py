"""Every row of the page's tables of types is tried on a real server, so that page and code cannot drift apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from lagoa import registry
from lagoa.kit.types import sql_type
from lagoa.ports import REASON, Engine
from lagoa.testing.postgres import PostgresServer
from lagoa.testing.sources import Landed, Reader

PAGE = Path(__file__).resolve().parents[3] / "docs/reference/postgres.md"
WORDS = {"varchar": "text", "timestamp with time zone": "timestamptz"}


def rows_after(heading: str) -> list[tuple[str, ...]]:
    """Read the first table under a heading: each cell's text, without code marks."""
    section = PAGE.read_text(encoding="utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [
        tuple(cell[1:-1].strip("`") if cell.startswith(" `") else cell.strip() for cell in cells(x)) for x in lines[1:]
    ]


def cells(line: str) -> list[str]:
    return [re.sub(r"` \(.*", "`", cell) for cell in line.strip().strip("|").split("|")]


TYPES = rows_after("What each type becomes")
REFUSED = rows_after("Values that a Delta table cannot hold")


@pytest.fixture(scope="module")
def uri(postgres_server: PostgresServer) -> str:
    name = postgres_server.database("types")
    postgres_server.sql(
        "create extension hstore;\ncreate extension citext;\ncreate extension cube;\n"
        "create type mood as enum ('so so', 'good');\ncreate domain price as numeric(10,2);\n"
        "create type pair as (a int, b text);\n",
        name,
    )
    return postgres_server.uri(name)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    found: Engine = registry.adapter("engines", "duckdb")(2, "500MB", tmp_path_factory.mktemp("engine"))
    yield found
    found.close()


def read(uri: str, engine: Engine, folder: Path, columns: dict[str, Any] | None = None) -> Landed:
    source = registry.adapter("sources", "postgres")(
        type="postgres", connection=uri, streams={"t": {"table": "public.t", "columns": columns or {}}}
    )
    return Reader(source, folder, engine, folder / "scratch").read("t")


def as_text(landed: Landed, engine: Engine) -> list[Any]:
    assert landed.schema is not None
    with engine.session() as session:
        session.bind("t", pa.Table.from_pylist([{"v": r["v"]} for r in landed.rows], landed.schema))
        texts = [row[0] for row in session.rows("select v::varchar from t")]
    if pa.types.is_decimal(landed.schema.field("v").type):  # DuckDB leaves out the zero before the point
        return [None if row["v"] is None else f"{row['v']:f}" for row in landed.rows]
    return texts


@pytest.mark.parametrize(("kind", "becomes", "example", "arrives"), TYPES)
def test_a_type_becomes_what_the_page_says(
    kind: str,
    becomes: str,
    example: str,
    arrives: str,
    uri: str,
    engine: Engine,
    tmp_path: Path,
    postgres_server: PostgresServer,
) -> None:
    postgres_server.sql(
        f"drop table if exists t;\ncreate table t (v {kind});\ninsert into t values ({example}), (null);", "types"
    )
    landed = read(uri, engine, tmp_path)
    assert landed.schema is not None
    said = sql_type(landed.schema.field("v").type).lower()
    for word, ours in WORDS.items():
        said = said.replace(word, ours)
    assert said == becomes
    assert as_text(landed, engine) == [arrives, None]
    assert landed.refused == []


@pytest.mark.parametrize(("kind", "value", "reason"), REFUSED)
def test_a_value_that_delta_cannot_hold_is_set_aside_with_the_reason(
    kind: str, value: str, reason: str, uri: str, engine: Engine, tmp_path: Path, postgres_server: PostgresServer
) -> None:
    postgres_server.sql(
        f"drop table if exists t;\ncreate table t (v {kind}, w int);\ninsert into t values ({value}, 1), (null, 2);",
        "types",
    )
    landed = read(uri, engine, tmp_path)
    assert [row["w"] for row in landed.rows] == [2]
    assert [row[REASON] for row in landed.refused] == [reason]
    as_declared = read(uri, engine, tmp_path, {"v": {"type": "text"}})
    assert as_declared.refused == []
    assert [row["v"] for row in as_declared.rows] == [
        postgres_server.sql("select v from t where w = 1", "types").strip(),
        None,
    ]


def test_the_page_has_rows_to_try() -> None:
    assert len(TYPES) > 60
    assert len(REFUSED) >= 8
