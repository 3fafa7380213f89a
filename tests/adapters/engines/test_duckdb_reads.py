"""What a session of DuckDB sees: bound names, files of many shapes, partitions, errors with their place."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lagoa.errors import LakeError, StepError, Stopped
from lagoa.ports import Engine, FileSet, Session

ID = pa.schema([("id", pa.int64())])


def written(path: Path, **columns: Any) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)
    return str(path)


def test_a_name_is_seen_in_its_own_session_only(engine: Engine) -> None:
    with engine.session() as one, engine.session() as other:
        one.bind("silver.orders", pa.table({"id": [1]}))
        assert one.rows("select id from silver.orders") == [(1,)]
        with pytest.raises(StepError, match="does not exist"):
            other.rows("from silver.orders")


def test_a_name_bound_again_means_the_new_rows(session: Session, tmp_path: Path) -> None:
    session.bind("x", FileSet(ID, [written(tmp_path / "a.parquet", id=[1])]))
    assert session.rows(f"select id from {session.files_of('x')}") == [(1,)]
    session.bind("x", FileSet(ID, [written(tmp_path / "b.parquet", id=[2])]))
    assert session.rows(f"select id from {session.files_of('x')}") == [(2,)]
    session.bind("x", "select 3 as id")
    assert session.rows("from x") == [(3,)]


def test_a_file_older_than_a_column_gives_null_whatever_the_order(session: Session, tmp_path: Path) -> None:
    old = written(tmp_path / "old.parquet", id=pa.array([1], pa.int32()))
    new = written(tmp_path / "new.parquet", note=["n"], id=pa.array([2], pa.int64()))
    schema = pa.schema([("id", pa.int64()), ("note", pa.string()), ("later", pa.date32())])
    for paths in ([old, new], [new, old]):
        session.bind("x", FileSet(schema, paths))
        assert session.rows("from x order by id") == [(1, None, None), (2, "n", None)]
        assert session.schema("from x") == schema


def test_a_column_that_the_table_does_not_have_is_not_seen(session: Session, tmp_path: Path) -> None:
    session.bind("x", FileSet(ID, [written(tmp_path / "a.parquet", gone=["g"], id=[1])]))
    assert session.rows("from x") == [(1,)]


def test_structs_are_read_by_the_names_of_their_fields(session: Session, tmp_path: Path) -> None:
    old = written(tmp_path / "old.parquet", s=[{"b": 2, "a": 1}])
    new = written(tmp_path / "new.parquet", s=[{"a": 3, "b": 4, "c": 5}])
    kind = pa.struct([("a", pa.int64()), ("b", pa.int64()), ("c", pa.int64())])
    session.bind("x", FileSet(pa.schema([("s", kind)]), [old, new]))
    assert session.rows("select s.a, s.b, s.c from x order by 1") == [(1, 2, None), (3, 4, 5)]


@pytest.mark.parametrize("name", ["it's [1].parquet", "a*b?.parquet", "x{a,b}.parquet", "çã %2F.parquet"])
def test_no_character_of_a_path_is_a_pattern(session: Session, tmp_path: Path, name: str) -> None:
    for decoy in ("it's 1.parquet", "aXb1.parquet", "xa.parquet"):
        written(tmp_path / "d[1]" / decoy, id=[99])
    path = written(tmp_path / "d[1]" / name, id=[1])
    session.bind("x", FileSet(ID, [path]))
    assert session.rows(f"select id, _file from {session.files_of('x')}") == [(1, path)]


def test_no_file_gives_no_row_of_the_right_types(session: Session) -> None:
    schema = pa.schema([("id", pa.int64()), ("amount", pa.decimal128(12, 2)), ("tags", pa.list_(pa.string()))])
    session.bind("x", FileSet(schema, []))
    assert session.rows("from x") == []
    assert session.schema("from x") == schema
    assert session.rows(f"select _file from {session.files_of('x')}") == []


@pytest.fixture
def parted(session: Session, tmp_path: Path) -> dict[str, str | None]:
    """A table of four files, parted by region; returns the region of each path."""
    parts: dict[str, str | None] = {}
    for n, region in enumerate(["norte", "sul", None, "norte"]):
        parts[written(tmp_path / f"region=wrong/id=99/{n}.parquet", id=[n * 10, n * 10 + 1])] = region
    schema = pa.schema([("id", pa.int64()), ("region", pa.string()), ("day", pa.date32())])
    values = {path: {"region": region, "day": "2026-01-02"} for path, region in parts.items()}
    session.bind("x", FileSet(schema, list(parts), values))
    return parts


def test_partition_values_come_from_the_log_and_not_from_the_path(
    session: Session, parted: dict[str, str | None]
) -> None:
    found = session.rows("select id // 10, any_value(region), any_value(day) from x group by 1 order by 1")
    assert found == [(n, region, date(2026, 1, 2)) for n, region in enumerate(parted.values())]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("select id from {x} where region = 'norte' order by id", [0, 1, 30, 31]),
        ("select id from {x} where region = 'norte' order by id desc limit 2", [31, 30]),
        ("select id from {x} where region is null order by id", [20, 21]),
        ("select id from {x} where day > '2026-01-01' and region > 'o' order by id", [10, 11]),
    ],
)
def test_filters_on_a_partition_column_find_its_rows(
    session: Session, parted: dict[str, str | None], query: str, ids: list[int]
) -> None:
    for relation in ("x", session.files_of("x")):
        assert [row[0] for row in session.rows(query.format(x=relation))] == ids


def test_a_filter_on_the_file_keeps_its_partition_value(session: Session, parted: dict[str, str | None]) -> None:
    path = list(parted)[1]
    assert session.rows(f"select distinct region from {session.files_of('x')} where _file = '{path}'") == [("sul",)]


def test_partitions_and_new_columns_go_together(session: Session, tmp_path: Path) -> None:
    old = written(tmp_path / "old.parquet", id=[1])
    new = written(tmp_path / "new.parquet", id=[2], note=["n"])
    schema = pa.schema([("id", pa.int64()), ("note", pa.string()), ("p", pa.int32())])
    session.bind("x", FileSet(schema, [old, new], {old: {"p": "7"}, new: {"p": "8"}}))
    assert session.rows("from x order by p desc") == [(2, "n", 8), (1, None, 7)]


def test_the_optimiser_knows_how_many_rows_files_hold(session: Session, tmp_path: Path) -> None:
    """Without it a join builds its table of the greater side: four times the time, eight times the memory."""
    path = written(tmp_path / "a.parquet", id=list(range(5_000)))
    session.bind("x", FileSet(ID, [path]))
    assert "5,000 rows" in str(session.rows("explain from x"))


def test_times_are_utc(session: Session) -> None:
    rows = session.rows("select timestamptz '2026-01-01 12:00:00-03', current_setting('TimeZone')")
    assert rows == [(datetime(2026, 1, 1, 15, tzinfo=UTC), "UTC")]


def test_a_wrong_query_is_told_with_its_place(session: Session, tmp_path: Path) -> None:
    query = "select 1 as a,\n  'ção', foo\nfrom (select 'x' as t)"
    asks: list[Callable[[], object]] = [
        lambda: session.schema(query),
        lambda: session.rows(query),
        lambda: session.arrow(query),
        lambda: session.run(query),
        lambda: session.bind("v", query),
        lambda: session.stage(query, tmp_path / "staged"),
    ]
    for ask in asks:
        with pytest.raises(StepError) as raised:
            ask()
        place = raised.value.place
        assert place is not None
        assert (place.line, place.column, place.text) == (2, 10, "  'ção', foo")
        assert raised.value.code == "LG-501"
        assert raised.value.message.startswith('Referenced column "foo" not found')
        assert "LINE" not in raised.value.message


def test_a_value_that_fails_while_staging_is_told_with_its_place(session: Session, tmp_path: Path) -> None:
    with pytest.raises(StepError, match="Could not convert string 'x0'") as raised:
        session.stage("select 1 as a,\n  ('x' || range)::int as b from range(3) -- why", tmp_path / "staged")
    assert raised.value.place is not None
    assert (raised.value.place.line, raised.value.place.column) == (2, 17)


def test_messages_name_no_internal_place(session: Session) -> None:
    session.bind("silver.orders", pa.table({"id": [1]}))
    with pytest.raises(StepError) as raised:
        session.rows("from silver.order")
    assert "_arrow" not in raised.value.message
    assert "pg_" not in raised.value.message
    assert not any(f"s{n}." in raised.value.message for n in range(99))


def test_two_columns_of_one_name_are_refused(session: Session) -> None:
    with pytest.raises(StepError, match="two columns are called `ID`"):
        session.schema('select 1 as id, 2 as "ID"')


def test_a_missing_file_is_a_damaged_table(session: Session, tmp_path: Path) -> None:
    with pytest.raises(LakeError, match=r"gone\.parquet") as raised:
        session.bind("x", FileSet(ID, [str(tmp_path / "gone.parquet")]))
    assert raised.value.code == "LG-302"


def test_a_torn_file_is_a_damaged_table(session: Session, tmp_path: Path) -> None:
    whole = written(tmp_path / "whole.parquet", id=list(range(1000)))
    torn = tmp_path / "torn.parquet"
    torn.write_bytes(Path(whole).read_bytes()[:-20])
    with pytest.raises(LakeError, match=r"torn\.parquet") as raised:
        session.bind("x", FileSet(ID, [whole, str(torn)]))
    assert raised.value.code == "LG-302"


def test_rows_are_streamed_as_arrow(session: Session) -> None:
    reader = session.arrow("select range as id from range(200_000)")
    assert sum(batch.num_rows for batch in reader) == 200_000
    assert session.rows("select 1") == [(1,)]


def test_an_interrupted_query_stops_and_the_session_goes_on(session: Session) -> None:
    timer = threading.Timer(0.2, session.interrupt)
    timer.start()
    with pytest.raises(Stopped):
        session.rows("select count(*) from range(100_000_000_000) t(a) where hash(a) = 1")
    timer.join()
    assert session.rows("select 1") == [(1,)]


def test_a_python_model_gets_a_relation(session: Session) -> None:
    session.bind("silver.orders", pa.table({"id": [1, 2]}))
    assert session.relation("silver.orders").filter("id > 1").fetchall() == [(2,)]


def test_python_variables_are_not_tables(session: Session) -> None:
    secret = pa.table({"id": [1]})  # noqa: F841 # DuckDB would find it by its name
    with pytest.raises(StepError, match="does not exist"):
        session.rows("from secret")


def test_advice_to_set_what_nobody_can_set_here_is_not_passed_on(session: Session) -> None:
    session.bind("x", pa.table({"id": [1, 2]}))
    with pytest.raises(StepError) as caught:
        session.rows("select (select id from x) as id")
    assert "can only return a single row" in caught.value.message
    assert "SET" not in caught.value.message
