"""Times an upsert of 1 % into 10 million rows, ours against DeltaTable.merge, in turn and in processes of their own.

`python bench/merge.py [--rows 10000000] [--rounds 3]` prints wall time, CPU, peak memory and the ratios.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

FILES = 10
WORDS = "md5(id::varchar) as code, 'customer ' || (id % 5000) as name"


def make_table(root: Path, rows: int) -> None:
    """Write the table once, as Lagoa does: ten files that each hold a range of keys."""
    import pyarrow as pa
    from deltalake import Schema
    from deltalake.transaction import AddAction, create_table_with_add_actions

    from lagoa.lake.stats import delta_stats
    from lagoa.registry import adapter

    schema = pa.schema([("id", pa.int64()), ("version", pa.int32()), ("amount", pa.decimal128(12, 2))])
    schema = pa.schema([*schema, ("code", pa.string()), ("name", pa.string())])
    engine = adapter("engines", "duckdb")(2, None, root / "scratch")
    actions = []
    for n in range(FILES):
        part = f"select range as id from range({n * rows // FILES}, {(n + 1) * rows // FILES})"
        query = f"select id, 1 as version, (id % 1000003)::decimal(12, 2) as amount, {WORDS} from ({part})"
        with engine.session() as session:
            files = session.stage(query, root / "table", schema)
        actions += [AddAction(f.path.name, f.size, {}, 0, True, delta_stats(f, schema)) for f in files]
    create_table_with_add_actions(str(root / "table"), Schema.from_arrow(schema), actions)
    engine.close()


def make_batch(root: Path, rows: int, recent: bool) -> None:
    """Write the batch: 0.8 % of the keys anew, and 0.2 % new ones."""
    import duckdb

    updates, inserts = rows * 8 // 1000, rows * 2 // 1000
    low = rows - rows // FILES // 5 * 4 if recent else 0
    duckdb.execute(
        f"copy (select id, 2 as version, -1::decimal(12, 2) as amount, {WORDS} from ("
        f"select distinct ({low} + hash(range) % {rows - low})::bigint as id from range({updates * 4}) limit {updates}"
        f") union all select id, 2, -1, {WORDS} from (select range + {rows} as id from range({inserts}))) "
        f"to '{root / 'batch.parquet'}' (format parquet)"
    )


def ours(root: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq
    from deltalake import CommitProperties, DeltaTable, Schema
    from deltalake.transaction import AddAction, RemoveAction

    from lagoa.lake.merge import merge
    from lagoa.lake.stats import delta_stats
    from lagoa.ports import ColumnStats, FileSet, StagedFile
    from lagoa.registry import adapter

    live = DeltaTable(str(root / "table"))
    found = pa.table(live.get_add_actions(flatten=True)).to_pylist()
    paths = {f"{root}/table/{row['path']}": row for row in found}
    bounds = {p: {"id": (row["min.id"], row["max.id"])} for p, row in paths.items()}
    schema = pa.schema(live.schema().to_arrow())
    rows = pq.ParquetFile(root / "batch.parquet").metadata.num_rows
    staged = [StagedFile(root / "batch.parquet", rows, 0, {"id": ColumnStats(nulls=0)})]  # as staging tells
    engine = adapter("engines", "duckdb")(2, None, root / "scratch")
    with engine.session() as session:
        held = FileSet(schema, list(paths))
        done = merge(session, held, staged, ["id"], schema, root / "staged", bounds=bounds)
    now = int(time.time() * 1000)
    actions: list[Any] = []
    for file in done.adds:
        file.path.rename(root / "table" / file.path.name)
        actions.append(AddAction(file.path.name, file.size, {}, now, True, delta_stats(file, schema)))
    actions += [RemoveAction(paths[p]["path"], True, now, paths[p]["size_bytes"]) for p in done.removes]
    properties = CommitProperties(max_commit_retries=0)
    live.create_write_transaction(actions, "append", Schema.from_arrow(schema), commit_properties=properties)
    engine.close()


def theirs(root: Path) -> None:
    import pyarrow.parquet as pq
    from deltalake import DeltaTable

    batch = pq.read_table(root / "batch.parquet")
    live = DeltaTable(str(root / "table"))
    live.merge(
        batch, "t.id = s.id", source_alias="s", target_alias="t"
    ).when_matched_update_all().when_not_matched_insert_all().execute()


def measure(what: str, root: Path) -> None:
    """Run one contender and print what it took, imports aside."""
    import deltalake  # noqa: F401 # both need it; its import is nobody's merge
    import duckdb

    start, cpu = time.perf_counter(), time.process_time()
    {"lagoa": ours, "deltalake": theirs}[what](root)
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    said = Path("/proc/self/status").read_text().splitlines()
    peak = next(int(line.split()[1]) // 1024 for line in said if line.startswith("VmHWM"))
    from deltalake import DeltaTable

    files = DeltaTable(str(root / "table")).file_uris()
    result = duckdb.execute(
        "select count(*), count(distinct id), sum(amount), sum(version), bit_xor(hash(id, version, amount, code, name))"
        f" from read_parquet({files})"
    ).fetchall()[0]
    print(json.dumps({"wall": wall, "cpu": cpu, "rss": peak, "result": str(result)}))


def main() -> None:
    """Run both in turn on copies of the same table and compare."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--measure", nargs=2)
    args = parser.parse_args()
    if args.measure:
        measure(args.measure[0], Path(args.measure[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        make_table(base / "base", args.rows)
        for keys in ("random", "recent"):
            make_batch(base / "base", args.rows, recent=keys == "recent")
            took: dict[str, list[dict[str, Any]]] = {"lagoa": [], "deltalake": []}
            for _ in range(args.rounds):
                for what, runs in took.items():
                    shutil.copytree(base / "base", base / "run")
                    out = subprocess.check_output([sys.executable, __file__, "--measure", what, str(base / "run")])
                    runs.append(json.loads(out.splitlines()[-1]))
                    shutil.rmtree(base / "run")
            report(keys, took)


def report(keys: str, took: dict[str, list[dict[str, Any]]]) -> None:
    """Print medians and ratios; stop when the results differ."""
    if len({run["result"] for runs in took.values() for run in runs}) != 1:
        raise SystemExit(f"{keys}: the results differ: {took}")
    middle = {w: {k: statistics.median(r[k] for r in runs) for k in ("wall", "cpu", "rss")} for w, runs in took.items()}
    for what, found in middle.items():
        print(f"{keys:7} {what:10} {found['wall']:6.2f} s  cpu {found['cpu']:6.2f} s  peak {found['rss']:5.0f} MB")
    speed = middle["deltalake"]["wall"] / middle["lagoa"]["wall"]
    memory = middle["lagoa"]["rss"] / middle["deltalake"]["rss"]
    print(f"{keys:7} lagoa is {speed:.1f} x as fast, in {memory:.2f} x the memory")


if __name__ == "__main__":
    main()
