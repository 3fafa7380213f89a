"""Models by partitions of time: after every run the table is what its query gives, and little more is touched."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from lagoa.testing.raft import Raft

SOAK = bool(os.environ.get("SOAK"))
HISTORIES = 30 if SOAK else 2
STEPS = 8 if SOAK else 4
BEGINNING = datetime(2023, 12, 20)  # noqa: DTZ001  # a timestamp without zone is a case of its own
MODELS = {
    "silver.days": (
        "select cast(sold as date) as day, count(*) as n, sum(amount) as total from bronze.land_sales group by all",
        "time: day",
    ),
    "silver.sales": (
        "select s.id, s.sold, s.amount, p.label from bronze.land_sales s "
        "left join bronze.land_products p on p.id = s.product",
        "time: sold\ngrain: month",
    ),
    "silver.late": ("select id, sold_tz, amount from bronze.land_sales where amount > 10", "time: sold_tz"),
    "gold.years": (
        "with m as (select date_trunc('month', sold) as month, label, sum(amount) as total from silver.sales "
        "group by all) select *, rank() over (partition by month order by total, label) as place from m",
        "time: month\ngrain: year",
    ),
    "gold.parts": (
        "select cast(sold as date) as day, id, label from silver.sales where sold is not null",
        "time: day\npartition_by: day",
    ),
}  # fmt: skip


class World:
    """Random sales and products, of which files arrive step by step; some sales have no time."""

    def __init__(self, root: Path, seed: int) -> None:
        self.raft, self.rng, self.files = Raft(root), random.Random(seed), 0
        self.raft.source(
            "land",
            'sales: {path: "sales_*.parquet", mode: merge, key: id}\n'
            'products: {path: "products_*.parquet", mode: merge, key: id}',
        )
        for name, (query, header) in MODELS.items():
            self.raft.model(name, query, f"kind: incremental\n{header}")
        self.arrive(80)

    def arrive(self, sales: int, products: bool = True) -> None:
        self.files += 1
        rng = self.rng
        ids = rng.sample(range(200), sales)
        times = [
            None if rng.random() < 0.1 else BEGINNING + timedelta(days=rng.randint(0, 40), minutes=rng.randint(0, 1439))
            for _ in ids
        ]
        self.raft.parquet(
            f"land/sales_{self.files:03}.parquet",
            id=ids,
            sold=pa.array(times, pa.timestamp("us")),
            sold_tz=pa.array([t and t.replace(tzinfo=UTC) for t in times], pa.timestamp("us", "UTC")),
            amount=pa.array([rng.choice([None, 5, 10, 25, 40]) for _ in ids], pa.int64()),
            product=[rng.randint(0, 9) for _ in ids],
        )
        if products:
            chosen = rng.sample(range(10), rng.randint(1, 4))
            labels = [f"p{rng.randint(0, 3)}" for _ in chosen]
            self.raft.parquet(f"land/products_{self.files:03}.parquet", id=chosen, label=labels)


def wrong(raft: Raft, models: Sequence[str] = tuple(MODELS)) -> list[str]:
    """Name the tables that are not what their queries give now."""
    found = []
    for name in models:
        query = MODELS[name][0]
        differ = f"(from {name} except all ({query})) union all (({query}) except all from {name})"
        found += [name] if raft.rows(f"select count(*) from ({differ}) d") != [(0,)] else []
    return found


def in_full(raft: Raft) -> list[str]:
    return [note for note in raft.notes() if "rebuilt in full" in note]


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_partitions_of_time_equal_a_rebuild_after_every_run(tmp_path: Path, seed: int) -> None:
    world = World(tmp_path, seed)
    world.raft.ok()
    for _ in range(STEPS):
        if world.rng.random() < 0.2:
            with world.raft.open() as project:
                project.maintain(keep=timedelta(0))
        world.arrive(world.rng.choice([1, 3, 10, 60]), world.rng.random() < 0.4)
        world.raft.ok()
        assert wrong(world.raft) == []
        assert in_full(world.raft) == []
        assert not world.raft.plan()["gold.years"].writes
