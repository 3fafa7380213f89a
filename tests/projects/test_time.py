"""Models by partitions of time: after every run the table is what its query gives, and little more is touched."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from lagoa.errors import CommandError
from lagoa.run import backfill as backfills
from lagoa.run import partitions
from lagoa.run.write import write
from lagoa.testing.raft import Raft
from lagoa.transform.partitions import joined

SOAK = bool(os.environ.get("SOAK"))
HISTORIES = 30 if SOAK else 2
STEPS = 8 if SOAK else 4
BEGINNING = datetime(2023, 12, 20)
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


# ---------------------------------------------------------------- one model
QUERY = "select cast(sold as date) as day, count(*) as n, sum(amount) as total from bronze.land_sales group by all"
DAY = datetime(2024, 3, 1)


@pytest.fixture
def raft(tmp_path: Path) -> Raft:
    """Sales of 60 days, two a day, summed by day."""
    made = Raft(tmp_path)
    made.source("land", 'sales: {path: "sales_*.parquet", mode: merge, key: id}')
    sell(made, 1, {i: i // 2 for i in range(120)})
    made.model("silver.days", QUERY, "kind: incremental\ntime: day")
    return made


def sell(raft: Raft, file: int, days: dict[int, int | None], amount: int = 1) -> None:
    """Let sales arrive: the number of the day by id."""
    times = pa.array([None if d is None else DAY + timedelta(days=d) for d in days.values()], pa.timestamp("us"))
    raft.parquet(f"land/sales_{file}.parquet", id=list(days), sold=times, amount=[amount] * len(days))


def is_right(raft: Raft) -> bool:
    return raft.rows("silver.days") == raft.rows(f"from ({QUERY}) order by all")


def test_only_the_touched_partitions_are_rebuilt(raft: Raft) -> None:
    raft.ok()
    sell(raft, 2, {7: 3, 500: 70, 501: None}, 9)  # a late correction, a new day, a sale without time
    assert raft.ok()["silver.days"].rows == 3
    assert is_right(raft)
    assert in_full(raft) == []


def test_a_sale_that_moves_to_another_day_changes_both(raft: Raft) -> None:
    raft.ok()
    sell(raft, 2, {7: 90})
    assert raft.ok()["silver.days"].rows == 2
    sell(raft, 3, {6: None})
    raft.ok()
    assert is_right(raft)
    assert raft.rows("select count(*) from silver.days where day = date '2024-03-04'") == [(0,)]


def test_partitions_that_come_out_the_same_are_not_written(raft: Raft) -> None:
    raft.ok()
    sell(raft, 2, {0: 1, 2: 0})
    files = live(raft)
    raft.ok()
    assert live(raft) == files
    assert raft.plan()["silver.days"].status == "up to date"


FAR = ["infinity", "-infinity", "0001-01-01", "9999-12-31 23:59:59.999999", "20000-01-01", "0044-03-15 (BC)"]
"""Times at which a calendar ends, or beyond it: dirty exports use them for never and always."""


@pytest.mark.parametrize("grain", ["day", "month", "year"])
def test_times_at_and_beyond_the_ends_of_the_calendar_are_followed(raft: Raft, grain: str) -> None:
    names = [f"silver.{kind}" for kind in ("date", "timestamp", "timestamptz")]
    for name in names:
        query = f"select cast(said as {name[7:]}) as at, count(*) as n from bronze.far_times group by all"
        raft.model(name, query, f"kind: incremental\ntime: at\ngrain: {grain}")
    raft.source("far", 'times: {path: "times_*.parquet", mode: merge, key: id}')
    raft.parquet("far/times_1.parquet", id=[0, 10, 11, 12], said=["2024-03-01", *FAR[:3]])
    raft.ok("source:far+")
    for number in (2, 3, 4):
        said = FAR[number % 2 :] + FAR[: number % 2]
        raft.parquet(f"far/times_{number}.parquet", id=list(range(number, number + len(said))), said=said)
        raft.ok("source:far+", verify=True)
        assert in_full(raft) == []
        for name in names:
            query = f"select cast(said as {name[7:]}) as at, count(*) as n from bronze.far_times group by all"
            differ = f"(from {name} except all ({query})) union all (({query}) except all from {name})"
            assert raft.rows(f"select count(*) from ({differ})") == [(0,)]


def test_a_backfill_reaches_to_the_end_of_the_calendar(raft: Raft) -> None:
    raft.ok()
    raft.ok("silver.days", start=date(9999, 12, 1), end=date(9999, 12, 31))
    raft.ok("silver.days", start=date(1, 1, 1), end=date(1, 2, 1))
    assert is_right(raft)


def live(raft: Raft) -> set[str]:
    with raft.open() as project:
        return set(project.table("silver.days").files)


def test_verify_compares_partitions_with_a_full_rebuild(raft: Raft, monkeypatch: pytest.MonkeyPatch) -> None:
    raft.ok()
    sell(raft, 2, {7: 3}, 9)
    raft.ok(verify=True)
    assert raft.notes() == ["silver.days: what was recomputed equals a full rebuild"]
    sell(raft, 3, {8: 30}, 9)
    monkeypatch.setattr(partitions, "joined", lambda starts, grain: joined(sorted(starts)[:1], grain))
    assert raft.fails(verify=True)["silver.days"].code == "LG-605"


def test_a_time_that_is_none_is_told(raft: Raft) -> None:
    raft.model("silver.days", "select id, 'x' as day from bronze.land_sales", "kind: incremental\ntime: day")
    assert "which is no time" in raft.fails()["silver.days"].message


# ---------------------------------------------------------------- backfills
SPAN = {"start": date(2024, 3, 11), "end": date(2024, 3, 21)}


def test_a_backfill_builds_its_partitions_and_the_next_run_the_others(raft: Raft) -> None:
    raft.ok("bronze.land_sales")
    step = raft.plan("silver.days", **SPAN)["silver.days"]
    assert step.status == "new"
    assert step.reason == "rebuilds 10 partitions of a day, 2024-03-11 to 2024-03-21, as --start says"
    assert raft.ok("silver.days", **SPAN)["silver.days"].rows == 10
    assert raft.rows("select min(day), max(day) from silver.days") == [(date(2024, 3, 11), date(2024, 3, 20))]
    step = raft.plan("silver.days")["silver.days"]
    assert (step.status, step.reading.rows, step.writing.rows) == ("new data", None, None)
    sell(raft, 2, {30: 15, 500: 70, 501: None}, 9)
    raft.ok()
    assert in_full(raft) == []
    assert is_right(raft)
    assert raft.plan("silver.days")["silver.days"].status == "up to date"


def test_a_backfill_that_is_killed_goes_on_where_it_was(raft: Raft, monkeypatch: pytest.MonkeyPatch) -> None:
    raft.ok("bronze.land_sales")
    span = {"start": date(2024, 3, 1), "end": date(2024, 4, 30)}
    done: list[object] = []

    def killed(*args: Any, **rest: Any) -> Any:
        done.append(args)
        if len(done) == 4:
            raise KeyboardInterrupt
        return write(*args, **rest)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(backfills, "write", killed)
        raft.run("silver.days", **span)
    assert raft.rows("select max(day) from silver.days") == [(date(2024, 3, 9),)]
    assert raft.ok("silver.days", **span)["silver.days"].rows == 51
    assert raft.notes()[0] == "2024-03-10 to 2024-03-13 rebuilt, 12 of 60 partitions"
    raft.ok()
    assert in_full(raft) == []
    assert is_right(raft)


def test_a_backfill_of_a_built_table_rebuilds_what_it_is_asked_for_and_forgets_no_news(raft: Raft) -> None:
    raft.ok()
    sell(raft, 2, {30: 15, 80: 40}, 9)
    raft.ok("bronze.land_sales")
    raft.ok("silver.days", **SPAN)
    assert not is_right(raft)  # the fortieth day has news, too
    raft.ok("silver.days")
    assert is_right(raft)
    assert in_full(raft) == []


def test_a_changed_definition_can_be_filled_in_by_parts(raft: Raft) -> None:
    raft.ok()
    raft.model("silver.days", QUERY.replace("sum(amount)", "sum(amount + 1)"), "kind: incremental\ntime: day")
    raft.ok("silver.days", **SPAN)
    assert raft.rows("select total, count(*) from silver.days group by all") == [(2, 50), (4, 10)]
    raft.ok("silver.days")
    assert raft.rows("select total, count(*) from silver.days group by all") == [(4, 60)]
    assert in_full(raft) == []
    raft.model("silver.days", QUERY.replace("total", "sum_of_all"), "kind: incremental\ntime: day")
    assert "other columns" in raft.fails("silver.days", **SPAN)["silver.days"].message


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"start": date(2024, 3, 1)}, "--end is missing"),
        ({"start": date(2024, 3, 2), "end": date(2024, 3, 2)}, "does not come after"),
        (SPAN, "bronze.land_sales has no `time:`"),
    ],
)
def test_what_cannot_be_filled_in_is_told(raft: Raft, wish: dict[str, date], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        raft.plan(*(["silver.days"] if wish is not SPAN else []), **wish)
