"""`lagoa test`: given rows in, expected rows out, by the queries alone or by the path of a run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from lagoa.app import Project
from lagoa.run.recompute import recompute
from lagoa.testing.mouth import Lagoa
from lagoa.testing.raft import Raft

SOURCE = """
orders: {path: "orders_*.csv", mode: merge, key: id, columns: {id: {type: bigint}, customer: {type: bigint},
  amount: {type: "decimal(12, 2)"}}}
customers: {path: "customers_*.csv", mode: merge, key: id, columns: {id: {type: bigint}, name: {pii: name},
  cpf: {pii: cpf}, born: {type: date, pii: birth}}}
"""
PAID = """
select o.id as order_id, o.amount, o.customer, c.state
from bronze.erp_orders as o
left join bronze.erp_customers as c on c.id = o.customer
where o.status = 'paid'
"""
PEOPLE = "select id, lower(name) as who, cpf, born, state, note from bronze.erp_customers"
ORDERS = """id,customer,amount,status
1,7,10.00,paid
2,7,20.00,open
3,8,30.00,paid
"""
CUSTOMERS = """id,name,cpf,born,state,note
7,Maria Lima,529.982.247-25,1990-02-03,SP,call Maria Lima at night
8,João Reis,111.444.777-35,1985-12-31,RJ,
"""


@pytest.fixture
def raft(tmp_path: Path) -> Raft:
    found = Raft(tmp_path)
    found.source("erp", SOURCE)
    found.write("erp/orders_1.csv", ORDERS)
    found.write("erp/customers_1.csv", CUSTOMERS)
    found.model("silver.paid", PAID, "kind: incremental\nkey: order_id")
    found.model("silver.people", PEOPLE)
    found.model("silver.lines", "select *, amount * 2 as twice from silver.paid where amount > 0", "kind: view")
    found.model("gold.states", "select state, sum(amount) as total, count(*) as n from silver.lines group by state")
    return found


def say(raft: Raft, text: str, file: str = "tests/orders.yml") -> None:
    raft.write(file, dedent(text))


def test_a_chain_through_a_view_is_computed_from_the_rows_that_are_given(raft: Raft, lagoa: Lagoa) -> None:
    say(
        raft,
        """
        states_add_up:
          given:
            bronze.erp_orders:
              - {id: 1, customer: 7, amount: 10, status: paid}
              - {id: 2, customer: 7, amount: 5.5, status: paid}
              - {id: 3, customer: 9, amount: 1, status: open}
            bronze.erp_customers: |
              id,state
              7,SP
          expect:
            silver.lines: [{order_id: 2, twice: 11}, {order_id: 1, twice: 20.0}]
            gold.states: [{state: SP, total: 15.50}]
        """,
    )
    said = lagoa("test")
    assert (said.code, said.err) == (0, "passed  states_add_up\n"), said
    assert re.fullmatch(r"1 test: 1 passed in \S+ s\n", said.out)
    assert not (raft.root / "lake").exists()


def test_what_differs_is_laid_side_by_side_and_ends_with_1(raft: Raft, lagoa: Lagoa) -> None:
    say(
        raft,
        """
        wrong:
          given:
            silver.paid:
              - {order_id: 1, amount: 10, state: SP}
              - {order_id: 2, amount: 20, state: RJ}
              - {order_id: 3, amount: 1}
          expect:
            gold.states:
              - {state: SP, total: 10, n: 2}
              - {state: RJ, total: 20, n: 1}
              - {state: MG, total: 7, n: 3}
        """,
    )
    said = lagoa("test")
    assert said.code == 1
    lines = [re.sub(r"\s+", " ", line).strip() for line in said.out.splitlines()]
    assert lines[0] == "failed wrong tests/orders.yml:2"
    assert "differs SP 10.00 2 → 1" in lines
    assert "missing MG 7.00 3" in lines
    assert "unexpected ∅ 1.00 1" in lines
    assert not any("RJ" in line for line in lines)
    found = json.loads(lagoa("test", "--json").out)
    assert (found["passed"], found["failed"]) == (0, 1)
    [difference] = found["tests"][0]["differences"]
    assert difference["columns"] == ["state", "total", "n"]
    assert {"kind": "missing", "expected": ["MG", "7.00", "3"], "actual": None} in difference["rows"]


def test_duplicates_count_and_order_only_when_told(raft: Raft, lagoa: Lagoa) -> None:
    raft.model("gold.sorted", "select amount from silver.paid order by amount")
    given = "given: {silver.paid: [{amount: 2}, {amount: 1}, {amount: 1}]}"
    say(
        raft,
        f"""
        any_order: {{{given}, expect: {{gold.sorted: [{{amount: 2}}, {{amount: 1}}, {{amount: 1}}]}}}}
        one_too_few: {{{given}, expect: {{gold.sorted: [{{amount: 2}}, {{amount: 1}}]}}}}
        sorted: {{{given}, in_order: true, expect: {{gold.sorted: [{{amount: 1}}, {{amount: 1}}, {{amount: 2}}]}}}}
        unsorted: {{{given}, in_order: true, expect: {{gold.sorted: [{{amount: 2}}, {{amount: 1}}, {{amount: 1}}]}}}}
        """,
    )
    found = {t["test"]: t["status"] for t in json.loads(lagoa("test", "--json").out)["tests"]}
    assert found == {"any_order": "passed", "one_too_few": "failed", "sorted": "passed", "unsorted": "failed"}


def test_only_named_columns_are_compared_unless_all_are_asked_for(raft: Raft, lagoa: Lagoa) -> None:
    body = "given: {silver.paid: [{state: SP, amount: 3}]}, expect: {gold.states: [{state: SP, total: 3}]}"
    say(raft, f"some: {{{body}}}\nall: {{{body}, all_columns: true}}\n")
    found = {t["test"]: t["status"] for t in json.loads(lagoa("test", "--json").out)["tests"]}
    assert found == {"some": "passed", "all": "failed"}


def test_the_clock_stands_still(raft: Raft, lagoa: Lagoa) -> None:
    told = "current_date as a, today() as b, now() as c, localtimestamp as d, age(timestamp '2026-01-01') as e"
    raft.model("gold.times", f"select {told}, current_timestamp - c as f from silver.paid")
    say(
        raft,
        """
        at_midnight:
          now: 2026-02-03 23:30-03:00
          given: {silver.paid: [{order_id: 1}]}
          expect:
            gold.times:
              - {a: 2026-02-04, b: 2026-02-04, c: '2026-02-04 02:30+00', d: 2026-02-04 02:30, e: 1 month 3 days,
                 f: '00:00:00'}
        """,
    )
    assert lagoa("test").code == 0


HISTORY = """
corrections_follow:
  now: 2026-01-01
  given:
    bronze.erp_customers: [{id: 7, state: SP}, {id: 8, state: RJ}]
    bronze.erp_orders:
      - {id: 1, customer: 7, amount: 10, status: paid}
      - {id: 2, customer: 8, amount: 20, status: open}
  expect:
    silver.paid: [{order_id: 1, amount: 10, state: SP}]
  then:
    - now: 2026-02-01
      given:
        bronze.erp_orders:
          - {id: 1, customer: 7, amount: 10, status: paid}
          - {id: 2, customer: 8, amount: 20, status: open}
          - {id: 3, customer: 8, amount: 30, status: paid}
          - {id: 3, customer: 8, amount: 30, status: paid}
      expect:
        silver.paid:
          - {order_id: 1, state: SP}
          - {order_id: 3, state: RJ}
          - {order_id: 3, state: RJ}
    - given:
        bronze.erp_orders:
          - {id: 1, customer: 7, amount: 10, status: paid}
          - {id: 3, customer: 8, amount: 30, status: paid}
      expect:
        silver.paid: [{order_id: 1, state: SP}, {order_id: 3, state: RJ}]
    - now: 2026-03-01
      given:
        bronze.erp_customers: [{id: 7, state: MG}]
        bronze.erp_orders: [{id: 1, customer: 7, amount: 10, status: paid}]
      expect:
        silver.paid: [{order_id: 1, amount: 10, state: MG}]
"""


def test_a_history_runs_in_a_lake_of_its_own(raft: Raft, lagoa: Lagoa) -> None:
    say(raft, HISTORY)
    said = lagoa("test")
    assert said.code == 0, said.out + said.err
    assert not (raft.root / "lake").exists()


def test_what_a_history_gets_wrong_is_told_with_its_run(raft: Raft, lagoa: Lagoa) -> None:
    say(raft, HISTORY.replace('state: MG}]\n"', "").replace("amount: 10, state: MG", "amount: 11, state: MG"))
    said = lagoa("test")
    assert said.code == 1
    assert "silver.paid, after run 4: expected → actual" in said.out
    assert "11.00 → 10.00" in said.out


def test_the_incremental_way_is_what_a_history_tests(raft: Raft, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []

    def watched(*args: Any) -> Any:
        done = recompute(*args)
        seen.append(done is not None)
        return done

    monkeypatch.setattr("lagoa.run.model.recompute", watched)
    say(raft, HISTORY)
    with Project.open(raft.root) as project:
        [verdict] = project.tests.run()
    assert verdict.status == "passed"
    assert len(seen) == 3
    assert any(seen)


def test_append_and_scd2_models_are_tested_with_what_they_hold_before_and_after(raft: Raft, lagoa: Lagoa) -> None:
    raft.model("gold.log", "select order_id from silver.paid", "kind: append")
    raft.model("gold.kept", "select customer, state from silver.paid", "kind: scd2\nkey: customer")
    say(
        raft,
        """
        grows:
          given: {silver.paid: [{order_id: 1}]}
          expect: {gold.log: [{order_id: 1}]}
          then:
            - given: {silver.paid: [{order_id: 1}, {order_id: 1}, {order_id: 2}]}
              expect: {gold.log: [{order_id: 1}, {order_id: 1}, {order_id: 2}]}
        moves:
          now: 2026-01-01
          given: {silver.paid: [{customer: 7, state: SP}]}
          expect: {gold.kept: [{customer: 7, state: SP, is_current: true}]}
          then:
            - now: 2026-02-01
              given: {silver.paid: [{customer: 7, state: MG}]}
              expect:
                gold.kept: |
                  customer,state,valid_from,valid_to,is_current
                  7,SP,2026-01-01 00:00+00,2026-02-01 00:00+00,false
                  7,MG,2026-02-01 00:00+00,,true
        """,
    )
    said = lagoa("test")
    assert said.code == 0, said.out + said.err


def test_a_history_is_recorded_with_the_time_at_which_its_versions_begin(raft: Raft, lagoa: Lagoa) -> None:
    raft.model("gold.kept", "select order_id, amount from silver.paid", "kind: scd2\nkey: order_id")
    raft.ok()
    said = lagoa("test", "--record", "gold.kept")
    assert said.code == 0, said.err
    assert "  now: 20" in (raft.root / "tests/kept.yml").read_text("utf-8")
    assert lagoa("test").code == 0


def test_a_python_model_is_run(raft: Raft, lagoa: Lagoa) -> None:
    raft.python(
        "gold.double", "def model(paid):\n    return paid.project('order_id, amount * 2 as twice')", "paid: silver.paid"
    )
    say(raft, "twice: {given: {silver.paid: [{order_id: 1, amount: 4}]}, expect: {gold.double: [{twice: 8}]}}\n")
    assert lagoa("test").code == 0
    say(raft, "twice: {given: {silver.paid: [{order_id: 1, amount: 4}]}, expect: {gold.double: [{twice: 9}]}}\n")
    assert lagoa("test").code == 1


def test_rows_may_lie_in_a_csv_file_beside_the_test(raft: Raft, lagoa: Lagoa) -> None:
    raft.write("tests/rows/paid.csv", "order_id;amount;state\n1;10;SP\n2;;SP\n")
    say(raft, "sums: {given: {silver.paid: {csv: rows/paid.csv}}, expect: {gold.states: [{state: SP, total: 10}]}}\n")
    said = lagoa("test")
    assert said.code == 0, said.out + said.err


def test_a_model_that_fails_is_told_with_its_place(raft: Raft, lagoa: Lagoa) -> None:
    raft.model("gold.broken", "select\n  state + 1 as x\nfrom silver.paid")
    say(raft, "breaks: {given: {silver.paid: [{state: SP}]}, expect: {gold.broken: [{x: 1}]}}\n")
    said = lagoa("test")
    assert said.code == 1
    assert "models/gold/broken.sql" in said.err
    assert "1 failed" in said.out


def test_tests_are_chosen_by_name_file_and_model(raft: Raft, lagoa: Lagoa) -> None:
    one = "given: {silver.paid: [{state: SP}]}, expect: {gold.states: [{n: 1}]}"
    two = "given: {bronze.erp_customers: [{id: 1}]}, expect: {silver.people: [{id: 1}]}"
    say(raft, f"first: {{{one}}}\nsecond: {{{two}}}\n")
    say(raft, f"third: {{{two}}}\n", "tests/more/people.yml")

    def ran(*words: str) -> list[str]:
        return [t["test"] for t in json.loads(lagoa("test", "--json", *words).out)["tests"]]

    assert ran() == ["third", "first", "second"]
    assert ran("sec*", "first") == ["first", "second"]
    assert ran("people") == ["third"]
    assert ran("-s", "gold.states") == ["first"]
    assert ran("-s", "silver.people", "orders") == ["second"]
    said = lagoa("test", "frist")
    assert said.code == 2
    assert "did you mean `first`?" in said.err


RECORDED = re.compile(r"(?i)maria|lima|jo.o|reis|529.?982|52998224725|111.?444|1990-02-03|1985-12-31")


def test_a_recorded_test_passes_at_once_and_holds_nothing_personal(raft: Raft, lagoa: Lagoa) -> None:
    assert raft.run().ok
    for model in ("silver.people", "silver.paid", "gold.states"):
        said = lagoa("test", "--record", model)
        assert said.code == 0, said.err
    files = sorted((raft.root / "tests").iterdir())
    assert [f.name for f in files] == ["paid.yml", "people.yml", "states.yml"]
    written = "".join(f.read_text("utf-8") for f in files)
    assert RECORDED.search(CUSTOMERS)
    assert not RECORDED.search(written), written
    assert "who: person 1" in written
    assert "call Person 1 at night" in written
    assert "000.000.001-91" in written
    assert lagoa("test").code == 0
    raft.root.joinpath("lake").rename(raft.root / "gone")
    assert lagoa("test").code == 0, "a recorded test must not need the lake in which it was recorded"


def test_a_recorded_join_keeps_the_rows_that_belong_together(raft: Raft, lagoa: Lagoa) -> None:
    assert raft.run().ok
    assert lagoa("test", "--record", "silver.paid", "-n", "1", "--name", "one").code == 0
    text = (raft.root / "tests/paid.yml").read_text("utf-8")
    assert text.startswith("one:\n")
    assert "{order_id: 1, amount: 10.00, customer: 7, state: SP}" in text
    assert "id: 8" not in text
    said = lagoa("test", "--record", "silver.paid", "--name", "one")
    assert (said.code, "there is a test `one` already" in said.err) == (2, True)
    assert lagoa("test", "--record", "silver.paid").code == 0
    assert "\n\npaid_as_recorded:\n" in (raft.root / "tests/paid.yml").read_text("utf-8")


def test_what_gives_other_rows_each_time_is_not_recorded(raft: Raft, lagoa: Lagoa) -> None:
    raft.model("gold.dice", "select order_id, random() as x from silver.paid")
    assert raft.run().ok
    said = lagoa("test", "--record", "gold.dice")
    assert said.code == 1
    assert "gives other rows each time" in said.err
    assert not (raft.root / "tests").exists()


def test_a_recorded_test_stops_the_clock_of_a_model_that_tells_the_time(raft: Raft, lagoa: Lagoa) -> None:
    raft.model("gold.today", "select order_id, current_timestamp as at from silver.paid")
    assert raft.run().ok
    assert lagoa("test", "--record", "gold.today").code == 0
    assert "  now: 20" in (raft.root / "tests/today.yml").read_text("utf-8")
    assert lagoa("test").code == 0


@pytest.mark.parametrize("example", ["shop", "olist"])
def test_the_tests_of_the_examples_pass(example: str, home: Path, lagoa: Lagoa) -> None:
    assert lagoa("init", "x", "--example", example).code == 0
    found = json.loads(lagoa("test", "--json", folder="x", OLIST_DATA=str(home)).out)
    assert (found["failed"], found["passed"] > 0) == (0, True), found


@pytest.mark.parametrize(
    ("given", "at", "words"),
    [
        ("{id: 1, amount: 1.005}", "3:33", "decimal(12,2), which cannot hold '1.005'"),
        ("{id: 1.5}", "3:26", "bigint, which cannot hold '1.5'"),
        ("{id: one}", "3:26", "bigint, which cannot hold 'one'"),
        ("{id: 1, amuont: 1}", "3:33", "did you mean `amount`?"),
    ],
)
def test_values_that_cannot_be_are_told_at_their_place(
    raft: Raft, lagoa: Lagoa, given: str, at: str, words: str
) -> None:
    assert raft.run().ok  # what columns a stream has is known once it was read
    say(raft, f"t:\n  given:\n    bronze.erp_orders: [{given}]\n  expect: {{silver.paid: []}}\n".lstrip())
    said = lagoa("test")
    assert said.code == 1
    assert words in said.err
    assert f"tests/orders.yml:{at}" in said.err


def test_floats_are_compared_by_twelve_digits(raft: Raft, lagoa: Lagoa) -> None:
    raft.model("gold.sums", "select sum(amount::double / 3) as x from silver.paid")
    rows = "[{amount: 0.1}, {amount: 0.2}, {amount: 0.7}]"
    say(raft, f"near: {{given: {{silver.paid: {rows}}}, expect: {{gold.sums: [{{x: 0.33333333333333}}]}}}}\n")
    assert lagoa("test").code == 0
    say(raft, f"far: {{given: {{silver.paid: {rows}}}, expect: {{gold.sums: [{{x: 0.333333333}}]}}}}\n")
    assert lagoa("test").code == 1


def test_nested_values_are_given_and_expected_as_yaml(raft: Raft, lagoa: Lagoa) -> None:
    raft.model("gold.nested", "select [amount, 1.00] as l, {'a': order_id, 'b': state} as s from silver.paid")
    say(
        raft,
        """
        nested:
          given: {silver.paid: [{order_id: 1, amount: 2, state: SP}]}
          expect: {gold.nested: [{l: [2, 1], s: {a: 1, b: SP}}]}
        """,
    )
    said = lagoa("test")
    assert said.code == 0, said.out + said.err


def test_a_check_that_would_set_rows_aside_has_no_part_in_a_test(raft: Raft, lagoa: Lagoa) -> None:
    checked = "columns: {order_id: {checks: [{min: 5, on_fail: quarantine}, unique]}}"
    raft.model("silver.paid", PAID, f"kind: incremental\nkey: order_id\n{checked}")
    say(raft, HISTORY)
    said = lagoa("test")
    assert said.code == 0, said.out + said.err
