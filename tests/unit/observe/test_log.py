"""The log survives kills, forgets nothing else, and DuckDB reads it as tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from lagoa.kit.redact import Redactor
from lagoa.observe.events import Events
from lagoa.observe.history import history_sql
from lagoa.observe.log import RunLog, last_runs, new_run_id, read_run, record, runs_folder

START = datetime(2026, 11, 20, 6, 14, 5, tzinfo=UTC)


def a_run(project: Path, minute: int = 0, finish: bool = True, secrets: tuple[str, ...] = ()) -> str:
    run = new_run_id(START + timedelta(minutes=minute))
    ticks = iter(range(1000))
    events = Events(run, Redactor(secrets), now=lambda: START + timedelta(minutes=minute, seconds=next(ticks)))
    with RunLog(runs_folder(project), run) as log:
        events.listen(log)
        events.emit("run.started", target="local")
        events.emit("step.started", "bronze.a")
        events.emit("source.read", "bronze.a", label="a.csv", bytes=100, rows=10)
        events.emit("step.published", "bronze.a", version=1, rows=9, quarantined=1)
        events.emit("step.started", "silver.b")
        events.emit("step.failed", "silver.b", code="LG-401", message=f"3 rows break it {' '.join(secrets)}")
        events.emit("step.blocked", "gold.c", because="silver.b failed")
        if finish:
            events.emit("run.finished", status="failed", seconds=7)
    return run


def ask(project: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as db:
        db.execute("create schema history")
        for name, query in history_sql(project).items():
            db.execute(f"create view {name} as {query}")
        return db.execute(sql).fetchall()


def test_run_ids_sort_by_time() -> None:
    ids = [new_run_id(START + timedelta(seconds=n)) for n in range(50)]
    assert ids == sorted(ids)
    assert ids[0].startswith("20261120-061405-")


def test_a_run_is_summed_up_from_its_events(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    told = record(read_run(runs_folder(tmp_path), run))
    assert told is not None
    assert (told.status, told.target, told.seconds, told.rows, told.quarantined) == (
        "failed",
        "local",
        7.0,
        9,
        1,
    )
    assert {s.table: s.status for s in told.steps} == {
        "bronze.a": "published",
        "silver.b": "failed",
        "gold.c": "blocked",
    }
    assert told.steps[2].message == "silver.b failed"


def test_last_runs_come_newest_first(tmp_path: Path) -> None:
    ids = [a_run(tmp_path, minute) for minute in range(3)]
    assert [r.run for r in last_runs(runs_folder(tmp_path), limit=2)] == [ids[2], ids[1]]


def test_a_torn_last_line_is_left_out_everywhere(tmp_path: Path) -> None:
    run = a_run(tmp_path, finish=False)
    path = runs_folder(tmp_path) / f"{run}.jsonl"
    path.write_bytes(path.read_bytes() + b'{"time":"2026-11-20T06:15:00+00:00","run":"2026\xc3')
    told = last_runs(runs_folder(tmp_path))[0]
    assert told.status == "unfinished"
    assert len(told.steps) == 3
    assert ask(tmp_path, "select status, rows from history.runs") == [("unfinished", 9)]


def test_the_history_is_queryable(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    assert ask(
        tmp_path, "select run, status, target, seconds, tables, failed, rows, quarantined from history.runs"
    ) == [(run, "failed", "local", 7.0, 3, 1, 9, 1)]
    steps = "select table_name, status, rows, version, bytes_read, seconds, message from history.steps order by 1"
    assert ask(tmp_path, steps) == [
        ("bronze.a", "published", 9, 1, 100, 2.0, None),
        ("gold.c", "blocked", 0, None, 0, None, "silver.b failed"),
        ("silver.b", "failed", 0, None, 0, 1.0, "3 rows break it "),
    ]
    assert ask(tmp_path, "select count(*) from history.events") == [(8,)]


def test_the_queryable_history_agrees_with_the_summary(tmp_path: Path) -> None:
    for minute in range(3):
        a_run(tmp_path, minute, finish=minute != 1)
    told = [(r.run, r.status, r.rows, r.count("failed")) for r in last_runs(runs_folder(tmp_path))]
    assert ask(tmp_path, "select run, status, rows, failed from history.runs order by run desc") == told


def test_without_a_log_the_history_is_empty_and_not_an_error(tmp_path: Path) -> None:
    assert ask(tmp_path, "select * from history.runs") == []
    assert ask(tmp_path, "select * from history.steps") == []
    assert last_runs(runs_folder(tmp_path)) == []
    assert read_run(runs_folder(tmp_path), "../../etc/passwd") == []


def test_no_canary_reaches_the_log(tmp_path: Path) -> None:
    run = a_run(tmp_path, secrets=("canary-7f3a",))
    assert b"canary" not in (runs_folder(tmp_path) / f"{run}.jsonl").read_bytes()


def test_old_runs_go_and_git_never_sees_the_folder(tmp_path: Path) -> None:
    for minute in range(3):
        a_run(tmp_path, minute)
    with RunLog(runs_folder(tmp_path), new_run_id(START + timedelta(hours=1)), keep=2):
        pass
    assert len(list(runs_folder(tmp_path).glob("*.jsonl"))) == 3
    assert (tmp_path / ".lagoa" / ".gitignore").read_text() == "*\n"
