"""Times an NDJSON file of 0.7 GB through the files source against DuckDB's read_json to Parquet copy, in turn.

`python bench/ndjson.py [--rows 2000000] [--rounds 3]` prints wall time, CPU and the ratios.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

import duckdb
from files import THREADS, consume, timed

VALUES = """
range as id, 'customer ' || (range % 200000) as name, 'person' || range || '@example.com' as email,
(range % 90000 / 100.0)::decimal(12, 2) as amount, range * 0.37::double as score, range % 7 as level,
range % 3 = 0 as active, (timestamp '2020-01-01' + to_seconds(range))::varchar as seen,
case when range % 5 = 0 then null else 'DELIVER IN PERSON ' || (range % 4) end as instruction,
{'street': 'Rua das Laranjeiras ' || (range % 3000), 'city': 'São Paulo', 'zip': lpad(range::varchar, 8, '0')}
  as address,
['new', 'b' || (range % 10), 'paid'][: range % 4] as tags, md5(range::varchar) || ' some words of a comment' as comment
"""


def make_file(path: Path, rows: int) -> None:
    """Write the input once: numbers, texts, booleans, nulls, an object and a list in each record."""
    with duckdb.connect() as connection:
        connection.execute(f"copy (select {VALUES} from range({rows})) to '{path}' (format json)")


def theirs(path: Path, into: Path) -> None:
    """Copy with DuckDB alone, which looks at a sample of the records to choose the types."""
    with duckdb.connect(config={"threads": THREADS}) as connection:
        into.mkdir()
        read = f"from read_json('{path}', format = 'newline_delimited')"
        copy = f"to '{into}/all' (format parquet, per_thread_output, return_stats)"
        connection.execute(f"copy ({read}) {copy}").fetchall()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "big.ndjson"
        make_file(path, asked.rows)
        print(f"{path.stat().st_size / 1e9:.2f} GB, {asked.rows:,} records, {THREADS} threads")
        works: dict[str, Callable[[Path], None]] = {
            "lagoa": lambda into: consume({"path": path.name, "format": "ndjson"}, folder, into),
            "duckdb": lambda into: theirs(path, into),
        }
        took: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
        for nth in range(asked.rounds):
            print(f"round {nth + 1}")
            for name, work in works.items():
                took[name].append(timed(name, work, folder))
    middle = {name: [statistics.median(part) for part in zip(*times, strict=True)] for name, times in took.items()}
    wall, cpu = (middle["lagoa"][i] / middle["duckdb"][i] for i in (0, 1))
    print(f"lagoa / duckdb: wall {wall:.2f} ×, cpu {cpu:.2f} ×")


if __name__ == "__main__":
    main()
