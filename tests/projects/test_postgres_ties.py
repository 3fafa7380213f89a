"""An append that reads its last rows again loads each of them once, and sets each bad one aside once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lagoa.app import Project
from lagoa.testing.postgres import INSTALL, PostgresServer, find_binaries, running_postgres

SOURCE = """\
type: postgres
connection: ${secret:erp_url}
streams:
  events:
    table: events
    mode: append
    cursor: day
    lag: 2d
    columns:
      amount: {checks: [{min: 0, on_fail: quarantine}]}
      code: {type: bigint}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    if find_binaries() is None:
        pytest.skip(f"needs PostgreSQL's server: {INSTALL}")
    with running_postgres() as server:
        yield server


@pytest.fixture
def project(server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    server.database("ties")
    server.sql("create table events (id int, day date, amount int, code text)", "ties")
    (tmp_path / "sources").mkdir()
    (tmp_path / "lagoa.yml").write_text("name: ties\n")
    (tmp_path / "sources/erp.yml").write_text(SOURCE)
    monkeypatch.setenv("ERP_URL", server.uri("ties"))
    with Project.open(tmp_path) as opened:
        yield opened


def counts(project: Project) -> tuple[int, int]:
    """How many rows are loaded and how many were set aside."""
    loaded = project.query("select * from bronze.erp_events").read_all().num_rows
    aside = project.query("select * from quarantine.bronze_erp_events").read_all().num_rows
    return loaded, aside


def test_rows_that_tie_with_the_cursor_are_loaded_or_set_aside_once(project: Project, server: PostgresServer) -> None:
    rows = [(1, "2026-01-01", 5, "7"), (2, "2026-01-03", -5, "7"), (3, "2026-01-03", 5, "x"), (4, "2026-01-03", 5, "7")]
    rows += [(4, "2026-01-03", 5, "7")]
    for row in rows:
        server.sql(f"insert into events values {row}", "ties")
    assert project.run().ok
    assert counts(project) == (3, 2)
    again = project.run()
    assert [r.status for r in again.results] == ["unchanged"]
    assert counts(project) == (3, 2)
    late = [(5, "2026-01-02", 1, "1"), (6, "2026-01-03", -1, "1"), (7, "2026-01-04", 1, "y"), (4, "2026-01-03", 5, "7")]
    for row in late:
        server.sql(f"insert into events values {row}", "ties")
    assert project.run().ok
    assert counts(project) == (5, 4)
    assert [r.status for r in project.run().results] == ["unchanged"]
