"""Times a CSV of about 1 GB through the files source against DuckDB's own CSV to Parquet copy, in turn.

`python bench/files.py [--rows 6000000] [--rounds 3] [--quoted]` prints wall time, CPU and the ratios.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import duckdb

from lagoa.ports import Portion, Reading
from lagoa.registry import adapter

TYPES = {
    "order_key": "BIGINT",
    "part_key": "BIGINT",
    "supplier_key": "BIGINT",
    "line": "INTEGER",
    "quantity": "DECIMAL(12,2)",
    "price": "DECIMAL(12,2)",
    "discount": "DECIMAL(12,2)",
    "shipped": "DATE",
    "committed": "DATE",
    "loaded": "TIMESTAMP",
    "flag": "VARCHAR",
    "instruction": "VARCHAR",
    "comment": "VARCHAR",
}
THREADS = 2


def make_file(path: Path, rows: int, quoted: bool) -> None:
    """Write the input once."""
    day = "(range % 2500)::integer"
    values = (
        "range, (range * 7) % 200000, (range * 13) % 10000, range % 7, (range % 50)::decimal(12, 2), "
        "((range * 31) % 10000000 / 100.0)::decimal(12, 2), (range % 11 / 100.0)::decimal(12, 2), "
        f"date '1992-01-01' + {day}, date '1992-02-01' + {day}, timestamp '2020-01-01' + to_seconds(range), "
        "case when range % 3 = 0 then 'A' else 'NR' end, 'DELIVER IN PERSON ' || (range % 4), "
        "md5(range::varchar) || ' some words of a comment'"
    )
    force = ", force_quote (comment, instruction)" if quoted else ""
    with duckdb.connect() as connection:
        names = ", ".join(TYPES)
        query = f"select * from (select {values} from range({rows})) t({names})"
        connection.execute(f"copy ({query}) to '{path}' (header{force})")


def theirs(path: Path, into: Path, options: str) -> None:
    """Copy with DuckDB alone."""
    with duckdb.connect(config={"threads": THREADS}) as connection:
        into.mkdir()
        copy = f"to '{into}/all' (format parquet, per_thread_output, return_stats)"
        connection.execute(f"copy (from read_csv('{path}'{options})) {copy}").fetchall()


def ours(path: Path, into: Path) -> None:
    """Read with the source, two portions at a time, each staged by the engine."""
    columns = {name: {"type": kind.lower()} for name, kind in TYPES.items() if kind != "VARCHAR"}
    consume({"path": path.name, "columns": columns}, path.parent, into)


def consume(stream: dict[str, Any], folder: Path, into: Path) -> None:
    """Read a stream as a run does."""
    source = adapter("sources", "files")(type="files", path=str(folder), streams={"big": stream})
    engine = adapter("engines", "duckdb")(THREADS, None, into / "engine")
    scratch = into / "scratch"
    scratch.mkdir(parents=True)

    def stage(portion: Portion, to: Path) -> None:
        with engine.session() as session:
            rows = sum(f.rows for f in session.stage(str(portion.rows), to))
            settled = portion.settle(rows, session.rows)
        portion.close()
        if isinstance(settled, Portion):
            stage(settled, to.with_name(to.name + "-again"))

    (batch,) = source.read(Reading("big", None, scratch, folder, "bronze.bench_big", THREADS))
    running: set[Future[None]] = set()
    with ThreadPoolExecutor(THREADS) as pool:
        for nth, portion in enumerate(batch.portions):
            running.add(pool.submit(stage, portion, into / f"portion-{nth}"))
            if len(running) >= THREADS:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                [f.result() for f in done]
        [f.result() for f in running]
    if batch.again():
        raise SystemExit("the file is not like its sample: nothing was measured")
    batch.cursor()
    engine.close()


def timed(name: str, work: Callable[[Path], None], folder: Path) -> tuple[float, float]:
    with tempfile.TemporaryDirectory(dir=folder) as into:
        wall, cpu = time.perf_counter(), time.process_time()
        work(Path(into) / "out")
        took = time.perf_counter() - wall, time.process_time() - cpu
    print(f"  {name:14} wall {took[0]:6.2f} s   cpu {took[1]:6.2f} s", flush=True)
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=6_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quoted", action="store_true", help="put two of the text columns in quotes")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "big.csv"
        make_file(path, asked.rows, asked.quoted)
        print(f"{path.stat().st_size / 1e9:.2f} GB, {asked.rows:,} rows, {len(TYPES)} columns, {THREADS} threads")
        typed = ", ".join(f"'{name}': '{kind}'" for name, kind in TYPES.items())
        explicit = f", columns = {{{typed}}}, delim = ',', quote = '\"', escape = '\"'"
        works: dict[str, Callable[[Path], None]] = {
            "lagoa": lambda into: ours(path, into),
            "duckdb typed": lambda into: theirs(path, into, explicit),
            "duckdb auto": lambda into: theirs(path, into, ""),
        }
        took: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
        for nth in range(asked.rounds):
            print(f"round {nth + 1}")
            for name, work in works.items():
                took[name].append(timed(name, work, folder))
    middle = {name: [statistics.median(part) for part in zip(*times, strict=True)] for name, times in took.items()}
    for other in ("duckdb typed", "duckdb auto"):
        wall, cpu = (middle["lagoa"][i] / middle[other][i] for i in (0, 1))
        print(f"lagoa / {other}: wall {wall:.2f} ×, cpu {cpu:.2f} ×")


if __name__ == "__main__":
    main()
