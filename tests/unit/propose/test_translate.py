"""Whatever a dbt project holds is translated, or named with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.propose.small_dbt import PROFILE, SETTINGS, proposed, told

from lagoa.errors import CommandError
from lagoa.project.load import load

EVERY_SORT = """\
models:
  - name: a
    tests:
      - dbt_utils.unique_combination_of_columns: {combination_of_columns: [id, name]}
      - dbt_utils.expression_is_true: {expression: amount > 0}
      - dbt_utils.recency: {datepart: day, field: day, interval: 3}
    columns:
      - name: id
        tests:
          - unique
          - not_null: {config: {severity: warn, where: id > 1}}
          - relationships: {to: ref('raw'), field: id}
      - name: amount
        tests:
          - dbt_utils.accepted_range: {min_value: 0, max_value: 9}
          - dbt_utils.accepted_range: {min_value: 0, inclusive: false}
          - least: {value: 1}
      - name: name
        tests:
          - accepted_values: {values: [a, b]}
          - dbt_utils.not_empty_string
"""


@pytest.mark.parametrize(
    ("file", "text", "place", "words"),
    [
        ("models/a.py", "def model(dbt, session):\n    return 1\n", "models/a.py:1", "it is Python"),
        ("models/a.sql", "select\n{{ run_query('x') }} as y", "models/a.sql:2", "needs the database"),
        ("models/a.sql", "select 1 as x\nfrom raw_orders", "models/a.sql:1", "raw_orders"),
        ("models/a.sql", "select 1 as x\nfrom information_schema.tables", "models/a.sql:1", "information_schema"),
        ("models/a.sql", "select (1 as x", "models/a.sql:1", "cannot be read"),
        ("models/a.sql", "select * from read_csv('x.csv')", "models/a.sql:1", "reads outside"),
        ("models/a.sql", "select\n  nonesuch(1) as x", "models/a.sql:2", "no function `nonesuch`"),
        ("models/a.sql", "select gone from {{ ref('raw') }}", "models/a.sql:1", "DuckDB refuses it"),
        ("models/a.sql", "{{ config(pre_hook='x') }}\nselect 1 as x", "models/a.sql:1", "`pre_hook`"),
        ("tests/t.sql", "select 1 as x", "tests/t.sql:1", "reads no table"),
        ("tests/t.sql", "{{ graph }}", "tests/t.sql:1", "'graph' is undefined"),
        ("analyses/a.sql", "select 1", "analyses/a.sql:1", "an analysis"),
        ("models/s.yml", "exposures:\n  - name: board\n", "models/s.yml:2", "`board`: an exposure"),
        ("models/s.yml", "metrics:\n  - name: m\n", "models/s.yml:2", "`m`: a metric"),
        ("models/s.yml", "models:\n  - name: gone\n", "models/s.yml:2", "no model of that name"),
        ("models/s.yml", "models: [\n", "models/s.yml:1", "cannot be read"),
        ("seeds/s.yml", "seeds:\n  - name: raw\n    tests:\n      - strange.one\n", "seeds/s.yml:4", "`strange.one`"),
        ("models/s.yml", "models:\n  - name: raw\n    columns: 5\n    tests: 3\n", "models/s.yml:1", "another shape"),
        ("models/s.yml", "models:\n  - name: a\n    latest_version: 2\n", "models/s.yml:3", "`latest_version` of `a`"),
        ("packages.yml", "packages:\n  - package: dbt-labs/dbt_utils\n", "packages.yml:2", "not in dbt_packages"),
        ("dbt_project.yml", SETTINGS + "on-run-end: [x]\n", "dbt_project.yml:3", "`on-run-end`"),
        ("snapshots/s.sql", "{% snapshot s %}select 1 as x{% endsnapshot %}", "snapshots/s.sql:1", "no `unique_key`"),
    ],
)
def test_what_is_not_translated_is_named(tmp_path: Path, file: str, text: str, place: str, words: str) -> None:
    made = proposed(tmp_path, {file: text})
    found = [note for note in told(made, "untranslated") if note.startswith(place) and words in note]
    assert found, made.notes
    report = (tmp_path / "new" / "TRANSLATION.md").read_text("utf-8")
    assert f"`{place}`" in report
    assert words in report


def test_a_file_that_is_not_translated_is_kept(tmp_path: Path) -> None:
    proposed(tmp_path, {"models/a.sql": "select {{ run_query('x') }}"})
    assert (tmp_path / "new/untranslated/models/a.sql").read_text("utf-8") == "select {{ run_query('x') }}"
    assert not list((tmp_path / "new").glob("models/**/a.sql"))


def test_tests_of_every_sort_become_checks(tmp_path: Path) -> None:
    generic = (
        "{% test least(model, column_name, value) %}\n"
        "select * from {{ model }} where {{ column_name }} < {{ value }}\n{% endtest %}"
    )
    model = "select id, name, amount, day::timestamp as day from {{ ref('raw') }}"
    made = proposed(tmp_path, {"models/a.sql": model, "models/a.yml": EVERY_SORT, "tests/generic/least.sql": generic})
    assert told(made, "untranslated") == []
    project = load(tmp_path / "new")
    (header,) = [m.header for m in project.models.values()]
    beside = [
        (name, check.kind, check.value, check.on_fail, check.where)
        for name, column in header.columns.items()
        for check in column.checks
    ]
    assert beside == [
        ("id", "unique", None, "block", None),
        ("id", "foreign_key", "bronze.seeds_raw.id", "block", None),
        ("id", "not_null", True, "warn", "id > 1"),
        ("amount", "max", 9, "block", None),
        ("amount", "min", 0, "block", None),
        ("name", "in", ["a", "b"], "block", None),
    ]
    assert [c.kind for c in header.checks] == ["freshness", "unique"]
    assert {check.body.strip() for check in project.checks} == {
        "select * from gold.a where not (amount > 0)",
        "select * from gold.a where amount <= 0",
        "select * from gold.a where amount < 1",
        "select * from gold.a where trim(name) = ''",
    }


def test_a_foreign_key_into_a_table_made_from_this_one_guards_that_table(tmp_path: Path) -> None:
    tests = "models:\n  - name: stg_a\n    columns:\n      - name: id\n        tests:\n"
    tests += "          - relationships: {to: ref('b'), field: id}\n"
    files = {"models/stg_a.sql": "select id from {{ ref('raw') }}", "models/b.sql": "select id from {{ ref('stg_a') }}"}
    proposed(
        tmp_path, {**files, "models/a.yml": tests, "dbt_project.yml": SETTINGS + "models: {+materialized: table}\n"}
    )
    (check,) = load(tmp_path / "new").checks
    assert str(check.table) == "gold.b"


def test_a_test_of_its_own_guards_the_last_table_that_it_reads(tmp_path: Path) -> None:
    files = {
        "models/stg_a.sql": "select id from {{ ref('raw') }}",
        "models/b.sql": "select id from {{ ref('stg_a') }}",
        "tests/t.sql": "{{ config(severity='warn') }}select id from {{ ref('stg_a') }} join {{ ref('b') }} using (id)",
    }
    proposed(tmp_path, files)
    project = load(tmp_path / "new")
    (check,) = project.checks
    assert (str(check.table), check.header.on_fail) == ("gold.b", "warn")
    assert {str(name): model.header.kind for name, model in project.models.items()} == {
        "silver.stg_a": "view",
        "gold.b": "table",
    }


@pytest.mark.parametrize(
    ("folder", "layers", "layer"),
    [
        ("staging", {}, "silver"),
        ("marts/core", {}, "gold"),
        ("other", {}, "gold"),
        ("other", {"other": "silver"}, "silver"),
        ("marts/core", {"marts": "silver"}, "silver"),
        ("marts/core", {"marts/core": "silver"}, "silver"),
    ],
)
def test_the_layer_follows_the_folder_or_the_choice(
    tmp_path: Path, folder: str, layers: dict[str, str], layer: str
) -> None:
    made = proposed(tmp_path, {f"models/{folder}/a.sql": "select 1 as x"}, layers=layers)
    assert made.made["model a"] == f"{layer}.a (view)"


@pytest.mark.parametrize("layers", [{"gone": "silver"}, {"staging": "bronze"}])
def test_a_choice_that_fits_nothing_is_refused(tmp_path: Path, layers: dict[str, str]) -> None:
    with pytest.raises(CommandError, match=r"gone|bronze"):
        proposed(tmp_path, {"models/staging/a.sql": "select 1 as x"}, layers=layers)


def test_a_source_is_to_be_completed(tmp_path: Path) -> None:
    files = {
        "models/sources.yml": "sources:\n  - name: erp\n    schema: public\n    tables:\n      - name: orders\n",
        "models/a.sql": "select * from {{ source('erp', 'orders') }}",
    }
    made = proposed(tmp_path, files)
    (note,) = told(made, "to complete")
    assert note.startswith("models/sources.yml:5: say in sources/erp.yml where `bronze.erp_orders` is read from")
    assert "bronze.erp_orders" in map(str, load(tmp_path / "new").graph.nodes)


def test_queries_of_another_dialect_become_duckdbs_and_every_change_is_listed(tmp_path: Path) -> None:
    text = "select id,\n  safe_divide(amount, 2) as half,\n  `name`\nfrom {{ ref('raw') }}\n"
    made = proposed(tmp_path, {"models/a.sql": text, "profiles.yml": PROFILE.replace("duckdb", "bigquery")})
    assert told(made, "untranslated") == []
    assert told(made, "sql") == [
        "models/a.sql:2: `SAFE_DIVIDE(amount, 2)` → `CASE WHEN 2 <> 0 THEN amount / 2 ELSE NULL END`",
        'models/a.sql:3: ``name`` → `"name"`',
    ]
    assert '"name"' in made.files["models/gold/a.sql"]


def test_without_a_profile_the_dialect_must_be_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("DBT_PROFILES_DIR", raising=False)
    with pytest.raises(CommandError) as error:
        proposed(tmp_path, {"profiles.yml": ""})
    assert "--dialect" in str(error.value.hint)


def test_words_that_would_end_a_header_are_parted(tmp_path: Path) -> None:
    said = "models:\n  - name: a\n    description: ends */ and /* begins ${env:HOME}\n"
    proposed(tmp_path, {"models/a.sql": "select 1 as x", "models/a.yml": said})
    (model,) = load(tmp_path / "new").models.values()
    assert model.header.description == "ends * / and / * begins $ {env:HOME}"


def test_freshness_of_a_source_warns_and_what_it_cannot_say_is_named(tmp_path: Path) -> None:
    tables = """\
sources:
  - name: erp
    freshness: {warn_after: {count: 2, period: hour}, error_after: {count: 1, period: day}}
    loaded_at_field: seen_at
    tables:
      - name: orders
      - name: lines
        loaded_at_field: seen_at::timestamp
"""
    made = proposed(tmp_path, {"models/sources.yml": tables})
    streams = load(tmp_path / "new").graph.streams
    checks = {str(name): [(c.kind, c.value, c.on_fail) for c in s.spec.checks] for name, s in streams.items()}
    assert checks["bronze.erp_orders"] == [("freshness", {"column": "seen_at", "max_age": "2h"}, "warn")]
    assert checks["bronze.erp_lines"] == []
    assert [n for n in told(made, "untranslated") if n.startswith("models/sources.yml:7: freshness")]


def test_macros_and_tests_of_packages_are_rendered(tmp_path: Path) -> None:
    package = "{% macro _half(x) %}{{ x }} / 2{% endmacro %}\n"
    package += "{% macro half(x) %}{{ return(adapter.dispatch('half', 'parts')(x)) }}{% endmacro %}\n"
    package += "{% macro default__half(x) %}{{ parts._half(x) }}{% endmacro %}\n"
    test = "{% test small(model, column_name) %}{{ config(severity='warn') }}\n"
    test += "select * from {{ model }} where {{ column_name }} > 9{% endtest %}\n"
    said = "models:\n  - name: a\n    columns:\n      - name: h\n        tests: [parts.small]\n"
    files = {
        "dbt_packages/parts/dbt_project.yml": "name: parts\n",
        "dbt_packages/parts/macros/half.sql": package,
        "dbt_packages/parts/tests/generic/small.sql": test,
        "models/a.sql": "select {{ parts.half('amount') }} as h from {{ ref('raw') }}",
        "models/a.yml": said,
        "dbt_project.yml": SETTINGS + "models: {+materialized: table}\n",
    }
    made = proposed(tmp_path, files)
    assert told(made, "untranslated") == []
    assert "select amount / 2 as h from" in made.files["models/gold/a.sql"]
    (check,) = load(tmp_path / "new").checks
    assert (check.body.strip(), check.header.on_fail) == ("select * from gold.a where h > 9", "warn")


def test_a_source_that_is_a_seed_keeps_what_is_said_of_it(tmp_path: Path) -> None:
    said = """\
sources:
  - name: shop
    description: Everything.
    tables:
      - name: raw
        description: What was sold.
        columns:
          - {name: name, description: Who., tests: [not_null], meta: {pii: name}}
      - name: other
"""
    proposed(tmp_path, {"models/sources.yml": said, "models/a.sql": "select * from {{ source('shop', 'raw') }}"})
    project = load(tmp_path / "new")
    (stream,) = [s.spec for s in project.graph.streams.values() if s.source == "seeds"]
    column = stream.columns["name"]
    assert (stream.description, column.description, column.pii) == ("What was sold.", "Who.", "name")
    assert [check.kind for check in column.checks] == ["not_null"]
    assert project.sources["shop"].source.description == "Everything."


def test_a_template_may_ask_for_the_columns_of_models_wherever_they_stand(tmp_path: Path) -> None:
    star = "select {{ dbt_utils.star(ref('%s'), prefix='x_') }} from {{ ref('%s') }}"
    files = {"models/a.sql": star % ("b", "b"), "models/b.sql": star % ("raw", "raw")}
    files["models/c.sql"] = star % ("gone", "raw")
    made = proposed(tmp_path, {**files, "models/gone.sql": "select {{ run_query('x') }} as y"})
    assert 'select "x_id" as "x_x_id"' in (tmp_path / "new/models/gold/a.sql").read_text("utf-8")
    assert any("needs the columns of `gold.gone`" in note for note in told(made, "untranslated"))


def test_what_an_enforced_contract_demands_is_checked(tmp_path: Path) -> None:
    column = "      - name: id\n        data_type: integer\n        constraints: [{type: primary_key}, {type: odd}]\n"
    table = "    constraints:\n      - {type: check, expression: id > 0}\n      - {type: unique, columns: [id, name]}\n"
    rest = "    columns:\n" + column + "      - {name: name, data_type: varchar}\n"
    text = "models:\n  - name: a\n    config: {contract: {enforced: true}}\n" + table + rest
    made = proposed(tmp_path, {"models/a.sql": "select id, name from {{ ref('raw') }}", "models/a.yml": text})
    assert [note for note in told(made, "untranslated") if "`odd`" not in note] == []
    project = load(tmp_path / "new")
    (header,) = [m.header for m in project.models.values()]
    assert [check.kind for check in header.columns["id"].checks] == ["not_null", "unique"]
    assert [check.value for check in header.checks] == [["id", "name"]]
    assert [check.body.strip() for check in project.checks] == ["select * from gold.a where not (id > 0)"]


def test_what_is_read_by_its_name_in_the_database_is_a_model_or_a_source(tmp_path: Path) -> None:
    sources = "sources:\n  - name: erp\n    schema: raw_erp\n    tables: [{name: orders, identifier: tab01}]\n"
    files = {
        "models/s.yml": sources,
        "models/totals.sql": "{{ config(schema='marts', alias='sums') }}\nselect 1 as x",
        "models/a.sql": "select t.x from prod_marts.sums t, Raw_ERP.TAB01 as o, db.legacy.clients c",
        "models/b.sql": "select clients.x from db.legacy.clients",
        "models/c.sql": "select * from gold.old_sums as o",  # a schema may be called as a layer is
    }
    made = proposed(tmp_path, files)
    assert told(made, "untranslated") == []
    assert "from gold.totals t, bronze.erp_orders as o, bronze.legacy_clients c" in made.files["models/gold/a.sql"]
    assert "bronze.legacy_clients AS clients" in made.files["models/gold/b.sql"]
    assert "clients: {path: clients.parquet}" in made.files["sources/legacy.yml"]
    assert "from bronze.gold_old_sums as o" in made.files["models/gold/c.sql"]
    assert load(tmp_path / "new").graph.nodes
    (said,) = [note for note in told(made, "decided") if "prod_marts.sums" in note]
    assert said.startswith("models/a.sql:1: ")
    assert said.endswith("it is the model `totals`")


def test_what_the_project_configures_for_many_is_said_once(tmp_path: Path) -> None:
    settings = SETTINGS + "models:\n  +post-hook: analyze\n  +cluster_by: id\n"
    models = {f"models/{name}.sql": "select id from {{ ref('raw') }}" for name in "abc"}
    made = proposed(tmp_path, {**models, "dbt_project.yml": settings})
    assert told(made, "untranslated") == [
        "dbt_project.yml:4: `post_hook` of each model below it: SQL that runs beside the model"
    ]
    assert len([note for note in told(made, "decided") if "`cluster_by`" in note]) == 1


def test_how_fresh_a_source_must_be_that_is_a_seed_is_left_out_and_that_is_said(tmp_path: Path) -> None:
    text = "sources:\n  - name: erp\n    freshness: {warn_after: {count: 1, period: day}}\n    tables: [{name: raw}]\n"
    made = proposed(tmp_path, {"models/s.yml": text})
    assert any("freshness of `erp.raw` is left out" in note for note in told(made, "decided"))


@pytest.mark.parametrize(
    ("model", "query"),
    [
        ("select * from {{ ref('raw') }}", "select * exclude (_run, _loaded_at, _source) from bronze.seeds_raw"),
        ("select distinct * from {{ ref('raw') }} union select * from x", None),
        (
            "with s as (select * from {{ ref('raw') }}) select distinct s.* exclude (name) from s",
            "with s as (select * exclude (_run, _loaded_at, _source) from bronze.seeds_raw)"
            " select distinct s.* exclude (name) from s",
        ),
        (
            "select {{ dbt_utils.star(ref('raw'), except=['name']) }} from {{ ref('raw') }}",
            "select * exclude (name, _run, _loaded_at, _source) from bronze.seeds_raw",
        ),
        (
            "with s as (select * from {{ ref('raw') }}) select id from s",
            "with s as (select * from bronze.seeds_raw) select id from s",
        ),
    ],
)
def test_a_star_gives_no_more_than_it_gave_in_dbt(tmp_path: Path, model: str, query: str | None) -> None:
    made = proposed(tmp_path, {"models/a.sql": model.replace("from x", "from {{ ref('raw') }}")})
    assert told(made, "untranslated") == []
    star = "select * exclude (_run, _loaded_at, _source) from bronze.seeds_raw"
    wanted = query or star.replace("select", "select distinct", 1) + " union " + star
    assert made.files["models/gold/a.sql"].split("*/\n")[-1] == wanted + "\n"


def test_a_star_that_gives_more_than_in_dbt_is_told(tmp_path: Path) -> None:
    model = "select r.* from {{ ref('raw') }} as s join {{ ref('raw') }} as r using (id)"
    made = proposed(tmp_path, {"models/a.sql": "select * from (from {{ ref('raw') }})", "models/b.sql": model})
    found = [note for note in told(made, "decided") if "also holds `_run`, `_loaded_at`, `_source`" in note]
    assert [note.partition(":")[0] for note in found] == ["models/a.sql"]


def test_a_snapshot_shows_the_columns_that_its_configuration_names(tmp_path: Path) -> None:
    config = "{unique_key: id, strategy: check, check_cols: all, dbt_valid_to_current: \"'9999-12-31'::timestamp\", "
    config += "snapshot_meta_column_names: {dbt_valid_from: since, dbt_scd_id: null}, hard_deletes: new_record}"
    text = "snapshots:\n  - name: old\n    relation: ref('raw')\n    config: " + config + "\n"
    reader = {"models/a.sql": "select id, since from {{ ref('old') }}"}
    made = proposed(tmp_path, {"snapshots/s.yml": text, **reader})
    (note,) = told(made, "untranslated")
    assert "without `dbt_is_deleted`" in note
    view = made.files["models/silver/old.sql"]
    assert "valid_from::timestamp as since" in view
    assert " as dbt_scd_id," in view
    assert "coalesce(valid_to::timestamp, '9999-12-31'::timestamp) as dbt_valid_to" in view
    assert "select * exclude (_run, _loaded_at, _source) from" in made.files["models/silver/old_versions.sql"]


def test_a_model_that_a_variable_switches_off_is_left_out_with_its_tests(tmp_path: Path) -> None:
    model = "{{ config(enabled=var('using_it', false)) }}\nselect 1 as x"
    text = "models:\n  - name: a\n    columns: [{name: x, tests: [unique]}]\n"
    made = proposed(tmp_path, {"models/a.sql": model, "models/a.yml": text})
    assert told(made, "untranslated") == []
    assert told(made, "decided") == ["models/a.sql: `a` is switched off and was left out"]
    assert "models/gold/a.sql" not in made.files


def test_tests_that_compare_tables_become_queries(tmp_path: Path) -> None:
    tests = "    tests:\n      - dbt_utils.equality: {compare_model: ref('raw'), compare_columns: [id, name]}\n"
    tests += "      - dbt_utils.equality: {compare_model: ref('raw')}\n"
    tests += "      - dbt_utils.fewer_rows_than: {compare_model: ref('raw')}\n"
    where = "{to: ref('raw'), field: id, from_condition: id > 1}"
    column = "    columns:\n      - name: id\n        tests: [dbt_utils.relationships_where: " + where + "]\n"
    text = "models:\n  - name: a\n" + tests + column
    made = proposed(tmp_path, {"models/a.sql": "select * from {{ ref('raw') }}", "models/a.yml": text})
    assert told(made, "untranslated") == []
    same = "(select id, name from gold.a except select id, name from bronze.seeds_raw)"
    bodies = [check.body for check in load(tmp_path / "new").checks]
    assert len(bodies) == 4
    assert any(same in body for body in bodies)
    assert any("except select * exclude (_run, _loaded_at, _source) from bronze.seeds_raw" in body for body in bodies)


def test_a_variable_of_the_environment_is_what_is_said_for_it_and_that_is_told(tmp_path: Path) -> None:
    model = "select '{{ env_var('COUNTRY', 'BR') }}' as a, '{{ env_var('STATE') }}' as b"
    made = proposed(tmp_path, {"models/a.sql": model}, variables={"STATE": "SP"})
    assert "'BR' as a, 'SP' as b" in made.files["models/gold/a.sql"]
    told_of = [note for note in told(made, "decided") if "env_var" in note]
    assert told_of == [
        "models/a.sql:1: `env_var('COUNTRY')` is 'BR' here",
        "models/a.sql:1: `env_var('STATE')` is 'SP' here",
    ]


def test_a_test_of_the_projects_own_hides_the_known_one_of_its_name(tmp_path: Path) -> None:
    macro = "{% test unique(model, column_name) %}select * from {{ model }} where {{ column_name }} = 7{% endtest %}"
    text = "models:\n  - name: a\n    columns: [{name: id, tests: [unique, dbt_utils.at_least_one]}]\n"
    files = {"models/a.sql": "select id from {{ ref('raw') }}", "models/a.yml": text, "macros/unique.sql": macro}
    made = proposed(tmp_path, files)
    assert told(made, "untranslated") == []
    bodies = sorted(check.body.strip() for check in load(tmp_path / "new").checks)
    assert bodies[0] == "select * from gold.a where id = 7"
    assert "having count(id) = 0" in bodies[1]
