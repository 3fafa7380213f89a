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
    for brought in ("OLIST_DATA", "CNPJ_DATA", "GA4_DATA"):
        monkeypatch.setenv(brought, str(tmp_path))
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


def test_a_dbt_project_is_translated_and_what_is_left_to_do_is_said(lagoa: Lagoa, tmp_path: Path) -> None:
    for name, text in {
        "dbt_project.yml": "name: small\n",
        "models/staging/a.sql": "select {{ var('n') }} as x",
        "models/b.py": "def model(dbt, session): ...\n",
    }.items():
        path = tmp_path / "dbt" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    asked = ("init", tmp_path / "new", "--from-dbt", tmp_path / "dbt", "--dialect", "duckdb", "--var", "n=3")
    said = lagoa(*asked)
    assert said.code == 0, said.err
    assert said.out.splitlines() == [
        "Translated: 1 model.",
        "",
        "Not translated (1):",
        "  models/b.py:1: the model `b`: it is Python: write it as models/<layer>/<name>.py",
        "",
        "Decided (1):",
        "  models/staging/a.sql:1: `var('n')` is 3 here",
    ]
    assert "lagoa validate" in said.err
    assert "lagoa run" not in said.err
    project = load(tmp_path / "new")
    assert project.file.name == "new"
    assert [model.body for model in project.models.values()] == ["select 3 as x\n"]
    assert (tmp_path / "new/.gitignore").read_text().split() == [".env", ".lagoa/", "lake/"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--from-dbt", "gone"), "there is no dbt_project.yml"),
        (("--from-dbt", "gone", "--example", "shop"), "--example and --from-dbt exclude each other"),
        (("--from-dbt", "gone", "--dialect", "bigqery"), "did you mean `bigquery`?"),
        (("--from-dbt", "gone", "--layer", "staging"), "there is no `=`"),
        (("--from-dbt", "gone", "--var", "x"), "there is no `=`"),
        (("--layer", "staging=silver"), "--layer goes with --from-dbt"),
        (("--json",), "--json goes with --from or --from-dbt"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_made(
    lagoa: Lagoa, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    said = lagoa("init", tmp_path / "new", *words)
    assert said.code == 2
    assert message in said.err
    assert not (tmp_path / "new").exists()
