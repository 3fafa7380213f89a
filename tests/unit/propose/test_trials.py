"""Unit tests of dbt become tests of models, with the same rows, and those that cannot are named."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.propose.small_dbt import proposed, told

from lagoa.project.load import load
from lagoa.project.trials import read_trials

MODEL = "select id, upper(name) as name, amount * {{ var('factor', 2) }} as twice from {{ ref('raw') }}"
HEAD = "unit_tests:\n  - name: u\n    model: a\n"


@pytest.mark.parametrize(
    ("rest", "words"),
    [
        ("    given: [{input: ref('gone'), rows: []}]\n", "rows of `ref('gone')`, which is no table"),
        ("    given: [{input: this, rows: []}]\n", "rows of `this`, which is no table"),
        ("    overrides: {macros: {is_incremental: true}}\n", "what `is_incremental()` adds"),
        ("    overrides: {vars: {factor: 3}}\n", "it overrides `factor`"),
        ("    overrides: {env_vars: {HOME: x}}\n", "it overrides `HOME`"),
        ("    expect: {format: sql, rows: select 1 as id}\n", "its rows are SQL"),
        ("    expect: {format: csv, fixture: gone}\n", "no fixture `gone.csv`"),
    ],
)
def test_a_unit_test_that_cannot_be_said_is_named(tmp_path: Path, rest: str, words: str) -> None:
    made = proposed(tmp_path, {"models/a.sql": MODEL, "models/a.yml": HEAD + rest})
    (note,) = told(made, "untranslated")
    assert note.startswith("models/a.yml:2: the unit test `u` of `a`: ")
    assert words in note
    assert not (tmp_path / "new/tests").exists()


def test_a_unit_test_of_a_model_that_was_not_translated_is_named(tmp_path: Path) -> None:
    made = proposed(tmp_path, {"models/a.sql": "select {{ run_query('x') }}", "models/a.yml": HEAD})
    assert any("its model was not translated" in note for note in told(made, "untranslated"))


def test_rows_that_the_model_does_not_read_are_left_out(tmp_path: Path) -> None:
    given = "    given: [{input: ref('b'), rows: [{id: 1}]}]\n    expect: {rows: []}\n"
    made = proposed(
        tmp_path,
        {"models/a.sql": MODEL, "models/b.sql": "select 1 as id", "models/a.yml": HEAD + given},
    )
    assert any("gives rows of `gold.b`, which `gold.a` does not read" in note for note in told(made, "decided"))
    (trial,) = read_trials(load(tmp_path / "new"))
    assert not trial.given
