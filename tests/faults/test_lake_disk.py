"""A full disk, a file-size limit, a read-only disk: an error with a name, the table untouched, a retry that works."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lagoa.errors import LakeError
from lagoa.testing.raft import Raft

ROOT = Path(__file__).resolve().parents[2]
PUBLISH = """
import os, resource, subprocess, sys
from pathlib import Path
from lagoa.errors import LagoaError
from lagoa.lake.publish import publish
from lagoa.registry import adapter
from lagoa.testing.shore import ORDERS, Shore, ids

root, harm = Path(sys.argv[1]), sys.argv[2]
engine = adapter("engines", "duckdb")(2, "500MB", Path(sys.argv[3]))
with engine.session() as session:
    shore = Shore(root, session)
    have = shore.count() if shore.lake.open(ORDERS).exists else 0
    change = shore.change(ids(have, have + 10))
    exec(harm)
    try:
        publish(shore.lake, shore.lake.open(ORDERS), change)
        said = "published"
    except LagoaError as error:
        said = f"{error.code} {error.message}"
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print(said, "|", shore.count())
"""


def publish(root: Path, harm: str = "") -> str:
    """Publish ten rows in a process of its own, which does `harm` once they are staged; return what it said."""
    done = subprocess.run(
        [sys.executable, "-c", PUBLISH, str(root), harm, str(root.parent / "spill")],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "panicked" not in done.stderr
    return done.stdout.strip()


def assert_untouched(said: str, why: str) -> None:
    """A publish may still have found room; if not, it says why and the ten rows of before are there."""
    if not said.startswith("published"):
        assert said.startswith("LG-306 silver.orders cannot be written: ")
        assert why in said
        assert said.endswith("| 10")


@pytest.mark.parametrize("limit", [100, 900])
def test_a_file_size_limit_is_named_leaves_the_table_untouched_and_a_retry_works(tmp_path: Path, limit: int) -> None:
    root = tmp_path / "root"
    assert publish(root) == "published | 10"
    said = publish(root, f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, resource.RLIM_INFINITY))")
    assert_untouched(said, "File too large")
    assert limit > 100 or said.startswith("LG-306")
    assert publish(root) == f"published | {20 if said.startswith('LG-306') else 30}"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 192 KiB, or the lack of the right to make one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=192k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("needs the right to mount a tmpfs: run as root")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


FILL = """
free = os.statvfs(root)
(root / "filler").write_bytes(b"x" * max(0, free.f_bavail * free.f_frsize - {leave}))
"""


@pytest.mark.parametrize("leave", [0, 8192, 20480])
def test_a_full_disk_is_named_leaves_the_table_untouched_and_a_retry_works(small_disk: Path, leave: int) -> None:
    assert publish(small_disk) == "published | 10"
    said = publish(small_disk, FILL.format(leave=leave))
    assert_untouched(said, "No space left on device")
    assert leave or said.startswith("LG-306")
    (small_disk / "filler").unlink()
    assert publish(small_disk) == f"published | {20 if said.startswith('LG-306') else 30}"


def test_a_read_only_disk_is_named(small_disk: Path) -> None:
    assert publish(small_disk) == "published | 10"
    said = publish(small_disk, "subprocess.run(['mount', '-o', 'remount,ro', str(root)], check=True)")
    assert said.startswith("LG-306")
    assert_untouched(said, "Read-only file system")


def test_a_lake_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    raft = Raft(tmp_path)
    raft.model("silver.s", "select 1 as id")
    raft.write("lake/.staging", "in the way of the folder")
    for doing in (raft.ok, lambda: raft.open().maintain()):
        with pytest.raises(LakeError, match="the lake cannot be written: File exists") as caught:
            doing()
        assert caught.value.code == "LG-306"


def test_a_run_on_a_full_disk_says_so_of_each_table_and_goes_on_when_there_is_room(
    small_disk: Path, tmp_path: Path
) -> None:
    raft = Raft(tmp_path / "project")
    raft.write("lagoa.yml", f"name: raft\ntargets: {{local: {{lake: '{small_disk}/lake', threads: 1}}}}\n")
    raft.source("land", 'text: {path: "*.csv"}\ntable: {path: "*.parquet"}\nlines: {path: "*.ndjson"}')
    noise = [random.Random(n).randbytes(40).hex() for n in range(4000)]
    raft.write("land/a.csv", "\n".join(["noise", *noise]))
    raft.parquet("land/a.parquet", noise=noise)
    raft.write("land/a.ndjson", "\n".join(json.dumps({"noise": n}) for n in noise))
    errors = raft.fails()
    assert {(e.code, "No space left on device" in e.message, "{" in e.message) for e in errors.values()} == {
        ("LG-306", True, False)
    }
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    assert [r.total for r in raft.ok().values()] == [4000, 4000, 4000]
