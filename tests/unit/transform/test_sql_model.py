"""How the rows of a SQL model lie in its files."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from lagoa.spec.names import TableName
from lagoa.testing.raft import Raft
from lagoa.transform.sql_model import order_of

T = TableName("silver", "t")
SCHEMA = pa.schema([("id", pa.int64()), ("day", pa.date32()), ("name", pa.string())])


@pytest.fixture
def raft(tmp_path: Path) -> Raft:
    return Raft(tmp_path)


@pytest.mark.parametrize(
    ("header", "tail", "expected"),
    [
        ("kind: incremental\nkey: id", "", ["id"]),
        ("kind: incremental\nkey: [day, ID]", "", ["day", "id"]),
        ("kind: incremental\nkey: id", "order by name", []),
        ("kind: incremental\nkey: id", "-- in order", ["id"]),
        ("kind: incremental\nkey: [id, name]", "", []),
        ("kind: incremental\nkey: id\npartition_by: day", "", []),
        ("kind: table\nkey: id", "", []),
    ],
)
def test_rows_lie_in_the_order_of_a_key_that_has_one(raft: Raft, header: str, tail: str, expected: list[str]) -> None:
    raft.model("silver.t", f"select 1::bigint as id, date '2024-01-01' as day, 'x' as name {tail}", header)
    with raft.open() as project:
        assert list(order_of(project.project.models[T], SCHEMA)) == expected


def test_an_incremental_model_is_written_in_the_order_of_its_key_and_in_files_of_few_rows(raft: Raft) -> None:
    raft.source("land", 'n: {path: "*.parquet"}')
    raft.parquet("land/1.parquet", n=pa.array(range(400_000), pa.int64()))
    query = "select (n * 7919) % 400000 as id, count(*) as c from bronze.land_n group by 1"
    raft.model("silver.t", query, "kind: incremental\nkey: id")
    raft.ok()
    with raft.open() as project:
        bounds = sorted(b["id"] for b in project.lake.open(T).bounds(["id"]).values())
    assert bounds[0] == (0, 122_879)
    assert len(bounds) == 4
