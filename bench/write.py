"""Times a run that writes a 6-million-row model against DuckDB's own COPY of the same query, in turn.

Ours is the whole run: plan, stage, checks, hashes, fsync and the commit. `python bench/write.py [--rounds 5]`
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import time
from pathlib import Path

import duckdb

from lagoa.app import Project

WORK = Path(__file__).parent / "work" / "write"
ROWS = 6_000_000
QUERY = f"""
    select i as id, i * 7919 % 200000 as part, (i % 50)::decimal(15, 2) as qty,
        ((i * 31) % 100000 / 100.0)::decimal(15, 2) as price, ['A', 'N', 'R'][i % 3 + 1] as flag,
        date '1992-01-01' + (i % 2500)::int as day, md5((i % 1000000)::varchar) as note,
        'line ' || (i * 104729 % 6000000) || ' of the order' as comment
    from range({ROWS}) t(i)
"""
HEADERS = {
    "no checks": "",
    "row checks": "/*\ncolumns:\n  id: {checks: [not_null]}\n  qty: {checks: [{min: 0, on_fail: quarantine}]}\n*/",
    "unique": "/*\ncolumns:\n  id: {checks: [unique]}\n*/",
    "partitioned": "/*\npartition_by: flag\n*/",
}


def ours(header: str) -> tuple[float, float]:
    """Run a project of one model on an empty lake; return wall and CPU seconds."""
    shutil.rmtree(WORK, ignore_errors=True)
    (WORK / "models/gold").mkdir(parents=True)
    (WORK / "lagoa.yml").write_text("name: write\n")
    (WORK / "models/gold/items.sql").write_text(f"{header}\n{QUERY}")
    with Project.open(WORK) as opened:
        wall, cpu = time.perf_counter(), time.process_time()
        assert opened.run().ok
        return time.perf_counter() - wall, time.process_time() - cpu


def theirs(header: str) -> tuple[float, float]:
    """Copy the same query with DuckDB alone, as fast as it can."""
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    by = "partition_by (flag)" if "partition_by" in header else "per_thread_output"
    con = duckdb.connect()
    wall, cpu = time.perf_counter(), time.process_time()
    con.execute(f"copy ({QUERY}) to '{WORK / 'out'}' (format parquet, {by})")
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    """Print medians and ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    for name, header in HEADERS.items():
        mine, other = [], []
        for _ in range(rounds):
            other.append(theirs(header))
            mine.append(ours(header))
        (wall, cpu), (wall_0, cpu_0) = (
            (statistics.median(w for w, _ in runs), statistics.median(c for _, c in runs)) for runs in (mine, other)
        )
        print(
            f"{name:12} lagoa {wall:5.2f} s (cpu {cpu:5.2f})  duckdb {wall_0:5.2f} s (cpu {cpu_0:5.2f})"
            f"  x{wall / wall_0:.2f} (cpu x{cpu / cpu_0:.2f})"
        )
    print("target: x1.20 without checks")


if __name__ == "__main__":
    main()
