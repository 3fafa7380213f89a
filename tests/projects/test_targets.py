"""A target that defers: what differs is built there, everything else is read in the other target's lake."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lagoa.app import Project
from lagoa.errors import CommandError, LagoaError, ProjectErrors
from lagoa.lake.staging import Staging
from lagoa.observe.log import new_run_id
from lagoa.spec.names import TableName
from lagoa.testing.mouth import Lagoa
from lagoa.testing.raft import Raft

TARGETS = """name: raft
targets:
  local: {threads: 2, memory: 1GB}
  dev: {lake: ./dev, defer: local, threads: 2, memory: 1GB}
  copy: {lake: ./copy, threads: 2, memory: 1GB}
"""
SOAK = bool(os.environ.get("SOAK"))
VARIANTS = {
    "silver.paid": (
        "kind: incremental\nkey: id",
        "select id, v from bronze.land_orders",
        "select id, v from bronze.land_orders where v > 20",
        "select id, v * 2 as v from bronze.land_orders",
    ),
    "silver.seen": (
        "kind: view",
        "select id, v from silver.paid",
        "select id, v from silver.paid where id < 6",
    ),
    "silver.days": (
        "kind: table",
        "select v, count(*) as n from bronze.land_orders group by v",
        "select v, min(id) as n from bronze.land_orders group by v",
    ),
    "gold.total": (
        "kind: incremental\nkey: v",
        "select v, count(*) as n from silver.seen group by v",
        "select v, sum(id) as n from silver.seen group by v",
    ),
    "gold.both": (
        "kind: table",
        "select t.v, t.n as a, d.n as b from gold.total t join silver.days d on d.v = t.v",
        "select t.v, t.n as a, d.n as b from gold.total t left join silver.days d on d.v = t.v",
    ),
}


class Harbour(Raft):
    """A project on two targets; what a test does is done on `target`."""

    target = "local"

    def open(self) -> Project:
        """Open the project on the target."""
        return Project.open(self.root, self.target)

    def on(self, target: str) -> Harbour:
        """Go on with another target."""
        self.target = target
        return self

    def statuses(self, *select: str, **wish: bool) -> dict[str, str]:
        return {name: step.status for name, step in self.plan(*select, **wish).items()}


@pytest.fixture
def raft(tmp_path: Path) -> Harbour:
    """A stream, a chain of two models and one apart, built on `local`; `dev` is in use."""
    made = Harbour(tmp_path, **{"lagoa.yml": TARGETS})
    made.source("land", "orders: {path: 'o*.csv', mode: append, columns: {id: {type: bigint}, v: {type: bigint}}}")
    made.write("land/o1.csv", "id,v\n1,10\n2,20\nx,1\n")
    made.model("silver.paid", "select id, v from bronze.land_orders")
    made.model("silver.apart", "select count(*) as n from bronze.land_orders")
    made.model("gold.total", "select sum(v) as total from silver.paid")
    made.ok()
    return made.on("dev")


def contents(root: Path) -> dict[str, str]:
    files = (p for p in sorted(root.rglob("*")) if p.is_file())
    return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def built(raft: Raft) -> set[str]:
    """Name the tables that lie in dev's own lake."""
    return {f"{p.parent.parent.name}.{p.parent.name}" for p in (raft.root / "dev").glob("*/*/_delta_log")}


def test_while_nothing_differs_everything_is_read_elsewhere_and_nothing_is_built(raft: Harbour) -> None:
    assert set(raft.statuses().values()) == {"deferred"}
    assert raft.plan()["gold.total"].reason == "read in local, version 0"
    assert {r.status for r in raft.ok().values()} == {"deferred"}
    assert raft.rows("gold.total") == [(30,)]
    assert raft.rows("select _reason is not null from quarantine.bronze_land_orders") == [(True,)]
    assert built(raft) == set()


def test_what_differs_and_what_is_made_of_it_is_built_here_and_says_why(raft: Harbour) -> None:
    raft.model("silver.paid", "select id, v from bronze.land_orders where v > 10")
    plan = raft.plan()
    assert raft.statuses() == {
        "bronze.land_orders": "deferred", "silver.apart": "deferred", "silver.paid": "new", "gold.total": "new",
    }  # fmt: skip
    assert plan["silver.paid"].reason == "not built yet; differs from local: where"
    assert plan["gold.total"].reason == "not built yet; silver.paid is its own"
    raft.ok()
    assert built(raft) == {"silver.paid", "gold.total"}
    assert (raft.rows("gold.total"), raft.on("local").rows("gold.total")) == ([(20,)], [(30,)])
    assert raft.on("dev").statuses("gold.total") == {"gold.total": "up to date"}
    assert {r.status for r in raft.ok().values()} == {"deferred", "unchanged"}


def test_a_new_model_is_built_here_and_a_changed_view_changes_what_reads_it(raft: Harbour) -> None:
    raft.model("silver.seen", "select v from silver.paid", "kind: view")
    raft.model("gold.most", "select max(v) as most from silver.seen")
    assert raft.plan()["gold.most"].reason == "not built yet; local does not have it"
    raft.ok()
    assert built(raft) == {"gold.most"}
    raft.on("local").ok()
    assert raft.on("dev").statuses("gold.most") == {"gold.most": "deferred"}
    raft.model("silver.seen", "select v from silver.paid where v < 20", "kind: view")
    assert raft.plan()["gold.most"].reason.endswith("differs from local: the view silver.seen changed")
    raft.ok()
    assert (raft.rows("gold.most"), raft.on("local").rows("select count(*) from gold.most")) == ([(10,)], [(1,)])


def test_a_table_that_is_checked_against_one_of_its_own_is_its_own(raft: Harbour) -> None:
    check = "columns: {id: {checks: [{foreign_key: silver.paid.id, on_fail: quarantine}]}}"
    raft.model("silver.zz", "select id from bronze.land_orders", check)
    raft.on("local").ok()
    raft.on("dev").model("silver.paid", "select id, v from bronze.land_orders where v > 10")
    raft.ok()
    assert raft.plan()["silver.zz"].reason.endswith("; silver.paid is its own")
    assert raft.rows("silver.zz") == [(2,)]


def test_once_the_change_is_merged_reads_fall_through_again_and_the_copy_is_named(raft: Harbour) -> None:
    raft.model("silver.paid", "select id, v from bronze.land_orders where v > 10")
    raft.ok()
    raft.on("local").ok()
    raft.write("land/o2.csv", "id,v\n3,30\n")
    raft.ok()
    plan = raft.on("dev").plan()
    assert plan["silver.paid"].status == "deferred"
    assert plan["silver.paid"].reason == "read in local, version 2; the copy here no longer counts"
    assert raft.rows("gold.total") == [(50,)]
    raft.model("silver.paid", "select id, v from bronze.land_orders where v > 20")
    assert raft.statuses("silver.paid") == {"silver.paid": "changed"}
    raft.ok()
    assert raft.rows("gold.total") == [(30,)]


def test_news_in_the_other_lake_reach_what_is_built_here(raft: Harbour) -> None:
    raft.model("silver.paid", "select id, v + 1 as v from bronze.land_orders", "kind: incremental\nkey: id")
    raft.ok()
    raft.write("land/o2.csv", "id,v\n3,30\n")
    raft.on("local").ok("bronze.land_orders")
    assert raft.on("dev").plan()["silver.paid"].status == "new data"
    raft.ok()
    assert raft.rows("silver.paid") == [(1, 11), (2, 21), (3, 31)]
    assert not [note for note in raft.notes() if "in full" in note]


def test_sources_are_left_alone_unless_ingest_says_so(raft: Harbour) -> None:
    raft.write("land/o2.csv", "id,v\n3,30\n")
    raft.ok()
    assert raft.rows("gold.total") == [(30,)]
    before = contents(raft.root / "lake")
    assert raft.plan(ingest=True)["bronze.land_orders"].reason.endswith("for the first time; --ingest loads it here")
    raft.ok(ingest=True)
    assert built(raft) >= {"bronze.land_orders", "silver.paid", "silver.apart", "gold.total"}
    assert raft.rows("gold.total") == [(60,)]
    raft.write("land/o3.csv", "id,v\n4,40\n")
    assert raft.plan()["bronze.land_orders"].reason == "only --ingest asks again; --ingest loaded it here"
    raft.ok()
    assert raft.rows("gold.total") == [(60,)]
    raft.ok(ingest=True)
    assert raft.rows("gold.total") == [(100,)]
    assert contents(raft.root / "lake") == before
    raft.on("local").ok()
    assert raft.rows("gold.total") == [(100,)]


def test_a_stream_that_the_other_lacks_is_blocked_with_the_way_out(raft: Harbour) -> None:
    raft.source("sea", "fish: {path: fish.csv}")
    raft.write("sea/fish.csv", "id\n7\n")
    raft.model("silver.fish", "select id from bronze.sea_fish")
    errors = raft.fails()
    assert errors["bronze.sea_fish"].message == "bronze.sea_fish: local has not loaded it yet"
    assert errors["bronze.sea_fish"].hint is not None
    assert "--ingest loads it here" in errors["bronze.sea_fish"].hint
    raft.ok("+silver.fish", ingest=True)
    assert raft.rows("silver.fish") == [("7",)]
    assert raft.statuses("bronze.land_orders") == {"bronze.land_orders": "deferred"}


def test_a_stream_that_is_declared_otherwise_is_read_as_it_was_loaded_and_says_so(raft: Harbour) -> None:
    raft.source("land", "orders: {path: 'o*.csv', mode: merge, key: id, columns: {id: {type: bigint}}}")
    reason = raft.plan()["bronze.land_orders"].reason
    assert reason.startswith("read in local, version 0; its mode changed, its key changed")


def test_nothing_is_ever_written_into_the_other_lake(raft: Harbour) -> None:
    raft.model("silver.paid", "select id, v from bronze.land_orders where v > 10")
    before = contents(raft.root / "lake")
    raft.plan()
    raft.ok()
    raft.run(full=True)
    raft.run("bronze.land_orders", full=True)
    raft.run(accept=True)
    raft.run(reset_cursor=True)
    raft.ok(ingest=True)
    with raft.open() as project:
        project.maintain()
        project.doctor(deep=True)
        project.query("select * from silver.apart").read_all()
        project.diff("silver.paid")
    assert contents(raft.root / "lake") == before


def test_a_table_that_is_read_elsewhere_is_not_restored_from_here(raft: Harbour) -> None:
    with raft.open() as project, pytest.raises(LagoaError) as refused:
        project.restore("silver.paid", 0)
    assert refused.value.code == "LG-310"


def test_maintenance_looks_after_the_tables_of_its_own(raft: Harbour) -> None:
    raft.model("silver.paid", "select id, v from bronze.land_orders where v > 10")
    raft.ok("silver.paid")
    with raft.open() as project:
        assert [cared.table for cared in project.maintain()] == [TableName("silver", "paid")]


def test_the_commands_say_what_is_read_elsewhere(raft: Harbour, lagoa: Lagoa) -> None:
    raft.model("silver.paid", "select id, v from bronze.land_orders where v > 10")
    said = lagoa("run", "-s", "silver.paid", "-t", "dev")
    assert (said.code, "-t dev" in said.err) == (0, True)
    assert "raft on dev: 1 table to write, 2 read elsewhere." in lagoa("plan", "-t", "dev").out
    told = json.loads(lagoa("plan", "-t", "dev", "--json").out)
    assert [step["table"] for step in told["deferred"]] == ["bronze.land_orders", "silver.apart"]
    cards = json.loads(lagoa("show", "-t", "dev", "--json").out)["tables"]
    assert {c["table"]: c["read_in"] for c in cards} == {
        "bronze.land_orders": "local", "silver.apart": "local", "silver.paid": None, "gold.total": None,
    }  # fmt: skip
    assert "0 in local" in lagoa("show", "-t", "dev").out
    assert "version 0 in local" in lagoa("show", "silver.apart", "-t", "dev").out
    dry = json.loads(lagoa("maintain", "-t", "dev", "--dry-run", "--json").out)
    assert [card["table"] for card in dry] == ["silver.paid"]
    assert lagoa("run", "-t", "dev", "--ingest", "-s", "land_orders").code == 0
    assert json.loads(lagoa("show", "land_orders", "-t", "dev", "--json").out)["read_in"] is None
    shutil.rmtree(raft.root / "dev/bronze")
    raft.on("local").ok()
    assert "may be deleted: silver.paid." in lagoa("maintain", "-t", "dev").err


def test_a_query_of_what_is_not_built_here_names_the_target_that_builds_it(raft: Harbour, lagoa: Lagoa) -> None:
    raft.model("silver.paid", "select id, v from bronze.land_orders where v > 15")
    said = lagoa("query", "from silver.paid", "-t", "dev")
    assert (said.code, "lagoa run -t dev -s +silver.paid" in said.err) == (1, True), said.err


def test_a_damaged_table_of_the_other_is_told_by_name_and_not_built_over(raft: Harbour) -> None:
    (raft.root / "lake/silver/paid/_delta_log" / f"{0:020}.json").write_text("")
    assert raft.statuses("silver.paid") == {"silver.paid": "blocked"}
    raft.model("gold.total", "select min(v) as total from silver.paid")
    errors = raft.fails()
    assert errors["silver.paid"].code == "LG-302"
    assert built(raft) == set()


def test_a_slow_run_here_holds_back_what_maintenance_removes_there(raft: Harbour) -> None:
    raft.on("local").model("silver.paid", "select id, v + 0 as v from bronze.land_orders")
    raft.ok()  # version 1 replaces the file of version 0
    before = datetime.now(UTC) - timedelta(hours=4)
    for file in (raft.root / "lake/silver/paid").rglob("*.parquet"):
        os.utime(file, (before.timestamp() + 60,) * 2)
    with raft.open() as project:
        with Staging(raft.root / "dev", new_run_id(before)):
            assert sum(cared.removed for cared in project.maintain(keep=timedelta(0))) == 0
        assert sum(cared.removed for cared in project.maintain(keep=timedelta(0))) > 0


class Branches:
    """The files of two branches over one pair of lakes: `main` is run on `local`, `branch` on `dev`."""

    def __init__(self, raft: Harbour, seed: int) -> None:
        self.raft, self.rng, self.files = raft, random.Random(seed), 1
        self.main = dict.fromkeys(VARIANTS, 1)
        self.branch = dict(self.main)
        self.merged()

    def check_out(self, branch: dict[str, int]) -> None:
        for name, number in branch.items():
            self.raft.model(name, VARIANTS[name][number], VARIANTS[name][0])

    def edited(self) -> None:
        name = self.rng.choice(list(VARIANTS))
        self.branch[name] = self.rng.randrange(1, len(VARIANTS[name]))

    def arrived(self) -> None:
        self.files += 1
        rows = "".join(f"{self.rng.randrange(12)},{self.rng.choice([10, 20, 30])}\n" for _ in range(3))
        self.raft.write(f"land/o{self.files}.csv", f"id,v\n{rows}")
        self.check_out(self.main)
        self.raft.on("local").ok()

    def merged(self) -> None:
        self.main = dict(self.branch)
        self.check_out(self.main)
        self.raft.on("local").ok()

    def step(self) -> None:
        self.rng.choice([self.edited, self.edited, self.edited, self.arrived, self.merged])()
        self.check_out(self.branch)


@pytest.mark.parametrize("seed", range(20 if SOAK else 2))
def test_whatever_is_edited_dev_gives_what_a_full_copy_would_give(raft: Harbour, seed: int) -> None:
    raft.source("land", "orders: {path: 'o*.csv', mode: merge, key: id, columns: {id: {type: bigint}, v: {type: int}}}")
    shutil.rmtree(raft.root / "lake")
    branches = Branches(raft, seed)
    for _ in range(12 if SOAK else 5):
        branches.step()
        before = contents(raft.root / "lake")
        raft.on("dev").ok()
        assert set(raft.statuses().values()) <= {"deferred", "up to date", "view"}
        assert contents(raft.root / "lake") == before
        shutil.rmtree(raft.root / "copy", ignore_errors=True)
        raft.on("copy").ok()
        for name in VARIANTS:
            assert raft.on("dev").rows(name) == raft.on("copy").rows(name), (name, branches.branch)


def test_ingest_is_for_a_target_that_defers(raft: Harbour) -> None:
    with pytest.raises(CommandError, match="local does not"):
        raft.on("local").plan(ingest=True)


@pytest.mark.parametrize(
    ("targets", "code", "line", "words"),
    [
        ("dev: {lake: dev, defer: lokal}", "LG-102", 3, "not a target"),
        ("dev: {lake: dev, defer: dev}", "LG-108", 3, "defers to itself"),
        ("a: {lake: a, defer: b}\n  b: {lake: b, defer: a}", "LG-108", 3, "circle: `a` defers to `b` defers to `a`"),
        ("a: {lake: a, defer: local}\n  b: {lake: b, defer: a}", "LG-102", 4, "it defers to `local`"),
        ("dev: {defer: local}", "LG-102", 3, "a lake apart"),
        ("dev: {lake: lake/dev, defer: local}", "LG-102", 3, "a lake apart"),
    ],
)
def test_a_defer_that_cannot_be_is_refused_where_it_stands(
    tmp_path: Path, targets: str, code: str, line: int, words: str
) -> None:
    Raft(tmp_path, **{"lagoa.yml": f"name: raft\ntargets:\n  {targets}\n"})
    with pytest.raises(ProjectErrors) as refused:
        Project.open(tmp_path)
    (error,) = refused.value.errors
    assert (error.code, error.place.line if error.place else None) == (code, line)
    assert words in error.message
