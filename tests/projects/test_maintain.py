"""`lagoa maintain` leaves a stopped table alone, says so, and looks after the others."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
from deltalake import write_deltalake

from lagoa.app import Project


def test_a_stopped_table_does_not_keep_the_others_from_being_looked_after(tmp_path: Path) -> None:
    (tmp_path / "models/gold").mkdir(parents=True)
    (tmp_path / "lagoa.yml").write_text("name: care\n")
    for name in ("a", "b", "c"):
        (tmp_path / f"models/gold/{name}.sql").write_text("select 1::bigint as n")
    with Project.open(tmp_path) as project:
        assert project.run().ok
    write_deltalake(str(tmp_path / "lake/gold/b"), pa.table({"n": [2]}), mode="append")
    done = subprocess.run(
        [sys.executable, "-m", "lagoa", "maintain", "--json", "-C", str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 1
    told = {t["table"]: t["error"] for t in json.loads(done.stdout)}
    assert told == {"gold.a": None, "gold.b": "LG-301", "gold.c": None}
    assert "error[LG-301]" in done.stderr
    assert list((tmp_path / "lake/gold/c/_delta_log").glob("*.checkpoint.parquet"))
