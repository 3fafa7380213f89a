"""Whole runs over a MariaDB that dies or stalls: published tables stay, retries heal, nothing is lost or doubled."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Timer
from typing import Any, Literal

import pytest

from lagoa.app import Project
from lagoa.kit.stop import Stop
from lagoa.observe.events import Event
from lagoa.run.report import Run
from lagoa.testing.mariadb import INSTALL, MariaServer, find_binaries, running_mariadb
from lagoa.testing.proxy import FaultyProxy

SOURCE = """\
type: mysql
connection: ${secret:erp_url}
connect_timeout: 2s
idle_timeout: 1s
streams:
  orders: {table: orders, mode: append, cursor: id, lag: 10}
  customers: {table: customers, mode: merge, key: id, cursor: updated_at, columns: {notes: {drop: true}}}
  keyless: {table: keyless, mode: append, cursor: id}
  report: {query: "select customer, count(*) as orders, sum(amount) as amount from orders group by 1"}
"""
TABLES = """
create table orders (id bigint primary key, customer int, amount decimal(12,2), pad text);
create table keyless (id bigint not null, pad text, index (id));
create table customers (id int primary key, name text, notes text, updated_at timestamp(6) null);
"""
LIVES = {
    "orders": "select id, customer, amount, pad from orders",
    "keyless": "select id, pad from keyless",
    "customers": "select id, name, unix_timestamp(updated_at) div 1 as at from customers",
    "report": "select customer, orders, amount from (select customer, count(*) as orders, sum(amount) as amount"
    " from orders group by 1) x",
}
LANDED = {**LIVES, "customers": "select id, name, epoch(updated_at)::bigint as at from customers"}


@pytest.fixture(scope="module")
def server() -> Iterator[MariaServer]:
    if find_binaries() is None:
        pytest.skip(f"needs MariaDB's server: {INSTALL}")
    with running_mariadb() as server:
        yield server


@pytest.fixture
def proxy(server: MariaServer) -> Iterator[FaultyProxy]:
    with FaultyProxy(server.port) as proxy:
        yield proxy


@pytest.fixture
def project(server: MariaServer, proxy: FaultyProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    server.database("erp")
    server.sql(TABLES, "erp")
    add(server, 1, 5000)
    (tmp_path / "sources").mkdir()
    (tmp_path / "lagoa.yml").write_text("name: faults\ntargets: {local: {threads: 2}}\n")
    (tmp_path / "sources/erp.yml").write_text(SOURCE)
    monkeypatch.setenv("ERP_URL", server.uri("erp", port=proxy.port))
    return tmp_path


def add(server: MariaServer, low: int, high: int) -> None:
    server.sql(
        f"insert into orders select seq, seq % 50, seq * 0.01, repeat(md5(seq), 40) from seq_{low}_to_{high};"
        f"insert into keyless select seq, repeat(md5(seq), 40) from seq_{low}_to_{high};"
        "insert into customers select seq, concat('c', seq), 'secret', now() from seq_0_to_49 "
        "on duplicate key update name = concat(name, ' again'), updated_at = now();",
        "erp",
    )


def succeed(project: Path, *listeners: Any) -> None:
    done = run(project, *listeners)
    assert [r.error for r in done.results if r.error] == []
    assert done.ok


class Impatient(Stop):
    """Makes the pauses before retries short."""

    def wait(self, seconds: float) -> None:
        super().wait(min(seconds, 0.02))


def run(project: Path, *listeners: Any) -> Run:
    with Project.open(project) as opened:
        return opened.run(listeners=listeners, stop=Impatient())


def landed(project: Path) -> dict[str, list[tuple[str, ...]]]:
    found = {}
    with Project.open(project) as opened:
        for name, sql in LANDED.items():
            for table in LANDED:
                sql = sql.replace(f"from {table}", f"from bronze.erp_{table}")
            if name == "report":
                sql = "select customer, orders, amount from bronze.erp_report"
            rows = opened.query(sql).read_all().to_pylist()
            found[name] = sorted(tuple(str(v) for v in row.values()) for row in rows)
    return found


def live(server: MariaServer) -> dict[str, list[tuple[str, ...]]]:
    return {
        name: sorted(tuple(line.split("\t")) for line in server.sql(sql, "erp").splitlines())
        for name, sql in LIVES.items()
    }


def versions(done: Run) -> dict[str, int | None]:
    return {str(r.table): r.version for r in done.results}


def test_runs_follow_the_database_and_a_run_without_news_commits_nothing(project: Path, server: MariaServer) -> None:
    succeed(project)
    assert landed(project) == live(server)
    add(server, 5001, 5100)
    server.sql("delete from orders where id in (5099); insert into orders values (5099, 1, 2, 'late')", "erp")
    succeed(project)
    assert landed(project) == live(server)
    idle = run(project)
    assert [r.status for r in idle.results] == ["unchanged"] * 4


@pytest.mark.parametrize("how", ["cut", "stall"])
def test_a_fault_that_heals_costs_a_retry_and_nothing_else(
    how: Literal["cut", "stall"], project: Path, server: MariaServer, proxy: FaultyProxy
) -> None:
    succeed(project)
    add(server, 5001, 12000)
    proxy.fail(how, 2 << 20)
    retried = []

    def heal(event: Event) -> None:
        if event.kind == "step.retry":
            retried.append(event.table)
            proxy.heal()

    succeed(project, heal)
    assert retried
    assert set(retried) <= {"bronze.erp_orders", "bronze.erp_keyless"}
    assert landed(project) == live(server)


def test_a_database_that_stays_dead_leaves_every_table_as_it_was(project: Path, server: MariaServer) -> None:
    succeed(project)
    before = landed(project)
    add(server, 5001, 12000)
    server.kill()
    try:
        began = time.monotonic()
        failed = run(project)
        assert time.monotonic() - began < 30
        assert [getattr(r.error, "code", None) for r in failed.results] == ["LG-201"] * 4
        assert landed(project) == before
    finally:
        server.start()
    succeed(project)
    assert landed(project) == live(server)


@pytest.mark.parametrize("after", [1 << 20, 5 << 20])
def test_a_run_that_is_killed_while_it_reads_is_taken_up(
    after: int, project: Path, server: MariaServer, proxy: FaultyProxy
) -> None:
    proxy.fail("stall", after)
    ours = subprocess.Popen([sys.executable, "-m", "lagoa", "run", "-C", str(project)], stderr=subprocess.DEVNULL)
    end = time.monotonic() + 20
    while not proxy.faults and time.monotonic() < end:
        time.sleep(0.02)
    ours.kill()
    ours.wait()
    assert proxy.faults
    proxy.heal()
    add(server, 5001, 5100)
    succeed(project)
    assert landed(project) == live(server)


def test_a_stop_is_obeyed_while_the_server_is_busy(project: Path, server: MariaServer) -> None:
    (project / "sources/erp.yml").write_text(
        "type: mysql\nconnection: ${secret:erp_url}\n"
        "streams: {slow: {query: 'select sleep(60) as s, id from orders where id = 1'}}\n"
    )
    stop = Impatient()
    Timer(2, stop.set).start()
    began = time.monotonic()
    with Project.open(project) as opened:
        done = opened.run(stop=stop)
    assert done.stopped
    assert time.monotonic() - began < 7
    end = time.monotonic() + 10
    while time.monotonic() < end and "sleep" in busy(server):
        time.sleep(0.1)
    assert "sleep" not in busy(server)  # the server was told to stop, too


def busy(server: MariaServer) -> str:
    return server.sql("select info from information_schema.processlist where user = 'lagoa' and info is not null")


def test_no_byte_of_the_project_holds_the_password(project: Path, server: MariaServer, proxy: FaultyProxy) -> None:
    succeed(project)
    add(server, 5001, 5500)
    proxy.fail("cut", 50_000)
    assert not run(project).ok
    written = [path for path in project.rglob("*") if path.is_file()]
    assert len(written) > 10
    assert [p for p in written for canary in (b"c4n@ry", b"c4n%40ry") if canary in p.read_bytes()] == []
