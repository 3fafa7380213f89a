"""Two and four processes publish into one table at once, are killed at random, and a maintainer works beside them."""

from __future__ import annotations

import importlib.util
import logging
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from lagoa.lake.history import history

SOAK = float(os.environ.get("SOAK_SECONDS", "300")) if os.environ.get("SOAK") else 0.0
"""How long a soak races each mode; without SOAK each case is raced once."""
WORK = Path(__file__).with_name("lake_work.py")
SRC = Path(__file__).resolve().parents[2] / "src"


def _loaded() -> Any:
    spec = importlib.util.spec_from_file_location("lake_work", WORK)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["lake_work"] = module
    spec.loader.exec_module(module)
    return module


work = _loaded()


def _spawn(what: str, root: Path, mode: str) -> subprocess.Popen[bytes]:
    environment = os.environ | {"PYTHONPATH": str(SRC), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.Popen(
        [sys.executable, str(WORK), what, str(root), mode],
        env=environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )


def _race(root: Path, mode: str, width: int, beside: bool, dice: random.Random) -> tuple[int, list[str]]:
    """Let `width` runners finish the table; kill three at random moments. Returns kills and what is wrong."""
    root.mkdir(parents=True)
    runners = [_spawn("finish", root, mode) for _ in range(width)]
    maintainer = _spawn("compact", root, mode) if beside else None
    kills, wrong, next_kill = 0, [], time.monotonic() + dice.uniform(0.5, 1.2)
    while runners:
        for runner in [r for r in runners if r.poll() is not None]:
            runners.remove(runner)
            said = runner.communicate()[1].decode()
            if runner.returncode == -9:
                runners.append(_spawn("finish", root, mode))
            elif runner.returncode:
                wrong.append(f"a runner ended with {runner.returncode}: {said[-600:]}")
        if runners and kills < 3 and time.monotonic() > next_kill:
            dice.choice(runners).kill()
            kills, next_kill = kills + 1, time.monotonic() + dice.uniform(0.1, 0.9)
        time.sleep(0.005)
    if maintainer is not None:
        alive = maintainer.poll() is None
        maintainer.kill()
        said = maintainer.communicate()[1].decode()
        wrong += [] if alive else [f"the maintainer ended by itself: {said[-600:]}"]
    return kills, wrong + work.judge(root, mode)


CASES = [
    ("append", 2, True),
    ("append", 4, False),
    ("merge", 2, True),
    ("merge", 4, False),
    ("replace", 2, False),
    ("replace", 4, True),
]


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "width", "beside"), CASES)
def test_rivals_killed_at_random_leave_the_table_of_an_undisturbed_run(
    tmp_path: Path, mode: str, width: int, beside: bool
) -> None:
    started, rounds, killed, compacted = time.monotonic(), 0, 0, 0
    while not rounds or time.monotonic() - started < SOAK:
        seed = random.randrange(1 << 32)
        kills, wrong = _race(tmp_path / f"round-{rounds}", mode, width, beside, random.Random(seed))
        assert wrong == [], f"round {rounds}, {kills} kills"
        done = history(work.Lake(tmp_path / f"round-{rounds}" / "lake"), work.NAME)
        compacted += sum(v.mode == "compact" for v in done)
        rounds, killed = rounds + 1, killed + kills
    said = (mode, width, rounds, killed, compacted)
    logging.getLogger("soak").warning("%s, %d runners: %d rounds, %d kills, %d compactions", *said)
