"""Times the rows that the source generate makes, staged by the engine, against DuckDB's own range() and random().

`python bench/generate.py [--size 50000] [--days 60]` prints rows by second of the clock and of the processor, and the
ratio of the latter.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

from lagoa.kit.generate.read import TABLES
from lagoa.ports import Engine, Reading
from lagoa.registry import adapter

THREADS = 2
THEIRS = """
select range as transaction_id, (random() * 50000)::bigint as account_id, null::bigint as card_id,
    ['pix_in', 'pix_out', 'card'][1 + (random() * 3)::integer % 3] as kind, (random() * 1000)::decimal(12, 2) as amount,
    ['Maria', 'José', 'Ana'][1 + (random() * 3)::integer % 3] || ' Silva' as counterparty, 'mercado' as category,
    1 as installments, timestamp '2025-01-01' + to_seconds((random() * 5000000)::bigint) as happened_at,
    timestamp '2025-01-01' as updated_at, null::timestamp as deleted_at
from range({rows})
"""
"""As many columns as a transaction has, drawn without a seed, a time or a customer that they hang on."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=50_000)
    parser.add_argument("--days", type=int, default=60)
    asked = parser.parse_args()
    start = date(2025, 1, 1)
    bank = adapter("sources", "generate")(
        type="generate",
        size=asked.size,
        start=start,
        until=start + timedelta(days=asked.days - 1),
        faults={"late": "1%", "duplicated": "0.1%", "corrected": "0.5%", "deleted": "0.1%"},
        streams={name: {} for name in TABLES},
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        engine = adapter("engines", "duckdb")(THREADS, None, folder / "engine")
        pace = {}
        for table in TABLES:
            found = [p for b in bank.read(Reading(table, None, folder, folder, table)) for p in b.portions]
            pace[table] = timed(engine, table, [str(portion.rows) for portion in found], folder)
        theirs = timed(engine, "range, random", [THEIRS.format(rows=1_000_000)] * 2, folder)
        engine.close()
    print(f"transactions go at {pace['transactions'] / theirs:.2f} × of range() and random()")


def timed(engine: Engine, name: str, queries: list[str], folder: Path) -> float:
    """Stage queries, two at a time as a run does; return rows by second of the processor."""

    def stage(nth: int) -> int:
        with engine.session() as session:
            return sum(f.rows for f in session.stage(queries[nth], folder / f"{name}-{nth}"))

    wall, cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(THREADS) as pool:
        rows = sum(pool.map(stage, range(len(queries))))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{name:14} {rows:>10,} rows   {rows / wall:>9,.0f} a second   {rows / cpu:>9,.0f} a processor second")
    return rows / cpu


if __name__ == "__main__":
    main()
