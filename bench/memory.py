"""Measures the peak memory of `lagoa run` for inputs of 0.1 and 1 GB: it must not grow with the input."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import duckdb

WORK = Path(__file__).parent / "work" / "memory"
ROWS = {"0.1 GB": 600_000, "1 GB": 6_000_000}
CHILD = """
import sys
from pathlib import Path
from lagoa.app import Project
with Project.open(sys.argv[1]) as project:
    assert project.run().ok
said = Path("/proc/self/status").read_text().splitlines()
print(next(line.split()[1] for line in said if line.startswith("VmHWM")))
"""


def prepare(root: Path, rows: int) -> float:
    """Write a project with one large CSV and a model over it; return the file's size in GB."""
    for name in ("sources", "models/gold"):
        (root / name).mkdir(parents=True)
    (root / "lagoa.yml").write_text("name: memory\ntargets: {local: {threads: 2, memory: 1GB}}\n")
    (root / "sources/big.yml").write_text(
        "type: files\npath: .\nstreams:\n  items:\n    path: items.csv\n    columns:\n"
        "      id: {type: bigint}\n      price: {type: 'decimal(15, 2)'}\n      day: {type: date}\n"
    )
    (root / "models/gold/parts.sql").write_text(
        "select part, day, sum(price) as total, count(*) as n from bronze.big_items group by all"
    )
    duckdb.execute(
        "copy (select i as id, i * 7919 % 200000 as part, ((i * 31) % 100000 / 100.0)::decimal(15, 2) as price, "
        "date '1992-01-01' + (i % 2500)::int as day, md5(i::varchar) as c1, md5((i * 3)::varchar) as c2, "
        f"md5((i % 1000)::varchar) || 'x' as c3, md5((i + 7)::varchar) as c4 from range({rows}) t(i)) "
        f"to '{root}/items.csv' (header)"
    )
    return (root / "items.csv").stat().st_size / 1e9


def main() -> None:
    peaks = []
    for label, rows in ROWS.items():
        shutil.rmtree(WORK, ignore_errors=True)
        size = prepare(WORK, rows)
        said = subprocess.run([sys.executable, "-c", CHILD, str(WORK)], check=True, capture_output=True, text=True)
        peaks.append(int(said.stdout.split()[-1]) / 1024)
        print(f"{label:7} {size:5.2f} GB of CSV, {rows:,} rows: peak {peaks[-1]:,.0f} MB")
    print(f"ten times the input, {peaks[1] / peaks[0]:.2f} times the memory (DuckDB may use 1 GB)")
    shutil.rmtree(WORK, ignore_errors=True)


if __name__ == "__main__":
    main()
