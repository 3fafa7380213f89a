"""A new project appears whole, in a new folder, under its own name."""

from __future__ import annotations

from pathlib import Path

import pytest

from lagoa.cli.init import EXAMPLES
from lagoa.project.load import load
from lagoa.testing.mouth import Lagoa


@pytest.mark.parametrize("example", list(EXAMPLES))
def test_every_example_becomes_a_sound_project(
    lagoa: Lagoa, tmp_path: Path, example: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLIST_DATA", str(tmp_path))
    said = lagoa("init", tmp_path / "My shop", "--example", example)
    assert (said.code, said.out) == (0, "")
    project = load(tmp_path / "My shop")
    assert project.file.name == "My-shop"
    assert EXAMPLES[example][0] in map(str, project.graph.nodes)


def test_the_last_words_are_the_next_commands(lagoa: Lagoa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert lagoa("init", "shop").err.splitlines()[-3:] == [
        "Next: cd shop",
        "      lagoa run   read the files, build every table",
        '      lagoa query "select * from gold.revenue_by_month limit 10"',
    ]


def test_git_does_not_see_lake_logs_and_secrets(lagoa: Lagoa, tmp_path: Path) -> None:
    lagoa("init", tmp_path / "shop")
    assert (tmp_path / "shop/.gitignore").read_text().split() == [".env", ".lagoa/", "lake/"]


def test_an_empty_folder_is_taken_and_a_full_one_refused(lagoa: Lagoa, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert lagoa("init", tmp_path / "empty").code == 0
    before = sorted(tmp_path.rglob("*"))
    said = lagoa("init", tmp_path / "empty")
    assert said.code == 2
    assert said.err.startswith("error[LG-603]: ")
    assert "is there already and is not empty" in said.err
    assert sorted(tmp_path.rglob("*")) == before


def test_a_project_that_is_copied_can_be_written(lagoa: Lagoa, tmp_path: Path) -> None:
    lagoa("init", tmp_path / "shop")
    assert all(path.stat().st_mode & 0o200 for path in (tmp_path / "shop").rglob("*"))
