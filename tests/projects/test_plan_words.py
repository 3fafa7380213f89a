"""A plan explains itself: what moved, which columns change, who feels it, what it costs, and what nothing makes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from deltalake import DeltaTable, write_deltalake

from lagoa.app import Project
from lagoa.errors import Conflict, LagoaError, ProjectErrors
from lagoa.lake.drop import drop
from lagoa.lake.staging import Staging
from lagoa.lake.store import Lake
from lagoa.spec.names import TableName
from lagoa.testing.mouth import Lagoa
from lagoa.testing.raft import Raft


@pytest.fixture
def raft(tmp_path: Path) -> Raft:
    """Two streams, one of which is merged, and what is made of them."""
    raft = Raft(tmp_path)
    columns = "columns: {id: {type: bigint}, amount: {type: bigint, checks: [{min: 0, on_fail: quarantine}]}}"
    raft.source("land", f"p: {{path: 'p*.csv', mode: append, {columns}}}\nm: {{path: 'm*.csv', mode: merge, key: id}}")
    raft.write("land/p1.csv", "id,amount,kind\n1,10,a\n2,20,b\n3,-1,c\n")
    raft.write("land/m1.csv", "id,w\n1,x\n2,y\n3,z\n")
    raft.model("silver.s", "select id, amount, kind from bronze.land_p")
    raft.model("silver.star", "select * from silver.s")
    raft.model("gold.g", "select kind, sum(amount)::bigint as total from silver.s group by kind")
    raft.model("gold.m", "select w, count(*) as n from bronze.land_m group by w")
    raft.ok()
    return raft


def reasons(raft: Raft) -> dict[str, str]:
    return {name: step.reason for name, step in raft.plan().items()}


# ---------------------------------------------------------------- what moved
def test_a_step_names_the_versions_between_which_an_input_moved_and_how_many_rows(raft: Raft) -> None:
    raft.write("land/p2.csv", "id,amount,kind\n4,40,a\n5,50,a\n")
    raft.write("land/m2.csv", "id,w\n3,zz\n4,new\n")
    raft.ok("layer:bronze")
    raft.write("land/p3.csv", "id,amount,kind\n6,60,a\n")
    raft.ok("layer:bronze")
    told = reasons(raft)
    assert told["silver.s"] == "bronze.land_p 0 → 2: 2 commits, 3 rows added"
    assert told["gold.m"] == "bronze.land_m 0 → 1: 1 commit, 2 rows changed"
    raft.ok("silver.s")
    assert reasons(raft)["gold.g"] == "silver.s 0 → 1: rebuilt, 5 rows"


def test_an_input_that_went_back_is_told_and_followed(raft: Raft) -> None:
    raft.write("land/p2.csv", "id,amount,kind\n4,40,a\n")
    raft.ok()
    with raft.open() as project:
        project.restore("bronze.land_p", 0)
    assert reasons(raft)["silver.s"] == "bronze.land_p 1 → 2: put back to an earlier version, 2 rows"
    raft.ok(exclude=["layer:bronze"])
    assert raft.rows("select id from silver.s order by id") == [(1,), (2,)]


def test_an_input_whose_folder_came_from_an_older_copy_is_told_and_followed(raft: Raft, tmp_path: Path) -> None:
    home = raft.root / "lake/bronze/land_p"
    shutil.copytree(home, tmp_path / "copy")
    raft.write("land/p2.csv", "id,amount,kind\n4,40,a\n")
    raft.ok()
    shutil.rmtree(home)
    shutil.copytree(tmp_path / "copy", home)
    assert reasons(raft)["silver.s"] == "bronze.land_p 0: older than what was read, 2 rows"
    raft.ok(exclude=["layer:bronze"])
    assert len(raft.rows("silver.s")) == 2


def test_words_about_a_table_never_rebuild_it(raft: Raft) -> None:
    raft.model(
        "silver.s",
        "select id, amount, kind from bronze.land_p",
        "description: x\nowner: ana\ntags: [t]\ncolumns: {id: {description: its number}}",
    )
    with raft.open() as project:
        assert project.plan().to_json()["steps"] == []


# ---------------------------------------------------------------- columns
def test_columns_that_come_go_and_change_their_type_are_named_with_who_feels_it(raft: Raft) -> None:
    raft.write("checks/known.sql", "/* table: gold.m */\nselect m.w from gold.m m, silver.s s where s.kind = m.w")
    raft.python("gold.py", "def model(s):\n    return s", "s: silver.s")
    raft.ok()
    raft.model("silver.s", "select id::int as id, amount, upper(kind) as sort from bronze.land_p")
    plan = raft.plan()
    step = plan["silver.s"]
    assert step.columns is not None
    assert step.columns.added == [("sort", "VARCHAR")]
    assert step.columns.removed == [("kind", "VARCHAR")]
    assert step.columns.retyped == [("id", "BIGINT", "INTEGER")]
    assert step.breaking
    told = {(felt.by, felt.column, felt.fails, felt.sure) for felt in step.felt}
    assert told == {
        ("silver.star", "silver.s.id", False, True),
        ("silver.star", "silver.s.kind", False, True),
        ("gold.g", "silver.s.kind", True, True),
        ("gold.py", "silver.s.*", False, False),
        ("check known of gold.m", "silver.s.kind", True, True),
    }
    star = plan["silver.star"]
    assert star.columns is not None, "a star follows"
    assert [n for n, _ in star.columns.added] == ["sort"]
    assert (plan["gold.g"].status, plan["gold.g"].reason) == (
        "blocked",
        "it reads silver.s.kind, which this plan removes",
    )
    error = plan["gold.g"].error
    assert isinstance(error, LagoaError)
    assert (error.code, str(error.place).split(":")[0]) == ("LG-506", "models/gold/g.sql")
    results = {str(r.table): r.status for r in raft.run().results}
    assert (results["silver.s"], results["silver.star"], results["gold.g"]) == ("published", "published", "blocked")
    again = raft.plan()["gold.g"]
    assert (again.status, again.reason) == ("blocked", "it reads silver.s.kind, which is there no more")


def test_a_new_column_breaks_nobody(raft: Raft) -> None:
    raft.model("silver.s", "select id, amount, kind, amount * 2 as twice from bronze.land_p")
    plan = raft.plan()
    assert plan["silver.s"].columns is not None
    assert (plan["silver.s"].breaking, plan["silver.s"].felt) == (False, ())
    assert (plan["gold.g"].status, plan["gold.g"].columns) == ("new data", None)
    raft.ok()


def test_a_column_that_goes_is_not_blamed_for_what_fails_without_it(raft: Raft) -> None:
    raft.model("gold.twice", "select *, 1 as n from silver.s")
    raft.ok()
    raft.model("silver.s", "select id, amount, 2 as n from bronze.land_p")
    assert raft.plan()["gold.twice"].reason == "`gold.twice`: two columns are called `n`"
    raft.model("gold.twice", "select id, sum(amount) as n from silver.s")
    assert "\n" not in raft.plan()["gold.twice"].reason  # the engine's advice is long


def test_a_view_that_a_plan_breaks_blocks_its_readers_by_name(raft: Raft) -> None:
    raft.model("silver.v", "select kind, amount from silver.s", "kind: view")
    raft.model("gold.g", "select kind, amount from silver.v")
    raft.ok()
    raft.model("silver.s", "select id, amount from bronze.land_p")
    plan = raft.plan()
    assert (plan["silver.v"].status, plan["silver.v"].reason) == (
        "blocked",
        "it reads silver.s.kind, which this plan removes",
    )
    assert (plan["gold.g"].status, plan["gold.g"].reason) == ("blocked", "silver.v is blocked")


def test_a_table_whose_own_check_reads_a_column_that_goes_is_blocked(raft: Raft) -> None:
    raft.write("checks/kinds.sql", "/* table: silver.s */\nselect id from silver.s where kind is null")
    raft.ok()
    raft.model("silver.s", "select id, amount from bronze.land_p")
    raft.model("gold.g", "select sum(amount)::bigint as total from silver.s")
    step = raft.plan()["silver.s"]
    assert (step.status, step.reason) == (
        "blocked",
        "its check `kinds` reads silver.s.kind, which this plan removes",
    )


def test_what_a_source_may_still_bring_is_told_and_not_blocked(raft: Raft) -> None:
    raft.model("silver.s", "select id, amount, kind, extra from bronze.land_p")
    step = raft.plan()["silver.s"]
    assert step.status == "changed"
    assert "with the columns there are now it fails" in step.reason
    raft.write("land/p2.csv", "id,amount,kind,extra\n4,40,a,more\n")
    raft.ok()
    assert raft.rows("select extra from silver.s where id = 4") == [("more",)]


def test_a_plan_imports_nothing_of_the_users(raft: Raft) -> None:
    mark = raft.root / "mark"
    raft.python("gold.py", f"open({str(mark)!r}, 'w').close()\ndef model(s):\n    return s", "s: silver.s")
    raft.plan()
    raft.plan(full=True)
    assert not mark.exists()
    raft.ok()
    assert mark.exists()


def test_a_model_that_cannot_be_read_stops_the_plan_with_its_place(raft: Raft) -> None:
    raft.model("silver.s", "select id, from from bronze.land_p where (")
    with pytest.raises(ProjectErrors) as told:
        raft.plan()
    assert (told.value.code, told.value.place and told.value.place.file) == ("LG-105", "models/silver/s.sql")


# ---------------------------------------------------------------- what it costs
def test_a_step_estimates_what_it_reads_and_writes_from_states(raft: Raft) -> None:
    raft.model("silver.i", "select id, amount from bronze.land_p where amount > 0", "kind: incremental\nkey: id")
    raft.model("silver.a", "select id from bronze.land_p", "kind: append")
    raft.ok()
    raft.write("land/p2.csv", "id,amount,kind\n" + "".join(f"{n},{n},d\n" for n in range(4, 8)))
    raft.ok("bronze.land_p")
    plan = raft.plan()
    assert (plan["silver.s"].action, plan["silver.s"].reading.rows, plan["silver.s"].writing.rows) == ("rebuild", 6, 2)
    assert (plan["silver.i"].action, plan["silver.i"].reading.rows) == ("recompute", 4)
    assert (plan["silver.a"].action, plan["silver.a"].reading.rows, plan["silver.a"].writing.rows) == ("append", 4, 4)
    size = sum(f.stat().st_size for f in (raft.root / "lake/bronze/land_p").glob("*.parquet"))
    assert plan["silver.s"].reading.bytes == size
    assert plan["bronze.land_p"].reading.rows is None


# ---------------------------------------------------------------- what nothing makes
def remove(raft: Raft, table: str) -> None:
    raft.root.joinpath("models", *table.split(".")).with_suffix(".sql").unlink()


def test_a_table_that_nothing_makes_is_kept_and_named_and_dropped_on_demand(raft: Raft) -> None:
    raft.model("silver.q", "select id from bronze.land_p", "columns: {id: {checks: [{max: 1, on_fail: quarantine}]}}")
    raft.ok()
    remove(raft, "silver.q")
    step = raft.plan()["silver.q"]
    assert (step.status, step.action) == ("removed", "keep")
    with raft.open() as project:
        told = project.plan().to_json()
    assert (told["steps"], [s["table"] for s in told["removed"]]) == ([], ["silver.q"])
    assert "silver.q" not in raft.ok()
    assert (raft.root / "lake/silver/q").exists()
    assert raft.plan(drop=True)["silver.q"].action == "drop"
    assert raft.ok(drop=True)["silver.q"].status == "dropped"
    assert not (raft.root / "lake/silver/q").exists()
    assert not (raft.root / "lake/quarantine/silver_q").exists()
    assert not list((raft.root / "lake/.staging").iterdir())
    assert "silver.q" not in raft.plan()


def test_a_table_that_somebody_else_changed_is_not_dropped(raft: Raft) -> None:
    place = str(raft.root / "lake/silver/star")
    write_deltalake(place, DeltaTable(place).to_pyarrow_table(), mode="append")
    remove(raft, "silver.star")
    step = raft.plan(drop=True)["silver.star"]
    assert (step.status, getattr(step.error, "code", None)) == ("blocked", "LG-301")
    assert raft.fails(drop=True)["silver.star"].code == "LG-301"
    assert DeltaTable(place).version() == 1


def test_nothing_is_dropped_while_another_table_fails(raft: Raft) -> None:
    remove(raft, "silver.star")
    raft.model("gold.m", "select (w || 'x')::int as w from bronze.land_m")
    result = {str(r.table): r for r in raft.run(drop=True).results}["silver.star"]
    assert (result.status, result.reason) == ("blocked", "kept, because gold.m was not built")
    assert (raft.root / "lake/silver/star").exists()


def test_a_drop_waits_for_other_runs_and_a_kill_leaves_the_table_or_none(raft: Raft) -> None:
    lake, name = Lake(raft.root / "lake"), TableName("silver", "star")
    remove(raft, "silver.star")
    with Staging(lake.root, "20200101-000000-aaaa"):
        assert raft.fails(drop=True)["silver.star"].code == "LG-305"
    stale = lake.open(name)
    place = DeltaTable(str(stale.path))
    write_deltalake(str(stale.path), place.to_pyarrow_table(), mode="append")
    killed = Staging(lake.root, "20200101-000000-bbbb")
    with pytest.raises(Conflict):
        drop(lake, stale, killed.folder, "20200101-000000-bbbb")
    assert DeltaTable(str(stale.path)).version() == place.version() + 1, "it is where it was"
    DeltaTable(str(stale.path)).restore(0)
    raft.model("silver.star", "select * from silver.s")
    raft.ok("silver.star", full=True)
    drop(lake, lake.open(name), killed.folder, "20200101-000000-bbbb")
    assert not lake.open(name).exists, "a run that is killed here leaves no table"
    killed.close()
    raft.ok()
    assert lake.open(name).exists


# ---------------------------------------------------------------- carried out as it was made
def test_a_recorded_plan_is_carried_out_once(raft: Raft) -> None:
    raft.model("silver.s", "select id, amount, kind from bronze.land_p where id > 1")
    with raft.open() as one, Project.open(raft.root) as other:
        first, second = json.dumps(one.plan(["silver.s+"]).to_json()), other.plan(["silver.s+"])
        assert {str(r.table) for r in one.run(plan=first).published} == {"silver.s", "silver.star", "gold.g"}
        with pytest.raises(LagoaError) as told:
            other.run(plan=second)
    assert told.value.code == "LG-507"
    assert "gold.g was version 0 when it was made and is version 1 now" in told.value.message
    assert raft.version("silver.s") == 1


def test_a_recorded_plan_is_refused_when_a_definition_has_changed(raft: Raft) -> None:
    with raft.open() as project:
        plan = project.plan()
    raft.model("gold.m", "select w from bronze.land_m")
    assert raft_refuses(raft, plan.to_json()) == "the plan no longer holds: the definition of gold.m is another one now"


def test_what_is_no_plan_is_refused(raft: Raft) -> None:
    with raft.open() as project:
        told = project.plan().to_json()
    for wrong in ("{", "[]", {**told, "steps": 1}, {**told, "format": 2}, {**told, "unknown": 1}):
        with raft.open() as project, pytest.raises(LagoaError) as error:
            project.run(plan=wrong)
        assert error.value.code == "LG-601"


def test_the_commands_write_a_plan_down_and_carry_it_out(raft: Raft, lagoa: Lagoa) -> None:
    remove(raft, "silver.star")
    raft.model("silver.s", "select id, amount, kind, 1 as one from bronze.land_p")
    said = lagoa("plan", "--drop", "--out", "plan.json")
    assert said.code == 0
    assert "1 table to drop" in said.out.splitlines()[0]
    assert "      + one  INTEGER" in said.out.splitlines()
    assert "lagoa run --plan plan.json" in said.err
    for more in (["--full"], ["-s", "gold.g"], ["--dry-run"]):
        assert lagoa("run", "--plan", "plan.json", *more).code == 2
    done = lagoa("run", "--plan", "plan.json")
    assert (done.code, "silver.star  dropped" in done.out) == (0, True)
    assert lagoa("run", "--plan", "plan.json").code == 1
    assert lagoa("run", "--plan", "absent.json").code == 2
    assert lagoa("plan", "--out", "no/such/folder.json").code == 2
    refused = lagoa("run", "--drop", "-s", "gold.g")
    assert (refused.code, "LG-601" in refused.err) == (2, True)


def raft_refuses(raft: Raft, plan: dict[str, object]) -> str:
    with raft.open() as project, pytest.raises(LagoaError) as told:
        project.run(plan=plan)
    assert told.value.code == "LG-507"
    return told.value.message
