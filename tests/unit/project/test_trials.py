"""Tests of models are held against the project: what cannot be is told with file, line and column."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from lagoa.errors import ProjectError, ProjectErrors
from lagoa.project.load import load
from lagoa.project.trials import read_trials
from lagoa.testing.raft import Raft


@pytest.fixture
def raft(tmp_path: Path) -> Raft:
    found = Raft(tmp_path)
    found.source("erp", "orders: {path: 'o.csv', columns: {id: {type: bigint}}}")
    found.model("silver.orders", "select id, status from bronze.erp_orders")
    found.model("silver.other", "select 1 as one")
    found.model("gold.count", "select status, count(*) as n from silver.orders group by status")
    return found


def wrong(raft: Raft, text: str, file: str = "tests/orders.yml") -> list[ProjectError]:
    raft.write(file, dedent(text).lstrip("\n"))
    with pytest.raises(ProjectErrors) as caught:
        read_trials(load(raft.root, None, {}))
    return list(caught.value.errors)


def test_a_test_knows_its_rows_and_where_they_stand(raft: Raft) -> None:
    raft.write(
        "tests/deep/orders.yml",
        dedent("""
        counted:
          now: 2026-11-20
          given:
            silver.orders: |
              id;status

              1;paid
              2;
          expect:
            gold.count: [{status: paid, n: 1}]
        """),
    )
    [trial] = read_trials(load(raft.root, None, {}))
    [first] = trial.rounds
    [given] = first.given.values()
    assert (given.columns, given.rows) == (("id", "status"), [["1", "paid"], ["2", None]])
    assert (str(given.place(1, "id")), given.place(1, "id").text) == ("tests/deep/orders.yml:9", "2;")
    [expected] = first.expect.values()
    assert str(expected.place(0, "n")) == "tests/deep/orders.yml:11:33"
    assert first.now is not None
    assert first.now.isoformat() == "2026-11-20T00:00:00+00:00"


CASES = {
    "no mapping": ("t: 3", "LG-102", "1:1", "must be a mapping"),
    "unknown key": ("t:\n  givn: {}", "LG-101", "2:3", "did you mean `given`?"),
    "unknown table": (
        "t: {given: {silver.order: []}, expect: {gold.count: []}}",
        "LG-103",
        "1:13",
        "did you mean `silver.orders`?",
    ),
    "unknown column": ("t:\n  expect:\n    gold.count: [{statuss: paid}]", "LG-102", "3:19", "did you mean `status`?"),
    "unknown given column": (
        "t:\n  given: {silver.orders: [{id: 1}, {stat: 1}]}\n  expect: {gold.count: []}",
        "LG-102",
        "2:37",
        "did you mean `status`?",
    ),
    "nothing expected": ("t: {given: {silver.orders: []}}", "LG-102", "1:1", "expects nothing"),
    "a stream expected": ("t: {expect: {bronze.erp_orders: []}}", "LG-102", "1:14", "is no model"),
    "given and expected": (
        "t: {given: {gold.count: []}, expect: {gold.count: []}}",
        "LG-102",
        "1:39",
        "nothing is made of it",
    ),
    "no part in it": (
        "t: {given: {silver.other: []}, expect: {gold.count: []}}",
        "LG-102",
        "1:13",
        "nothing that the test expects is made of it",
    ),
    "no row": ("t:\n  expect:\n    gold.count:\n      - 7", "LG-102", "4:9", "a row is a mapping"),
    "no rows": ("t: {expect: {gold.count: 7}}", "LG-102", "1:14", "rows are a list"),
    "no time": ("t: {now: soon, expect: {gold.count: []}}", "LG-102", "1:10", "no time"),
    "no file": ("t: {expect: {gold.count: {csv: x.csv}}}", "LG-102", "1:32", "there is no file tests/x.csv"),
    "a file outside": ("t: {expect: {gold.count: {csv: ../lagoa.yml}}}", "LG-102", "1:32", "out of tests/"),
    "ragged": ("t:\n  expect:\n    gold.count: |\n      status,n\n      paid", "LG-102", "5", "1 fields"),
    "types of expected rows": (
        "t: {expect: {gold.count: {rows: [], columns: {n: bigint}}}}",
        "LG-102",
        "1:14",
        "says nothing here",
    ),
    "rows and csv": ("t: {expect: {gold.count: {rows: [], csv: x.csv}}}", "LG-102", "1:14", "either"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_cannot_be_is_told_at_its_place(name: str, raft: Raft) -> None:
    text, code, at, words = CASES[name]
    found = wrong(raft, text)
    assert [(e.code, str(e.place)) for e in found] == [(code, f"tests/orders.yml:{at}")]
    assert words in f"{found[0].message} {found[0].hint}"


def test_two_tests_do_not_share_a_name(raft: Raft) -> None:
    raft.write("tests/a.yml", "same: {expect: {gold.count: []}}\n")
    [error] = wrong(raft, "same: {expect: {gold.count: []}}", "tests/b.yml")
    assert (str(error.place), error.message) == (
        "tests/b.yml:1:1",
        "two tests are called `same`: here and in tests/a.yml:1:1",
    )


def test_a_broken_test_does_not_keep_the_project_from_running(raft: Raft) -> None:
    assert wrong(raft, "t: 3")
    assert load(raft.root, None, {}).models


@pytest.mark.parametrize(("file", "words"), [("tests/a.yaml", "ends in .yml"), ("tests/test_a.py", "holds .yml files")])
def test_other_files_do_not_belong_in_tests(raft: Raft, file: str, words: str) -> None:
    raft.write(file, "")
    with pytest.raises(ProjectErrors) as caught:
        load(raft.root, None, {})
    assert words in caught.value.message
