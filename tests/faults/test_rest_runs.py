"""Whole runs over an API that fails, with the run killed at any page: nothing is lost, nothing doubled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lagoa.app import Project
from lagoa.run.report import Run
from lagoa.testing.web import Asked, Reply, Web

CANARY = "rest-canary-5e"
SOURCE = """\
type: rest
url: ${env:API_URL}
allow_private: true
auth: {bearer: "${secret:api_token}"}
retries: 1
read_timeout: 2s
max_requests: 900
commit_pages: 100
streams:
  orders: {path: /orders, records: $.data, paging: {by: cursor, next: $.next}, mode: append, key: id, cursor: id}
  people: {path: /people, paging: {by: page}, mode: merge, key: id}
  report: {path: /report, paging: {by: offset}}
"""
COUNT = 1200


def rows(start: int, size: int) -> list[dict[str, Any]]:
    return [{"id": n, "name": f"n{n}"} for n in range(start, min(start + size, COUNT))]


def orders(asked: Asked) -> Any:
    start = int(asked.query.get("cursor", 0))
    return {"data": rows(start, 4), "next": start + 4 if start + 4 < COUNT else None}


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    with Web() as web:
        web.route("/orders", orders)
        web.route("/people", lambda a: rows(4 * (int(a.query["page"]) - 1), 4))
        web.route("/report", lambda a: rows(int(a.query["offset"]), 100))
        (tmp_path / "sources").mkdir()
        (tmp_path / "lagoa.yml").write_text("name: api\ntargets: {local: {threads: 2}}\n")
        (tmp_path / "sources/api.yml").write_text(SOURCE)
        monkeypatch.setenv("API_URL", web.url)
        monkeypatch.setenv("API_TOKEN", CANARY)
        yield web


def run(project: Path) -> Run:
    with Project.open(project) as opened:
        return opened.run()


def landed(project: Path) -> dict[str, list[int]]:
    with Project.open(project) as opened:
        found = {}
        for name in ("orders", "people", "report"):
            try:
                found[name] = opened.query(f"select id from bronze.api_{name} order by 1").read_all()["id"].to_pylist()
            except Exception:  # noqa: BLE001  # not there yet
                found[name] = []
        return found


WHOLE = {name: list(range(COUNT)) for name in ("orders", "people", "report")}


def test_a_run_reads_all_and_the_next_one_finds_nothing_new(web: Web, tmp_path: Path) -> None:
    assert run(tmp_path).ok
    assert landed(tmp_path) == WHOLE
    again = run(tmp_path)
    assert again.ok
    assert landed(tmp_path) == WHOLE
    assert [r.status for r in again.results if str(r.table) == "bronze.api_report"] == ["unchanged"]


@pytest.mark.slow
@pytest.mark.parametrize("at", [5, 150, 320, 500])
def test_a_run_killed_at_a_page_goes_on_from_its_last_commit(web: Web, tmp_path: Path, at: int) -> None:
    code = "import sys; from lagoa.app import Project\nwith Project.open(sys.argv[1]) as p: p.run()"
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], env=os.environ | {"PYTHONPATH": "src"})
    while len(web.asked) < at and process.poll() is None:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    held = landed(tmp_path)
    assert all(values == sorted(set(values)) for values in held.values())
    before = len(web.asked)
    assert run(tmp_path).ok
    assert landed(tmp_path) == WHOLE
    if 100 < len(held["orders"]) < COUNT:
        asked = [a for a in web.asked[before:] if a.path == "/orders"]
        assert len(asked) <= (COUNT - len(held["orders"])) // 4 + 1


def test_an_api_that_fails_in_the_middle_leaves_what_was_committed(web: Web, tmp_path: Path) -> None:
    web.route("/orders", lambda a: Reply({}, 400) if int(a.query.get("cursor", 0)) >= 1000 else orders(a))
    web.route("/report", lambda a: Reply(rows(int(a.query["offset"]), 100), fault="cut", after=9))
    failed = run(tmp_path)
    assert {str(r.table): getattr(r.error, "code", None) for r in failed.results} == {
        "bronze.api_orders": "LG-202",
        "bronze.api_people": None,
        "bronze.api_report": "LG-201",
    }
    assert len(landed(tmp_path)["orders"]) == 800
    web.route("/orders", orders)
    web.route("/report", lambda a: rows(int(a.query["offset"]), 100))
    assert run(tmp_path).ok
    assert landed(tmp_path) == WHOLE


def test_no_byte_of_the_project_holds_the_token(web: Web, tmp_path: Path) -> None:
    web.route("/report", lambda a: Reply({"you said": dict(a.headers)}, 400))
    assert not run(tmp_path).ok
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) > 10
    assert [p for p in written if CANARY.encode() in p.read_bytes()] == []
