"""Runs a command and tells its wall seconds and its memory, the interpreter's own start included."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """Wall seconds, and the MiB that the largest process of the command had in memory at most."""

    seconds: float
    mib: float


def measured(*command: str, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> Cost:
    """Run a command to its end. Raises SystemExit with what it said when it fails."""
    with tempfile.TemporaryFile() as said:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=cwd, env={**os.environ, **(env or {})}, stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        took = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            text = said.read().decode(errors="replace")[-3000:]
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{text}")
    return Cost(took, usage.ru_maxrss / 1024)


def median(costs: list[Cost]) -> Cost:
    """Give the medians of several runs."""
    return Cost(statistics.median(c.seconds for c in costs), statistics.median(c.mib for c in costs))


def lagoa(root: Path, *words: str) -> Cost:
    """Run a command of Lagoa on a project."""
    return measured(sys.executable, "-m", "lagoa", *words, "-C", str(root))
