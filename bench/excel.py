"""Times a workbook of a million cells through the files source against openpyxl, both into Parquet, in turn.

`python bench/excel.py [--rows 100000] [--rounds 3]` prints wall time, CPU and the ratios.
"""

from __future__ import annotations

import argparse
import datetime as dt
import statistics
import tempfile
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
from files import consume, timed

COLUMNS = ("id", "name", "city", "amount", "price", "share", "day", "moment", "active", "code")


def make_file(path: Path, rows: int) -> None:
    """Write the workbook once: texts, numbers, dates and booleans, ten columns."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Dados")
    sheet.append(COLUMNS)
    start = dt.datetime(2020, 1, 1, 8, 30)
    for n in range(rows):
        moment = start + dt.timedelta(minutes=n)
        values = [n, f"Cliente {n}", f"Cidade {n % 500}", n % 1000 + 0.25, n * 1.5, n % 100 / 100]
        sheet.append([*values, moment.date(), moment, n % 2 == 0, f"{n:08d}"])
    book.save(path)


def theirs(path: Path, into: Path) -> None:
    """Read as quickly as openpyxl can: rows as they stream, values only; then columns, then Parquet."""
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    rows = book["Dados"].iter_rows(values_only=True)
    names = next(rows)
    columns = [pa.array(values) for values in zip(*rows, strict=True)]
    into.mkdir()
    pq.write_table(pa.table(dict(zip(map(str, names), columns, strict=True))), into / "all.parquet")
    book.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "big.xlsx"
        make_file(path, asked.rows)
        print(f"{path.stat().st_size / 1e6:.1f} MB, {asked.rows * len(COLUMNS):,} cells")
        took: dict[str, list[tuple[float, float]]] = {"lagoa": [], "openpyxl": []}
        for nth in range(asked.rounds):
            print(f"round {nth + 1}")
            took["lagoa"].append(timed("lagoa", lambda into: consume({"path": path.name}, folder, into), folder))
            took["openpyxl"].append(timed("openpyxl", lambda into: theirs(path, into), folder))
    middle = {name: [statistics.median(part) for part in zip(*times, strict=True)] for name, times in took.items()}
    wall, cpu = (middle["openpyxl"][i] / middle["lagoa"][i] for i in (0, 1))
    print(f"lagoa reads {wall:.1f} × as fast as openpyxl (cpu {cpu:.1f} ×)")


if __name__ == "__main__":
    main()
