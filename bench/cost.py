"""Shows what the choice between touched keys and a full rebuild is worth: both are run, whatever the rule says.

`python bench/cost.py [--keys 250000]` prints, for three models and growing shares of changed orders, the processor
time of both ways, and what the rule expects (below 1: the keys are followed).
"""

from __future__ import annotations

import argparse
import os
import shutil
import time
from pathlib import Path

import incremental

from lagoa.app import Project
from lagoa.transform import follower

WORK = Path(__file__).parent / "work" / "cost"
JOIN = "from bronze.land_orders as o join bronze.land_items as i on i.order_id = o.order_id"
MODELS = {
    "sums by order": ("order_id", f"select o.order_id, o.day, sum(i.price) as total {JOIN} group by o.order_id, o.day"),
    "row by row": ("item_id", f"select i.item_id, o.order_id, o.customer, o.day, i.price, i.note {JOIN}"),
    "distinct by customer": (
        "customer",
        "select o.customer, count(distinct i.note) as notes, median(i.price) as middle, sum(i.price) as total "
        f"{JOIN} group by o.customer",
    ),
}
SHARES = (0.02, 0.1, 0.3, 0.6)


def expected(keeping: list[float]) -> None:
    """Let the rule say what it expects, and follow the keys all the same."""
    rule = follower.cost

    def told(*numbers: int) -> tuple[float, float]:
        alone, whole = rule(*numbers)
        keeping.append(alone / whole)
        return 0.0, whole

    follower.cost = told


def took(changed: Path, full: bool) -> float:
    """Run the model on a copy of the lake, whose files are linked; give seconds of processor time, the best of two."""
    found = []
    for _ in range(2):
        root = WORK / "turn"
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(changed, root, copy_function=os.link)
        began = time.process_time()
        with Project.open(root) as project:
            done = project.run(["gold.totals"], full=full)
        found.append(time.process_time() - began)
        if not done.ok:
            raise SystemExit([str(r.error) for r in done.results if r.error])
    return min(found)


def main() -> None:
    """Change more and more of the orders, recent ones and any, and run both ways."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=250_000)
    keys = parser.parse_args().keys
    rule: list[float] = []
    expected(rule)
    print(f"{'model':22}{'orders changed':>20}{'by keys':>10}{'full':>9}{'ratio':>8}{'expected':>10}")
    for name, (key, query) in MODELS.items():
        incremental.MODEL = f"/*\nkind: incremental\nkey: {key}\n*/\n{query}\n"
        incremental.prepare(WORK / "base", keys)
        for how in ("recent", "scattered"):
            for share in SHARES:
                changed = WORK / "changed"
                shutil.rmtree(changed, ignore_errors=True)
                shutil.copytree(WORK / "base", changed, copy_function=os.link)
                incremental.change(changed, keys, share, recent=how == "recent")
                rule.clear()
                ours, full = took(changed, False), took(changed, True)
                what = f"{share:.0%} {how}"
                print(f"{name:22}{what:>20}{ours:8.2f} s{full:7.2f} s{ours / full:8.2f}{rule[-1]:10.2f}", flush=True)
    shutil.rmtree(WORK, ignore_errors=True)


if __name__ == "__main__":
    main()
