"""dbt projects become Lagoa projects that give the rows which dbt gave.

What dbt gave is recorded in tests/golden/dbt by the script beside it; versions.txt there says which dbt it was.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.golden.dbt.record import NULL
from tests.projects.dbt_projects import write
from tests.unit.propose.small_dbt import proposed, told

from lagoa import Project
from lagoa.testing.mouth import Lagoa

GOLDEN = Path(__file__).parents[1] / "golden" / "dbt"
CAPITALS = "select id, upper(name) as name, amount * {{ var('factor', 2) }} as twice from {{ ref('raw') }}"
UNIT_TESTS = """\
unit_tests:
  - name: names_are_big
    description: Names are written in capitals.
    model: a
    given:
      - input: ref('raw')
        rows: [{ID: 1, name: x, amount: 1.5}, {id: 2}]
    expect:
      rows: [{id: 1, name: X, twice: 3}, {id: 2}]
  - name: lines
    model: a
    overrides: {macros: {is_incremental: false}}
    given: [{input: ref('raw'), format: csv, rows: "id,name\\n1,x\\n2,\\n"}]
    expect: {format: csv, fixture: capitals}
"""
OWN_NAMES = {"dbt_scd_id", "dbt_updated_at", "dbt_valid_from", "dbt_valid_to"}


def translated(lagoa: Lagoa, home: Path, name: str, *more: str) -> dict[str, Any]:
    said = lagoa("init", "new", "--from-dbt", name, "--json", *more)
    assert said.code == 0, said.err
    found: dict[str, Any] = json.loads(said.out)
    assert set(found["files"]) <= {p.relative_to(home / "new").as_posix() for p in (home / "new").rglob("*")}
    return found


def files(folder: Path) -> dict[str, str]:
    kept = (p for p in folder.rglob("*") if p.is_file() and not {"lake", ".lagoa"} & set(p.relative_to(folder).parts))
    return {p.relative_to(folder).as_posix(): p.read_text("utf-8") for p in kept}


def different(project: Project, table: str, expected: Path) -> list[tuple[Any, ...]]:
    """Give the rows, as text, that only one side has; rows count as often as they are there."""
    ours = project.query(f"select columns(*)::varchar from {table}").read_all()
    connection = duckdb.connect()
    connection.register("ours", ours)
    theirs = f"read_csv('{expected}', all_varchar=true, header=true, nullstr='{NULL}', allow_quoted_nulls=false)"
    names = ", ".join(f'"{n}"' for n, *_ in connection.sql(f"describe from {theirs}").fetchall())
    mine = f"select {names} from ours"
    both = f"(({mine} except all from {theirs}) union all (from {theirs} except all {mine}))"
    return connection.sql(f"from {both}").fetchall()


def compared(folder: Path, expected: Path, leave_out: tuple[str, ...] = ()) -> list[str]:
    """Compare every table that dbt made; return their names."""
    found = []
    with Project.open(folder) as project:
        nodes = {str(name).rpartition(".")[2]: str(name) for name in project.project.graph.nodes}
        for path in sorted(expected.glob("*.csv")):
            if path.stem not in leave_out:
                table = nodes.get(path.stem) or nodes[f"seeds_{path.stem}"]
                assert different(project, table, path) == [], table
                found.append(table)
    return found


def test_the_classic_shop_gives_the_rows_that_dbt_gave(lagoa: Lagoa, home: Path) -> None:
    write("shop", home / "shop")
    said = translated(lagoa, home, "shop")
    assert {note["sort"] for note in said["notes"]} == {"decided"}
    assert lagoa("run", "-q", folder="new").code == 0
    assert compared(home / "new", GOLDEN / "shop" / "1") == [
        "gold.customers",
        "gold.orders",
        "bronze.seeds_raw_customers",
        "bronze.seeds_raw_orders",
        "bronze.seeds_raw_payments",
        "silver.stg_customers",
        "silver.stg_orders",
        "silver.stg_payments",
    ]


def test_news_go_through_the_incremental_model_and_the_snapshot_as_in_dbt(lagoa: Lagoa, home: Path) -> None:
    write("sales", home / "sales")
    said = translated(lagoa, home, "sales")
    assert said["made"]["model fct_sales"] == "gold.fct_sales (incremental)"
    assert said["made"]["snapshot sales_history"] == "silver.sales_history (scd2)"
    ran = lagoa("run", "-q", folder="new")
    assert ran.code == 0, ran.err + ran.out
    assert len(compared(home / "new", GOLDEN / "sales" / "1")) == 9
    write("sales", home / "later", 2)
    shutil.copytree(home / "later" / "seeds", home / "new" / "seeds", dirs_exist_ok=True)
    assert lagoa("run", "-q", folder="new").code == 0
    # dbt appends to a table without key what comes later; here it is what a full refresh gives, and the note says so
    assert len(compared(home / "new", GOLDEN / "sales" / "2", leave_out=("log_sales",))) == 8
    assert any("`log_sales` was incremental and is a table" in note["text"] for note in said["notes"])


@pytest.mark.parametrize("name", ["shop", "sales"])
def test_the_manifest_gives_the_same_project_as_the_files(lagoa: Lagoa, home: Path, name: str) -> None:
    write(name, home / name)
    without = translated(lagoa, home, name)
    plain = files(home / "new")
    shutil.rmtree(home / "new")
    (home / name / "target").mkdir()
    shutil.copy(GOLDEN / name / "manifest.json", home / name / "target")
    assert translated(lagoa, home, name) == without
    assert files(home / "new") == plain


def test_the_manifest_is_used_when_it_is_there(lagoa: Lagoa, home: Path) -> None:
    write("shop", home / "shop")
    manifest = json.loads((GOLDEN / "shop" / "manifest.json").read_text("utf-8"))
    manifest["nodes"]["model.shop.orders"]["description"] = "As the manifest says."
    (home / "shop" / "target").mkdir()
    (home / "shop" / "target" / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    translated(lagoa, home, "shop")
    assert "description: As the manifest says." in files(home / "new")["models/gold/orders.sql"]


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda shop: (shop / "models/orders.sql").write_text("select 1 as x"), "models/orders.sql has changed since"),
        (lambda shop: (shop / "models/new.sql").write_text("select 1 as x"), "models/new.sql is new"),
        (lambda shop: (shop / "target/manifest.json").write_text("{"), "it cannot be read"),
    ],
)
def test_a_manifest_older_than_the_files_is_not_used_and_that_is_said(
    lagoa: Lagoa, home: Path, harm: Any, words: str
) -> None:
    write("shop", home / "shop")
    (home / "shop" / "target").mkdir()
    shutil.copy(GOLDEN / "shop" / "manifest.json", home / "shop" / "target")
    harm(home / "shop")
    notes = translated(lagoa, home, "shop")["notes"]
    assert any(words in n["text"] and n["file"] == "target/manifest.json" for n in notes), notes


def test_what_dbt_compiled_stands_in_for_what_needs_the_database(lagoa: Lagoa, home: Path) -> None:
    write("shop", home / "shop")
    text = "select {{ run_query('select 1') }} as one, order_id from {{ ref('orders') }}\n"
    (home / "shop" / "models" / "asks.sql").write_text(text, "utf-8")
    manifest = json.loads((GOLDEN / "shop" / "manifest.json").read_text("utf-8"))
    asks = dict(manifest["nodes"]["model.shop.orders"])
    asks |= {"name": "asks", "original_file_path": "models/asks.sql", "raw_code": text, "columns": {}}
    asks |= {"fqn": ["shop", "asks"], "relation_name": '"shop"."main"."asks"'}
    asks["compiled_code"] = 'select 1 as one, order_id from "shop"."main"."orders"'
    manifest["nodes"]["model.shop.asks"] = asks
    (home / "shop" / "target").mkdir()
    (home / "shop" / "target" / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    found = translated(lagoa, home, "shop")
    written = " ".join(files(home / "new")["models/gold/asks.sql"].split())
    assert re.search(r"(?i)select 1 as one, order_id from gold\.orders", written)
    (note,) = [n for n in found["notes"] if n["file"] == "models/asks.sql"]
    assert (note["sort"], note["line"]) == ("decided", 1)
    assert "taken as dbt compiled it" in note["text"]


def test_unit_tests_become_tests_of_models_with_the_same_rows(lagoa: Lagoa, home: Path) -> None:
    made = proposed(
        home,
        {"models/a.sql": CAPITALS, "models/a.yml": UNIT_TESTS, "tests/fixtures/capitals.csv": "id, name\n1, X\n2,\n"},
    )
    assert told(made, "untranslated") == []
    assert made.made["unit test lines"] == "tests/a.yml"
    ran = lagoa("test", folder="new")
    assert (ran.code, ran.out.splitlines()[-1].split(" in ")[0]) == (0, "2 tests: 2 passed"), ran.err
    # what the first expected row names counts for every row
    file = home / "new/tests/a.yml"
    file.write_text(file.read_text("utf-8").replace("twice: 3.0", "twice: 4").replace("twice: 3", "twice: 4"), "utf-8")
    assert lagoa("test", folder="new").code == 1


def test_a_column_that_the_manifest_quotes_is_the_same_column(lagoa: Lagoa, home: Path) -> None:
    write("shop", home / "shop")
    translated(lagoa, home, "shop")
    plain = files(home / "new")
    shutil.rmtree(home / "new")
    manifest = json.loads((GOLDEN / "shop" / "manifest.json").read_text("utf-8"))
    judged = [entry["test_metadata"]["kwargs"] for entry in manifest["nodes"].values() if entry.get("test_metadata")]
    for arguments in judged:
        arguments["column_name"] = f'"{arguments["column_name"]}"'
    (home / "shop" / "target").mkdir()
    (home / "shop" / "target" / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    translated(lagoa, home, "shop")
    assert judged
    assert files(home / "new") == plain
