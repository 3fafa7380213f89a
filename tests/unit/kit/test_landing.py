"""Files come in natural order, under their real paths, without a look at each folder above each of them."""

from __future__ import annotations

import os
import random
import re
from pathlib import Path
from typing import Any

import pytest

from lagoa.errors import SourceError
from lagoa.kit.landing import find, natural


def by_parts(name: str) -> list[tuple[int, int, str]]:
    """Say the same order in the plainest way."""
    parts = re.split(r"(\d+)", name)
    return [(0, int(p), p) if p.isdecimal() and p.isascii() else (1, 0, p) for p in parts]


def test_numbers_within_names_are_in_the_order_of_their_values() -> None:
    assert sorted(["10.csv", "9.csv", "2a.csv", "02.csv", "2.csv"], key=natural) == [
        "02.csv", "2.csv", "2a.csv", "9.csv", "10.csv",
    ]  # fmt: skip
    chance = random.Random(7)
    names = ["".join(chance.choices("019a!é٣/.", k=chance.randint(0, 7))) for _ in range(3000)]
    assert sorted(names, key=natural) == sorted(names, key=by_parts)


def test_links_are_followed_to_what_they_mean_but_not_out_of_the_folder(tmp_path: Path) -> None:
    base = tmp_path / "base"
    (base / "real").mkdir(parents=True)
    (base / "real" / "a.csv").write_text("x\n")
    (base / "linked").symlink_to(base / "real")
    (base / "b.csv").symlink_to(base / "real" / "a.csv")
    (tmp_path / "seen").symlink_to(base)
    for seen in (base, tmp_path / "seen"):
        assert [(f.name, f.path, f.size) for f in find(seen, "{Dir}/*.csv")] == [
            ("linked/a.csv", base / "real" / "a.csv", 2),
            ("real/a.csv", base / "real" / "a.csv", 2),
        ]
        assert [f.path for f in find(seen, "*.csv")] == [base / "real" / "a.csv"]
    assert [f.levels for f in find(base, "{Dir}/*.csv")] == [(("dir", "linked"),), (("dir", "real"),)]
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "c.csv").write_text("x\n")
    for link, pattern in (("out", "out/*.csv"), ("c.csv", "*.csv")):
        (base / link).symlink_to(outside if link == "out" else outside / link)
        with pytest.raises(SourceError, match="leads out of"):
            find(base, pattern)


def test_a_folder_above_is_looked_at_once_and_not_for_each_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(50):
        (tmp_path / f"{number}.csv").write_text("x\n")
    looks: list[Any] = []
    look = os.lstat

    def counted(path: Any, **options: Any) -> os.stat_result:
        looks.append(path)
        return look(path, **options)

    monkeypatch.setattr(os, "lstat", counted)
    assert len(find(tmp_path, "*.csv")) == 50
    assert len(looks) < 50
