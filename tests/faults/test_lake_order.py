"""Nothing is committed before what it names is on the disk, and nothing is built on a commit that is not."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

WORK = Path(__file__).with_name("lake_work.py")
SRC = Path(__file__).resolve().parents[2] / "src"
STRACE = shutil.which("strace")
CALLS = "fsync,fdatasync,rename,renameat,renameat2,link,linkat"
FSYNC = re.compile(r"f(?:data)?sync\(\d+<([^>]+)>")
RENAME = re.compile(r'rename(?:at2?)?\([^"]*"([^"]+)"[^"]*"([^"]+)"')
LINK = re.compile(r'link(?:at)?\([^"]*"[^"]+"[^"]*"([^"]+\.json)"')


def _loaded() -> Any:
    spec = importlib.util.spec_from_file_location("lake_work", WORK)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["lake_work"] = module
    spec.loader.exec_module(module)
    return module


work = _loaded()


def _calls(root: Path, mode: str) -> list[tuple[str, str]]:
    """Do one step; return what it did to the disk in order: ("fsync" | "placed" | "commit", path)."""
    trace = root / "trace"
    watch = [str(STRACE), "-f", "-y", "-qq", "-s", "4096", "-o", str(trace), "-e", f"trace={CALLS}"]
    subprocess.run(
        [*watch, sys.executable, str(WORK), "step", str(root), mode],
        env=os.environ | {"PYTHONPATH": str(SRC), "PYTHONDONTWRITEBYTECODE": "1"},
        check=True,
        capture_output=True,
    )
    done: list[tuple[str, str]] = []
    names: dict[str, str] = {}
    for line in trace.read_text().splitlines():
        if found := FSYNC.search(line):
            done.append(("fsync", found[1]))
        elif found := RENAME.search(line):
            names[found[1]] = found[2]
            done.append(("placed", found[2]))
        elif found := LINK.search(line):
            done.append(("commit", found[1]))
    return [(what, names.get(path, path)) for what, path in done]


@pytest.mark.slow
@pytest.mark.skipif(STRACE is None, reason="needs strace: apt-get install strace")
@pytest.mark.parametrize(("mode", "before"), [("append", 0), ("merge", 2), ("replace", 2)])
def test_files_states_and_folders_are_durable_before_the_commit_and_the_commit_after(
    tmp_path: Path, mode: str, before: int
) -> None:
    with work.engine(tmp_path).session() as session:
        for _ in range(before):
            work.step(session, tmp_path, mode)
    calls = _calls(tmp_path, mode)
    table = work.Lake(tmp_path / "lake").open(work.NAME)
    commit = str(table.path / "_delta_log" / f"{before:020}.json")
    at = calls.index(("commit", commit))
    first, then = calls[:at], calls[at + 1 :]
    assert table.state
    placed = [path for what, path in first if what == "placed"]
    assert placed
    assert {str(table.path / f) for f in table.files} & set(placed)
    for path in placed:
        assert ("fsync", path) in first, f"{path} is committed before it is durable"
        assert ("fsync", str(Path(path).parent)) in first[first.index(("placed", path)) :]
    state = table.path / "_lagoa" / "state" / f"{table.state.id}.json"
    assert ("fsync", str(state)) in first
    assert ("fsync", str(state.parent)) in first[first.index(("fsync", str(state))) :]
    assert ("fsync", commit) in then
    assert ("fsync", str(table.path / "_delta_log")) in then
    if not before:
        for folder in (table.path, table.path.parent, table.path.parent.parent):
            assert ("fsync", str(folder)) in calls, f"the folder {folder} may vanish"
    else:
        older = str(table.path / "_delta_log" / f"{before - 1:020}.json")
        assert ("fsync", older) in first, "a rival's commit may not be durable yet"
    quarantine = str(work.Lake(tmp_path / "lake").path(work.NAME.quarantine) / "_delta_log")
    follow = next(i for i, (what, path) in enumerate(then) if what == "commit" and path.startswith(quarantine))
    assert then.index(("fsync", commit)) < follow, "the quarantine followed a commit that was not durable"
