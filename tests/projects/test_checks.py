"""Checks in whole projects: what blocks keeps the published version, what is set aside says why, a warning shows."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lagoa.testing.raft import Raft

Row = tuple[int | None, int | None, str]


@pytest.fixture
def raft(tmp_path: Path) -> Raft:
    return Raft(tmp_path)


def land(raft: Raft, mode: str, checks: str, table: str = "") -> None:
    columns = f"columns: {{id: {{type: bigint}}, n: {{type: bigint, checks: [{checks}]}}}}"
    raft.source("land", f"p: {{path: 'p*.csv', mode: {mode}, key: id, {columns}, checks: [{table}]}}")


@pytest.mark.parametrize("mode", ["append", "merge", "replace"])
def test_a_blocking_check_keeps_rows_and_state_and_the_next_good_run_publishes(raft: Raft, mode: str) -> None:
    land(raft, mode, "{min: 0}")
    raft.write("land/p1.csv", "id,n\n1,1\n")
    raft.model("silver.s", "select id, n from bronze.land_p")
    raft.ok()
    raft.write("land/p2.csv", "id,n\n2,-2\n3,3\n")
    for _ in range(2):
        run = raft.run()
        assert [(str(r.table), r.status) for r in run.results] == [("bronze.land_p", "failed"), ("silver.s", "blocked")]
        assert raft.rows("bronze.land_p") == raft.rows("silver.s") == [(1, 1)]
        assert raft.version("bronze.land_p") == 0
    raft.write("land/p2.csv", "id,n\n2,2\n3,3\n")
    raft.ok()
    assert raft.rows("bronze.land_p") == raft.rows("silver.s") == [(1, 1), (2, 2), (3, 3)]


@pytest.mark.parametrize(
    ("mode", "rows"),
    [("append", [(1, 1), (1, 5), (2, 2)]), ("merge", [(1, 5), (2, 2)]), ("replace", [(1, 1), (1, 5), (2, 2)])],
)
def test_unique_judges_the_table_as_it_would_become(raft: Raft, mode: str, rows: list[Any]) -> None:
    columns = "columns: {id: {type: bigint, checks: [unique]}, n: {type: bigint}}"
    raft.source("land", f"p: {{path: 'p*.csv', mode: {mode}, key: id, {columns}}}")
    raft.write("land/p1.csv", "id,n\n1,1\n2,2\n")
    raft.ok()
    raft.write("land/p2.csv", "id,n\n1,5\n")
    if mode == "merge":
        raft.ok()
    else:
        assert raft.fails()["bronze.land_p"].code == "LG-401"
    assert raft.rows("bronze.land_p") == (rows if mode == "merge" else [(1, 1), (2, 2)])


def test_a_foreign_key_to_itself_sees_what_a_merge_changes_elsewhere(raft: Raft) -> None:
    columns = "columns: {boss: {checks: [{foreign_key: bronze.land_p.code}]}}"
    raft.source("land", f"p: {{path: 'p*.csv', mode: merge, key: id, {columns}}}")
    raft.write("land/p1.csv", "id,code,boss\n1,A,\n2,B,A\n")
    raft.ok()
    raft.write("land/p2.csv", "id,code,boss\n1,Z,\n")
    error = raft.fails()["bronze.land_p"]
    assert "boss foreign_key" in error.message
    assert raft.rows("bronze.land_p") == [("1", "A", None), ("2", "B", "A")]


def test_a_row_whose_parent_is_set_aside_is_set_aside_too(raft: Raft) -> None:
    columns = "columns: {boss: {checks: [{foreign_key: bronze.land_p.code, on_fail: quarantine}]}}"
    raft.source("land", f"p: {{path: p.csv, {columns}}}")
    raft.write("land/p.csv", "code,boss\nA,\nB,A\nC,D\nE,C\nF,E\n")
    raft.ok()
    assert raft.rows("bronze.land_p") == [("A", None), ("B", "A")]
    assert raft.refused("bronze.land_p") == ["boss foreign_key"] * 3
    audited = next(e for e in raft.events if e.kind == "step.audited")
    assert audited.data["checks"] == [{"check": "boss foreign_key", "on_fail": "quarantine", "violations": 3}]


def test_a_check_that_is_new_judges_the_rows_that_are_there(raft: Raft) -> None:
    land(raft, "append", "")
    raft.write("land/p1.csv", "id,n\n1,1\n2,-2\n")
    raft.ok()
    land(raft, "append", "{min: 0}")
    assert raft.plan()["bronze.land_p"].reason == "asks land.p for news; its checks changed"
    for _ in range(2):
        assert "n=-2" in raft.fails()["bronze.land_p"].message
    land(raft, "append", "{min: 0, on_fail: quarantine}")
    raft.ok()
    assert raft.notes() == [
        "1 rows that were loaded before break `n min`; `lagoa run --full -s bronze.land_p` judges them"
    ]
    raft.ok(full=True)
    assert (raft.rows("bronze.land_p"), raft.refused("bronze.land_p")) == ([(1, 1)], ["n min"])


def test_a_replace_is_judged_anew_when_its_checks_change(raft: Raft) -> None:
    land(raft, "replace", "")
    raft.write("land/p1.csv", "id,n\n1,1\n2,-2\n")
    raft.ok()
    land(raft, "replace", "{min: 0, on_fail: quarantine}")
    raft.ok()
    assert (raft.rows("bronze.land_p"), raft.refused("bronze.land_p")) == ([(1, 1)], ["n min"])
    assert raft.ok()["bronze.land_p"].status == "unchanged"


def test_a_check_that_reads_what_is_made_of_its_table_waits_for_it(raft: Raft) -> None:
    land(raft, "append", "{foreign_key: silver.s.n}")
    raft.write("land/p1.csv", "id,n\n1,1\n")
    raft.write(
        "checks/c.sql", "/*\ntable: bronze.land_p\n*/\nselect * from silver.s anti join bronze.land_p using (id)"
    )
    raft.model("silver.s", "select id, n from bronze.land_p")
    raft.ok()
    assert any("silver.s, which is not built yet: it is left out until then" in note for note in raft.notes())
    raft.write("land/p2.csv", "id,n\n2,7\n")
    assert "n foreign_key" in raft.fails()["bronze.land_p"].message
    raft.write("land/p2.csv", "id,n\n2,1\n")
    raft.ok()


def test_a_check_that_reads_a_table_that_is_not_built_says_so(raft: Raft) -> None:
    raft.source(
        "land", "p: {path: p.csv, columns: {id: {checks: [{foreign_key: bronze.land_q.id}]}}}\nq: {path: q.csv}"
    )
    raft.write("land/p.csv", "id\n1\n")
    raft.write("land/q.csv", "id\n1\n")
    error = raft.fails("bronze.land_p")["bronze.land_p"]
    assert (error.code, error.hint) == ("LG-402", "lagoa run -s bronze.land_q")
    raft.ok()


def test_a_query_of_the_user_over_two_tables_blocks_warns_and_points_at_its_mistakes(raft: Raft) -> None:
    raft.source("land", "p: {path: 'p*.csv', mode: append, columns: {cpf: {pii: cpf}}}\nq: {path: q.csv}")
    raft.write("land/p1.csv", "id,cpf\n1,11122233344\n")
    raft.write("land/q.csv", "id\n1\n")
    head = "/*\ntable: bronze.land_q\n{}*/\n"
    raft.write("checks/c.sql", head.format("") + "select p.id,\n  nope\nfrom bronze.land_p p")
    error = raft.fails()["bronze.land_q"]
    assert (error.code, str(error.place)) == ("LG-402", "checks/c.sql:5:3")
    query = "select p.cpf as document from bronze.land_p p join bronze.land_q q using (id); -- bad"
    raft.write("checks/c.sql", head.format("") + query)
    error = raft.fails()["bronze.land_q"]
    assert error.code == "LG-401"
    assert "document=***" in error.message
    raft.write("checks/c.sql", head.format("on_fail: warn\n") + query)
    raft.ok()
    audited = [e.data["checks"] for e in raft.events if e.kind == "step.audited"]
    assert audited == [[{"check": "c", "on_fail": "warn", "violations": 1}]]


def test_a_check_of_a_column_that_no_longer_comes_is_named(raft: Raft) -> None:
    land(raft, "replace", "not_null")
    raft.write("land/p1.csv", "id,n\n1,1\n")
    raft.ok()
    raft.write("land/p1.csv", "id\n1\n")
    error = raft.fails()["bronze.land_p"]
    assert error.code == "LG-402"
    assert "has no column `n`" in error.message
    assert raft.rows("bronze.land_p") == [(1, 1)]


# ---------------------------------------------------------------- the promise
VALUES = st.one_of(st.none(), st.integers(-2, 6))
ROWS = st.lists(st.tuples(VALUES, VALUES, st.sampled_from("ab")), max_size=6)
BLOCKING = {
    "{min: 0}": "n < 0",
    "not_null": "n is null",
    "{max: 4, where: \"k = 'a'\"}": "n > 4 and k = 'a'",
    "unique": "n in (select n from bronze.land_p where n is not null group by n having count(*) > 1)",
    "{foreign_key: bronze.land_p.id}": "n not in (select id from bronze.land_p where id is not null)",
}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(
    mode=st.sampled_from(["append", "merge", "replace"]),
    check=st.sampled_from(list(BLOCKING)),
    aside=st.booleans(),
    deliveries=st.lists(ROWS, min_size=1, max_size=3),
)
def test_a_published_table_never_shows_a_violation(
    tmp_path_factory: pytest.TempPathFactory, mode: str, check: str, aside: bool, deliveries: list[list[Row]]
) -> None:
    raft = Raft(tmp_path_factory.mktemp("raft"))
    more = ", {max: 5, on_fail: quarantine}, {in: [-2, -1, 0, 1, 3, 4, 5, 6], on_fail: quarantine}" if aside else ""
    columns = f"{{id: {{type: bigint}}, n: {{type: bigint, checks: [{check}{more}]}}}}"
    raft.source("land", f"p: {{path: 'p*.csv', mode: {mode}, key: id, allow_empty: true, columns: {columns}}}")
    good: list[list[Row]] = []
    for number, rows in enumerate(deliveries):
        name = f"land/p{number}.csv"
        lines = (f"{'' if i is None else i},{'' if n is None else n},{k}\n" for i, n, k in rows)
        raft.write(name, "id,n,k\n" + "".join(lines))
        run = raft.run()
        if not run.ok:
            assert [getattr(r.error, "code", None) for r in run.results] == ["LG-401"]
            (raft.root / name).unlink()
            continue
        good.append(rows)
        assert raft.rows(f"select count(*) from bronze.land_p where {BLOCKING[check]}") == [(0,)]
        if mode == "append":
            came = Counter(row for delivered in good for row in delivered)
            assert Counter(raft.rows("bronze.land_p")) <= came
            assert len(raft.rows("bronze.land_p")) + len(raft.refused("bronze.land_p")) == came.total()
