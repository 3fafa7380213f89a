"""Times `--help` and a project of 100 small models: first run, and a run with nothing to do."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

WORK = Path(__file__).parent / "work" / "startup"
CHAINS, LAYERS = 10, 10


def timed(*words: str, times: int = 5) -> float:
    """Median wall seconds of a command, the interpreter's own start included."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "lagoa", *words], check=True, capture_output=True)
        took.append(time.perf_counter() - began)
    return statistics.median(took)


def project(root: Path) -> None:
    shutil.rmtree(root, ignore_errors=True)
    (root / "models/silver").mkdir(parents=True)
    (root / "lagoa.yml").write_text("name: hundred\n")
    for chain in range(CHAINS):
        for layer in range(LAYERS):
            text = f"select {chain} as chain, range as n from range(100)"
            if layer:
                before = f"silver.c{chain}_l{layer - 1}"
                text = f"select chain, n, n * {layer} as m{layer} from {before} where n % 97 <> {layer}"
            (root / f"models/silver/c{chain}_l{layer}.sql").write_text(text)


def main() -> None:
    interpreter = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        interpreter.append(time.perf_counter() - began)
    print(f"python itself          {statistics.median(interpreter):.3f} s")
    print(f"lagoa --help           {timed('--help'):.3f} s   (target 0.3)")
    firsts = []
    for _ in range(3):
        project(WORK)
        firsts.append(timed("run", "-C", str(WORK), times=1))
    print(f"100 models, first run  {statistics.median(firsts):.2f} s    (target 3)")
    print(f"100 models, no-op run  {timed('run', '-C', str(WORK)):.2f} s    (target 0.6)")
    print(f"100 models, plan       {timed('plan', '-C', str(WORK)):.2f} s")


if __name__ == "__main__":
    main()
