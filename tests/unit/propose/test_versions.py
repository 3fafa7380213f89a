"""Each version of a dbt model becomes a model of its own, and `ref` finds the one that is meant."""

from __future__ import annotations

from pathlib import Path

from tests.unit.propose.small_dbt import SETTINGS, proposed, told

from lagoa.project.load import load
from lagoa.project.trials import read_trials
from lagoa.spec.names import TableName

VERSIONED = """\
models:
  - name: people
    latest_version: 2
    description: Whom we know.
    columns:
      - {name: id, tests: [unique]}
      - {name: name, description: as they say it}
    versions:
      - {v: 1}
      - v: 2
        columns: [{include: all, exclude: [name]}, {name: loud, description: as we shout it}]
      - {v: 3, defined_in: people_next, description: Whom we will know.}
unit_tests:
  - name: shouts
    model: people
    versions: {include: [2]}
    given: [{input: ref('raw'), rows: [{id: 1, name: a}]}]
    expect: {rows: [{id: 1, loud: A}]}
"""
FILES = {
    "models/people.yml": VERSIONED,
    "models/people_v1.sql": "select id, name from {{ ref('raw') }}",
    "models/people_v2.sql": "select id, upper(name) as loud from {{ ref('raw') }}",
    "models/people_next.sql": "select id, name, 3 as number from {{ ref('raw') }}",
    "models/readers.sql": "select a.loud, b.name, c.number, d.loud as again from {{ ref('people') }} a "
    "join {{ ref('people', v=1) }} b using (id) join {{ ref('people', version='3') }} c using (id) "
    "join {{ ref('shop', 'people', v=2) }} d using (id)",
    "models/readers.yml": "models:\n  - name: readers\n    columns:\n      - name: name\n"
    "        tests: [{relationships: {to: \"ref('people', v=1)\", field: name}}]\n",
}


def test_each_version_is_a_model_and_a_reference_finds_the_one_that_it_means(tmp_path: Path) -> None:
    made = proposed(tmp_path, FILES)
    assert told(made, "untranslated") == []
    words = "`people` has versions, each a model of its own; `ref('people')` is the latest, `people_v2`"
    assert f"models/people.yml:10: {words}" in told(made, "decided")
    query = made.files["models/gold/readers.sql"]
    read = [word for word in query.replace("\n", " ").split() if word.startswith("gold.people")]
    assert read[-4:] == ["gold.people_v2", "gold.people_v1", "gold.people_v3", "gold.people_v2"]
    assert "foreign_key: gold.people_v1.name" in query


def test_a_version_says_what_its_model_says_unless_it_says_so_itself(tmp_path: Path) -> None:
    proposed(tmp_path, FILES)
    project = load(tmp_path / "new")
    first, second, third = (project.models[TableName("gold", f"people_v{n}")].header for n in (1, 2, 3))
    assert (first.description, third.description) == ("Whom we know.", "Whom we will know.")
    assert first.columns["name"].description == "as they say it"
    assert {name: len(column.checks) for name, column in second.columns.items()} == {"id": 1, "loud": 0}
    (trial,) = read_trials(project)
    assert [str(table) for table in trial.expected] == ["gold.people_v2"]


def test_what_is_configured_for_a_model_holds_for_its_versions(tmp_path: Path) -> None:
    settings = (
        f"{SETTINGS}models:\n  shop:\n    +materialized: view\n    people: {{+tags: [core], v1: {{+tags: [old]}}}}\n"
    )
    proposed(tmp_path, {**FILES, "dbt_project.yml": settings})
    project = load(tmp_path / "new")
    tags = {n: project.models[TableName("gold", f"people_v{n}")].header.tags for n in (1, 2, 3)}
    assert tags == {1: ("core", "old"), 2: ("core",), 3: ("core",)}


def test_a_version_that_is_not_there_is_named(tmp_path: Path) -> None:
    files = {name: text for name, text in FILES.items() if "people_v1" not in name}
    made = proposed(tmp_path, files)
    notes = told(made, "untranslated")
    assert "models/people.yml:9: `people_v1` is described, but there is no model of that name" in notes
    assert any("`ref('people', v=1)`: nothing of that name became a table here" in note for note in notes)


def test_names_that_only_accents_tell_apart_stay_apart(tmp_path: Path) -> None:
    made = proposed(tmp_path, {"models/mes.sql": "select 1 as a", "models/mês.sql": "select 2 as a"})
    assert "select 1 as a" in made.files["models/gold/mes.sql"]
    assert "select 2 as a" in made.files["models/gold/mes_2.sql"]
