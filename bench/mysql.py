"""Times MariaDB to a Delta table, ours against dlt's backends (connectorx streamed, pyarrow), in turn in one run.

`LAGOA_BENCH_DLT=<python> python bench/mysql.py [--rows 5000000] [--rounds 3]` prints wall time, peak memory of the
largest process and the ratios. The other Python is one of your own making, since nothing is installed here:
`python -m venv dlt && dlt/bin/pip install 'dlt[filesystem,deltalake]' connectorx sqlalchemy pymysql`.
Without it only ours is timed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from _measure import Cost, measured, median

from lagoa.testing.mariadb import MariaServer, running_mariadb

USER, PASSWORD, DATABASE = "reader", "plain", "bench"  # connectorx misreads percent codes
TABLE = """
create table bench (
  id bigint primary key, customer_id int not null, kind smallint, amount decimal(18,4), raw_amount decimal(30,2),
  ratio double, name varchar(60), status varchar(10), created_at timestamp(6) null, updated_at datetime,
  day date, active tinyint(1), token char(32), payload longtext, note varchar(60)
);
insert into bench
select seq, seq % 1000, seq % 7, seq * 0.37, seq * 1.1, seq * 0.5e0, concat('Customer name ', seq % 5000),
  elt(1 + seq % 4, 'new', 'paid', 'sent', 'done'), timestamp '2020-01-01 12:00:00' + interval seq * 7 second,
  timestamp '2020-01-01 00:00:00' + interval seq * 5 second,
  date '2020-01-01' + interval seq % 2000 day, seq % 3 = 0, md5(seq),
  json_object('a', seq, 'b', concat('x', seq % 10)), if(seq % 5 = 0, null, concat('note ', md5(seq % 997)))
from seq_1_to_{rows};
"""
DLT = """
import sys, dlt
from dlt.sources.sql_database import sql_table
backend, server, folder = sys.argv[1:]
arrow = {"return_type": "arrow_stream", "batch_size": 150_000, "conn": "mysql://" + server}
options = {"connectorx": {"backend_kwargs": arrow}, "pyarrow": {}}[backend]
where = "mysql+pymysql://" + server
def doubles(table):  # else it takes them for decimals whose digits it guesses anew in each batch
    for column in table.columns:
        if column.type.__visit_name__ == "DOUBLE":
            column.type.asdecimal = False
rows = sql_table(credentials=where, table="bench", backend=backend, chunk_size=150_000,
                 table_adapter_callback=doubles, **options)
rows.apply_hints(table_format="delta", write_disposition="replace")
lake = dlt.destinations.filesystem(folder + "/lake")
dlt.pipeline("bench", destination=lake, pipelines_dir=folder + "/work").run(rows).raise_on_failed_jobs()
"""


def make_table(server: MariaServer, rows: int) -> None:
    """Make the table once, with a reader who may only read."""
    server.database(DATABASE)
    server.sql(f"create user {USER}@127.0.0.1 identified by '{PASSWORD}'; grant select on bench.* to {USER}@127.0.0.1;")
    server.sql(TABLE.replace("{rows}", str(rows)), DATABASE)
    server.sql("analyze table bench", DATABASE)


def ours(server: str, ranges: int, folder: Path) -> Cost:
    """Run a project that reads the table."""
    (folder / "sources").mkdir()
    (folder / "lagoa.yml").write_text("name: bench\ntargets: {local: {threads: 2}}\n")
    (folder / "sources/shop.yml").write_text(
        f"type: mysql\nconnection: ${{env:SHOP_URL}}\nstreams: {{bench: {{table: bench, ranges: {ranges}}}}}\n"
    )
    run = (sys.executable, "-m", "lagoa", "run", "-C", str(folder))
    return measured(*run, env={"SHOP_URL": f"mysql://{server}"})


def theirs(server: str, backend: str, folder: Path) -> Cost:
    """Run dlt in its own Python."""
    return measured(os.environ["LAGOA_BENCH_DLT"], "-c", DLT, backend, server, str(folder))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[])
    options = parser.parse_args()
    with running_mariadb() as server:
        make_table(server, options.rows)
        where = f"{USER}:{PASSWORD}@127.0.0.1:{server.port}/{DATABASE}"
        contestants: dict[str, Any] = {"lagoa": partial(ours, where, 1), "lagoa, ranges: 2": partial(ours, where, 2)}
        if os.environ.get("LAGOA_BENCH_DLT"):
            contestants |= {f"dlt, {backend}": partial(theirs, where, backend) for backend in ("connectorx", "pyarrow")}
        contestants = {name: run for name, run in contestants.items() if not options.only or name in options.only}
        found: dict[str, list[Cost]] = {name: [] for name in contestants}
        for _ in range(options.rounds):
            for name, run in contestants.items():
                folder = Path(tempfile.mkdtemp(prefix="lagoa-bench-"))
                found[name].append(run(folder))
                shutil.rmtree(folder)
    report(options.rows, found)


def report(rows: int, found: dict[str, list[Cost]]) -> None:
    print(f"MariaDB to Delta: {rows:,} rows of 15 columns, median of {len(next(iter(found.values())))}")
    middle = {name: median(costs) for name, costs in found.items()}
    for name, cost in middle.items():
        walls = " ".join(f"{c.seconds:.1f}" for c in found[name])
        print(f"{name:18} {cost.seconds:6.2f}s [{walls}] {rows / cost.seconds / 1000:5.0f} krows/s {cost.mib:5.0f} MiB")
    rivals = [cost.seconds for name, cost in middle.items() if name.startswith("dlt")]
    if rivals:
        for name in [n for n in middle if n.startswith("lagoa")]:
            print(f"{name} is {min(rivals) / middle[name].seconds:.2f} x as fast as dlt's best; target 2")


if __name__ == "__main__":
    main()
