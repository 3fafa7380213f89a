"""Records what dbt itself makes of the projects in tests/projects/dbt, for Lagoa to be compared with.

`python -m tests.golden.dbt.record VENV` needs a virtual environment with dbt-core and dbt-duckdb; it writes, beside
itself, every table as CSV, the manifest without what is of dbt or of the machine, and the versions.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.projects.dbt_projects import ROUNDS, write

HERE = Path(__file__).parent
NULL = "NULL"
"""How null is written in the CSV files."""
_EXPORT = """
import sys, duckdb
database, folder = sys.argv[1:]
connection = duckdb.connect(database, read_only=True)
names = connection.sql("select table_schema, table_name from information_schema.tables where table_name <> 'audit'")
for schema, table in names.fetchall():
    rows = f"select columns(*)::varchar from {schema}.{table} order by all"
    connection.sql(f"copy ({rows}) to '{folder}/{table}.csv' (header, nullstr 'NULL')")
"""


def main(venv: Path) -> None:
    """Run dbt on every project and keep what it made."""
    environ = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    for name, rounds in ROUNDS.items():
        with tempfile.TemporaryDirectory() as scratch:
            for number in rounds:
                project = write(name, Path(scratch) / name, number)
                subprocess.run([venv / "bin/dbt", "build", "--profiles-dir", "."], cwd=project, env=environ, check=True)
                folder = HERE / name / str(number)
                folder.mkdir(parents=True, exist_ok=True)
                for old in folder.glob("*.csv"):
                    old.unlink()
                database = project / f"{project.name}.duckdb"
                subprocess.run([venv / "bin/python", "-c", _EXPORT, database, folder], check=True)
                if number == 1:
                    manifest = json.loads((project / "target/manifest.json").read_text("utf-8"))
                    text = json.dumps(trimmed(manifest, name), indent=1, ensure_ascii=False)
                    (HERE / name / "manifest.json").write_text(text + "\n", "utf-8")
    listed: list[str | Path] = [venv / "bin/python", "-m", "pip", "list", "--format", "json"]
    packages = json.loads(subprocess.run(listed, capture_output=True, check=True).stdout)
    versions = [f"{p['name']} {p['version']}" for p in packages if p["name"] in ("dbt-core", "dbt-duckdb", "duckdb")]
    (HERE / "versions.txt").write_text("\n".join(versions) + "\n", "utf-8")


def trimmed(manifest: dict[str, Any], project: str) -> dict[str, Any]:
    """Return a manifest without dbt's own macros, times, and paths of the machine."""
    told = ("dbt_schema_version", "dbt_version", "adapter_type", "project_name")
    kept = {key: value for key, value in manifest.items() if key not in ("parent_map", "child_map", "docs")}
    kept["metadata"] = {key: manifest["metadata"][key] for key in told}
    kept["macros"] = {k: v for k, v in manifest["macros"].items() if v["package_name"] == project}
    for group in ("nodes", "sources", "macros"):
        for entry in kept[group].values():
            for key in ("root_path", "created_at", "build_path", "compiled_path"):
                entry.pop(key, None)
    kept["disabled"] = {}
    return kept


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
