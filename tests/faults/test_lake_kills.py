"""A publish is killed at every step that it takes on the disk; resumed, the table is as if nothing had happened.

SOAK=1 visits every call of every mode, at the table's creation and later; without it a part is visited.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

SOAK = bool(os.environ.get("SOAK"))
WORK = Path(__file__).with_name("lake_work.py")
SRC = Path(__file__).resolve().parents[2] / "src"
STRACE = shutil.which("strace")
CALLS = {
    "rename,renameat,renameat2": 10,
    "link,linkat": 4,
    "fsync,fdatasync": 60,
    "mkdir,mkdirat": 30,
    "unlink,unlinkat": 10,
    "write,pwrite64": 60,
}
"""What a publish does to the disk, and a bound above the number of times it does so in one thread."""
CASES = [(mode, before) for mode in ("append", "merge", "replace") for before in (0, 3)]
SEEN = {"append": (0, 3), "merge": (3,), "replace": (3,)}


def _loaded() -> Any:
    spec = importlib.util.spec_from_file_location("lake_work", WORK)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["lake_work"] = module
    spec.loader.exec_module(module)
    return module


work = _loaded()


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(SRC), "PYTHONDONTWRITEBYTECODE": "1", "RUST_BACKTRACE": "0"}


def _killed(root: Path, mode: str, call: str, nth: int) -> bool:
    """Do one step under strace, which kills it at the n-th such call of a thread; say whether it came to that."""
    inject = ["-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={nth}"]
    command = [str(STRACE), "-f", "-qq", "-o", "/dev/null", *inject]  # --seccomp-bpf would ignore `when`
    done = subprocess.run(
        [*command, sys.executable, str(WORK), "step", str(root), mode],
        env=_environment(),
        capture_output=True,
        check=False,
    )
    if done.returncode in (137, -9):
        return True
    assert done.returncode == 0, done.stderr.decode()
    return False


def _points(call: str) -> range:
    """Number the calls at which to kill: all of them in a soak, else some where there are many."""
    stride = 1 if SOAK or CALLS[call] <= 10 else 10 if "write" in call else 6
    return range(1, CALLS[call], stride)


def _visit(seed: Path, root: Path, mode: str, call: str) -> tuple[int, list[str]]:
    """Kill at each point until the step survives; resume and judge each time."""
    kills, wrong = 0, []
    for nth in _points(call):
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(seed, root)
        if not _killed(root, mode, call, nth):
            break
        kills += 1
        work.finish(root, mode)
        wrong += [f"{mode}, {call} {nth}: {w}" for w in work.judge(root, mode)]
    return kills, wrong


@pytest.mark.slow
@pytest.mark.skipif(STRACE is None, reason="needs strace: apt-get install strace")
@pytest.mark.parametrize(("mode", "before"), [c for c in CASES if SOAK or c[1] in SEEN[c[0]]])
def test_a_publish_killed_at_any_step_is_resumed_as_if_nothing_had_happened(
    tmp_path: Path, mode: str, before: int
) -> None:
    seed = tmp_path / "seed"
    seed.mkdir()
    made = work.engine(seed)
    with made.session() as session:
        for _ in range(before):
            work.step(session, seed, mode)
    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(_visit, seed, tmp_path / f"at-{i}", mode, call) for i, call in enumerate(CALLS)]
        found = [job.result() for job in jobs]
    visited = dict(zip(CALLS, (kills for kills, _ in found), strict=True))
    logging.getLogger("soak").warning("%s after %d: %s", mode, before, visited)
    assert [w for _, wrong in found for w in wrong] == []
    assert visited["link,linkat"] and visited["rename,renameat,renameat2"], "strace killed nothing"
    assert visited["fsync,fdatasync"] >= (15 if SOAK else 3), "strace killed at the first call only"


def test_the_judge_sees_a_lost_row_a_doubled_batch_and_a_wrong_quarantine(tmp_path: Path) -> None:
    work.finish(tmp_path, "append")
    assert work.judge(tmp_path, "append") == []
    lake = work.Lake(tmp_path / "lake")
    table = lake.open(work.NAME)
    with work.engine(tmp_path).session() as session:
        change = work._change(session, table, "append", work.batch("append", 3), 7, tmp_path / "again")
        work.publish(lake, table, change)
    work.quarantine.follow(lake, work.NAME)
    assert len(work.judge(tmp_path, "append")) == 3
