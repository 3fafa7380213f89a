"""The sqlite source against real files: the contract, locks, write-ahead logs, what is none, a sample by cell."""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from threading import Event
from typing import Any

import pyarrow as pa
import pytest
from tests.adapters.sources.types_page import REFERENCE

from lagoa import registry
from lagoa.errors import SourceError, Stopped
from lagoa.ports import SOURCE, Reading, Source
from lagoa.testing.sources import Reader, SourceContract, multiset

SHOP = """
create table orders (id integer primary key, amount decimal(12,2), at datetime not null);
create table customers (id text primary key, name text, notes text, updated_at text) without rowid;
create table "Weird ""Name""; drop table orders" ("a b" int, rowid text);
create view paid as select id, amount from orders where amount > 3;
with recursive g(n) as (select 1 union all select n + 1 from g where n < 20)
insert into orders select n, n * 1.5, datetime('2024-01-01', n || ' hours') from g;
delete from orders where id = 18;
with recursive g(n) as (select 1 union all select n + 1 from g where n < 10)
insert into customers select 'c' || n, 'name ' || n, 'secret', date('2024-01-01', (n / 3) || ' days') from g;
insert into customers values ('none', 'never changed', null, null);
insert into "Weird ""Name""; drop table orders" values (1, 'x');
"""
STREAMS: dict[str, Any] = {
    "orders": {"table": "orders", "mode": "append", "cursor": "id", "lag": 5},
    "late": {"table": "orders", "mode": "append", "cursor": "at"},
    "customers": {
        "table": "customers",
        "mode": "merge",
        "key": "id",
        "cursor": "updated_at",
        "columns": {"notes": {"drop": True}},
    },
    "everything": {"table": "ORDERS"},
    "paid": {"table": "paid"},
    "weird": {"table": 'Weird "Name"; drop table orders'},
    "report": {"query": "select date(at) as day, sum(amount) as total from orders group by 1; "},
}


def sqlite(path: str = "shop.db", streams: dict[str, Any] | None = None, **more: Any) -> Source:
    found: Source = registry.adapter("sources", "sqlite")(
        type="sqlite", path=path, streams=streams or {"orders": {"table": "orders"}}, **more
    )
    return found


def run(path: Path, script: str) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(script)
    connection.commit()
    connection.close()


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    run(tmp_path / "shop.db", SHOP)
    return tmp_path / "shop.db"


@pytest.fixture
def read(tmp_path: Path) -> Iterator[Callable[[Source], Reader]]:
    engine = registry.adapter("engines", "duckdb")(2, "500MB", tmp_path / "engine")
    yield lambda source: Reader(source, tmp_path, engine, tmp_path / "scratch")
    engine.close()


class TestSQLite(SourceContract):
    page = REFERENCE / "sqlite.md"

    @pytest.fixture
    def source(self, shop: Path) -> Source:
        return sqlite(streams=STREAMS)

    @pytest.fixture
    def grow(self, shop: Path) -> Callable[[str], None]:
        scripts = {
            # the second row comes late: below the highest value, inside the lag
            "orders": "insert into orders values (100, 7, '2024-01-01'), (18, 1, '2024-01-01')",
            "late": "insert into orders (amount, at) values (7, '2024-01-01 20:00:00'), (9, '2024-03-01 00:00:00')",
            "customers": "update customers set name = 'new', updated_at = '2024-01-04' where id in ('c1', 'c9'); "
            "insert into customers values ('tie', 'tie', null, '2024-01-04'); "
            "update customers set name = 'changed without a time' where updated_at is null",
        }
        return lambda stream: run(shop, scripts[stream])

    @pytest.fixture
    def broken(self, tmp_path: Path, shop: Path) -> list[Source]:
        (tmp_path / "text.db").write_text("id,name\n1,a\n" * 500)
        (tmp_path / "noise.db").write_bytes(bytes(range(256)) * 64)
        shutil.copy(shop, tmp_path / "torn.db")
        with (tmp_path / "torn.db").open("r+b") as file:
            file.truncate(6000)
        return [
            sqlite("nowhere.db"),
            sqlite("."),
            sqlite("text.db"),
            sqlite("noise.db"),
            sqlite("torn.db"),
            sqlite(streams={"orders": {"table": "order"}}),
            sqlite(streams={"orders": {"query": "select nothing from orders"}}),
            sqlite(streams={"orders": {"query": "select 1; drop table orders"}}),
            sqlite(streams={"orders": {"query": "delete from orders"}}),
        ]


def failure(source: Source, folder: Path, since: Any = None) -> SourceError:
    name = next(iter(source.streams))
    with pytest.raises(SourceError) as caught:
        for batch in source.read(Reading(name, since, folder, folder, f"bronze.till_{name}")):
            for portion in batch.portions:
                assert not isinstance(portion.rows, str)
                try:
                    portion.rows.read_all()
                except pa.ArrowException:
                    pass
                finally:
                    portion.close()
    return caught.value


def test_a_name_is_found_whatever_its_case_and_what_was_meant_is_said(shop: Path, tmp_path: Path) -> None:
    error = failure(sqlite(streams={"orders": {"table": "order"}}), tmp_path)
    assert (error.code, error.hint) == ("LG-203", "did you mean `orders`?")


def test_what_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "shop.db").write_bytes(b"encrypted!" * 1000)
    error = failure(sqlite(), tmp_path)
    assert error.code == "LG-202"
    assert "shop.db is no SQLite database, or an encrypted one" in error.message
    assert str(tmp_path) not in error.message


def test_a_file_that_a_writer_holds_is_waited_for_and_worth_a_retry(shop: Path, tmp_path: Path) -> None:
    writer = sqlite3.connect(shop, isolation_level=None, check_same_thread=False)
    writer.execute("begin exclusive")
    try:
        error = failure(sqlite(busy_timeout="1s"), tmp_path)
        assert (error.code, error.retry) == ("LG-201", True)
        assert "shop.db is locked by a writer" in error.message
        threading.Timer(0.5, lambda: writer.execute("rollback")).start()
        list(sqlite(busy_timeout="20s").read(Reading("orders", None, tmp_path, tmp_path, "bronze.x")))
    finally:
        writer.close()


def test_what_stands_in_the_write_ahead_log_alone_is_read_and_what_comes_later_is_not(
    shop: Path, tmp_path: Path, read: Callable[[Source], Reader]
) -> None:
    writer = sqlite3.connect(shop)
    writer.execute("pragma journal_mode = wal")
    writer.execute("pragma wal_autocheckpoint = 0")
    writer.execute("insert into orders values (200, 1, 'x')")
    writer.commit()
    try:
        source = sqlite()
        batches = source.read(Reading("orders", None, tmp_path, tmp_path, "bronze.x"))
        batch = next(batches)
        writer.execute("insert into orders values (201, 1, 'x')")
        writer.commit()
        portions = [p.rows.read_all() for p in batch.portions if not isinstance(p.rows, str)]
        assert 200 in portions[0]["id"].to_pylist()
        assert 201 not in portions[0]["id"].to_pylist()
        list(batches)
        assert 201 in [row["id"] for row in read(source).read("orders").rows]
    finally:
        writer.close()


def test_reading_writes_nothing(shop: Path, read: Callable[[Source], Reader]) -> None:
    before = (shop.read_bytes(), shop.stat().st_mtime_ns)
    for stream in STREAMS:
        read(sqlite(streams=STREAMS)).read(stream)
    assert (shop.read_bytes(), shop.stat().st_mtime_ns) == before


def test_a_row_says_its_rowid_and_one_without_says_its_key(shop: Path, read: Callable[[Source], Reader]) -> None:
    reader = read(sqlite(streams=STREAMS))
    assert {row[SOURCE] for row in reader.read("everything").rows} >= {"everything@1", "everything@20"}
    assert "customers@c3" in {row[SOURCE] for row in reader.read("customers").rows}
    assert {row[SOURCE] for row in reader.read("paid").rows} == {"paid"}
    assert [row[SOURCE] for row in reader.read("weird").rows] == ["weird@1"]


def test_a_cursor_of_mixed_classes_is_refused_by_append_and_its_rows_read_every_time_by_merge(
    shop: Path, tmp_path: Path, read: Callable[[Source], Reader]
) -> None:
    run(shop, "create table m (k integer primary key, n int); insert into m values (1, 5), (2, 'abc'), (3, null)")
    error = failure(sqlite(streams={"m": {"table": "m", "mode": "append", "cursor": "n"}}), tmp_path)
    assert error.code == "LG-207"
    assert "2 rows" in error.message
    reader = read(sqlite(streams={"m": {"table": "m", "mode": "merge", "key": "k", "cursor": "n"}}))
    first = reader.read("m")
    assert first.cursor["value"] == "5"
    assert len(first.refused) == 1
    again = reader.read("m", first.cursor)
    assert sorted(row["k"] for row in again.rows) == [1, 3]


def test_keys_that_are_gone_are_found_by_comparing(shop: Path, tmp_path: Path) -> None:
    said = {"table": "customers", "mode": "merge", "key": "id", "cursor": "updated_at", "deletes": "compare"}
    source = sqlite(streams={"customers": said})
    for batch in source.read(Reading("customers", None, tmp_path, tmp_path, "bronze.x")):
        list(batch.portions)
        assert batch.keys is not None
        assert batch.keys.schema.names == ["id"]
        keys = [p.rows.read_all() for p in batch.keys.portions if not isinstance(p.rows, str)]
        assert len(keys[0]) == 11


def test_a_reading_that_computes_for_long_stops_soon(shop: Path, tmp_path: Path) -> None:
    slow = "with recursive g(n) as (select 1 union all select n + 1 from g) select max(n) as n from g where n < 0"
    stopped = Event()
    threading.Timer(0.5, stopped.set).start()
    source = sqlite(streams={"slow": {"query": slow, "columns": {"n": {"type": "bigint"}}}})
    began = time.monotonic()
    with pytest.raises((Stopped, pa.ArrowException)):
        for batch in source.read(Reading("slow", None, tmp_path, tmp_path, "bronze.x", stopped=stopped)):
            for portion in batch.portions:
                assert not isinstance(portion.rows, str)
                portion.rows.read_all()
    assert time.monotonic() - began < 5


def test_memory_is_bounded_however_wide_the_values_are(shop: Path, tmp_path: Path) -> None:
    run(
        shop,
        "create table wide (id integer primary key, doc text, raw blob);"
        "with recursive g(n) as (select 1 union all select n + 1 from g where n < 300)"
        "insert into wide select n, hex(zeroblob(250000)), zeroblob(500000) from g;",
    )
    largest, rows = 0, 0
    tracemalloc.start()
    for batch in sqlite(streams={"wide": {"table": "wide"}}).read(Reading("wide", None, tmp_path, tmp_path, "b.x")):
        for portion in batch.portions:
            assert not isinstance(portion.rows, str)
            for found in portion.rows:
                largest, rows = max(largest, found.nbytes), rows + len(found)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows == 300  # 300 MB of values
    assert largest < 16 << 20
    assert peak < 64 << 20


def test_the_file_may_have_any_name(tmp_path: Path, read: Callable[[Source], Reader]) -> None:
    for name in ("a b?.db", "x#y%41.db", "[z]'; drop.db", "ação 🦆.db"):
        run(tmp_path / name, "create table orders (id int); insert into orders values (7)")
        assert [row["id"] for row in read(sqlite(name)).read("orders").rows] == [7]


def test_a_view_cannot_call_what_reaches_outside(tmp_path: Path) -> None:
    run(tmp_path / "shop.db", "create view orders as select load_extension('evil') as id")
    error = failure(sqlite(), tmp_path)
    assert error.code == "LG-202"
    assert "load_extension" in error.message


def test_every_cell_of_a_real_sample_is_the_one_that_the_file_holds(
    shared_data: Path, tmp_path: Path, read: Callable[[Source], Reader]
) -> None:
    shutil.copy(shared_data / "sqldumps/chinook.sqlite", tmp_path / "chinook.db")
    connection = sqlite3.connect(tmp_path / "chinook.db")
    tables = [row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")]
    tables = [name for name in tables if not name.startswith("sqlite_")]
    streams: dict[str, Any] = {name.lower(): {"table": name} for name in tables}
    reader = read(sqlite("chinook.db", streams))
    cells = 0
    for name in tables:
        landed = reader.read(name.lower())
        assert landed.refused == []
        cursor = connection.execute(f'select * from "{name}"')
        columns = [d[0] for d in cursor.description]
        want = sorted(repr([_plain(v) for v in row]) for row in cursor)
        have = sorted(repr([_plain(row[c]) for c in columns]) for row in landed.rows)
        assert have == want
        cells += len(have) * len(columns)
    connection.close()
    assert len(tables) == 11
    assert cells > 60_000


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value


def test_reading_twice_gives_the_same_while_another_reads(shop: Path, read: Callable[[Source], Reader]) -> None:
    other = sqlite3.connect(shop)
    other.execute("begin")
    other.execute("select * from orders").fetchone()
    reader = read(sqlite())
    assert multiset(reader.read("orders")) == multiset(reader.read("orders"))
    other.close()
