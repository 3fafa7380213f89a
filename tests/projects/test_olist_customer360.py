"""A customer-360 chain on Olist's real orders: three slices, then corrections; each step equals the full rebuild."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from tests.projects.history_world import differing, published

from lagoa.app import Project
from lagoa.observe.events import Event

CHAIN = Path(__file__).with_name("olist_chain")
GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "olist_chain.txt"
SLICES = ("2016-01-01", "2017-11-01", "2018-04-01", "2019-01-01")
ORDERS = (
    "order_id, customer_id, order_status as status, order_purchase_timestamp as purchased_at, "
    "order_delivered_customer_date as delivered_at, order_estimated_delivery_date::date as promised_for"
)
COLUMNS = {
    "order_items": "order_id, order_item_id as item, product_id, price, freight_value as freight",
    "payments": "order_id, payment_sequential as part, payment_type as method, payment_value as amount",
    "reviews": "review_id, order_id, review_score as score, false as deleted",
}
FILES = {"order_items": "order_items", "payments": "order_payments", "reviews": "order_reviews"}
ONCE = {"products": "olist_products_dataset", "translation": "product_category_name_translation"}
BRONZE = [f"bronze.olist_{s}" for s in ("orders", "order_items", "payments", "reviews", "customers", *ONCE)]


class Shop:
    """The chain in a scratch folder, with Olist's files in a DuckDB from which its slices are cut."""

    def __init__(self, root: Path, data: Path) -> None:
        self.root, self.number = root, 0
        shutil.copytree(CHAIN, root)
        (root / "landing").mkdir()
        self.con = duckdb.connect(config={"threads": 2})
        for name in ("orders", "customers", *FILES.values()):
            read = f"read_csv('{data}/olist_{name}_dataset.csv', header = true, quote = '\"', escape = '\"')"
            self.con.execute(f"create view {name} as from {read}")
        for stream, file in ONCE.items():
            self.con.execute(f"create view {stream} as from read_csv('{data}/{file}.csv', header = true)")

    def lands(self, stream: str, query: str) -> None:
        """Let a file arrive."""
        self.con.execute(f"copy ({query}) to '{self.root}/landing/{stream}_{self.number}.csv' (header)")

    def slice(self) -> None:
        """Let the next months arrive: their orders, and what belongs to them."""
        self.number += 1
        since, until = SLICES[self.number - 1 : self.number + 1]
        chosen = f"order_purchase_timestamp >= '{since}' and order_purchase_timestamp < '{until}'"
        self.con.execute(f"create or replace temp table chosen as select * from orders where {chosen}")
        self.lands("orders", f"select {ORDERS} from chosen where not {LATE}")
        for stream, columns in COLUMNS.items():
            self.lands(stream, f"select {columns} from {FILES[stream]} semi join chosen using (order_id)")
        people = "select customer_id, customer_unique_id, customer_city as city, customer_state as state from customers"
        self.lands("customers", f"{people} semi join chosen using (customer_id)")
        for stream in ONCE if self.number == 1 else ():
            self.lands(stream, f"from {stream}")

    def payments_change(self) -> None:
        """Let three payments turn out to have been larger."""
        self.number += 1
        some = f"select {COLUMNS['payments']} from order_payments order by order_id, part limit 3"
        self.lands("payments", f"select * replace (amount + 10 as amount) from ({some})")

    def a_review_goes(self) -> None:
        """Let the worst review of a reviewed order be taken back."""
        self.number += 1
        some = f"select {COLUMNS['reviews']} from order_reviews order by review_score, review_id limit 1"
        self.lands("reviews", f"select * replace (true as deleted) from ({some})")

    def a_late_order_comes(self) -> None:
        """Let an order of the first slice arrive, of which all but itself has long been there."""
        self.number += 1
        self.lands("orders", f"select {ORDERS} from orders where {LATE}")


LATE = "order_id = (select min(order_id) from orders where order_purchase_timestamp < '2017-06-01')"
STEPS: list[tuple[str, Callable[[Shop], None]]] = [
    ("first slice", Shop.slice),
    ("second slice", Shop.slice),
    ("third slice", Shop.slice),
    ("changed payments", Shop.payments_change),
    ("a deleted review", Shop.a_review_goes),
    ("a late order", Shop.a_late_order_comes),
]


def step(shop: Shop) -> tuple[list[str], list[str]]:
    """Load the news, plan and run the rest; say what was planned, and what was rebuilt in full."""
    heard: list[Event] = []
    with Project.open(shop.root) as project:
        assert project.run(BRONZE).ok
        models = [str(name) for name in project.project.models]
        plan = project.plan(models)
        run = project.run(models, listeners=[heard.append])
        assert run.ok, [(str(r.table), r.error) for r in run.results if r.error]
        assert project.plan().steps == []
    rows = {str(r.table): r.rows for r in run.published}
    named = [s for s in plan.selected if s.status != "up to date" or s.conditional]
    assert rows.keys() <= {str(s.table) for s in named}
    assert {str(s.table) for s in plan.selected if s.writes} <= rows.keys()
    lines = []
    for s in named:
        came = f"{rows[str(s.table)]:,} rows" if str(s.table) in rows else "nothing"
        lines.append(f"{s.table!s:24} {s.status if s.writes else 'perhaps'}: {came}")
    texts = [e.data["text"] for e in heard if e.kind == "note"]
    return lines, [text for text in texts if "rebuilt in full" in text]


def wrong(shop: Shop) -> list[str]:
    """Rebuild every model with DuckDB alone over the published streams, and name those that differ."""
    con, found = duckdb.connect(config={"threads": 2}), []
    with Project.open(shop.root) as project:
        order, models = project.project.graph.order, project.project.models
    for schema in ("bronze", "silver", "gold"):
        con.execute(f"create schema {schema}")
    for name in order:
        if name not in models:
            con.register("came", published(shop.root, str(name)))
            con.execute(f"create table {name.layer}.{name.name} as from came")
            continue
        con.execute(f'create table {name.layer}."{name.name}" as {models[name].body}')
        con.register("came", published(shop.root, str(name)))
        columns = [c for c, *_ in con.execute("describe came").fetchall()]
        if differing(con, "came", f'from {name.layer}."{name.name}"', columns):
            found.append(str(name))
    con.close()
    return found


@pytest.mark.slow
def test_each_slice_and_correction_equals_the_rebuild_and_plans_only_what_it_must_golden(
    tmp_path: Path, shared_data: Path
) -> None:
    shop, said = Shop(tmp_path / "shop", shared_data / "olist_sample"), []
    for name, happens in STEPS:
        happens(shop)
        lines, in_full = step(shop)
        assert wrong(shop) == [], name
        assert in_full == [] or name == "first slice"
        said += [f"# {name}", *lines, ""]
    shown = "\n".join(said)
    if os.environ.get("GOLDEN") == "write":
        GOLDEN.write_text(shown)
    assert shown == GOLDEN.read_text()
