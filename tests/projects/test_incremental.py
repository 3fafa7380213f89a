"""Incremental models in a whole project: after every run each table is what its query gives, whatever happened."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from lagoa.spec.names import TableName
from lagoa.testing.raft import Raft
from lagoa.transform import compared
from lagoa.transform.follower import Follower

SOAK = bool(os.environ.get("SOAK"))
HISTORIES = 40 if SOAK else 2
STEPS = 8 if SOAK else 4
STREAMS = """
orders: {path: "orders_*.parquet", mode: merge, key: id}
customers: {path: "customers_*.parquet", mode: merge, key: id}
refunds: {path: "refunds_*.parquet", mode: append}
"""
ORDERS = TableName("bronze", "land_orders")
PAID = "select id, customer, amount from bronze.land_orders where status = 'paid'"
MODELS = {
    "silver.paid": (PAID, "id"),
    "silver.orders": (
        "select o.id, o.amount, c.state, c.label from bronze.land_orders o "
        "left join bronze.land_customers c on c.id = o.customer",
        "id",
    ),
    "silver.customers": (
        "with p as (select customer, count(*) as n, sum(amount) as total from silver.paid group by customer) "
        "select c.id, c.state, coalesce(p.n, 0) as n, p.total from bronze.land_customers c "
        "left join p on p.customer = c.id",
        "id",
    ),
    "silver.movements": (
        "select id, amount, 'paid' as kind from silver.paid "
        "union all select order_id, -amount, 'refund' from bronze.land_refunds",
        "id",
    ),
    "gold.states": ("select state, count(*) as n, sum(total) as total from silver.customers group by state", "state"),
    "gold.ranked": (
        "select id, customer, rank() over (partition by customer order by amount desc) as place from silver.paid",
        "customer",
    ),
    "gold.kept": (
        "select p.id, p.amount from silver.paid p "
        "where not exists (select 1 from bronze.land_refunds r where r.order_id = p.id)",
        "id",
    ),
    "gold.idle": (
        "select c.id, c.label from bronze.land_customers c "
        "where c.id not in (select p.customer from silver.paid p where p.amount > 20)",
        "id",
    ),
    "gold.seen": ("select m.id, m.kind, s.state from silver.movements m semi join bronze.land_orders o on o.id = m.id "
                  "join silver.orders s on s.id = m.id", "id"),
}  # fmt: skip


WHOLE = {
    "silver.whole": """
        select o.*, c.state from bronze.land_orders o left join bronze.land_customers c on c.id = o.customer
    """
}
"""Models that are rebuilt by every run, and are read by incremental ones."""
MODELS |= {
    "gold.whole": ("select state, count(*) as n, max(amount) as most from silver.whole group by state", "state"),
    "gold.beside": (
        "select p.id, p.amount, w.state from silver.paid p left join silver.whole w on w.id = p.id where w.state <> ''",
        "id",
    ),
}


class World:
    """A project with random orders, customers and refunds, of which files arrive step by step."""

    def __init__(self, root: Path, seed: int) -> None:
        self.raft, self.rng, self.files = Raft(root), random.Random(seed), 0
        self.raft.source("land", STREAMS)
        for name, (query, key) in MODELS.items():
            self.raft.model(name, query, f"kind: incremental\nkey: {key}")
        for name, query in WHOLE.items():
            self.raft.model(name, query)
        self.arrive(60)

    def arrive(self, orders: int, streams: Sequence[str] = ("orders", "customers", "refunds")) -> None:
        self.files += 1
        rng = self.rng
        ids = rng.sample(range(120), min(orders, 120))
        people = rng.sample(range(20), rng.randint(1, 20))
        columns: dict[str, dict[str, list[object]]] = {
            "orders": {
                "id": list(ids),
                "customer": [rng.choice([None, *range(22)]) for _ in ids],
                "amount": [rng.choice([None, 5, 10, 25, 40]) for _ in ids],
                "status": [rng.choice(["paid", "paid", "open"]) for _ in ids],
            },
            "customers": {
                "id": list(people),
                "state": [rng.choice([None, "SP", "RJ", ""]) for _ in people],
                "label": [f"n{rng.randint(0, 3)}" for _ in people],
            },
            "refunds": {"order_id": [rng.choice([*ids, 500]) for _ in range(4)], "amount": [1, 2, 3, 4]},
        }
        for stream in streams:
            self.raft.parquet(f"land/{stream}_{self.files:03}.parquet", **columns[stream])

    def step(self) -> None:
        kind = self.rng.random()
        streams = [s for s in ("orders", "customers", "refunds") if self.rng.random() < 0.6] or ["orders"]
        if kind < 0.15:
            with self.raft.open() as project:
                project.maintain(keep=timedelta(0))
        self.arrive(self.rng.choice([1, 3, 10, 60]), streams)


def wrong(raft: Raft, models: dict[str, tuple[str, str]] = MODELS) -> list[str]:
    """Name the tables that are not what their queries give now."""
    found = []
    for name, (query, _) in models.items():
        differ = f"(from {name} except all ({query})) union all (({query}) except all from {name})"
        found += [name] if raft.rows(f"select count(*) from ({differ}) d") != [(0,)] else []
    return found


def in_full(raft: Raft) -> list[str]:
    return [note for note in raft.notes() if "rebuilt in full" in note]


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_a_chain_of_incremental_models_equals_its_rebuild_after_every_run(tmp_path: Path, seed: int) -> None:
    world = World(tmp_path, seed)
    world.raft.ok()
    for _ in range(STEPS):
        world.step()
        world.raft.ok()
        assert wrong(world.raft) == []
        assert in_full(world.raft) == []


@pytest.fixture
def raft(tmp_path: Path) -> Raft:
    """One stream of orders by id, of which the paid ones are a model."""
    made = Raft(tmp_path)
    made.source("land", 'orders: {path: "orders_*.parquet", mode: merge, key: id}')
    land(made, 1, id=list(range(50)), customer=[i % 5 for i in range(50)], amount=[10] * 50, status=["paid"] * 50)
    return made


def land(raft: Raft, number: int, **columns: Sequence[object]) -> None:
    raft.parquet(f"land/orders_{number}.parquet", **columns)


def paid(raft: Raft, header: str = "", query: str = PAID) -> None:
    raft.model("silver.paid", query, f"kind: incremental\nkey: id\n{header}")
    raft.ok()


def test_only_touched_rows_are_recomputed(raft: Raft) -> None:
    paid(raft)
    land(raft, 2, id=[100], customer=[1], amount=[3], status=["paid"])
    done = raft.ok()
    assert done["silver.paid"].rows == 1
    assert done["silver.paid"].total == 51


def test_a_row_that_no_longer_qualifies_leaves_the_table(raft: Raft) -> None:
    paid(raft, "columns: {id: {checks: [unique]}}")
    land(raft, 2, id=[7, 8], customer=[2, 3], amount=[10, 11], status=["open", "paid"])
    assert raft.ok()["silver.paid"].total == 49
    assert wrong(raft, {"silver.paid": (PAID, "id")}) == []
    assert in_full(raft) == []


def test_a_row_without_partner_goes_when_one_comes_though_its_key_names_both(raft: Raft) -> None:
    query = "select o.customer, p.id from bronze.land_orders o left join bronze.land_orders p on p.id = o.customer"
    raft.model("silver.paid", query, "kind: incremental\nkey: [customer, id]")
    land(raft, 2, id=[60], customer=[70], amount=[1], status=["paid"])
    raft.ok()
    land(raft, 3, id=[70], customer=[1], amount=[1], status=["paid"])
    raft.ok()
    assert in_full(raft) == []
    assert raft.rows("select customer, id from silver.paid where customer = 70") == [(70, 70)]


def test_an_input_that_changes_in_rows_that_do_not_matter_writes_no_row(raft: Raft) -> None:
    query = "select id, amount from bronze.land_orders where customer = 1"
    paid(raft, query=query)
    land(raft, 2, id=[2], customer=[2], amount=[99], status=["open"])
    before = raft.rows("silver.paid")
    raft.ok()
    assert raft.rows("silver.paid") == before
    assert raft.plan()["silver.paid"].status == "up to date"


def test_an_input_of_a_cte_that_nobody_reads_touches_nothing(raft: Raft) -> None:
    raft.source("other", 'o: {path: "*.parquet", mode: append}')
    raft.parquet("other/1.parquet", id=[1])
    paid(raft, query=f"with unread as (select * from bronze.other_o) {PAID}")
    raft.parquet("other/2.parquet", id=[2])
    raft.ok()
    assert in_full(raft) == []
    assert raft.plan()["silver.paid"].status == "up to date"


def test_the_first_rows_of_an_empty_table_are_exact_changes_to_its_readers(raft: Raft) -> None:
    query = "select id, amount from bronze.land_orders where status = 'void'"
    raft.model("gold.void", "select id, amount from silver.paid", "kind: incremental\nkey: id")
    paid(raft, query=query)
    land(raft, 2, id=[1, 70], customer=[1, 1], amount=[5, 6], status=["void", "void"])
    raft.ok()
    assert raft.rows("gold.void") == [(1, 5), (70, 6)]
    assert in_full(raft) == []


@pytest.mark.parametrize("key", ["customer", "[customer, status]"])
def test_a_key_of_several_rows_is_recomputed_whole(raft: Raft, key: str) -> None:
    query = "select customer, status, amount from bronze.land_orders"
    raft.model("silver.rows", query, f"kind: incremental\nkey: {key}\npartition_by: customer")
    raft.ok()
    land(raft, 2, id=[1, 2, 60, 61], customer=[3, None, None, 9], amount=[1, 2, 3, 3], status=["open", None, "x", "x"])
    raft.ok()
    land(raft, 3, id=[60, 61], customer=[9, 9], amount=[3, 3], status=["x", "x"])
    raft.ok()
    assert wrong(raft, {"silver.rows": (query, key)}) == []
    assert in_full(raft) == []


def test_a_changed_definition_a_changed_view_and_full_rebuild_everything(raft: Raft) -> None:
    raft.model("silver.v", "select * from bronze.land_orders where amount > 5", "kind: view")
    paid(raft, query="select id, amount from silver.v")
    raft.model("silver.v", "select * from bronze.land_orders where amount > 15", "kind: view")
    assert "view silver.v" in raft.plan()["silver.paid"].reason
    assert raft.ok()["silver.paid"].total == 0
    paid(raft, query="select id, amount + 1 as amount from silver.v")
    assert raft.ok(full=True)["silver.paid"].status == "published"
    land(raft, 2, id=[1, 70], customer=[1, 1], amount=[50, 60], status=["open", "open"])
    raft.ok()
    assert wrong(raft, {"silver.paid": ("select id, amount + 1 as amount from silver.v", "id")}) == []
    assert in_full(raft) == []


REFUSED = {
    "limit": ("select id, amount from bronze.land_orders order by amount, id limit 5", "", "LIMIT"),
    "random": ("select id, random() as r from bronze.land_orders", "", "random()"),
    "window": ("select id, sum(amount) over () as s from bronze.land_orders", "", "computed over groups"),
    "float": ("select id, sum(amount::double) as s from bronze.land_orders group by id", "", "sum() of DOUBLE"),
    "quarantine": (PAID, "columns: {id: {checks: [{unique: true, on_fail: quarantine}]}}", "sets rows aside"),
    "declared key": ("select id::varchar as id from bronze.land_orders", "columns: {id: {type: bigint}}", "declared"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_followed_is_rebuilt_and_the_plan_says_why(raft: Raft, case: str) -> None:
    query, header, why = REFUSED[case]
    paid(raft, header, query)
    land(raft, 2, id=[1, 70], customer=[1, 1], amount=[1, 2], status=["paid", "paid"])
    raft.ok("bronze.land_orders")
    assert raft.plan()["silver.paid"].status == "new data"
    if case != "declared key":  # what a key is declared as is compared when it runs
        assert why in raft.plan()["silver.paid"].reason
    raft.ok()
    assert why in in_full(raft)[0]
    if case not in ("random", "declared key"):
        assert wrong(raft, {"silver.paid": (query, "id")}) == []


def test_versions_of_a_rebuilt_input_are_compared_by_the_columns_that_are_read(raft: Raft) -> None:
    raft.model("silver.all", "select *, now() as at from bronze.land_orders")
    query = "select id, count(*) as n, sum(amount) as total from silver.all where status = 'paid' group by id"
    paid(raft, query=query)
    land(raft, 2, id=[1, 70, 2], customer=[1, 1, 2], amount=[1, 2, 10], status=["open", "paid", "paid"])
    raft.ok("bronze.land_orders")
    said = raft.plan()["silver.paid"].reason
    assert "only rows of touched id, found by comparing versions of silver.all" in said
    assert raft.ok()["silver.paid"].rows == 1
    assert wrong(raft, {"silver.paid": (query, "id")}) == []
    assert in_full(raft) == []
    raft.ok(full=True)
    raft.model("silver.all", "select id, customer, status, amount + (id = 3)::int as amount from bronze.land_orders")
    raft.ok()
    assert wrong(raft, {"silver.paid": (query, "id")}) == []


def test_a_large_rebuilt_input_means_a_full_rebuild(raft: Raft, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compared, "_FEW", 10)
    raft.model("silver.all", "select * from bronze.land_orders")
    paid(raft, query="select id, amount from silver.all where status = 'paid'")
    land(raft, 2, id=[1], customer=[1], amount=[1], status=["open"])
    raft.ok("bronze.land_orders")
    assert "rebuilt in full: silver.all was rebuilt, and to compare" in raft.plan()["silver.paid"].reason
    assert raft.ok()["silver.paid"].total == 49
    assert "silver.all was rebuilt, and to compare" in in_full(raft)[0]


def test_a_rebuilt_input_whose_equal_values_may_differ_means_a_full_rebuild(raft: Raft) -> None:
    raft.model("silver.all", "select id, amount::double as amount, status from bronze.land_orders")
    paid(raft, query="select id, amount from silver.all where status = 'paid'")
    land(raft, 2, id=[1], customer=[1], amount=[1], status=["open"])
    assert raft.ok()["silver.paid"].total == 49
    assert "amount is of type DOUBLE" in in_full(raft)[0]


@pytest.mark.parametrize("query", [PAID, "select * from (select id, amount from bronze.land_orders) where amount > 5"])
def test_a_new_column_that_nobody_reads_touches_only_the_rows_that_came_with_it(raft: Raft, query: str) -> None:
    paid(raft, query=query)
    land(raft, 2, id=[1, 70], customer=[1, 1], amount=[11, 7], status=["paid", "paid"], channel=["web", "app"])
    assert raft.ok()["silver.paid"].rows == 2
    land(raft, 3, id=[2], customer=[1], amount=[8], status=["paid"], channel=["web"])
    assert raft.ok()["silver.paid"].rows == 1
    assert wrong(raft, {"silver.paid": (query, "id")}) == []
    assert in_full(raft) == []


def test_a_new_column_that_takes_the_place_of_an_alias_means_a_full_rebuild(raft: Raft) -> None:
    query = "select id, amount + 1 as twice, twice * 2 as more from bronze.land_orders"
    paid(raft, query=query)
    land(raft, 2, id=[1], customer=[1], amount=[1], status=["paid"], twice=[5])
    raft.ok()
    assert "bronze.land_orders has a new column twice" in in_full(raft)[0]
    assert wrong(raft, {"silver.paid": (query, "id")}) == []


def test_rows_that_a_check_sets_aside_leave_the_table_and_come_back(raft: Raft) -> None:
    query = "select customer, id, amount from bronze.land_orders where status = 'paid'"
    header = "columns: {amount: {checks: [{max: 50, on_fail: quarantine}]}}"
    raft.model("silver.paid", query, f"kind: incremental\nkey: customer\n{header}")
    raft.ok()
    good = {"silver.paid": (f"select * from ({query}) where (amount > 50) is not true", "customer")}
    came: list[list[int | None]] = [[99, 10, 12], [99, 98, 97], [1, 98, None], [1, 2, 3]]
    for number, amounts in enumerate(came, 2):
        land(raft, number, id=[1, 6, 70], customer=[1, 1, 8], amount=amounts, status=["paid"] * 3)
        raft.ok(verify=True)
        assert wrong(raft, good) == []
        assert in_full(raft) == []
    assert len(raft.refused("silver.paid")) == len(set(raft.rows("select _raw from quarantine.silver_paid")))


def test_a_foreign_key_is_asked_of_all_rows_since_the_other_table_may_have_lost_one(raft: Raft) -> None:
    raft.source("land", 'orders: {path: "orders_*.parquet", mode: merge, key: id}\nones: {path: "ones_*.parquet"}')
    raft.parquet("land/ones_1.parquet", id=list(range(9)))
    paid(raft, "columns: {customer: {checks: [{foreign_key: bronze.land_ones.id}]}}")
    land(raft, 2, id=[1], customer=[8], amount=[1], status=["paid"])
    assert raft.ok()["silver.paid"].rows == 1
    assert in_full(raft) == []
    (raft.root / "land/ones_1.parquet").unlink()
    raft.parquet("land/ones_2.parquet", id=[8])
    land(raft, 3, id=[1], customer=[8], amount=[2], status=["paid"])
    assert raft.fails()["silver.paid"].code == "LG-401"


def test_empty_texts_and_nulls_are_one_key_where_the_key_is_a_partition(raft: Raft) -> None:
    query = "select status, count(*) as n, sum(amount) as total from bronze.land_orders group by status"
    loose = "select nullif(status, '') as status, n, total from ({})"
    raft.model("silver.paid", query, "kind: incremental\nkey: status\npartition_by: status")
    raft.ok()
    came: list[list[str | None]] = [["", None, "open"], [None, None, ""], ["paid", "", "x"], ["a", "b", None]]
    for number, words in enumerate(came, 2):
        land(raft, number, id=[1, 2, number + 70], customer=[1, 1, 8], amount=[1, 2, 3], status=words)
        raft.ok()
        assert wrong(raft, {"silver.paid": (loose.format(query), "status")}) == []
        assert in_full(raft) == []


def test_a_table_that_was_restored_is_rebuilt(raft: Raft) -> None:
    paid(raft)
    land(raft, 2, id=[1], customer=[1], amount=[1], status=["open"])
    raft.ok()
    with raft.open() as project:
        project.restore("silver.paid", 0)
    raft.ok()
    assert raft.rows("select count(*) from silver.paid") == [(49,)]


def test_a_history_that_is_gone_means_a_full_rebuild(raft: Raft) -> None:
    query = "select amount, count(*) as n, max(customer) as c from bronze.land_orders group by amount"
    raft.model("gold.n", f"select n, count(*) as m from ({query}) q group by n", "kind: incremental\nkey: n")
    raft.ok()
    land(raft, 2, id=[1, 2], customer=[1, 1], amount=[1, 2], status=["open", "paid"])
    raft.ok("bronze.land_orders")
    with raft.open() as project:
        old, now = project.lake.at(ORDERS, 0), project.lake.open(ORDERS)
        for path in old.files.keys() - now.files.keys():
            (old.path / path).unlink()
    raft.ok()
    assert "the version of bronze.land_orders that was consumed is gone" in in_full(raft)[0]
    assert raft.rows("gold.n") == [(1, 2), (48, 1)]


def test_a_failed_check_keeps_the_version_before(raft: Raft) -> None:
    paid(raft, "columns: {amount: {checks: [{max: 50}]}}")
    land(raft, 2, id=[1, 2], customer=[1, 1], amount=[99, 20], status=["paid", "paid"])
    assert raft.fails()["silver.paid"].code == "LG-401"
    assert raft.rows("select max(amount) from silver.paid") == [(10,)]
    land(raft, 3, id=[1], customer=[1], amount=[30], status=["paid"])
    raft.ok()
    assert wrong(raft, {"silver.paid": (PAID, "id")}) == []
    assert in_full(raft) == []


def test_verify_compares_with_a_full_rebuild_before_anything_is_published(
    raft: Raft, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid(raft)
    land(raft, 2, id=[7, 8], customer=[2, 3], amount=[10, 11], status=["open", "paid"])
    raft.ok(verify=True)
    assert raft.notes() == ["silver.paid: what was recomputed equals a full rebuild"]
    land(raft, 3, id=[9], customer=[2], amount=[12], status=["paid"])
    monkeypatch.setattr(Follower, "rows", lambda _, __: "select 9 as id, 2 as customer, 999 as amount")
    assert raft.fails(verify=True)["silver.paid"].code == "LG-605"
    assert raft.rows("select max(amount) from silver.paid") == [(11,)]
