"""Times PostgreSQL to a Delta table, ours against dlt's best backend (connectorx, streamed), in turn in one run.

`LAGOA_BENCH_DLT=<python> python bench/postgres.py [--rows 5000000] [--rounds 3]` prints wall time, CPU of the reading
process, peak memory and the ratios. The other Python is one of your own making, since nothing is installed here:
`python -m venv dlt && dlt/bin/pip install 'dlt[filesystem,deltalake]' connectorx sqlalchemy 'psycopg[binary]'`.
Without it only ours is timed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from lagoa.testing.postgres import PostgresServer, running_postgres

USER, PASSWORD = "reader", "plain"  # connectorx misreads percent codes
COLUMNS = """
g::int8 as id, (g % 1000)::int4 as customer_id, (g % 7)::int2 as kind, (g * 0.37)::numeric(18,4) as amount,
(g * 1.1)::numeric as raw_amount, g * 0.5::float8 as ratio, 'Customer name ' || g % 5000 as name,
(array['new','paid','sent','done'])[1 + g % 4] as status,
timestamptz '2020-01-01' + g * interval '7 second' as created_at,
timestamp '2020-01-01' + g * interval '5 second' as updated_at, date '2020-01-01' + (g % 2000)::int as day,
g % 3 = 0 as active, md5(g::text)::uuid as token, jsonb_build_object('a', g, 'b', 'x' || g % 10) as payload,
case when g % 5 = 0 then null else 'note ' || md5((g % 997)::text) end as note
"""
DLT = """
import sys, dlt
from dlt.sources.sql_database import sql_table
uri, folder = sys.argv[1:]
rows = sql_table(credentials=uri, table="bench", backend="connectorx", chunk_size=150_000,
                 backend_kwargs={"return_type": "arrow_stream", "batch_size": 150_000, "conn": uri})
rows.apply_hints(table_format="delta", write_disposition="replace")
lake = dlt.destinations.filesystem(folder + "/lake")
pipeline = dlt.pipeline("bench", destination=lake, pipelines_dir=folder + "/work")
pipeline.run(rows).raise_on_failed_jobs()
"""


def make_table(server: PostgresServer, rows: int) -> None:
    """Make the table once, with a reader who may only read."""
    server.sql(f"create role {USER} login password '{PASSWORD}'")
    server.sql("create table bench as select" + COLUMNS + f"from generate_series(1, {rows}) g")
    server.sql("alter table bench add primary key (id)")
    server.sql("vacuum analyze bench")
    server.sql(f"grant select on bench to {USER}")


def ours(uri: str, folder: Path) -> list[str]:
    """Write a project that reads the table, and say how it is run."""
    (folder / "sources").mkdir()
    (folder / "lagoa.yml").write_text("name: bench\ntargets: {local: {threads: 2}}\n")
    (folder / "sources/erp.yml").write_text(
        "type: postgres\nconnection: ${env:ERP_URL}\nstreams: {bench: {table: public.bench}}\n"
    )
    os.environ["ERP_URL"] = uri
    return [sys.executable, "-m", "lagoa", "run", "-C", str(folder)]


def staged(uri: str, folder: Path) -> list[str]:
    """Read and stage alone: what the source and the engine cost without audit and commit."""
    return [sys.executable, __file__, "--stage", uri, str(folder)]


def theirs(uri: str, folder: Path) -> list[str]:
    """Run dlt in its own Python."""
    return [os.environ["LAGOA_BENCH_DLT"], "-c", DLT, uri, str(folder)]


def stage(uri: str, folder: Path) -> None:
    """Stage every portion, two at a time, as a run does."""
    from concurrent.futures import ThreadPoolExecutor

    from lagoa import registry
    from lagoa.ports import Batch, Portion, Reading

    source = registry.adapter("sources", "postgres")(
        type="postgres", connection=uri, streams={"bench": {"table": "public.bench"}}
    )
    engine = registry.adapter("engines", "duckdb")(2, None, folder / "engine")

    def one(portion: Portion, batch: Batch, into: Path) -> None:
        with engine.session() as session:
            session.bind("portion", portion.rows)
            shown = ", ".join(f'"{f.name}"' + ("::decimal(18,4)" if f.name == "amount" else "") for f in batch.schema)
            session.stage(f"select {shown}, _source from portion", into)
        portion.close()

    for batch in source.read(Reading("bench", None, folder, folder, "bronze.erp_bench")):
        with ThreadPoolExecutor(2) as pool:
            work = [pool.submit(one, p, batch, folder / f"staged-{n}") for n, p in enumerate(batch.portions)]
            for done in work:
                done.result()
    engine.close()


def timed(command: list[str], folder: Path) -> dict[str, float]:
    """Run a command to its end in a process that reports what it used."""
    code = (
        "import json, resource, subprocess, sys, time; t = time.perf_counter(); "
        "done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE); "
        "sys.stderr.buffer.write(done.stderr[-3000:]) if done.returncode else None; "
        "u = resource.getrusage(resource.RUSAGE_CHILDREN); "
        "print(json.dumps([done.returncode, time.perf_counter() - t, u.ru_utime + u.ru_stime, u.ru_maxrss / 1024]))"
    )
    out = subprocess.run([sys.executable, "-c", code, *command], stdout=subprocess.PIPE, check=True, cwd=folder)
    failed, wall, cpu, memory = json.loads(out.stdout)
    if failed:
        raise SystemExit(f"failed: {command[:4]}")
    return {"wall": wall, "cpu": cpu, "memory": memory}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--stage", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stage:
        stage(options.stage[0], Path(options.stage[1]))
        return
    contestants: dict[str, Any] = {"lagoa": ours, "lagoa, staging alone": staged}
    if os.environ.get("LAGOA_BENCH_DLT"):
        contestants["dlt"] = theirs
    contestants = {name: make for name, make in contestants.items() if not options.only or name in options.only}
    found: dict[str, list[dict[str, float]]] = {name: [] for name in contestants}
    with running_postgres() as server:
        make_table(server, options.rows)
        uri = f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{server.port}/postgres"
        for _ in range(options.rounds):
            for name, make in contestants.items():
                folder = Path(tempfile.mkdtemp(prefix="lagoa-bench-"))
                found[name].append(timed(make(uri, folder), folder))
                shutil.rmtree(folder)
    report(options.rows, found)


def report(rows: int, found: dict[str, list[dict[str, float]]]) -> None:
    print(f"PostgreSQL to Delta: {rows:,} rows of 15 columns, median of {len(next(iter(found.values())))}")
    middle = {
        name: {key: statistics.median(run[key] for run in runs) for key in runs[0]} for name, runs in found.items()
    }
    for name, m in middle.items():
        walls = " ".join(f"{run['wall']:.1f}" for run in found[name])
        rate = rows / m["wall"] / 1000
        print(f"{name:22} {m['wall']:6.2f}s [{walls}] {rate:5.0f} krows/s  cpu {m['cpu']:5.1f}s  {m['memory']:5.0f} MB")
    if "dlt" in middle:
        for name in [n for n in middle if n != "dlt"]:
            ratio = {key: middle["dlt"][key] / middle[name][key] for key in ("wall", "cpu")}
            print(f"{name} is {ratio['wall']:.2f} x as fast as dlt (cpu {ratio['cpu']:.2f} x less); target 2")


if __name__ == "__main__":
    main()
