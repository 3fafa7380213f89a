"""Times `lagoa plan` on 1,000 models and their 1,000 tables, cold and warm, and a run with nothing to do.

`python bench/plan.py [--models 1000] [--times 3]`. Cold: the cache of parsed queries is deleted before each plan.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from _measure import Cost, lagoa, median

WORK = Path(__file__).parent / "work" / "plan"
CHAINS, STREAMS = 50, 10


def project(root: Path, models: int) -> None:
    """Write streams, and chains of models over them; each fifth model is incremental, some join two chains."""
    shutil.rmtree(root, ignore_errors=True)
    for folder in ("sources", "land", "models/silver", "models/gold"):
        (root / folder).mkdir(parents=True)
    (root / "lagoa.yml").write_text("name: thousand\n")
    typed = "{id: {type: bigint}, k: {type: bigint}, amount: {type: bigint}}"
    streams = [f'  s{n}: {{path: "s{n}_*.csv", mode: merge, key: id, columns: {typed}}}' for n in range(STREAMS)]
    (root / "sources/land.yml").write_text("\n".join(["type: files", "path: land", "streams:", *streams, ""]))
    for n in range(STREAMS):
        lines = ["id,k,amount", *(f"{i},{i % 17},{i * n % 1000}" for i in range(100))]
        (root / f"land/s{n}_1.csv").write_text("\n".join(lines) + "\n")
    for number in range(models):
        chain, layer = number % CHAINS, number // CHAINS
        before = f"silver.c{chain}_l{layer - 1}" if layer else f"bronze.land_s{chain % STREAMS}"
        query = f"select id, k, amount + {layer} as amount\nfrom {before}\nwhere amount <> {number}"
        if layer and number % 3 == 0:
            other = f"silver.c{(chain + 1) % CHAINS}_l{layer - 1}"
            query = (
                f"select x.id, x.k, x.amount, y.amount as other\nfrom {before} as x\njoin {other} as y on y.id = x.id"
            )
            query = f"select id, k, amount\nfrom ({query}) as q\nwhere other >= 0"
        kind = "incremental" if number % 5 == 0 else "table"
        header = (
            f"/*\nkind: {kind}\nkey: id\ndescription: Table {number}.\ncolumns: {{id: {{checks: [not_null]}}}}\n*/\n"
        )
        (root / f"models/silver/c{chain}_l{layer}.sql").write_text(header + query + "\n")


def cold(root: Path) -> Cost:
    """Plan without what earlier commands have parsed."""
    shutil.rmtree(root / ".lagoa" / "cache", ignore_errors=True)
    return lagoa(root, "plan")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=1000)
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    project(WORK, options.models)
    print(f"{options.models:,} models over {STREAMS} streams; medians of {options.times}")
    before = median([cold(WORK) for _ in range(options.times)])
    print(f"plan, no table yet, cold  {before.seconds:7.2f} s  {before.mib:6.0f} MiB")
    first = lagoa(WORK, "run")
    print(f"first run                 {first.seconds:7.2f} s  {first.mib:6.0f} MiB")
    plan = median([cold(WORK) for _ in range(options.times)])
    print(f"plan, cold                {plan.seconds:7.2f} s  {plan.mib:6.0f} MiB  (target 3 s)")
    warm = median([lagoa(WORK, "plan") for _ in range(options.times)])
    print(f"plan, warm                {warm.seconds:7.2f} s  {warm.mib:6.0f} MiB")
    idle = median([lagoa(WORK, "run") for _ in range(options.times)])
    ratio = idle.seconds / plan.seconds
    print(
        f"run with nothing to do    {idle.seconds:7.2f} s  {idle.mib:6.0f} MiB  ({ratio:.2f} of plan, cold; target 1.2)"
    )


if __name__ == "__main__":
    main()
