"""What files hold is known from their schemas, or from having written them, as DuckDB itself would say it."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lagoa.kit.scan import Shapes
from lagoa.kit.text import literal
from lagoa.kit.types import storable
from lagoa.ports import Session

KINDS = (
    "1::tinyint as a, 1::ubigint as b, 1::hugeint as c, 1.5::float as d, 1.25::decimal(38, 2) as e, 'x' as f, "
    "'x'::blob as g, date '2024-01-31' as h, timestamp '2024-01-31' as i, timestamptz '2024-01-31 00:00+00' as j, "
    "timestamp_ns '2024-01-31' as k, uuid() as l, '{}'::json as m, 'a'::enum('a', 'b') as n, true as o, "
    "time '1:00' as p"
)
NESTED = "[{'x': 1, 'y': [1.5]}] as q, map {'k': {'z': [[true]]}} as r, {'deep': {'er': {'est': 1}}} as s"


def described(session: Session, path: Path) -> dict[str, str]:
    rows = session.rows(f"describe from read_parquet({literal(str(path))}, hive_partitioning = false)")
    return {name.lower(): kind for name, kind, *_ in rows}


def test_the_columns_of_a_file_are_those_that_duckdb_reads(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "all.parquet"
    session.run(f"copy (select {KINDS}, {NESTED}, 7 as t) to {literal(str(path))} (format parquet)")
    shape = Shapes().shape([str(path)], session.rows)
    assert shape.alike
    assert shape.columns == described(session, path)
    assert len(shape.columns) == 20


def test_the_columns_of_files_by_other_writers_are_those_that_duckdb_reads(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "other.parquet"
    times = [pa.array([0], pa.timestamp(unit, zone)) for unit in ("ms", "us", "ns") for zone in (None, "UTC")]
    others = [pa.array(["a"]).dictionary_encode(), pa.array([None], pa.null()), pa.array([b"x"], pa.binary(1))]
    columns = [*times, *others, pa.array([1], pa.uint16()), pa.array([0], pa.date64())]
    table = pa.table({f"c{number}": column for number, column in enumerate(columns)})
    for old in (False, True):
        pq.write_table(table, path, use_deprecated_int96_timestamps=old)
        assert Shapes().shape([str(path)], session.rows).columns == described(session, path)


def test_what_was_staged_is_read_without_being_opened(session: Session, tmp_path: Path) -> None:
    query = f"select {KINDS}, 7 as t"
    (file,) = session.stage(query, tmp_path / "staged")
    schema = pa.schema([pa.field(f.name, storable(f.type)) for f in session.schema(query)])
    shapes = Shapes()
    shapes.wrote(str(file.path), schema)
    assert shapes.shape([str(file.path)], lambda sql: []).columns == described(session, file.path)


def test_files_of_several_kinds_are_read_together(session: Session, tmp_path: Path) -> None:
    narrow, wide = ({"id": pa.array([1], kind)} for kind in (pa.int32(), pa.int64()))
    paths = [tmp_path / f"{number}.parquet" for number in range(3)]
    for path, columns in zip(paths, (narrow, narrow, wide | {"note": ["x"]}), strict=True):
        pq.write_table(pa.table(columns), path)
    shape = Shapes().shape([str(path) for path in paths], session.rows)
    assert not shape.alike
    assert shape.columns == {"id": "BIGINT", "note": "VARCHAR"}
