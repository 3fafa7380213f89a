"""Commands that read put data on stdout, conversation on stderr, and never a personal value in a sample."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from lagoa.testing.cove import CUSTOMERS, Cove
from lagoa.testing.mouth import Lagoa


def test_validate_counts_what_is_there(lagoa: Lagoa, cove: Cove) -> None:
    said = lagoa("-C", cove.root, "validate")
    assert said.out == "loja is sound: 1 source, 1 stream, 3 models, 0 checks.\n"
    assert said.err == "\nNext: lagoa plan   what a run would do\n      lagoa run    do it\n"


def test_validate_names_every_error_at_once(lagoa: Lagoa, cove: Cove) -> None:
    (cove.root / "models/gold/revenue.sql").write_text("select * from silver.costumers\n")
    (cove.root / "sources/erp.yml").write_text("type: files\nstreams: {a: {pth: x}}\n")
    said = lagoa("-C", cove.root, "validate", "--json")
    assert said.code == 2
    told = json.loads(said.out)
    assert not told["ok"]
    assert {e["code"] for e in told["errors"]} >= {"LG-101", "LG-103"}
    assert said.err.count("error[") == len(told["errors"])
    assert "did you mean `silver.customers`?" in said.err


def test_a_table_is_aligned_and_its_count_is_conversation(lagoa: Lagoa, cove: Cove) -> None:
    cove.fill()
    said = lagoa("-C", cove.root, "query", "select id, state, spent from silver.customers order by id")
    assert said.out.splitlines() == [
        "id  state  spent",
        "──  ─────  ─────",
        " 0  RS      0.00",
        " 1  ∅      10.50",
        " 2  RS     21.00",
        " 3  ∅      31.50",
    ]
    assert said.err.startswith("4 rows in ")


def test_rows_beyond_the_limit_are_counted(lagoa: Lagoa, cove: Cove) -> None:
    cove.fill(1500)
    assert (
        lagoa("-C", cove.root, "query", "from silver.customers", "-n", "2").out.splitlines()[-1] == "… 1,498 more rows"
    )


def test_quiet_leaves_data_and_errors_alone(lagoa: Lagoa, cove: Cove) -> None:
    cove.fill()
    assert lagoa("-C", cove.root, "query", "select 1 as a", "-q").err == ""
    assert lagoa("-C", cove.root, "query", "select 1 as a", "-q").out == "a\n─\n1\n"
    assert lagoa("-C", cove.root, "query", "select", "-q").err.startswith("error[LG-")


def test_csv_and_json_are_exact_on_stdout(lagoa: Lagoa, cove: Cove) -> None:
    cove.fill(3)
    sql = "select id, state, spent from silver.customers order by id"
    text = lagoa("-C", cove.root, "query", sql, "-f", "csv").out
    assert list(csv.reader(io.StringIO(text))) == [
        ["id", "state", "spent"],
        ["0", "RS", "0.00"],
        ["1", "", "10.50"],
        ["2", "RS", "21.00"],
    ]
    assert json.loads(lagoa("-C", cove.root, "query", sql, "--json").out)[1] == {"id": 1, "state": None, "spent": 10.5}


@pytest.mark.parametrize("name", ["rows.csv", "rows.json", "rows.parquet"])
def test_a_file_is_named_for_its_format(lagoa: Lagoa, cove: Cove, name: str, tmp_path: Path) -> None:
    cove.fill()
    said = lagoa("-C", cove.root, "query", "from silver.customers", "-o", tmp_path / name)
    assert (said.code, said.out) == (0, "")
    assert f"written to {tmp_path / name}" in said.err
    if name.endswith(".parquet"):
        assert pq.read_metadata(tmp_path / name).num_rows == 4


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["-o", "rows.txt"], "rows.txt does not say which format it is"),
        (["-f", "parquet"], "Parquet goes into a file"),
        (["-f", "table", "-o", "rows.csv"], "a table goes to the terminal"),
    ],
)
def test_a_format_that_cannot_be_is_refused(lagoa: Lagoa, cove: Cove, args: list[str], message: str) -> None:
    said = lagoa("-C", cove.root, "query", "select 1", *args)
    assert said.code == 2
    assert message in said.err


def test_what_is_no_select_ends_with_2_and_a_failed_query_with_1(lagoa: Lagoa, cove: Cove) -> None:
    cove.fill()
    assert lagoa("-C", cove.root, "query", "drop table silver.customers").code == 2
    assert lagoa("-C", cove.root, "query", "select 'x'::int from silver.customers").code == 1


def test_a_past_version_answers(lagoa: Lagoa, cove: Cove) -> None:
    cove.fill(4)
    cove.fill(9)
    sql = "select count(*) as n from silver.customers"
    assert lagoa("-C", cove.root, "query", sql, "--at", "0").out.split()[-1] == "4"
    assert lagoa("-C", cove.root, "query", sql).out.split()[-1] == "9"


def test_show_lists_every_table_with_its_state(lagoa: Lagoa, cove: Cove) -> None:
    cove.fill(bad=2)
    lines = lagoa("-C", cove.root, "show").out.splitlines()
    assert lines[0].startswith("loja on local: 2 of 3 tables built, 8 rows, ")
    assert lines[0].endswith(", 2 quarantined.")
    assert lines[2].split() == ["table", "kind", "rows", "size", "version", "published", "quarantined"]
    assert [line.split()[0] for line in lines[4:]] == [
        "bronze.erp_customers",
        "silver.customers",
        "silver.southern",
        "gold.revenue",
    ]
    assert "not built yet" in lines[-1]


def test_show_masks_personal_values_wherever_it_shows_rows(lagoa: Lagoa, cove: Cove) -> None:
    cove.fill(bad=1)
    for what in ("bronze.erp_customers", "silver.customers", "silver.southern", "quarantine.silver_customers"):
        for more in ((), ("--json",)):
            said = lagoa("-C", cove.root, "show", what, *more)
            assert said.code == 0
            assert "111.222" not in said.out
            assert "***" in said.out


def test_show_of_a_table_tells_columns_sample_and_versions(lagoa: Lagoa, cove: Cove) -> None:
    cove.fill(4)
    cove.fill(6)
    said = lagoa("-C", cove.root, "show", "silver.customers", "-n", "2")
    assert "silver.customers  table: 6 rows, " in said.out
    assert "One row per customer." in said.out
    assert "read by  gold.revenue, silver.southern" in said.out
    assert "sample: 2 of 6 rows; personal columns are masked" in said.out
    assert "--at 0" in said.err
    told = json.loads(lagoa("-C", cove.root, "show", "silver.customers", "--json").out)
    assert [v["version"] for v in told["versions"]] == [1, 0]
    assert told["sample"][0] == {"id": "0", "cpf": "***", "state": "RS", "spent": "0.00"}


def test_show_of_what_is_not_built_says_how(lagoa: Lagoa, cove: Cove) -> None:
    said = lagoa("-C", cove.root, "show", "gold.revenue")
    assert said.code == 0
    assert "not built yet" in said.out
    assert "lagoa run -s +gold.revenue" in said.err
    assert lagoa("-C", cove.root, "show", "silver.southern").code == 0


def test_show_of_what_is_not_there_names_the_closest(lagoa: Lagoa, cove: Cove) -> None:
    said = lagoa("-C", cove.root, "show", "silver.costumers")
    assert said.code == 2
    assert "did you mean `silver.customers`?" in said.err


def test_without_runs_show_says_which_command_makes_one(lagoa: Lagoa, cove: Cove) -> None:
    assert lagoa("-C", cove.root, "show", "runs").out == "No runs yet. `lagoa run` writes the first.\n"
    assert lagoa("-C", cove.root, "show", "20260101-000000-aaaa").code == 2


def test_a_damaged_table_is_shown_and_ends_with_1(lagoa: Lagoa, cove: Cove) -> None:
    cove.fill()
    for log in (cove.lake.path(CUSTOMERS) / "_delta_log").iterdir():
        log.write_bytes(b"")
    assert "1 table needs a look" in lagoa("-C", cove.root, "show").out
    said = lagoa("-C", cove.root, "show", "silver.customers")
    assert said.code == 1
    assert "error[LG-302]" in said.err
    assert lagoa("-C", cove.root, "doctor").code == 1
