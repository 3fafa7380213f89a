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
from lagoa.testing.mariadb import MariaServer
from lagoa.testing.sources import Landed, Reader

PAGE = Path(__file__).resolve().parents[3] / "docs/reference/mysql.md"
WORDS = {"varchar": "text", "timestamp with time zone": "timestamptz"}
ALL = "set session sql_mode = 'ALLOW_INVALID_DATES'; set session time_zone = '-03:00';"


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
def uri(mariadb_server: MariaServer) -> str:
    return mariadb_server.uri(mariadb_server.database("types"))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    found: Engine = registry.adapter("engines", "duckdb")(2, "500MB", tmp_path_factory.mktemp("engine"))
    yield found
    found.close()


def read(uri: str, engine: Engine, folder: Path, columns: dict[str, Any] | None = None, **stream: Any) -> Landed:
    said = stream or {"table": "t"}
    source = registry.adapter("sources", "mysql")(
        type="mysql", connection=uri, streams={"t": {**said, "columns": columns or {}}}
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


@pytest.mark.parametrize("way", ["window", "query", "bytes"])
@pytest.mark.parametrize(("kind", "becomes", "example", "arrives"), TYPES)
def test_a_type_becomes_what_the_page_says(
    kind: str,
    becomes: str,
    example: str,
    arrives: str,
    way: str,
    uri: str,
    engine: Engine,
    tmp_path: Path,
    mariadb_server: MariaServer,
) -> None:
    key = "id int primary key, " if way == "window" else ""
    values = f"(1, {example}), (5, null)" if way == "window" else f"({example}), (null)"
    mariadb_server.sql(
        f"{ALL}drop table if exists t;\ncreate table t ({key}v {kind});\ninsert into t values {values};",
        "types",
    )
    how: dict[str, Any] = {}
    if way == "query":
        how = {"query": "select v from t"}
    elif way == "bytes":
        how = {"query": "select v, x'00' as b from t"}
    landed = read(uri, engine, tmp_path, **how)
    assert landed.schema is not None
    said = sql_type(landed.schema.field("v").type).lower()
    for word, ours in WORDS.items():
        said = said.replace(word, ours)
    if becomes != "text" or way != "query":
        assert said == becomes
    meant = arrives.replace("\\n", "\n").replace("\\t", "\t").replace("a\\x1f", "a\x1f")
    assert as_text(landed, engine) == [meant, None]
    assert landed.refused == []


@pytest.mark.parametrize(("kind", "value", "reason"), REFUSED)
def test_a_value_that_delta_cannot_hold_is_set_aside_with_the_reason(
    kind: str, value: str, reason: str, uri: str, engine: Engine, tmp_path: Path, mariadb_server: MariaServer
) -> None:
    mariadb_server.sql(
        f"{ALL}drop table if exists t;\ncreate table t (v {kind}, w int primary key);\n"
        f"insert into t values ({value}, 1), (null, 2);",
        "types",
    )
    landed = read(uri, engine, tmp_path)
    assert [row["w"] for row in landed.rows] == [2]
    assert [row[REASON] for row in landed.refused] == [reason]
    as_declared = read(uri, engine, tmp_path, {"v": {"type": "text"}})
    assert as_declared.refused == []
    assert [row["v"] for row in as_declared.rows] == [
        mariadb_server.sql("select v from t where w = 1", "types").rstrip("\n"),
        None,
    ]


def test_the_page_has_rows_to_try() -> None:
    assert len(TYPES) > 50
    assert len(REFUSED) >= 7
