"""The duckdb source against real files: the contract, locks, other versions, and every door but the file's closed."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from tests.adapters.sources.types_page import REFERENCE

from lagoa import registry
from lagoa.errors import SourceError, Stopped
from lagoa.ports import SOURCE, Reading, Source
from lagoa.testing.sources import Reader, SourceContract

SHOP = """
create schema "x.y";
create table orders (id bigint primary key, amount decimal(12,2), seen timestamptz not null);
create table customers (id uuid primary key, name varchar, notes varchar, updated_at timestamp);
create table "x.y"."Weird ""Name""; drop table orders" ("a b" int);
insert into "x.y"."Weird ""Name""; drop table orders" values (1);
create view paid as select id, amount from orders where amount > 3;
insert into orders select g, g * 1.5, timestamptz '2024-01-01 00:00Z' + g * interval '1 hour' from range(1, 21) t(g);
delete from orders where id = 18;
insert into customers
select md5(g::text)::uuid, 'c' || g, 'secret', timestamp '2024-01-01' + (g // 3) * interval '1 day'
from range(1, 11) t(g);
insert into customers values (md5('none')::uuid, 'never changed', null, null);
"""
STREAMS: dict[str, Any] = {
    "orders": {"table": "orders", "mode": "append", "cursor": "id", "lag": 5},
    "late": {"table": "main.orders", "mode": "append", "cursor": "seen", "lag": "3h"},
    "customers": {
        "table": "customers",
        "mode": "merge",
        "key": "id",
        "cursor": "updated_at",
        "columns": {"notes": {"drop": True}},
    },
    "everything": {"table": "orders"},
    "paid": {"table": "paid"},
    "weird": {"table": '"x.y"."Weird ""Name""; drop table orders"'},
    "report": {"query": "select seen::date as day, sum(amount) as total from orders group by 1; "},
}


def source_of(path: str = "shop.duckdb", **streams: Any) -> Source:
    found: Source = registry.adapter("sources", "duckdb")(
        type="duckdb", path=path, streams=streams or {"orders": {"table": "orders"}}
    )
    return found


def run(path: Path, script: str) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(script)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    run(tmp_path / "shop.duckdb", SHOP)
    return tmp_path / "shop.duckdb"


@pytest.fixture
def read(tmp_path: Path) -> Iterator[Callable[[Source], Reader]]:
    engine = registry.adapter("engines", "duckdb")(2, "500MB", tmp_path / "engine")
    yield lambda source: Reader(source, tmp_path, engine, tmp_path / "scratch")
    engine.close()


class TestDuckDB(SourceContract):
    page = REFERENCE / "duckdb.md"

    @pytest.fixture
    def source(self, shop: Path) -> Source:
        return source_of(**STREAMS)

    @pytest.fixture
    def grow(self, shop: Path) -> Callable[[str], None]:
        scripts = {
            # the second row comes late: below the highest value, inside the lag
            "orders": "insert into orders values (100, 7, '2024-01-01 00:00Z'), (18, 1, '2024-01-01 00:00Z')",
            "late": "insert into orders values (50, 7, '2024-01-01 18:30Z'), (51, 8, '2024-01-01 20:00Z'), "
            "(52, 9, '2024-03-01 00:00Z')",
            "customers": "update customers set name = 'new', updated_at = '2024-01-04' where name in ('c1', 'c9'); "
            "insert into customers values (md5('tie')::uuid, 'tie', null, '2024-01-04'); "
            "update customers set name = 'changed without a time' where updated_at is null",
        }
        return lambda stream: run(shop, scripts[stream])

    @pytest.fixture
    def broken(self, tmp_path: Path, shop: Path) -> list[Source]:
        (tmp_path / "text.duckdb").write_text("id,name\n1,a\n" * 500)
        torn = bytearray(shop.read_bytes())
        torn[5000:9000] = bytes(4000)
        (tmp_path / "torn.duckdb").write_bytes(torn)
        return [
            source_of("nowhere.duckdb"),
            source_of("."),
            source_of("text.duckdb"),
            source_of("torn.duckdb"),
            source_of(orders={"table": "order"}),
            source_of(orders={"query": "select nothing from orders"}),
            source_of(orders={"query": "select * from read_text('text.duckdb')"}),
            source_of(orders={"query": "drop table orders"}),
        ]


def failure(source: Source, folder: Path) -> SourceError:
    name = next(iter(source.streams))
    with pytest.raises(SourceError) as caught:
        for batch in source.read(Reading(name, None, folder, folder, f"bronze.lab_{name}")):
            for portion in batch.portions:
                assert not isinstance(portion.rows, str)
                try:
                    portion.rows.read_all()
                except pa.ArrowException:
                    pass
                finally:
                    portion.close()
    return caught.value


def test_a_file_that_a_writer_has_open_is_said_to_be_locked(shop: Path, tmp_path: Path) -> None:
    script = f"import duckdb, sys; c = duckdb.connect({str(shop)!r}); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "open\n"
        error = failure(source_of(), tmp_path)
        writer.communicate("")
    assert (error.code, error.retry) == ("LG-201", True)
    assert "shop.duckdb is locked by a writer" in error.message
    assert str(tmp_path) not in error.message
    assert "python" not in error.message


def test_a_file_of_a_newer_version_is_said_to_be_one(tmp_path: Path) -> None:
    header = bytearray(12288)
    header[8:12] = b"DUCK"
    header[12:20] = (9_999).to_bytes(8, "little")
    (tmp_path / "shop.duckdb").write_bytes(header)
    error = failure(source_of(), tmp_path)
    assert error.code == "LG-202"
    assert error.message.startswith("bronze.lab_orders: shop.duckdb is ")


@pytest.mark.parametrize(
    "view",
    ["select * from read_text('{0}/other.txt')", "select * from '{0}/other.csv'", "select * from glob('{0}/*')"],
)
def test_a_view_that_reads_other_files_is_refused(view: str, tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("c4n@ry")
    (tmp_path / "other.csv").write_text("a\nc4n@ry\n")
    run(tmp_path / "shop.duckdb", f"create view orders as {view.format(tmp_path)}")
    error = failure(source_of(), tmp_path)
    assert error.code == "LG-202"
    assert "reads other files or extensions" in error.message
    assert "c4n@ry" not in error.message


@pytest.mark.parametrize(
    "query",
    ["copy orders to 'out.csv'", "attach 'new.duckdb'", "select * from orders; copy orders to 'out.csv'", "install x"],
)
def test_a_query_reaches_no_other_file(query: str, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = {path.name for path in tmp_path.iterdir()}
    assert failure(source_of(orders={"query": query}), tmp_path).code == "LG-202"
    assert {path.name for path in tmp_path.iterdir()} == before


def test_reading_writes_nothing(shop: Path, read: Callable[[Source], Reader]) -> None:
    before = (shop.read_bytes(), shop.stat().st_mtime_ns)
    for stream in STREAMS:
        read(source_of(**STREAMS)).read(stream)
    assert (shop.read_bytes(), shop.stat().st_mtime_ns) == before


def test_two_streams_of_one_file_are_read_at_once(shop: Path, tmp_path: Path) -> None:
    source = source_of(**STREAMS)
    both = [source.read(Reading(name, None, tmp_path, tmp_path, "bronze.x")) for name in ("orders", "paid")]
    tables = [p.rows.read_all() for one in both for p in next(one).portions if not isinstance(p.rows, str)]
    assert [len(table) for table in tables] == [19, 17]
    for one in both:
        list(one)


def test_a_row_says_its_key_its_cursor_or_its_number(shop: Path, read: Callable[[Source], Reader]) -> None:
    reader = read(source_of(**STREAMS))
    assert "orders@20" in {row[SOURCE] for row in reader.read("orders").rows}
    assert "everything@0" in {row[SOURCE] for row in reader.read("everything").rows}
    assert {row[SOURCE] for row in reader.read("paid").rows} == {"paid"}


def test_a_reading_that_computes_for_long_stops_soon(shop: Path, tmp_path: Path) -> None:
    slow = "select sum(a.range * b.range) as n from range(10000000) a, range(10000000) b"
    stopped = Event()
    threading.Timer(0.5, stopped.set).start()
    began = time.monotonic()
    with pytest.raises((Stopped, pa.ArrowException)):
        for batch in source_of(slow={"query": slow}).read(
            Reading("slow", None, tmp_path, tmp_path, "bronze.x", stopped=stopped)
        ):
            for portion in batch.portions:
                assert not isinstance(portion.rows, str)
                portion.rows.read_all()
    assert time.monotonic() - began < 5


def test_the_file_may_have_any_name(tmp_path: Path, read: Callable[[Source], Reader]) -> None:
    for name in ("a b?.duckdb", "it's.duckdb", "[z]*.duckdb", "ação 🦆.duckdb"):
        run(tmp_path / name, "create table orders (id int); insert into orders values (7)")
        assert [row["id"] for row in read(source_of(name)).read("orders").rows] == [7]


def test_keys_that_are_gone_are_found_by_comparing(shop: Path, tmp_path: Path) -> None:
    said = {"table": "customers", "mode": "merge", "key": "id", "cursor": "updated_at", "deletes": "compare"}
    for batch in source_of(customers=said).read(Reading("customers", None, tmp_path, tmp_path, "bronze.x")):
        list(batch.portions)
        assert batch.keys is not None
        keys = [p.rows.read_all() for p in batch.keys.portions if not isinstance(p.rows, str)]
        assert len(keys[0]) == 11
