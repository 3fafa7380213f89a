"""Times `Project.query` on a 20-million-row table against DuckDB's own read_parquet of the same files."""

from __future__ import annotations

import shutil
import statistics
import time
from pathlib import Path

import duckdb
from deltalake import DeltaTable

from lagoa.app import Project

WORK = Path(__file__).parent / "work" / "query"
ROWS = 20_000_000
QUERIES = {
    "group": "select flag, count(*), sum(price), avg(qty) from {t} group by flag order by flag",
    "filter": "select sum(price * qty) from {t} where day between date '1995-01-01' and date '1995-03-01' and qty < 24",
    "top": "select part, sum(price) as s from {t} group by part order by s desc limit 10",
    "point": "select * from {t} where id = 14242424",
    "self join": "select count(*) from {t} a join {t} b on a.id = b.id + 1 where b.flag = 'A' and a.qty > 40",
}


def prepare() -> None:
    shutil.rmtree(WORK, ignore_errors=True)
    (WORK / "models/gold").mkdir(parents=True)
    (WORK / "lagoa.yml").write_text("name: query\n")
    (WORK / "models/gold/items.sql").write_text(
        "select i as id, i * 7919 % 200000 as part, (i % 50)::decimal(15, 2) as qty,\n"
        "((i * 31) % 100000 / 100.0)::decimal(15, 2) as price, ['A', 'N', 'R'][i % 3 + 1] as flag,\n"
        "date '1992-01-01' + (i % 2500)::int as day, md5((i % 1000000)::varchar) as note\n"
        f"from range({ROWS}) t(i)"
    )
    with Project.open(WORK) as opened:
        assert opened.run().ok


def main() -> None:
    prepare()
    uris = DeltaTable(str(WORK / "lake/gold/items")).file_uris()
    plain = duckdb.connect()
    ratios = []
    with Project.open(WORK) as opened:
        for name, text in QUERIES.items():
            ours, theirs = [], []
            for _ in range(9):
                began = time.perf_counter()
                mine = opened.query(text.format(t="gold.items")).read_all()
                ours.append(time.perf_counter() - began)
                began = time.perf_counter()
                other = plain.sql(text.format(t=f"read_parquet({uris})")).to_arrow_table()
                theirs.append(time.perf_counter() - began)
                assert mine.num_rows == other.num_rows
            mine_s, other_s = statistics.median(ours), statistics.median(theirs)
            ratios.append(mine_s / other_s)
            print(f"{name:10} lagoa {mine_s * 1000:7.1f} ms   duckdb {other_s * 1000:7.1f} ms   x{ratios[-1]:.2f}")
    print(f"geometric mean x{statistics.geometric_mean(ratios):.2f}  (target 1.15)")


if __name__ == "__main__":
    main()
