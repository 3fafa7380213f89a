"""A MariaDB that is killed in the middle of each phase of a reading: the run waits for it, and all rows are right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymysql.connections import Connection

from lagoa.app import Project
from lagoa.kit.stop import Stop
from lagoa.observe.events import Event
from lagoa.testing.mariadb import INSTALL, MariaServer, find_binaries, running_mariadb

SOURCE = """\
type: mysql
connection: ${secret:erp_url}
connect_timeout: 2s
streams:
  orders: {table: orders, mode: merge, key: id, cursor: changed, ranges: 2, deletes: compare}
"""
PHASES = [
    "log in",
    "start transaction",
    "information_schema.tables",
    "desc limit 1",
    "select concat_ws",
    "@@max_allowed_packet",
    "min(",
    "group_concat(",
]
"""What the statement says in whose middle the server dies, in the order of a reading; the last ask for all keys."""
PAD = "repeat(md5(seq), 20)"


class Impatient(Stop):
    """Makes the pauses before retries short."""

    def wait(self, seconds: float) -> None:
        super().wait(min(seconds, 0.02))


@pytest.fixture(scope="module")
def server() -> Iterator[MariaServer]:
    """A server whose commits survive its death, as those of others in this folder need not."""
    if find_binaries() is None:
        pytest.skip(f"needs MariaDB's server: {INSTALL}")
    with running_mariadb("--innodb-flush-log-at-trx-commit=2") as started:
        yield started


@pytest.fixture
def project(server: MariaServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    server.database("erp")
    server.sql(
        "create table orders (id int primary key, changed int, pad text); "
        f"insert into orders select seq, seq, {PAD} from seq_1_to_3000",
        "erp",
    )
    (tmp_path / "sources").mkdir()
    (tmp_path / "lagoa.yml").write_text("name: faults\ntargets: {local: {threads: 2}}\n")
    (tmp_path / "sources/erp.yml").write_text(SOURCE)
    monkeypatch.setenv("ERP_URL", server.uri("erp"))
    return tmp_path


def live(server: MariaServer) -> list[tuple[int, int]]:
    lines = server.sql("select id, changed from orders order by id", "erp").splitlines()
    return [(int(one), int(two)) for one, two in (line.split("\t") for line in lines)]


def landed(project: Project) -> list[tuple[int, int]]:
    rows = project.query("select id, changed from bronze.erp_orders order by id").read_all().to_pylist()
    return [(row["id"], row["changed"]) for row in rows]


def dies_in(phase: str, server: MariaServer, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Kill the server once, when a statement of the phase is sent and its answer not yet read; tell of it."""
    died: list[str] = []
    read: Callable[..., Any] = Connection._read_query_result
    log_in: Callable[..., Any] = Connection._request_authentication
    send: Callable[..., Any] = Connection._execute_command

    def kill(where: str) -> None:
        if not died:
            died.append(where)
            server.kill()

    def sending(self: Any, command: int, sql: Any) -> Any:
        self.said = sql if isinstance(sql, str) else bytes(sql).decode(errors="replace")
        return send(self, command, sql)

    def reading(self: Any, unbuffered: bool = False) -> Any:
        if phase in self.said:
            kill(self.said)
        return read(self, unbuffered)

    def logging_in(self: Any) -> Any:
        if phase == "log in":
            kill(phase)
        return log_in(self)

    monkeypatch.setattr(Connection, "_execute_command", sending)
    monkeypatch.setattr(Connection, "_read_query_result", reading)
    monkeypatch.setattr(Connection, "_request_authentication", logging_in)
    return died


@pytest.mark.parametrize("phase", PHASES)
def test_a_server_that_dies_in_the_middle_costs_a_retry_and_nothing_else(
    phase: str, project: Path, server: MariaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Project.open(project) as opened:
        assert opened.run().ok
        server.sql(
            f"insert into orders select seq, seq, {PAD} from seq_3001_to_9000; delete from orders where id % 7 = 0; "
            "update orders set changed = 9999 where id = 5",
            "erp",
        )
        retried = []

        def heal(event: Event) -> None:
            if event.kind == "step.retry":
                retried.append(event.table)
                server.start()

        died = dies_in(phase, server, monkeypatch)
        done = opened.run(listeners=[heal], stop=Impatient())
        assert died
        assert retried == ["bronze.erp_orders"]
        assert [r.error for r in done.results if r.error] == []
        assert landed(opened) == live(server)
