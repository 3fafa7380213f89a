"""`lagoa show MODEL --sql` prints what the engine gets, no more and no less."""

from __future__ import annotations

from pathlib import Path

import pytest

from lagoa.errors import ProjectError, StepError
from lagoa.spec.names import TableName
from lagoa.testing.raft import Raft
from lagoa.transform.as_run import Statement, as_run


@pytest.fixture
def raft(tmp_path: Path) -> Raft:
    raft = Raft(tmp_path)
    raft.source("land", "p: {path: 'p*.csv', mode: append, columns: {id: {type: bigint}, v: {type: bigint}}}")
    raft.write("land/p1.csv", "id,v\n1,10\n2,20\n")
    raft.model("silver.b", "select id, v from silver.a where v > 0;", "kind: view")
    raft.model("silver.a", "select * from bronze.land_p", "kind: view")
    raft.model("gold.g", "-- mine\nselect id, v, 1 as n from silver.b;", "columns: {v: {type: 'decimal(9,2)'}}")
    raft.model("gold.i", "select id, sum(v)::bigint as total from silver.b group by id", "kind: incremental\nkey: id")
    raft.python("gold.p", "def model(g):\n    return g\n", "g: gold.g")
    return raft


def shown(raft: Raft, name: str) -> list[Statement]:
    with raft.open() as project:
        return as_run(project.project, project.lake, project.engine.session, TableName.parse(name))


def test_a_view_is_read_before_what_reads_it_and_the_query_is_cast(raft: Raft) -> None:
    raft.ok()
    statements = shown(raft, "gold.g")
    assert [s.what for s in statements] == [
        "silver.a, a view",
        "silver.b, a view",
        "all rows; reads bronze.land_p at version 0",
    ]
    assert statements[1].sql == "create view silver.b as\nselect id, v from silver.a where v > 0"
    whole = statements[2].sql
    assert "from (\n-- mine\nselect id, v, 1 as n from silver.b\n)" in whole
    assert "DECIMAL(9,2)" in whole


def test_what_is_shown_gives_the_rows_that_a_run_wrote(raft: Raft) -> None:
    raft.ok()
    for name in ("gold.g", "gold.i"):
        *views, whole = [s.sql for s in shown(raft, name)][:3]
        with raft.open() as project, project.engine.session() as session:
            session.bind("bronze.land_p", project.lake.open(TableName.parse("bronze.land_p")).fileset())
            session.run("create schema silver")
            for view in views:
                session.run(view)
            assert sorted(session.rows(whole)) == raft.rows(name)


def test_an_incremental_model_shows_its_restricted_query_too_when_it_would_be_used(raft: Raft) -> None:
    assert len(shown(raft, "gold.i")) == 3  # not built: all rows, to be cast later
    raft.ok()
    quiet = shown(raft, "gold.i")
    assert "nothing has changed now" in quiet[3].what
    raft.write("land/p2.csv", "id,v\n2,5\n")
    raft.ok("bronze.land_p")
    *_, whole, keys, rows = shown(raft, "gold.i")
    assert whole.what == "all rows; reads bronze.land_p at version 1"
    assert "only touched id (changes of bronze.land_p)" in keys.what
    assert keys.sql.startswith("create temp table __keys as\nSELECT DISTINCT")
    assert "__keys" in rows.sql
    assert "\n" in rows.sql

    raft.model(
        "gold.i", "select id, sum(v)::bigint as total from silver.b group by id limit 9", "kind: incremental\nkey: id"
    )
    assert len(shown(raft, "gold.i")) == 3  # the definition changed: it is rebuilt
    raft.ok("gold.i")
    (*_, why) = shown(raft, "gold.i")
    assert why.what.startswith("of touched id alone it cannot be: ")
    assert why.sql == ""


def test_before_its_inputs_are_built_the_query_stands_as_it_is_written(raft: Raft) -> None:
    (*_, last) = shown(raft, "gold.g")
    assert last == Statement(
        "its columns are cast when bronze.land_p is built", "-- mine\nselect id, v, 1 as n from silver.b"
    )
    assert shown(raft, "silver.b")[-1].sql.startswith("create view silver.b as")


def test_what_has_no_query_and_what_is_wrong_is_told(raft: Raft) -> None:
    for name, why in (("gold.p", "is a Python model"), ("bronze.land_p", "is a stream")):
        with pytest.raises(ProjectError, match=why):
            shown(raft, name)
    raft.ok("+gold.g")
    raft.model("gold.g", "select nothing from silver.b")
    with pytest.raises(StepError, match="nothing"):
        shown(raft, "gold.g")
