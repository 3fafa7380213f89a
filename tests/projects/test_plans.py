"""Plans are true: what is written stands in the plan, what is certain is done, and planning changes nothing."""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from deltalake import DeltaTable, write_deltalake
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lagoa.errors import LagoaError
from lagoa.kit.stop import Stop
from lagoa.testing.raft import Raft

TABLES = ["bronze.land_p", "bronze.land_q", "silver.s", "silver.a", "gold.g"]


def small(root: Path) -> Raft:
    """Write a project of two streams and three models; `silver.a` grows."""
    raft = Raft(root)
    raft.source("land", "p: {path: 'p*.csv', mode: append, columns: {id: {type: bigint}}}\nq: {path: q.csv}")
    raft.write("land/p1.csv", "id,v\n1,a\n1,a\nx,c\n")
    raft.write("land/q.csv", "id,w\n1,x\n")
    raft.model("silver.v", "select id from silver.s", "kind: view")
    raft.model("silver.s", "select id, v from bronze.land_p")
    raft.model("silver.a", "select id, v from bronze.land_p", "kind: append")
    raft.model("gold.g", "select count(*) as n from silver.v, bronze.land_q")
    return raft


@pytest.fixture
def raft(tmp_path: Path) -> Raft:
    return small(tmp_path)


def fingerprint(root: Path) -> dict[str, str]:
    """Hash every file, but for the parse cache, which may be deleted without harm."""
    files = (p for p in sorted(root.rglob("*")) if p.is_file() and ".lagoa" not in p.parts)
    return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def statuses(raft: Raft, *select: str) -> dict[str, str]:
    return {name: step.status for name, step in raft.plan(*select).items()}


def test_a_plan_says_what_each_table_is_and_why(raft: Raft) -> None:
    assert statuses(raft) == dict.fromkeys([*TABLES], "new") | {"silver.v": "view"}
    raft.ok()
    assert statuses(raft) == {
        "bronze.land_p": "read", "bronze.land_q": "read", "silver.s": "up to date", "silver.v": "view",
        "silver.a": "up to date", "gold.g": "up to date",
    }  # fmt: skip
    raft.model("silver.s", "select id, v from bronze.land_p where id > 0")
    plan = raft.plan()
    assert (plan["silver.s"].status, plan["silver.s"].reason) == ("changed", "where")
    assert (plan["gold.g"].status, plan["gold.g"].reason) == ("new data", "silver.s will be written")
    raft.ok("silver.s")
    assert raft.plan()["gold.g"].reason == "silver.s 0 → 1: rebuilt, 2 rows"


def test_after_a_run_there_are_no_steps(raft: Raft) -> None:
    raft.ok()
    with raft.open() as project:
        told = project.plan().to_json()
    assert told["steps"] == []
    assert [step["table"] for step in told["reads"]] == ["bronze.land_p", "bronze.land_q"]
    assert {step["table"] for step in told["if_news"]} == {"silver.s", "silver.a", "gold.g"}
    assert {r.status for r in raft.ok().values()} == {"unchanged", "view"}


def test_a_reader_of_touched_keys_is_certain_to_be_written_only_when_they_are_sure_to_change(raft: Raft) -> None:
    raft.model("silver.i", "select id, v from bronze.land_p where v = 'b'", "kind: incremental\nkey: id")
    raft.model("silver.j", "select id from silver.i", "kind: incremental\nkey: id")
    raft.ok()
    raft.write("land/p2.csv", "id,v\n5,a\n")
    raft.ok("bronze.land_p")
    plan = raft.plan("silver.i", "silver.j")
    assert (plan["silver.i"].writes, plan["silver.j"].writes, plan["silver.j"].conditional) == (True, False, True)
    done = raft.ok("silver.i", "silver.j")
    assert (done["silver.i"].status, done["silver.j"].status) == ("published", "unchanged")
    assert raft.plan("silver.i", "silver.j")["silver.j"].status == "up to date"


def test_a_reader_of_an_empty_table_is_not_certain_to_be_written(raft: Raft) -> None:
    raft.model("silver.none", "select id from bronze.land_p where v = 'z'")
    raft.model("gold.of_none", "select id from silver.none")
    raft.ok()
    raft.write("land/p2.csv", "id,v\n5,a\n")
    raft.ok("bronze.land_p")
    plan = raft.plan("silver.none", "gold.of_none")
    assert (plan["silver.none"].writes, plan["gold.of_none"].writes) == (True, False)
    assert raft.ok("silver.none", "gold.of_none")["gold.of_none"].status == "unchanged"


def test_planning_writes_nothing(raft: Raft) -> None:
    before = fingerprint(raft.root)
    raft.plan()
    assert not (raft.root / "lake").exists()
    raft.ok()
    after = fingerprint(raft.root)
    for wish in ({}, {"full": True}, {"accept": True}, {"reset_cursor": True}):
        raft.plan(**wish)
    assert fingerprint(raft.root) == after
    assert before.items() <= after.items()


@pytest.mark.parametrize(
    ("words", "built"),
    [
        (["silver.s"], set()),
        (["+silver.s"], {"bronze.land_p", "silver.s"}),
        (["bronze.land_p+"], {"bronze.land_p", "silver.s", "silver.a"}),
        (["+gold.g"], {"bronze.land_p", "bronze.land_q", "silver.s", "gold.g"}),
    ],
)
def test_what_is_selected_without_its_inputs_is_blocked_by_name(raft: Raft, words: list[str], built: set[str]) -> None:
    plan = raft.plan(*words)
    run = raft.run(*words)
    assert {str(r.table) for r in run.published} == built
    for result in run.results:
        if result.status == "blocked":
            step = plan[str(result.table)]
            assert (step.status, step.reason) == ("blocked", result.reason)
            assert result.reason.endswith("is not built yet and not selected")


def test_what_is_excluded_is_left_alone(raft: Raft) -> None:
    run = raft.run(exclude=["gold.g"])
    assert run.ok
    assert "gold.g" not in {str(r.table) for r in run.results}


# ---------------------------------------------------------------- somebody else
def foreign_append(raft: Raft, table: str) -> None:
    place = str(raft.root / "lake" / table.replace(".", "/"))
    write_deltalake(place, DeltaTable(place).to_pyarrow_table().slice(0, 1), mode="append")


def foreign_restore(raft: Raft, table: str) -> None:
    DeltaTable(str(raft.root / "lake" / table.replace(".", "/"))).restore(0)


def foreign_recreated(raft: Raft, table: str) -> None:
    place = raft.root / "lake" / table.replace(".", "/")
    rows = DeltaTable(str(place)).to_pyarrow_table()
    shutil.rmtree(place)
    write_deltalake(str(place), rows)


def lost_state(raft: Raft, table: str) -> None:
    shutil.rmtree(raft.root / "lake" / table.replace(".", "/") / "_lagoa")


FOREIGN: dict[str, tuple[Callable[[Raft, str], None], str]] = {
    "append": (foreign_append, "LG-301"),
    "restore": (foreign_restore, "LG-301"),
    "recreated": (foreign_recreated, "LG-303"),
    "lost state": (lost_state, "LG-302"),
}


@pytest.mark.parametrize("how", FOREIGN)
@pytest.mark.parametrize("table", ["bronze.land_p", "silver.s"])
def test_a_table_that_somebody_changed_is_named_and_the_others_go_on(raft: Raft, how: str, table: str) -> None:
    change, code = FOREIGN[how]
    raft.ok()
    raft.write("land/p2.csv", "id,v\n2,b\n")
    raft.ok()
    change(raft, table)
    raft.write("land/q.csv", "id,w\n1,x\n2,y\n")
    step = raft.plan()[table]
    assert (step.status, getattr(step.error, "code", None)) == ("blocked", code)
    assert table in step.reason
    results = {str(r.table): r for r in raft.run().results}
    assert isinstance(results[table].error, LagoaError)
    assert results[table].status == "blocked"
    assert results["bronze.land_q"].status == "published"
    assert results["gold.g"].status == "blocked"


@pytest.mark.parametrize("how", FOREIGN)
@pytest.mark.parametrize("table", ["bronze.land_p", "silver.s"])
@pytest.mark.parametrize("wish", ["accept", "full"])
def test_accepting_or_rebuilding_heals_without_losing_or_doubling_a_row(
    raft: Raft, how: str, table: str, wish: str
) -> None:
    raft.ok()
    raft.write("land/p2.csv", "id,v\n2,b\n")
    raft.ok()
    everything = [(1, "a"), (1, "a"), (2, "b"), (3, "c")]
    FOREIGN[how][0](raft, table)
    raft.write("land/p3.csv", "id,v\n3,c\n")
    raft.ok(exclude=["silver.a"], **{wish: True})
    found = raft.rows("bronze.land_p")
    if table == "bronze.land_p" and wish == "accept" and how in ("append", "restore"):
        # taken as it is: what somebody added stays, what somebody removed stays away, and news comes on top
        kept = [row for row in everything if how == "append" or row != (2, "b")]
        assert not Counter(kept) - Counter(found)
        assert len(found) == len(kept) + (how == "append")
    else:
        assert found == everything, "a recreated or stateless table gains what it lacks, once"
    assert raft.rows("silver.s") == found
    assert {r.status for r in raft.ok(exclude=["silver.a"]).values()} == {"unchanged", "view"}


@pytest.mark.parametrize("table", ["bronze.land_p", "silver.s"])
def test_what_is_accepted_without_other_news_is_written_as_planned_and_read(raft: Raft, table: str) -> None:
    raft.ok()
    FOREIGN["append"][0](raft, table)
    planned = {name for name, step in raft.plan(accept=True).items() if step.writes or step.conditional}
    certain = {name for name, step in raft.plan(accept=True).items() if step.writes}
    done = raft.ok(exclude=["silver.a"], accept=True)
    written = {name for name, result in done.items() if result.status == "published"}
    assert table in written
    assert certain - {"silver.a"} <= written <= planned
    assert {r.status for r in raft.ok(exclude=["silver.a"]).values()} == {"unchanged", "view"}


# ---------------------------------------------------------------- histories
class Killed(Stop):
    """Stops a run at its n-th look at the switch."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self._looks = looks

    def check(self) -> None:
        self._looks -= 1
        if self._looks < 0:
            self.set()
        super().check()


def grow(raft: Raft, n: int) -> None:
    raft.write(f"land/p{n}.csv", f"id,v\n{n},n\nx{n},bad\n")


def edit(raft: Raft, n: int) -> None:
    raft.model("silver.s", f"select id, v from bronze.land_p where id <> {n}")


def forget(raft: Raft, n: int) -> None:
    shutil.rmtree(raft.root / "lake/silver/s", ignore_errors=True)


def compacted(raft: Raft, n: int) -> None:
    place = raft.root / "lake/bronze/land_p"
    if place.exists():
        DeltaTable(str(place)).optimize.compact()


def foreign(raft: Raft, n: int) -> None:
    if (raft.root / "lake/silver/s").exists():
        foreign_append(raft, "silver.s")


def stopped(raft: Raft, n: int) -> None:
    with raft.open() as project:
        project.run(stop=Killed(n % 7))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(history=st.lists(st.sampled_from([grow, edit, forget, compacted, foreign, stopped]), min_size=1, max_size=4))
def test_what_is_written_stands_in_the_plan_and_what_is_certain_is_done(
    tmp_path_factory: pytest.TempPathFactory, history: list[Callable[[Raft, int], None]]
) -> None:
    raft = small(tmp_path_factory.mktemp("raft"))
    raft.ok()
    for number, event in enumerate(history, 2):
        event(raft, number)
        plan = raft.plan()
        run = raft.run()
        done = {str(r.table): r.status for r in run.results}
        may = {name for name, s in plan.items() if s.status in ("new", "changed", "new data", "read") or s.conditional}
        assert {name for name, status in done.items() if status == "published"} <= may
        certain = {name for name, s in plan.items() if s.writes}
        assert all(done[name] == "published" for name in certain if run.ok)
        blocked = {name for name, s in plan.items() if s.status == "blocked"}
        assert {name for name, status in done.items() if status == "blocked"} == blocked
        if blocked:
            raft.ok("silver.s+", full=True)
        assert {r.status for r in raft.ok().values()} == {"unchanged", "view"}
        want = raft.rows("select id, v from bronze.land_p order by all")
        assert raft.rows("silver.a") == want
        assert raft.rows("gold.g") == [(len(raft.rows("silver.s")),)]
