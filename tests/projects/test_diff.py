"""`lagoa diff`: what differs between targets and versions, counted exactly and shown without personal values."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lagoa.app import Project
from lagoa.errors import LagoaError
from lagoa.serve.difference import Diff
from lagoa.testing.mouth import Lagoa
from lagoa.testing.raft import Raft

TARGETS = """name: raft
targets:
  local: {threads: 2, memory: 1GB}
  dev: {lake: ./dev, defer: local, threads: 2, memory: 1GB}
"""
PEOPLE = "select id, label, cpf, amount from bronze.land_people"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The project's folder."""
    return tmp_path


@pytest.fixture
def raft(home: Path) -> Raft:
    """People by id, whose CPF is personal, and a table made of them."""
    made = Raft(home, **{"lagoa.yml": TARGETS})
    made.source("land", "people: {path: '*.parquet', mode: merge, key: id, columns: {cpf: {pii: cpf}}}")
    people(made, 1, {1: 10, 2: 20, 3: 30})
    made.model("silver.people", PEOPLE, "key: id\nkind: incremental")
    made.ok()
    return made


def people(raft: Raft, file: int, amounts: dict[int, int | None]) -> None:
    raft.parquet(
        f"land/{file}.parquet",
        id=list(amounts),
        label=[f"n{i}" for i in amounts],
        cpf=[f"{i:011}" for i in amounts],
        amount=list(amounts.values()),
    )


def compared(raft: Raft, table: str, target: str | None = None, other: str | None = None, **how: Any) -> Diff:
    with Project.open(raft.root, target) as project:
        return project.diff(table, other, **how)


def on_dev(raft: Raft, **wish: Any) -> None:
    with Project.open(raft.root, "dev") as project:
        assert project.run(**wish).ok


def counts(diff: Diff) -> tuple[int, int, int, int]:
    return diff.counts.added, diff.counts.removed, diff.counts.changed, diff.counts.same


def test_two_targets_are_compared_by_key_column_by_column(raft: Raft) -> None:
    raft.model(
        "silver.people",
        "select id, label, case id when 2 then 21 else amount end as amount, cpf from bronze.land_people where id > 1 "
        "union all select 9, 'n9', 9, '9'",
        "key: id\nkind: incremental",
    )
    on_dev(raft)
    found = compared(raft, "silver.people", "dev")
    assert counts(found) == (1, 1, 1, 1)
    assert found.counts.columns == {"amount": 1}
    assert (str(found.before), str(found.after)) == ("local version 0", "dev version 0")
    assert [row.what for row in found.sample] == ["changed", "added", "removed"]
    changed = found.sample[0]
    assert changed.before == {"id": "2", "label": "n2", "amount": "20", "cpf": "***"}
    assert changed.after == {"id": "2", "label": "n2", "amount": "21", "cpf": "***"}
    assert compared(raft, "silver.people", "local", "dev").counts.added == 1


def test_what_falls_through_is_the_same_table_and_costs_nothing(raft: Raft) -> None:
    found = compared(raft, "silver.people", "dev")
    assert found.same
    assert str(found.after) == "dev version 0, read in local"
    assert counts(found) == (0, 0, 0, 3)
    assert found.unread == 3


def test_columns_that_come_go_and_change_their_type_are_named(raft: Raft) -> None:
    raft.model(
        "silver.people",
        "select id, cpf, amount::double as amount, 'x' as kind from bronze.land_people",
        "key: id\nkind: incremental",
    )
    on_dev(raft)
    found = compared(raft, "silver.people", "dev")
    assert found.columns.added == {"kind": "varchar"}
    assert found.columns.removed == {"label": "varchar"}
    assert found.columns.retyped == {"amount": ("bigint", "double")}
    assert counts(found) == (0, 0, 0, 3)
    assert not found.same


def test_a_value_that_the_new_type_cannot_hold_differs(raft: Raft) -> None:
    raft.model("silver.people", "select id, null::bigint as label from bronze.land_people", "key: id\nkind: table")
    on_dev(raft)
    assert counts(compared(raft, "silver.people", "dev")) == (0, 0, 3, 0)


def test_two_versions_are_compared_and_files_of_both_are_not_read(raft: Raft) -> None:
    raft.model("silver.log", "select id, amount from bronze.land_people", "kind: append\nkey: id")
    raft.ok()
    people(raft, 2, {4: 40})
    raft.source("land", "people: {path: '*.parquet', mode: append, columns: {cpf: {pii: cpf}}}")
    raft.ok()
    found = compared(raft, "silver.log", versions=(0, 1))
    assert counts(found) == (1, 0, 0, 3)
    assert found.unread == 3
    assert counts(compared(raft, "silver.log", versions=(1, 0))) == (0, 1, 0, 3)
    assert counts(compared(raft, "silver.log")) == (1, 0, 0, 3)


def test_versions_of_a_history_are_told_apart_by_when_they_began(raft: Raft) -> None:
    raft.model("silver.kept", "select id, amount from bronze.land_people", "kind: scd2\nkey: id")
    raft.ok()
    people(raft, 2, {1: 11})
    raft.ok()
    found = compared(raft, "silver.kept")
    assert found.key == ("id", "valid_from")
    assert counts(found) == (1, 0, 1, 2)
    assert set(found.counts.columns) == {"valid_to", "is_current"}


def test_a_view_has_nothing_to_compare_or_to_put_back(raft: Raft, lagoa: Lagoa) -> None:
    raft.model("silver.seen", "select id from silver.people", "kind: view")
    for command in (["diff", "silver.seen", "-t", "dev"], ["diff", "silver.seen"], ["restore", "silver.seen", "0"]):
        said = lagoa(*command)
        assert said.code == 2
        assert "silver.seen is a view: it has no rows or versions of its own" in said.err
        assert "it reads silver.people" in said.err


def test_without_a_key_whole_rows_are_counted_as_often_as_they_occur(raft: Raft) -> None:
    raft.model("gold.names", "select 'a' as x from range(3) union all select 'b' from range(2)")
    raft.ok()
    raft.model("gold.names", "select 'a' as x from range(5) union all select 'c'")
    raft.ok()
    found = compared(raft, "gold.names")
    assert (found.counts.added, found.counts.removed, found.counts.same) == (3, 2, 3)
    assert found.note == "it has no key, so whole rows are compared"
    assert found.to_json()["rows"]["changed"] is None
    assert [(row.what, row.after or row.before) for row in found.sample] == [
        ("added", {"x": "a"}), ("added", {"x": "c"}), ("removed", {"x": "b"}),
    ]  # fmt: skip


def test_a_key_that_repeats_is_no_key_and_that_is_said(raft: Raft) -> None:
    raft.model("gold.twice", "select 1 as k, 'a' as v union all select 2, 'b'")
    raft.ok()
    raft.model("gold.twice", "select 1 as k, 'a' as v union all select 1, 'c'")
    raft.ok()
    found = compared(raft, "gold.twice", key=["K"])
    assert found.note == "its key k repeats after, so whole rows are compared"
    assert counts(found) == (1, 1, 0, 1)


def test_a_key_may_be_null_and_may_be_given(raft: Raft) -> None:
    raft.model("gold.nulls", "select null::int as k, 1 as v union all select 2, 2")
    raft.ok()
    raft.model("gold.nulls", "select null::int as k, null::int as v union all select 2, 2")
    raft.ok()
    found = compared(raft, "gold.nulls", key=["k"])
    assert counts(found) == (0, 0, 1, 1)
    assert (found.sample[0].before, found.sample[0].after) == ({"k": None, "v": "1"}, {"k": None, "v": None})


def test_nested_values_are_compared_and_shown(raft: Raft) -> None:
    values = "select 1 as k, {'a': [1, 2]} as s, map {'x': %s} as m, [{'b': 'u'}] as l, 'nan'::double as f"
    raft.model("gold.nested", values % 1, "key: k")
    raft.ok()
    raft.model("gold.nested", values % 2, "key: k")
    raft.ok()
    found = compared(raft, "gold.nested")
    assert found.counts.columns == {"m": 1}
    assert found.sample[0].after is not None
    assert found.sample[0].after["m"] == '{"x":2}'
    raft.model("gold.nested", values % 3)
    raft.ok()
    assert counts(compared(raft, "gold.nested")) == (1, 1, 0, 0)


def test_what_cannot_be_compared_is_refused_with_the_way_out(raft: Raft) -> None:
    raft.model("silver.new", "select 1 as x")
    cases: list[tuple[Callable[[], Diff], str, str]] = [
        (lambda: compared(raft, "silver.people", key=["lable"]), "LG-601", "one version"),
        (lambda: compared(raft, "silver.people", "dev", key=["lable"]), "LG-601", "did you mean `label`?"),
        (lambda: compared(raft, "silver.people", other="production"), "LG-601", "the targets are dev, local"),
        (lambda: compared(raft, "silver.people", versions=(0, 7)), "LG-307", "lists its versions"),
        (lambda: compared(raft, "silver.new", "dev"), "LG-103", "lagoa run -t local -s +silver.new"),
    ]
    for case, code, words in cases:
        with pytest.raises(LagoaError) as refused:
            case()
        assert refused.value.code == code
        assert words in f"{refused.value.message} {refused.value.hint}"


def test_personal_values_are_masked_also_where_only_an_old_version_had_them(raft: Raft) -> None:
    raft.model("silver.people", "select id, cpf || '' as cpf from bronze.land_people where id < 3", "key: id")
    raft.ok()
    people(raft, 2, {4: 40})
    raft.source("land", "people: {path: '*.parquet', mode: merge, key: id}")
    raft.model("silver.people", "select id, '0' as cpf from bronze.land_people", "key: id")
    raft.ok()
    found = compared(raft, "silver.people")
    assert found.counts.columns == {"cpf": 2}
    assert "0000000000" not in json.dumps(found.to_json())
    assert {row.before["cpf"] for row in found.sample if row.before} == {"***"}


@pytest.mark.parametrize("seed", range(6))
def test_the_counts_are_those_of_two_lists_of_rows(raft: Raft, seed: int) -> None:
    rng = random.Random(seed)

    def rows() -> dict[int, tuple[int | None, str | None]]:
        return {k: (rng.choice([None, 1, 2]), rng.choice([None, "", "x"])) for k in rng.sample(range(30), 20)}

    def model(held: dict[int, tuple[int | None, str | None]], header: str) -> None:
        values = ", ".join(
            f"({k}, {'null' if a is None else a}, {'null' if b is None else repr(b)})" for k, (a, b) in held.items()
        )
        raft.model("gold.random", f"select k, a::int as a, b::varchar as b from (values {values}) t(k, a, b)", header)
        raft.ok("gold.random")

    old, new = rows(), rows()
    model(old, "key: k")
    model(new, "key: k")
    both = old.keys() & new.keys()
    found = compared(raft, "gold.random", rows=50)
    same = sum(old[k] == new[k] for k in both)
    assert counts(found) == (len(new.keys() - both), len(old.keys() - both), len(both) - same, same)
    assert found.counts.columns.get("a", 0) == sum(old[k][0] != new[k][0] for k in both)
    assert len(found.sample) == sum(counts(found)[:3])
    whole = compared(raft, "gold.random", key=["a"])
    then, now = Counter((k, *v) for k, v in old.items()), Counter((k, *v) for k, v in new.items())
    assert counts(whole) == ((now - then).total(), (then - now).total(), 0, (now & then).total())


def test_the_command_says_it_in_words_and_as_json(raft: Raft, lagoa: Lagoa) -> None:
    raft.model("silver.people", PEOPLE.replace("amount", "amount + (id = 2)::int as amount"), "key: id\nkind: table")
    on_dev(raft)
    said = lagoa("diff", "people", "-t", "dev")
    assert said.code == 0
    assert said.out.splitlines()[0] == "silver.people: local version 0 → dev version 0."
    assert "rows by id: 1 changed, 0 added, 0 removed, 2 the same." in said.out
    assert "changed in: amount 1." in said.out
    assert "20 → 21" in said.out
    told = json.loads(lagoa("diff", "silver.people", "-t", "dev", "--with", "local", "--json").out)
    assert told["before"] == {"target": "local", "read_in": "local", "version": 0, "rows": 3}
    assert told["rows"] == {"added": 0, "removed": 0, "changed": 1, "same": 2}
    assert told["sample"][0]["after"]["amount"] == "21"
    same = lagoa("diff", "silver.people", "--versions", "0", "2999-01-01")
    assert same.out == "silver.people: local version 0 → local version 0: the same, 3 rows.\n"
    wrong = lagoa("diff", "silver.people", "--versions", "0", "1", "--with", "dev")
    assert (wrong.code, "LG-601" in wrong.err) == (2, True)
