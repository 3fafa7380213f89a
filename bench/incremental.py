"""Times an incremental run against a full rebuild of the same model, after changes in 1 % of its keys, in turn.

`python bench/incremental.py [--rows 10000000] [--rounds 3] [--share 0.01]` prints wall times and the ratios.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
from pathlib import Path

import duckdb

from lagoa.app import Project

WORK = Path(__file__).parent / "work" / "incremental"
ITEMS = 4
"""Items of an order; the join has as many rows as there are items."""
FILES = 10
MODEL = """/*
kind: incremental
key: order_id
*/
select o.order_id, o.customer, o.day, count(i.item_id) as items, sum(i.price) as total
from bronze.land_orders as o
join bronze.land_items as i on i.order_id = o.order_id
group by o.order_id, o.customer, o.day
"""
SOURCE = """type: files
path: land
streams:
  orders: {path: "orders_*.parquet", mode: merge, key: order_id}
  items: {path: "items_*.parquet", mode: merge, key: item_id}
"""


def orders(ids: str, version: int) -> str:
    """Write a query for orders of the ids of a query."""
    day = "date '2023-01-01' + (id // 2000)::integer as day"
    customer = f"(id * 7919 + {version}) % 50000 as customer"
    return f"select id as order_id, {customer}, {day}, 'web ' || (id % 9) as channel from ({ids})"


def items(ids: str, version: int) -> str:
    """Write a query for the items of the orders of a query."""
    price = f"((id * 31 + n + {version}) % 100000 / 100.0)::decimal(12, 2) as price"
    note = "md5((id * 4 + n)::varchar) as note"
    return f"select id * {ITEMS} + n as item_id, id as order_id, {price}, {note} from ({ids}), range({ITEMS}) r(n)"


def land(root: Path, number: str, ids: str, version: int = 0) -> None:
    """Write a file of orders and one of their items."""
    for name, query in (("orders", orders(ids, version)), ("items", items(ids, version))):
        duckdb.execute(f"copy ({query}) to '{root}/land/{name}_{number}.parquet' (format parquet)")


def prepare(root: Path, keys: int) -> None:
    """Write the project and run it: the data lie in the order of their keys, as they came."""
    shutil.rmtree(root, ignore_errors=True)
    for name in ("sources", "models/gold", "land"):
        (root / name).mkdir(parents=True)
    (root / "lagoa.yml").write_text("name: incremental\ntargets: {local: {threads: 2}}\n")
    (root / "sources/land.yml").write_text(SOURCE)
    (root / "models/gold/totals.sql").write_text(MODEL)
    for n in range(FILES):
        land(root, f"{n:03}", f"select range as id from range({n * keys // FILES}, {(n + 1) * keys // FILES})")
    run(root)
    with Project.open(root) as project:
        for name in ("bronze.land_orders", "bronze.land_items", "gold.totals"):
            table = project.table(name)
            size = sum(f.size for f in table.files.values())
            print(f"{name}: {table.rows:,} rows, {len(table.files)} files, {size / 1e6:.0f} MB")


def change(root: Path, keys: int, share: float, recent: bool) -> None:
    """Let orders and items of a share of the keys arrive: four of five anew, one that is new."""
    many = max(5, int(keys * share))
    new, old = many // 5, many - many // 5
    if recent:
        ids = f"select range as id from range({keys - old}, {keys + new})"
    else:
        picked = f"select distinct (hash(range) % {keys})::bigint as id from range({old})"
        ids = f"{picked} union all select range from range({keys}, {keys + new})"
    land(root, "900", ids, version=1)
    run(root, "source:land")


def run(root: Path, *select: str, full: bool = False) -> tuple[float, float]:
    """Run; return seconds of the whole and of the model's step."""
    told: list[str] = []
    with Project.open(root) as project:
        done = project.run(
            select, full=full, listeners=[lambda e: told.append(e.data["text"]) if e.kind == "note" else None]
        )
    if not done.ok:
        raise SystemExit([str(r.error) for r in done.results if r.error])
    for text in told:
        print(f"    {text}")
    return done.seconds, done.results[-1].seconds


def printed(root: Path) -> str:
    """Give what tells two results apart."""
    hashed = "bit_xor(hash(order_id, customer, day, items, total))"
    with Project.open(root) as project:
        return str(project.query(f"select count(*), sum(total), {hashed} from gold.totals").read_all().to_pylist())


def measure(base: Path, rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Run both ways in turn on copies of the lake, whose files are linked: no file of it is ever changed."""
    took: dict[str, list[tuple[float, float]]] = {"incremental": [], "full": []}
    results = set()
    for _ in range(rounds):
        for what, times in took.items():
            root = base.with_name("turn")
            shutil.rmtree(root, ignore_errors=True)
            shutil.copytree(base, root, copy_function=os.link)
            times.append(run(root, "gold.totals", full=what == "full"))
            results.add(printed(root))
    if len(results) != 1:
        raise SystemExit(f"the results differ: {results}")
    return took


def main() -> None:
    """Prepare once, change in both ways, and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--share", type=float, default=0.01)
    asked = parser.parse_args()
    keys = asked.rows // ITEMS
    prepare(WORK / "base", keys)
    for how in ("clustered", "scattered"):
        changed = WORK / how
        shutil.rmtree(changed, ignore_errors=True)
        shutil.copytree(WORK / "base", changed, copy_function=os.link)
        change(changed, keys, asked.share, recent=how == "clustered")
        with Project.open(changed) as project:
            print(f"{how}: {project.plan(['gold.totals']).selected[0].reason}")
        took = measure(changed, asked.rounds)
        middle = {what: [statistics.median(t[i] for t in times) for i in (0, 1)] for what, times in took.items()}
        for what, (whole, step) in middle.items():
            print(f"  {what:12} run {whole:6.2f} s   the model's step {step:6.2f} s")
        whole, step = (middle["incremental"][i] / middle["full"][i] for i in (0, 1))
        print(f"  incremental / full: run {whole:.3f}, step {step:.3f}")
    shutil.rmtree(WORK, ignore_errors=True)


if __name__ == "__main__":
    main()
