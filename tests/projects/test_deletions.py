"""What a source deletes leaves a merged table: rows that it marks, and rows whose key it no longer holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lagoa.app import Project
from lagoa.errors import ProjectErrors
from lagoa.lake.changes import changed
from lagoa.testing.postgres import INSTALL, PostgresServer, find_binaries, running_postgres

SOURCE = """\
type: postgres
connection: ${{secret:erp_url}}
streams:
  people:
    table: people
    mode: merge
    key: [tenant, id]
    {more}
    columns:
      id: {{type: bigint}}
      age: {{checks: [{{min: 0, on_fail: quarantine}}]}}
"""
PEOPLE = """
drop table if exists people;
create table people (tenant text, id int, name text, age int, changed timestamp, gone {kind});
insert into people select 't' || g % 3, g, 'p' || g, g, timestamp '2026-01-01' + g * interval '1 hour', null
from generate_series(1, 60) g;
"""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    if find_binaries() is None:
        pytest.skip(f"needs PostgreSQL's server: {INSTALL}")
    with running_postgres() as server:
        server.database("people")
        yield server


@pytest.fixture
def opened(server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Project]]:
    found: list[Project] = []

    def start(more: str, kind: str = "timestamp") -> Project:
        server.sql(PEOPLE.format(kind=kind), "people")
        (tmp_path / "sources").mkdir()
        (tmp_path / "lagoa.yml").write_text("name: people\n")
        (tmp_path / "sources/erp.yml").write_text(SOURCE.format(more=more))
        monkeypatch.setenv("ERP_URL", server.uri("people"))
        found.append(Project.open(tmp_path))
        return found[0]

    yield start
    for project in found:
        project.close()


def held(project: Project) -> list[str]:
    rows = project.query("select tenant || id || name as t from bronze.erp_people order by 1").read_all()
    return [str(t) for t in rows.column("t").to_pylist()]


def living(server: PostgresServer, where: str = "true") -> list[str]:
    said = server.sql(f"select tenant || id || name from people where {where}", "people")
    return sorted(line.strip() for line in said.splitlines() if line.strip())


def test_a_row_whose_key_the_source_no_longer_holds_is_removed(
    opened: Callable[..., Project], server: PostgresServer
) -> None:
    project = opened("cursor: changed\n    deletes: compare")
    assert project.run().ok
    assert held(project) == living(server)
    before = project.table("bronze.erp_people")
    server.sql("delete from people where id in (3, 17, 60)", "people")
    assert project.run().ok, "nothing but deletions is news, too"
    assert held(project) == living(server)
    now = project.table("bronze.erp_people")
    assert now.state is not None
    assert before.state is not None
    assert now.state.cursor == before.state.cursor
    assert changed(project.lake, now, before.state.data).kind == "changed", "readers can follow exactly what went"
    server.sql(
        "delete from people where id = 5; update people set name = 'x', changed = '2027-01-01' where id = 6; ", "people"
    )
    server.sql("insert into people values ('t9', 99, 'new', 1, '2027-01-02', null)", "people")
    assert project.run().ok
    assert held(project) == living(server)
    assert [r.status for r in project.run().results] == ["unchanged"]


def test_a_source_that_lists_no_key_does_not_empty_the_table(
    opened: Callable[..., Project], server: PostgresServer
) -> None:
    project = opened("deletes: compare")
    assert project.run().ok
    server.sql("delete from people", "people")
    done = project.run()
    assert not done.ok
    assert "would empty" in str(done.results[0].error)
    assert len(held(project)) == 60


@pytest.mark.parametrize(
    ("kind", "deletes", "mark"),
    [
        ("timestamp", "{column: gone}", "now()"),
        ("boolean", "{column: gone}", "true"),
        ("int", "{column: GONE}", "1"),
        ("text", "{column: gone, values: [D, X]}", "'D'"),
    ],
)
def test_a_marked_row_is_removed_and_comes_back_unmarked(
    opened: Callable[..., Project], server: PostgresServer, kind: str, deletes: str, mark: str
) -> None:
    project = opened(f"cursor: changed\n    deletes: {deletes}", kind)
    server.sql(f"update people set gone = {mark} where id in (1, 2)", "people")
    assert project.run().ok
    assert held(project) == living(server, "id not in (1, 2)"), "also at the first load"
    server.sql(f"update people set gone = {mark}, changed = '2027-01-01' where id in (10, 11, 12)", "people")
    server.sql("update people set age = -1, changed = '2027-01-01' where id = 20", "people")
    assert project.run().ok
    assert held(project) == living(server, "id not in (1, 2, 10, 11, 12)")
    aside = project.query("select * from quarantine.bronze_erp_people").read_all()
    assert aside.num_rows == 1, "a marked row is not judged, others are"
    server.sql("update people set gone = null, changed = '2027-02-01' where id = 11", "people")
    assert project.run().ok
    assert held(project) == living(server, "id not in (1, 2, 10, 12)")
    assert [r.status for r in project.run().results] == ["unchanged"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("type: files\npath: x\nstreams:\n  a: {mode: merge, key: id, deletes: compare}\n", "cannot list its keys"),
        ("type: files\npath: x\nstreams:\n  a: {mode: append, deletes: {column: gone}}\n", "goes with mode: merge"),
        ("type: files\npath: x\nstreams:\n  a: {mode: merge, key: id, deletes: {values: [D]}}\n", "either"),
    ],
)
def test_a_way_to_delete_that_cannot_work_is_refused(tmp_path: Path, source: str, said: str) -> None:
    (tmp_path / "sources").mkdir()
    (tmp_path / "lagoa.yml").write_text("name: people\n")
    (tmp_path / "sources/erp.yml").write_text(source)
    with pytest.raises(ProjectErrors) as caught:
        Project.open(tmp_path)
    assert said in str(caught.value.errors[0])
