"""What staging writes: the table's exact types or an error, statistics, partitions, streams."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lagoa.errors import LakeError, StepError
from lagoa.ports import ColumnStats, Session, StagedFile
from lagoa.registry import adapter

INT, BIG, FLOAT, DOUBLE = pa.int32(), pa.int64(), pa.float32(), pa.float64()
MONEY = pa.decimal128(10, 2)


def read(files: list[StagedFile]) -> Any:
    return pa.concat_tables([pq.ParquetFile(f.path).read() for f in files])


def test_files_hold_the_tables_types_and_columns_by_name(session: Session, tmp_path: Path) -> None:
    schema = pa.schema([("id", BIG), ("amount", MONEY), ("note", pa.string())])
    (file,) = session.stage("select 'n' as note, 1 as ID, 2 as amount", tmp_path, schema)
    assert [(f.name, f.type) for f in read([file]).schema] == [(f.name, f.type) for f in schema]
    assert read([file]).to_pylist() == [{"id": 1, "amount": Decimal("2.00"), "note": "n"}]
    assert (file.rows, file.size) == (1, file.path.stat().st_size)


@pytest.mark.parametrize(
    ("value", "kind", "kept"),
    [
        ("2.0::double", INT, 2),
        ("'12'", INT, 12),
        ("' -007 '", BIG, -7),
        ("'1.0500'", MONEY, Decimal("1.05")),
        ("1.0500", MONEY, Decimal("1.05")),
        ("0.1::double", MONEY, Decimal("0.10")),
        ("123", DOUBLE, 123.0),
        ("1.5::double", FLOAT, 1.5),
        ("sum(1)", BIG, 1),
        ("true", INT, 1),
        ("'nan'::float", DOUBLE, "nan"),
        ("null", MONEY, None),
        ("'2026-01-02'", pa.date32(), "2026-01-02"),
        ("[1, 2]", pa.list_(BIG), [1, 2]),
        ("{'b': 2}", pa.struct([("a", BIG), ("b", BIG)]), {"a": None, "b": 2}),
    ],
)
def test_a_value_that_fits_is_kept(session: Session, tmp_path: Path, value: str, kind: Any, kept: object) -> None:
    files = session.stage(f"select {value} as a", tmp_path, pa.schema([("a", kind)]))
    found = read(files).to_pylist()[0]["a"]
    assert found == kept or str(found) == kept


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("1.5::double", INT),
        ("3000000000", INT),
        ("'1.7'", INT),
        ("'x'", INT),
        ("''", INT),
        ("1.005", MONEY),
        ("'1.005'", MONEY),
        ("1.005::double", MONEY),
        ("123456789012", MONEY),
        ("9007199254740993", DOUBLE),
        ("16777217", FLOAT),
        ("0.1::double", FLOAT),
        ("'nan'::double", MONEY),
        ("2", pa.bool_()),
        ("'2026-01-02 10:00'", pa.date32()),
        ("timestamp '2026-01-02 10:00'", pa.date32()),
        ("'02/01/2026'", pa.date32()),
        ("timestamp_ns '2026-01-01 00:00:00.123456789'", pa.timestamp("us")),
        ("[1.5]", pa.list_(INT)),
        ("{'a': 1, 'b': 2}", pa.struct([("a", BIG)])),
        ("[1]", INT),
        ("date '2026-01-01'", INT),
    ],
)
def test_a_value_that_would_be_lost_or_rounded_is_refused(
    session: Session, tmp_path: Path, value: str, kind: Any
) -> None:
    with pytest.raises(LakeError, match="`a`") as raised:
        session.stage(f"select {value} as a", tmp_path, pa.schema([("a", kind)]))
    assert raised.value.code == "LG-308"


def test_an_unknown_column_is_refused(session: Session, tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="no column `amonut`") as raised:
        session.stage("select 1 as amonut", tmp_path, pa.schema([("amount", INT)]))
    assert (raised.value.code, raised.value.hint) == ("LG-204", "did you mean `amount`?")


def test_reasons_go_beside_the_tables_columns(session: Session, tmp_path: Path) -> None:
    query = "select range as id, case when range = 1 then 'bad' end as _reason, null as _raw from range(3)"
    (file,) = session.stage(query, tmp_path, pa.schema([("id", BIG)]))
    assert read([file]).column_names == ["id", "_reason", "_raw"]
    assert file.stats["_reason"] == ColumnStats(nulls=2)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("uuid()", pa.string()),
        ("'{}'::json", pa.string()),
        ("time '10:00'", pa.string()),
        ("interval 1 day", pa.string()),
        ("'a'::enum('a', 'b')", pa.string()),
        ("1::utinyint", pa.int16()),
        ("1::usmallint", INT),
        ("1::uinteger", BIG),
        ("1::ubigint", pa.decimal128(20, 0)),
        ("1::hugeint", pa.decimal128(38, 0)),
        ("timestamp_s '2026-01-01'", pa.timestamp("us")),
        ("timestamp_ns '2026-01-01 00:00:00.000001'", pa.timestamp("us")),
        ("timestamptz '2026-01-01 00:00:00+00'", pa.timestamp("us", "UTC")),
        ("null", INT),
        ("[uuid()]", pa.list_(pa.string())),
        ("[1, 2]::int[2]", pa.list_(INT)),
        ("{'a': 1::ubigint}", pa.struct([("a", pa.decimal128(20, 0))])),
        ("map {'k': time '10:00'}", pa.map_(pa.string(), pa.string())),
    ],
)
def test_types_that_delta_lacks_become_types_that_it_has(
    session: Session, tmp_path: Path, value: str, kind: Any
) -> None:
    query = f"select {value} as a"
    assert session.schema(query).field("a").type == kind
    session.stage(query, tmp_path)
    held = session.rows(f"describe from '{tmp_path}/*.parquet'")[0][1]
    session.bind("expected", pa.schema([("a", kind)]).empty_table())
    assert held == session.rows("describe expected")[0][1]


def test_statistics_are_exact_text_or_nothing(session: Session, tmp_path: Path) -> None:
    query = """
        select range as id, range % 2 = 0 as even, (range * 1.25)::decimal(12, 2) as amount,
            timestamptz '2026-01-01 00:00:00.5+00' as at, 'y' || repeat('x', range::int) as text,
            case when range = 3 then 'nan'::double else 1 end as doubtful, {'a': range} as nested,
            case when range > 5 then 'b' end as rare, 'blob'::blob as bytes, 'infinity'::date as never
        from range(300)
    """
    (file,) = session.stage(query, tmp_path)
    assert file.stats == {
        "id": ColumnStats(0, "0", "299"),
        "even": ColumnStats(0, "false", "true"),
        "amount": ColumnStats(0, "0.00", "373.75"),
        "at": ColumnStats(0, "2026-01-01 00:00:00.5+00", "2026-01-01 00:00:00.5+00"),
        "text": ColumnStats(0, "y", None),
        "doubtful": ColumnStats(0),
        "rare": ColumnStats(6, "b", "b"),
        "bytes": ColumnStats(0),
        "never": ColumnStats(0),
    }


def test_partition_values_are_told_and_not_in_the_files(session: Session, tmp_path: Path) -> None:
    query = "from (values (1, 'a/b'), (2, null), (3, 'NULL'), (4, ''), (5, 'ç%''=')) t(id, p)"
    files = session.stage(query, tmp_path, partition_by=["p"])
    found = {f.partition["p"]: read([f]) for f in files if f.partition["p"] is not None}
    assert {k: t.to_pylist() for k, t in found.items()} == {
        "a/b": [{"id": 1}],
        "NULL": [{"id": 3}],
        "ç%'=": [{"id": 5}],
    }
    nothing = [read([f]).to_pylist() for f in files if f.partition["p"] is None]
    assert sorted(row["id"] for rows in nothing for row in rows) == [2, 4], "Delta cannot tell '' from null"
    assert all("p" not in f.stats for f in files)


def test_no_row_makes_no_file(session: Session, tmp_path: Path) -> None:
    assert session.stage("select 1 as id where false", tmp_path / "x") == []
    assert session.stage("select 1 as id, 2 as p where false", tmp_path / "y", partition_by=["p"]) == []
    assert not list(tmp_path.rglob("*.parquet"))


def test_files_follow_the_order_of_the_query(session: Session, tmp_path: Path) -> None:
    """So that a table loaded in order of its key has files whose bounds do not overlap much."""
    files = session.stage("select range as id, sha256(range::varchar) as h from range(3_000_000)", tmp_path)
    assert len(files) > 1
    assert sum(f.rows for f in files) == 3_000_000
    lows = sorted(int(f.stats["id"].low or 0) for f in files)
    assert lows[1] > 1_000_000


def test_arrow_batches_are_streamed(session: Session, tmp_path: Path) -> None:
    """The reader is asked for the next batch only as the last ones are written."""
    asked = []

    def batches() -> Iterator[Any]:
        for n in range(50):
            asked.append(n)
            yield pa.record_batch({"id": pa.array(range(1000))})

    reader = pa.RecordBatchReader.from_batches(pa.schema([("id", BIG)]), batches())
    assert sum(f.rows for f in session.stage(reader, tmp_path)) == 50_000
    assert len(asked) == 50


def test_a_readers_own_error_is_the_one_that_is_seen(session: Session, tmp_path: Path) -> None:
    def batches() -> Iterator[Any]:
        yield pa.record_batch({"id": pa.array([1], BIG)})
        raise ConnectionError("the server went away")

    reader = pa.RecordBatchReader.from_batches(pa.schema([("id", BIG)]), batches())
    with pytest.raises(ConnectionError, match="the server went away"):
        session.stage(reader, tmp_path)
    assert session.rows("select 1") == [(1,)]


def test_an_unwritable_folder_is_the_lakes_error(session: Session, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LakeError) as raised:
        session.stage("select 1 as id", tmp_path / "file" / "sub")
    assert raised.value.code == "LG-306"


def test_too_little_memory_is_told_as_such(tmp_path: Path) -> None:
    engine = adapter("engines", "duckdb")(1, "20MB", tmp_path)
    with engine.session() as session, pytest.raises(StepError) as raised:
        session.rows("select list(range) from range(20_000_000)")
    engine.close()
    assert raised.value.code == "LG-504"


@pytest.mark.slow
def test_a_partitioned_stage_needs_no_more_memory_for_more_rows(tmp_path: Path) -> None:
    code = """
        import sys
        from pathlib import Path
        from lagoa.registry import adapter
        engine = adapter("engines", "duckdb")(2, "2GB", Path(sys.argv[1]))
        with engine.session() as session:
            query = f"select range as id, hash(range) as h, range % 7 as p from range({sys.argv[2]})"
            session.stage(query, Path(sys.argv[1]) / "out", partition_by=["p"])
        print(*[line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")])
    """

    def peak(rows: int) -> int:
        command = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / str(rows)), str(rows)]
        return int(subprocess.check_output(command)) // 1024

    assert peak(8_000_000) < peak(2_000_000) + 100


def test_files_of_so_many_rows_follow_the_querys_order(session: Session, tmp_path: Path) -> None:
    query = "select 400000 - range as id, 'x' as p from range(400000) order by id"
    files = session.stage(query, tmp_path / "cut", rows_per_file=100_000)
    bounds = sorted((int(f.stats["id"].low or 0), int(f.stats["id"].high or 0)) for f in files)
    assert [f.rows for f in files] == [122_880, 122_880, 122_880, 31_360]
    assert all(a[1] + 1 == b[0] for a, b in pairwise(bounds))
    assert len(session.stage(query, tmp_path / "apart", partition_by=["p"], rows_per_file=100_000)) == 1
