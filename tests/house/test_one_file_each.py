"""A new source and a new check are one file each: nothing else of Lagoa is edited."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src"

TOY_SOURCE = '''
"""A source that counts."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from lagoa.ports import Batch, Portion, Reading, Source


class Toy(Source):
    """Gives the numbers from one to `up_to`."""

    up_to: int = 10
    """The last number."""

    def read(self, reading: Reading) -> Iterator[Batch]:
        """Read all numbers."""
        rows = f"select n, 'toy:' || n as _source from range(1, {self.up_to} + 1) as t(n)"
        yield Batch(iter([Portion(rows, label="numbers")]), pa.schema([("n", pa.int64())]))


Adapter = Toy
'''
TOY_CHECK = '''
"""A check that knows even numbers."""

from __future__ import annotations

from lagoa.ports import Asked, Check


class ToyEven(Check):
    """The value is even."""

    def breaks(self, asked: Asked) -> str:
        """Say that odd numbers break it."""
        return f"{asked.column} % 2 = 1"


Adapter = ToyEven
'''
PROJECT = {
    "lagoa.yml": "name: toys\n",
    "sources/box.yml": """\
type: toy
up_to: 6
streams:
  numbers:
    columns:
      n: {checks: [{toy_even: true, on_fail: quarantine}]}
""",
    "models/gold/total.sql": "select sum(n) as total, count(*) as numbers from bronze.box_numbers\n",
}


@pytest.fixture
def lagoa(tmp_path: Path) -> Path:
    """A copy of Lagoa with two files more."""
    copy = tmp_path / "src"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__", "examples"))
    (copy / "lagoa/adapters/sources/toy.py").write_text(TOY_SOURCE.lstrip(), "utf-8")
    (copy / "lagoa/adapters/checks/toy_even.py").write_text(TOY_CHECK.lstrip(), "utf-8")
    return copy


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that uses both."""
    for name, text in PROJECT.items():
        path = tmp_path / "toys" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return tmp_path / "toys"


def _run(lagoa: Path, project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(lagoa)}
    command = [sys.executable, "-m", "lagoa", *arguments]
    return subprocess.run(command, cwd=project, env=environ, capture_output=True, text=True)


def test_a_toy_source_and_a_toy_check_run_by_one_file_each(lagoa: Path, project: Path) -> None:
    ran = _run(lagoa, project, "run")
    assert ran.returncode == 0, ran.stderr + ran.stdout
    total = _run(lagoa, project, "query", "select total, numbers from gold.total", "--format", "csv")
    assert total.stdout.split() == ["total,numbers", "12,3"]
    odd = _run(
        lagoa, project, "query", "select _source from quarantine.bronze_box_numbers order by 1", "--format", "csv"
    )
    assert odd.stdout.split() == ["_source", "toy:1", "toy:3", "toy:5"]


def test_without_the_files_both_are_unknown_by_name(project: Path) -> None:
    said = _run(SOURCE, project, "validate")
    assert said.returncode == 2
    assert "`toy` is not one of the sources" in said.stderr
