"""Times Lagoa, SQLMesh and dbt on the same 100 models over DuckDB: a plan, a run with nothing to do, a full run.

`python bench/rivals.py [--rows 10000] [--times 3]`. The rivals are installed by pip into bench/work/rivals. dbt has
no plan, so `dbt ls` stands for it, which reads the project and not the tables; and it always rebuilds, so
`dbt run --select state:modified`, against the manifest of the run before, stands for a run with nothing to do.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from _measure import Cost, lagoa, measured, median

WORK = Path(__file__).parent / "work" / "rivals"
CHAINS, LAYERS = 10, 10
INSTALLED = {"dbt": ["dbt-core~=1.11.0", "dbt-duckdb~=1.11.0"], "sqlmesh": ["sqlmesh"]}
QUIET = {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "SQLMESH__DISABLE_ANONYMIZED_ANALYTICS": "1", "DO_NOT_TRACK": "1"}
Action = Callable[[], Cost]


def query(chain: int, layer: int, rows: int, named: Callable[[str], str]) -> str:
    """Write the query of a model; `named` is how a model's query calls another."""
    if layer == 0:
        return f"select range as id, range % 97 as k, (range * {7919 + chain}) % 1000 as amount from range({rows})"
    before = named(f"c{chain}_l{layer - 1}")
    if layer % 4 == 2:
        per = f"select k, count(*) as n, sum(amount)::bigint as total from {before} group by k"
        return f"select x.id, x.k, x.amount + p.n as amount from {before} as x join ({per}) as p on p.k = x.k"
    return f"select id, k, amount + {layer} as amount from {before} where amount % 89 <> {layer}"


def models(rows: int, named: Callable[[str], str]) -> dict[str, str]:
    """Write all models by their names."""
    return {f"c{c}_l{n}": query(c, n, rows, named) for c in range(CHAINS) for n in range(LAYERS)}


def write(root: Path, files: dict[str, str]) -> None:
    """Lay out a project in an empty folder."""
    shutil.rmtree(root, ignore_errors=True)
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text + "\n")


def installed(tool: str) -> Path:
    """Install a rival once, and return the folder of its commands."""
    home = WORK / "tools" / tool
    if not (home / "ready").exists():
        print(f"installing {', '.join(INSTALLED[tool])} …", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        subprocess.run([str(home / "bin/pip"), "install", "-qq", *INSTALLED[tool]], check=True)
        (home / "ready").touch()
    return home / "bin"


def versions(tool: str) -> str:
    """Say which versions pip has installed."""
    said = subprocess.run([str(installed(tool) / "pip"), "freeze"], check=True, capture_output=True, text=True).stdout
    wanted = {"duckdb", *(name.partition("~")[0] for name in INSTALLED[tool])}
    return ", ".join(line.replace("==", " ") for line in said.splitlines() if line.partition("==")[0] in wanted)


def our_project(rows: int) -> tuple[Action, Action, Action]:
    """Lay out Lagoa's project, and return what plans it, runs it with nothing to do, and builds it from nothing."""
    root = WORK / "lagoa"

    def full() -> Cost:
        named = models(rows, lambda name: f"silver.{name}")
        write(root, {"lagoa.yml": "name: hundred", **{f"models/silver/{n}.sql": q for n, q in named.items()}})
        return lagoa(root, "run")

    return lambda: lagoa(root, "plan"), lambda: lagoa(root, "run"), full


def sqlmesh_project(rows: int) -> tuple[Action, Action, Action]:
    """Do the same for SQLMesh, whose full run is a plan that is applied."""
    root, command = WORK / "sqlmesh", str(installed("sqlmesh") / "sqlmesh")
    config = (
        "gateways:\n  local:\n    connection: {type: duckdb, database: db.duckdb}\n"
        "default_gateway: local\nmodel_defaults: {dialect: duckdb, start: 2024-01-01}"
    )

    def said(*words: str) -> Cost:
        return measured(command, *words, cwd=root, env=QUIET)

    def full() -> Cost:
        named = models(rows, lambda name: f"silver.{name}")
        head = {n: f"MODEL (name silver.{n}, kind FULL);\n\n{q}" for n, q in named.items()}
        write(root, {"config.yaml": config, **{f"models/{n}.sql": text for n, text in head.items()}})
        return said("plan", "--auto-apply", "--no-prompts")

    return lambda: said("plan", "--no-prompts"), lambda: said("run"), full


def dbt_project(rows: int) -> tuple[Action, Action, Action]:
    """Do the same for dbt."""
    root, command = WORK / "dbt", str(installed("dbt") / "dbt")
    about = "name: hundred\nprofile: hundred\nmodels: {hundred: {+materialized: table}}"
    profile = "hundred:\n  target: dev\n  outputs: {dev: {type: duckdb, path: db.duckdb, threads: 2}}"

    def said(*words: str) -> Cost:
        return measured(command, *words, "--profiles-dir", ".", cwd=root, env=QUIET)

    def full() -> Cost:
        named = models(rows, lambda name: f"{{{{ ref('{name}') }}}}")
        files = {f"models/{n}.sql": q for n, q in named.items()}
        write(root, {"dbt_project.yml": about, "profiles.yml": profile, **files})
        cost = said("run")
        (root / "before").mkdir()
        shutil.copy(root / "target/manifest.json", root / "before")
        return cost

    return lambda: said("ls"), lambda: said("run", "--select", "state:modified", "--state", "before"), full


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    tools = {"lagoa": our_project, "sqlmesh": sqlmesh_project, "dbt": dbt_project}
    actions = {name: made(options.rows) for name, made in tools.items()}
    print(f"{CHAINS * LAYERS} models of up to {options.rows:,} rows; medians of {options.times}, in turn")
    print("; ".join(versions(tool) for tool in INSTALLED))
    found: dict[str, dict[str, list[Cost]]] = {what: {tool: [] for tool in tools} for what in WHAT}
    for _ in range(options.times):
        for what, number in WHAT.items():
            for tool in tools:
                found[what][tool].append(actions[tool][number]())
    for what in WHAT:
        ours = median(found[what]["lagoa"])
        for tool in tools:
            cost = median(found[what][tool])
            ratios = f"{cost.seconds / ours.seconds:5.1f} x the time, {cost.mib / ours.mib:4.1f} x the memory"
            print(f"{what:24} {tool:8} {cost.seconds:7.2f} s {cost.mib:6.0f} MiB  {ratios}")


WHAT = {"full run": 2, "plan, nothing to do": 0, "run, nothing to do": 1}

if __name__ == "__main__":
    main()
