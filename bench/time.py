"""Times a model by partitions of time: what one new day, and one late row, cost against a full rebuild."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import duckdb

from lagoa.app import Project

QUERIES = {
    "each row": "select id, sold as day, product, amount * 2 as twice from bronze.land_sales where amount > 0",
    "a date": "select day, product, count(*) as n, sum(amount) as total from bronze.land_sales group by all",
    "a date of a timestamp": (
        "select cast(sold as date) as day, product, count(*) as n, sum(amount) as total "
        "from bronze.land_sales group by all"
    ),
}
ROWS = """
copy (
    select {first} + range as id, date '{start}' + (range * {days} // {rows})::int as day,
        day::timestamp + interval (range % 86400) second as sold,
        (hash(range) % 500)::int as product, (hash(range + 1) % 10000)::decimal(12, 2) as amount
    from range({rows})
) to '{path}' (format parquet)
"""


def land(root: Path, number: int, rows: int, start: str, days: int) -> None:
    """Write a file of sales."""
    (root / "land").mkdir(exist_ok=True)
    path = root / "land" / f"sales_{number}.parquet"
    duckdb.execute(ROWS.format(first=number * 10**9, start=start, days=days, rows=rows, path=path))


def timed(root: Path, *select: str, **wish: bool) -> float:
    """Run and return the seconds."""
    began = time.perf_counter()
    with Project.open(root) as project:
        done = project.run(select, **wish)  # type: ignore[arg-type]  # flags alone
        assert done.ok, [r.error for r in done.results]
        assert any(r.status == "published" for r in done.results)
    return time.perf_counter() - began


def measure(root: Path, query: str, rows: int, days: int) -> tuple[float, float, float]:
    """Return the seconds of a rebuild, of one new day and of late rows of one old day."""
    (root / "sources").mkdir(parents=True)
    (root / "models/gold").mkdir(parents=True)
    (root / "lagoa.yml").write_text("name: bench\n")
    (root / "sources/land.yml").write_text(
        'type: files\npath: land\nstreams:\n  sales: {path: "*.parquet", mode: append}\n'
    )
    (root / "models/gold/days.sql").write_text(f"/*\nkind: incremental\ntime: day\n*/\n{query}\n")
    land(root, 1, rows, "2022-01-01", days)
    timed(root)
    whole = timed(root, "gold.days", full=True)
    costs = []
    for number, start in ((2, "2025-01-01"), (3, "2023-06-15")):
        land(root, number, rows // days, start, 1)
        timed(root, "bronze.land_sales")
        costs.append(timed(root, "gold.days"))
    return whole, costs[0], costs[1]


def main() -> None:
    """Print the ratios."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rows", type=int, default=20_000_000)
    asked.add_argument("--days", type=int, default=1096)
    args = asked.parse_args()
    print(f"{args.rows:,} rows in {args.days:,} days, by day")
    for name, query in QUERIES.items():
        with tempfile.TemporaryDirectory() as folder:
            whole, day, late = measure(Path(folder) / "bench", query, args.rows, args.days)
        print(
            f"{name:<22} rebuild {whole:6.2f} s   new day {day:6.2f} s ({day / whole:.1%})   "
            f"late day {late:6.2f} s ({late / whole:.1%})"
        )


if __name__ == "__main__":
    main()
