"""A run that keeps histories, or fills in partitions of time, is killed at its work: resumed, it ends as its twin."""

from __future__ import annotations

import json
import logging
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.projects.history_truths import steady

from lagoa.testing.raft import Raft

SOAK = bool(os.environ.get("SOAK"))
KILLS = 60 if SOAK else 4
SPAN = ("-sgold.days", "--start", "2024-03-01", "--end", "2024-04-30")
PUBLISHES = 20
"""How often a backfill of this span publishes; the same command after the last of them is a new one."""
DAYS = (
    "select cast(since as date) as day, count(*) as n, count(distinct city) as cities from bronze.land_moves group by 1"
)
MODELS = {
    "silver.people": ("select id, city from bronze.land_people where city <> 'gone'", "kind: scd2\nkey: id"),
    "silver.moves": ("select id, since, city from bronze.land_moves", "kind: scd2\nkey: id\ntime: since"),
    "silver.seen": ("select id, since from bronze.land_moves", "kind: append"),
    "gold.cities": (
        "select city, count(*) as people from silver.people where is_current group by city",
        "kind: incremental\nkey: city",
    ),
}
"""What a run that follows what arrived brings up to date."""


def project(root: Path) -> Raft:
    """Lay out a project over people as they are and their moves; somebody moves on each of 60 days."""
    raft = Raft(root)
    raft.source(
        "land",
        'people: {path: "people_*.parquet", mode: merge, key: id}\nmoves: {path: "moves_*.parquet", mode: append}',
    )
    for name, (query, header) in MODELS.items():
        raft.model(name, query, header)
    arrives(raft, 1, dict.fromkeys(range(40), "SP"), {(n % 40, n): "SP" for n in range(60)})
    return raft


def arrives(raft: Raft, file: int, people: dict[int, str], moves: dict[tuple[int, int], str]) -> None:
    """Let a file of each stream arrive; moves are by person and day."""
    since = [datetime(2024, 3, 1, 12, tzinfo=UTC) + timedelta(days=d) for _, d in moves]
    raft.parquet(f"land/people_{file}.parquet", id=list(people), city=list(people.values()))
    raft.parquet(
        f"land/moves_{file}.parquet",
        id=[n for n, _ in moves],
        since=pa.array(since, pa.timestamp("us", "UTC")),
        city=list(moves.values()),
    )


def at(root: Path) -> Raft:
    """Take up a project that is there."""
    raft = Raft.__new__(Raft)
    raft.__dict__.update(root=root, events=[], tamper=lambda _: None)
    return raft


def killed(root: Path, command: Sequence[str], lines: int, pause: float) -> bool:
    """Run in a process that is killed a moment after it has told so many events; False: it was done before."""
    log = root / ".lagoa/runs"
    before = set(log.glob("*.jsonl"))
    words = [sys.executable, "-m", "lagoa", "run", "-q", *command, "-C", str(root)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and told(log, before) < lines:
        time.sleep(0.001)
    time.sleep(pause)
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def told(log: Path, before: set[Path]) -> int:
    return sum(path.read_bytes().count(b"\n") for path in set(log.glob("*.jsonl")) - before)


def held(raft: Raft, tables: Sequence[str], since: datetime) -> dict[str, list[str]]:
    """Give the rows of tables, where the times of the runs since then are all the same."""
    with raft.open() as opened:
        return {name: steady(opened.query(f"from {name}").read_all().to_pylist(), since) for name in tables}


def events(root: Path) -> list[dict[str, Any]]:
    """Give the events of all runs of a project, oldest first."""
    logs = sorted((root / ".lagoa/runs").glob("*.jsonl"))
    return [json.loads(line) for path in logs for line in path.read_text().splitlines() if line.endswith("}")]


@pytest.mark.slow
def test_histories_whose_run_is_killed_are_those_of_a_twin_that_nothing_disturbs(tmp_path: Path) -> None:
    rng, seed = random.Random("histories"), project(tmp_path / "seed")
    seed.ok()
    since = datetime.now(UTC)
    people = {n: rng.choice(["SP", "RJ", "gone"]) for n in range(0, 50, 2)}
    arrives(seed, 2, people, {(n, d): rng.choice("ABC") for n in range(40) for d in rng.sample(range(90, 99), 2)})
    shutil.copytree(seed.root, tmp_path / "twin")
    twin = at(tmp_path / "twin")
    twin.ok()
    whole, true = len(twin.events), held(twin, list(MODELS), since)
    moments: Counter[str] = Counter()
    for number in range(KILLS):
        root = tmp_path / f"trial-{number}"
        shutil.copytree(seed.root, root)
        line = 1 + (whole - 1) * number // KILLS
        if killed(root, [], line, rng.uniform(0, 0.02)):
            moments[events(root)[-1]["kind"]] += 1
        raft = at(root)
        raft.ok()
        assert held(raft, list(MODELS), since) == true, f"killed after {line} events"
        assert {r.status for r in raft.ok().values()} == {"unchanged"}
        shutil.rmtree(root)
    logging.getLogger("soak").warning("histories killed after %s", dict(moments))
    assert moments.total() >= KILLS * 3 // 4, "the kills came too late"


@pytest.mark.slow
def test_a_backfill_whose_process_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    rng, seed = random.Random("backfill"), project(tmp_path / "seed")
    seed.model("gold.days", DAYS, "kind: incremental\ntime: day")
    seed.ok("source:land")
    true = seed.rows(f"from ({DAYS}) order by all")
    moments: Counter[str] = Counter()
    for number in range(KILLS // 2):
        root = tmp_path / f"trial-{number}"
        shutil.copytree(seed.root, root)
        for _ in range(2):
            if killed(root, SPAN, rng.randint(3, 20), rng.uniform(0, 0.02)):
                moments[events(root)[-1]["kind"]] += 1
        raft = at(root)
        left = raft.version("gold.days") < PUBLISHES - 1
        done = subprocess.run([sys.executable, "-m", "lagoa", "run", "-q", *SPAN, "-C", str(root)], check=False)
        assert done.returncode == 0
        assert raft.rows("gold.days") == true
        rebuilt = [e["data"]["text"] for e in events(root) if e["kind"] == "note"]
        assert len(rebuilt) == len(set(rebuilt)) or not left, f"partitions were rebuilt again: {rebuilt}"
        raft.ok("gold.days")  # what the span left out: nothing that has rows
        assert (raft.rows("gold.days"), raft.plan("gold.days")["gold.days"].status) == (true, "up to date")
        shutil.rmtree(root)
    logging.getLogger("soak").warning("backfills killed after %s", dict(moments))
    assert moments.total() >= KILLS * 3 // 4, "the kills came too late"
