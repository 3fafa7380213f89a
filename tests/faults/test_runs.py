"""A run is killed at random moments, doubled, starved of disk and told to stop: what it publishes is never wrong."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from lagoa.app import Project

SOAK = bool(os.environ.get("SOAK"))
KILLS = 75 if SOAK else 4

LAND = """\
type: files
path: landing
streams:
  sales:
    path: "sales_*.csv"
    mode: append
    columns:
      id: {type: bigint, checks: [not_null]}
      customer: {type: bigint}
      amount: {type: "decimal(12, 2)", checks: [{min: 0, on_fail: quarantine}]}
      day: {type: date, format: "%d/%m/%Y"}
    decimal: ","
    delimiter: ";"
  customers:
    path: "customers_*.csv"
    mode: merge
    key: id
    columns: {id: {type: bigint}}
  states:
    path: states.csv
"""
MODELS = {
    "silver/paid.sql": "/*\ncolumns:\n  id: {checks: [unique]}\n*/\n"
    "select s.id, s.amount, s.day, c.name, c.state\nfrom bronze.land_sales s\n"
    "join bronze.land_customers c on c.id = s.customer",
    "silver/seen.sql": "/*\nkind: append\n*/\nselect id, amount from bronze.land_sales",
    "gold/by_state.sql": "select p.state, t.region, sum(p.amount) as total, count(*) as sales\n"
    "from silver.paid p join bronze.land_states t on t.state = p.state group by all",
    "gold/big.py": '"""The large sales.\n---\ninputs: {paid: silver.paid}\n"""\n\n\ndef model(paid):\n'
    '    return paid.filter("amount > 500")\n',
    "gold/last.sql": "select b.id, v.total from gold.big b join gold.by_state v on v.state = b.state",
}
TABLES = [
    "bronze.land_sales",
    "bronze.land_customers",
    "bronze.land_states",
    "silver.paid",
    "silver.seen",
    "gold.by_state",
    "gold.big",
    "gold.last",
]


def write_project(root: Path, days: int = 3) -> None:
    """Lay out a project whose landing folder holds `days` files of each kind."""
    for name in ("sources", "landing", "models/silver", "models/gold"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "lagoa.yml").write_text("name: faults\ntargets: {local: {threads: 2}}\n")
    (root / "sources/land.yml").write_text(LAND)
    for name, text in MODELS.items():
        (root / "models" / name).write_text(text)
    (root / "landing/states.csv").write_text("state,region\nSP,SE\nRJ,SE\nBA,NE\n")
    for day in range(days):
        add_day(root, day)


def add_day(root: Path, day: int, rows: int = 400) -> None:
    """Let one more file of sales and one of customers arrive; one sale in fifty is bad, one record broken."""
    lines = ["id;customer;amount;day"]
    for n in range(day * rows, (day + 1) * rows):
        amount = "-1,00" if n % 50 == 7 else f"{n % 997},{n % 100:02}"
        lines.append(f"{n};{n % 40};{amount};{day % 28 + 1:02}/03/2024")
    lines.insert(20, f"{day};broken")
    (root / f"landing/sales_{day:03}.csv").write_text("\n".join(lines) + "\n")
    people = ["id,name,state"] + [f"{n},person {n} of {day},{('SP', 'RJ', 'BA')[(n + day) % 3]}" for n in range(40)]
    (root / f"landing/customers_{day:03}.csv").write_text("\n".join(people) + "\n")


def command(root: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "lagoa", *words, "-C", str(root)]


def run(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(root, "run", *words), capture_output=True, text=True, timeout=120)


def contents(root: Path, tables: Sequence[str] = TABLES) -> dict[str, list[Any]]:
    """Read every table, and its quarantine, without what differs from run to run."""
    found: dict[str, list[Any]] = {}
    with Project.open(root) as project:
        for table in tables:
            for name in (table, "quarantine." + table.replace(".", "_")):
                if not project.table(name).exists:
                    continue
                rows = project.query(f"select * from {name}").read_all().to_pylist()
                kept = ({k: v for k, v in row.items() if k not in ("_run", "_loaded_at", "_at")} for row in rows)
                found[name] = sorted(map(repr, kept))
    return found


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    root = tmp_path_factory.mktemp("calm")
    write_project(root)
    done = run(root)
    assert done.returncode == 0, done.stderr
    found = contents(root)
    assert len(found["bronze.land_sales"]) == 3 * 400 - 24
    assert len(found["quarantine.bronze_land_sales"]) == 24 + 3
    return found


@pytest.mark.slow
@pytest.mark.parametrize("seed", [20261120, 20261121])
def test_a_run_killed_at_random_moments_and_resumed_equals_an_undisturbed_one(
    seed: int, tmp_path: Path, undisturbed: dict[str, list[Any]]
) -> None:
    rng = random.Random(seed)
    began = time.monotonic()
    write_project(tmp_path / "timed")
    assert run(tmp_path / "timed").returncode == 0
    whole = time.monotonic() - began
    kills = trial = 0
    while kills < KILLS:
        root = tmp_path / f"trial-{trial}"
        trial += 1
        write_project(root)
        for _ in range(3):
            process = subprocess.Popen(command(root, "run"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                process.wait(rng.uniform(0.15 * whole, whole))
                break
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
                kills += 1
        done = run(root)
        assert done.returncode == 0, done.stderr
        assert contents(root) == undisturbed
        again = run(root, "--json")
        assert {t["status"] for t in json.loads(again.stdout)["tables"]} == {"unchanged"}


@pytest.mark.slow
def test_two_runs_at_once_publish_each_row_once(tmp_path: Path, undisturbed: dict[str, list[Any]]) -> None:
    write_project(tmp_path)
    both = [
        subprocess.Popen(command(tmp_path, "run"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert contents(tmp_path) == undisturbed


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_told_to_stop_ends_within_five_seconds_and_can_be_resumed(tmp_path: Path, number: int) -> None:
    write_project(tmp_path, days=1)
    (tmp_path / "models/gold/endless.sql").write_text(
        "select sum(hash(a.range) % 7) + (select count(*) from gold.last) as n from range(10000000) a, range(1000000) b"
    )
    process = subprocess.Popen(command(tmp_path, "run"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    log = tmp_path / ".lagoa/runs"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        text = "".join(p.read_text() for p in log.glob("*.jsonl")) if log.is_dir() else ""
        if any('"step.started"' in line and "gold.endless" in line for line in text.splitlines()):
            break
        time.sleep(0.05)
    else:
        pytest.fail("the endless model never started")
    began = time.monotonic()
    process.send_signal(number)
    _, stderr = process.communicate(timeout=30)
    assert time.monotonic() - began < 5
    assert process.returncode == 1
    assert "Traceback" not in stderr
    (tmp_path / "models/gold/endless.sql").unlink()
    assert run(tmp_path).returncode == 0


def test_a_failed_table_stops_only_what_reads_it(tmp_path: Path) -> None:
    write_project(tmp_path, days=1)
    (tmp_path / "models/gold/big.py").write_text(
        '"""Fails.\n---\ninputs: {paid: silver.paid}\n"""\n\n\ndef model(paid):\n    raise ValueError("no luck")\n'
    )
    done = run(tmp_path, "--json")
    assert done.returncode == 1
    status = {t["table"]: t["status"] for t in json.loads(done.stdout)["tables"]}
    assert status["gold.big"] == "failed"
    assert status["gold.last"] == "blocked"
    assert {status[t] for t in TABLES if t not in ("gold.big", "gold.last")} == {"published"}
    assert "models/gold/big.py:8" in done.stderr
    assert "Traceback" not in done.stderr


def test_new_files_are_added_once_and_only_what_they_touch_is_built(tmp_path: Path) -> None:
    write_project(tmp_path, days=2)
    assert run(tmp_path).returncode == 0
    add_day(tmp_path, 2)
    done = run(tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    status = {t["table"]: t["status"] for t in json.loads(done.stdout)["tables"]}
    assert status.pop("bronze.land_states") == "unchanged"
    assert set(status.values()) == {"published"}
    calm = tmp_path / "calm"
    write_project(calm, days=3)
    assert run(calm).returncode == 0
    assert contents(tmp_path) == contents(calm)


def test_a_full_disk_leaves_the_published_tables_untouched(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root to mount a small disk; run it in a container or as root")
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "lagoa-test", str(disk)], check=True)
    try:
        write_project(disk, days=1)
        done = run(disk)
        assert done.returncode == 0, done.stderr
        before = contents(disk)
        add_day(disk, 1)
        filler = disk / "filler"
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        filler.write_bytes(b"x" * (free - 24 * 1024))
        full = run(disk)
        assert full.returncode == 1
        assert "LG-306" in full.stderr
        assert "Traceback" not in full.stderr
        assert "panicked" not in full.stderr
        assert contents(disk) == before
        filler.unlink()
        assert run(disk).returncode == 0
        assert len(contents(disk)["bronze.land_sales"]) == 2 * 400 - 16
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_duckdb_reads_the_published_files_without_lagoa(tmp_path: Path) -> None:
    write_project(tmp_path, days=1)
    assert run(tmp_path).returncode == 0
    from deltalake import DeltaTable

    table = DeltaTable(str(tmp_path / "lake/gold/by_state"))
    rows = duckdb.execute(f"select sum(sales) from read_parquet({table.file_uris()})").fetchall()
    assert rows == [(392,)]
