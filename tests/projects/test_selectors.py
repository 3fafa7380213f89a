"""Selectors that look beyond the files: what stands how in the lake, and what became of it in the last run."""

from __future__ import annotations

from pathlib import Path

import pytest

from lagoa.errors import CommandError
from lagoa.observe.log import last_runs, runs_folder
from lagoa.testing.raft import Raft


@pytest.fixture
def raft(tmp_path: Path) -> Raft:
    raft = Raft(tmp_path)
    raft.source("land", "p: {path: 'p*.csv', mode: append, columns: {id: {type: bigint}}}\nq: {path: q.csv}")
    raft.write("land/p1.csv", "id,v\n1,a\n2,b\n")
    raft.write("land/q.csv", "id,w\n1,x\n")
    raft.model("silver.v", "select id from silver.s", "kind: view")
    raft.model("silver.s", "select id, v from bronze.land_p")
    raft.model("gold.g", "select count(*) as n from silver.v, bronze.land_q")
    raft.model("gold.other", "select w from bronze.land_q")
    return raft


def chosen(raft: Raft, *words: str) -> str:
    with raft.open() as project:
        return " ".join(sorted(map(str, project.chosen(words))))


def test_state_tells_what_is_not_built_what_means_something_else_and_what_is_behind(raft: Raft) -> None:
    assert chosen(raft, "state:new") == "bronze.land_p bronze.land_q gold.g gold.other silver.s"
    raft.ok("+silver.s")
    assert chosen(raft, "state:new") == "bronze.land_q gold.g gold.other"
    raft.ok()
    assert [chosen(raft, f"state:{word}") for word in ("new", "changed", "stale")] == ["", "", ""]

    raft.write("land/p2.csv", "id,v\n3,c\n")
    raft.ok("bronze.land_p")
    assert chosen(raft, "state:stale") == "silver.s"
    assert chosen(raft, "state:stale+") == "gold.g silver.s silver.v"
    raft.ok("silver.s")
    assert chosen(raft, "state:stale") == "gold.g"  # through the view

    raft.model("silver.v", "select id from silver.s where id > 1", "kind: view")
    raft.model("gold.other", "-- only a comment\nselect w from bronze.land_q", "description: Words only.")
    raft.source("land", "p: {path: 'p*.csv', mode: append}\nq: {path: q.csv}")
    assert chosen(raft, "state:changed") == "bronze.land_p gold.g"
    assert chosen(raft, "state:changed,state:stale") == "gold.g"
    assert set(raft.plan("state:changed,layer:gold")) == {"gold.g"}


def test_choosing_nothing_by_state_is_no_mistake(raft: Raft) -> None:
    raft.ok()
    assert raft.ok("state:changed") == {}
    assert raft.plan("state:new state:stale") == {}


def test_a_table_that_was_rebuilt_without_its_state_s_wish_is_not_stale(raft: Raft) -> None:
    raft.ok()
    raft.ok("silver.s", full=True)
    assert chosen(raft, "state:stale") == "gold.g"  # what it read was written anew
    raft.ok("gold.g")
    assert chosen(raft, "state:stale") == ""


def test_result_tells_what_failed_in_the_last_run_and_how(raft: Raft) -> None:
    with pytest.raises(CommandError, match="no run on local is logged"):
        chosen(raft, "result:error")
    raft.ok()
    raft.model("silver.s", "select id, v from bronze.land_p", "columns: {id: {checks: [{min: 2}]}}")
    raft.model("gold.other", "select w::integer as w from bronze.land_q")
    raft.fails()
    assert chosen(raft, "result:fail") == "silver.s"
    assert chosen(raft, "result:error") == "gold.other"
    assert chosen(raft, "result:blocked") == "gold.g"
    assert chosen(raft, "result:fail+ result:error+") == "gold.g gold.other silver.s silver.v"

    raft.model("silver.s", "select id, v from bronze.land_p", "columns: {id: {checks: [{min: 1}]}}")
    raft.ok("result:fail+")
    assert chosen(raft, "result:error result:fail result:blocked") == ""  # the last run is another one now
    log = runs_folder(raft.root) / f"{last_runs(runs_folder(raft.root))[0].run}.jsonl"
    log.write_text("".join(f"{line}\n" for line in log.read_text("utf-8").splitlines() if "step.publ" not in line))
    assert chosen(raft, "result:error") == "gold.g silver.s"  # begun, and killed
