"""Every way in which a project can be wrong, and the exact words that its author reads.

`make golden` writes the files of tests/golden/errors/ anew; read the difference before it is committed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lagoa.errors import LagoaError
from lagoa.project.load import load
from lagoa.project.render import render

Write = Callable[..., Path]
Files = dict[str, str | None]
GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "errors"
NAMED = "name: loja\n"
MODEL = "models/silver/orders.sql"
SOURCE = "sources/erp.yml"
GOLD = "models/gold/extra"


def _stream(rest: str) -> Files:
    return {SOURCE: f"type: files\nstreams:\n  customers: {{path: c.csv}}\n  orders:\n    path: o.csv\n{rest}"}


def _header(header: str, query: str = "select id, amount, state from bronze.erp_orders") -> Files:
    return {MODEL: f"/*\n{header}\n*/\n{query}\n"}


def _python(header: str, code: str) -> Files:
    return {f"{GOLD}.py": f'"""Words.\n\n---\n{header}\n"""\n\n\n{code}\n'}


def _words(rows: str) -> Files:
    return {"words.csv": f"Campo;Nome;Tipo\n{rows}"}


CASES: dict[str, Files] = {
    # keys and values
    "unknown_key_in_lagoa_yml": {"lagoa.yml": NAMED + "timezome: America/Sao_Paulo\n"},
    "unknown_key_with_nothing_close": {"lagoa.yml": NAMED + "xyz: 1\n"},
    "unknown_key_in_a_target": {"lagoa.yml": NAMED + "targets:\n  prod: {lake: x, treads: 4}\n"},
    "unknown_key_in_a_source": {SOURCE: "type: files\nstreamz: {}\n", MODEL: None, "models/gold/revenue.sql": None},
    "unknown_key_in_a_stream": _stream("    shcema: freeze\n"),
    "unknown_key_in_a_column": _stream("    columns:\n      id: {tpye: bigint}\n"),
    "unknown_key_in_a_header": _header("descripton: Paid orders."),
    "unknown_key_because_of_a_comma": _header("columns:\n  state: {description: Two letters, such as SP.}"),
    "missing_key": {"lagoa.yml": "timezone: UTC\n"},
    "missing_type_of_a_source": {SOURCE: "streams: {}\n"},
    "empty_project_file": {"lagoa.yml": ""},
    "wrong_type_text": _header("owner: 12"),
    "wrong_type_number": {"lagoa.yml": NAMED + "targets:\n  local: {threads: many}\n"},
    "wrong_type_boolean": _header("allow_empty: perhaps"),
    "wrong_type_list": _header("tags: {a: b}"),
    "wrong_type_mapping": {SOURCE: "type: files\nstreams: [orders]\n"},
    "wrong_type_of_a_whole_file": {SOURCE: "- type: files\n"},
    "wrong_word": _stream("    mode: apend\n"),
    "wrong_time_zone": {"lagoa.yml": NAMED + "timezone: America/SaoPaulo\n"},
    "wrong_name_of_a_project": {"lagoa.yml": "name: minha loja\n"},
    "merge_without_key": _stream("    mode: merge\n"),
    "wrong_name_of_a_stream": {SOURCE: "type: files\nstreams:\n  Orders: {path: o.csv}\n"},
    # YAML
    "yaml_tab": {"lagoa.yml": "name: loja\ntargets:\n\tlocal: {}\n"},
    "yaml_key_twice": {"lagoa.yml": "name: loja\nname: outra\n"},
    "yaml_colon": _header("description: Orders: paid ones"),
    "yaml_unclosed": {SOURCE: "type: files\nstreams: {orders: {path: o.csv}\n"},
    "yaml_not_utf8": {},
    # names of tables
    "unknown_table": {"models/gold/revenue.sql": "select state\nfrom silver.order\n"},
    "unknown_table_in_a_subquery": {
        f"{GOLD}.sql": "select 1 as a where exists (select 1 from bronze.erp_order as o)\n"
    },
    "unqualified_table": {"models/gold/revenue.sql": "select 1 as a from orders\n"},
    "unqualified_and_misspelt_table": {"models/gold/revenue.sql": "select 1 as a from ordres\n"},
    "unqualified_and_unlike_table": {"models/gold/revenue.sql": "select 1 as a from zzz\n"},
    "three_part_table": {"models/gold/revenue.sql": "select 1 as a from lake.silver.orders\n"},
    "system_table": {"models/gold/revenue.sql": "select * from information_schema.tables\n"},
    "history_in_a_model": {"models/gold/revenue.sql": "select * from history.runs\n"},
    "unknown_quarantine": {"models/gold/revenue.sql": "select * from quarantine.bronze_erp_oders\n"},
    "header_on_one_line": {MODEL: "/* kind: veiw */ select 1 as a\n"},
    "cycle": {
        MODEL: "select a.id from gold.revenue as a\n",
        "models/gold/revenue.sql": "select b.id\nfrom gold.extra as b\n",
        f"{GOLD}.sql": "select c.id from silver.orders as c\n",
    },
    "reads_itself": {MODEL: "select 1 as a from silver.orders\n"},
    "duplicate_model": {"models/silver/old/orders.py": '"""A."""\n\n\ndef model():\n    return None\n'},
    "duplicate_stream": {
        "sources/a.yml": "type: files\nstreams:\n  b_c: {path: x.csv}\n",
        "sources/a_b.yml": "type: files\nstreams:\n  c: {path: x.csv}\n",
    },
    # SQL
    "bad_sql": {MODEL: "/*\nkind: table\n*/\nselect id,\n  (amount\nfrom bronze.erp_orders\n"},
    "jinja": {MODEL: "select * from {{ ref('orders') }}\n"},
    "unclosed_text": {MODEL: "select 'paid as status\nfrom bronze.erp_orders\n"},
    "several_statements": {MODEL: "select 1 as a;\nselect 2 as b\n"},
    "not_a_query": {MODEL: "create table x as select 1\n"},
    "empty_model": {MODEL: "/*\nkind: table\n*/\n"},
    "reads_a_file": {MODEL: "select * from read_csv('data/orders.csv')\n"},
    "reads_a_file_by_name": {MODEL: "select *\nfrom 'data/orders.parquet'\n"},
    "reads_the_machine": {MODEL: "select getenv('HOME') as home\n"},
    "column_that_the_query_lacks": _header("columns:\n  amuont: {description: Money.}"),
    # headers
    "header_never_closed": {MODEL: "/*\nkind: table\nselect 1 as a\n"},
    "header_ends_early": {MODEL: "/*\ndescription: Files of data/*/orders\nkind: table\n*/\nselect 1 as a\n"},
    "header_with_a_comment": {MODEL: "/*\nkind: table /* rebuilt */\n*/\nselect 1 as a\n"},
    "header_that_is_a_licence": {MODEL: "/* Copyright 2026 Loja Ltda. */\nselect 1 as a\n"},
    "header_with_a_reference": _header("description: ${env:WORDS}"),
    "inputs_of_a_sql_model": _header("inputs: {o: bronze.erp_orders}"),
    # Python models
    "python_that_cannot_be_read": {f"{GOLD}.py": "def model(orders)\n    return orders\n"},
    "python_without_model": {f"{GOLD}.py": "def modle(orders):\n    return orders\n"},
    "python_input_not_taken": _python("inputs: {order: silver.orders}", "def model(orders):\n    return orders"),
    "python_parameter_not_named": _python("inputs: {}", "def model(orders):\n    return orders"),
    "python_unknown_table": _python("inputs: {orders: silver.order}", "def model(orders):\n    return orders"),
    "python_star_arguments": _python("inputs: {}", "def model(*tables):\n    return tables"),
    # checks
    "unknown_check": _header("columns:\n  id: {checks: [uniqe]}"),
    "wrong_value_of_a_check": _header("columns:\n  amount: {checks: [{in: 5}]}"),
    "wrong_reaction_of_a_check": _header("columns:\n  amount: {checks: [{min: 0, on_fail: ignore}]}"),
    "two_kinds_in_one_check": _header("columns:\n  amount: {checks: [{min: 0, max: 9}]}"),
    "check_of_a_column_on_a_table": _header("checks: [not_null]"),
    "check_of_a_table_on_a_column": _header("columns:\n  id: {checks: [{row_count: {min: 1}}]}"),
    "check_of_a_table_that_quarantines": _header("checks: [{row_count: {min: 1}, on_fail: quarantine}]"),
    "check_on_a_view": _header("kind: view\ncolumns:\n  id: {checks: [unique]}"),
    "custom_check_without_table": {"checks/c.sql": "select 1 from silver.orders, gold.revenue\n"},
    "custom_check_of_an_unknown_table": {"checks/c.sql": "/* table: silver.order */\nselect 1 from silver.orders\n"},
    "custom_check_on_a_view": {
        "models/gold/revenue.sql": "/* kind: view */ select 1 as a from silver.orders",
        "checks/c.sql": "/* table: gold.revenue */\nselect 1 from gold.revenue\n",
    },
    # kinds
    "unknown_source_type": {SOURCE: "type: postgress\nstreams: {}\n"},
    "unknown_engine": {"lagoa.yml": NAMED + "targets:\n  local: {engine: ducksdb}\n"},
    "unknown_kind_of_model": _header("kind: tabel"),
    "incremental_without_key": _header("kind: incremental"),
    "incremental_in_python": _python("kind: incremental\nkey: id", "def model():\n    return None"),
    # references
    "missing_variable": {"lagoa.yml": NAMED + "targets:\n  local: {lake: '${env:LAKE_FOLDER}'}\n"},
    "missing_secret": {
        SOURCE: "type: postgres\nconnection: ${secret:erp_url}\nstreams: {}\n",
        MODEL: None,
        "models/gold/revenue.sql": None,
    },
    "secret_where_it_would_be_seen": {SOURCE: "type: files\ndescription: ${secret:word}\nstreams: {}\n"},
    "unknown_reference": {"lagoa.yml": NAMED + "targets:\n  local: {lake: '${HOME}/lake'}\n"},
    # later
    "later_folder": {"dashboards/sales.md": "# Sales\n"},
    "later_keys": {"lagoa.yml": NAMED + "schedule: daily\nalerts: {}\ntargets:\n  aws: {catalog: glue}\n"},
    "history_without_key": _header("kind: scd2"),
    "time_of_a_table": _header("time: id"),
    "no_whole_schema": {SOURCE: "type: files\nstreams:\n  '*': {path: data}\n"},
    "later_lake": {"lagoa.yml": NAMED + "targets:\n  local: {lake: 's3://bucket/lake'}\n"},
    # dictionaries
    "dictionary_missing": _stream("    dictionary: words.csv\n"),
    "dictionary_two_to_one": _stream("    dictionary: words.csv\n") | _words("KUNNR;customer\nKUNAG;customer\n"),
    "dictionary_unknown_type": _stream("    dictionary: words.csv\n") | _words("ERDAT;created;DATS 8\n"),
    "dictionary_without_spellings": _stream("    dictionary: words.csv\n")
    | {"words.csv": "SAP;ours\nKUNNR;customer\n"},
    "dictionary_column_misspelt": _stream("    dictionary: {path: words.csv, column: Canpo}\n") | _words("A;b\n"),
    "dictionary_of_others": _stream("    dictionary: {path: words.csv, only: KNA2}\n")
    | {"words.csv": "tabela;campo;nome\nKNA1;KUNNR;customer\n"},
    "dictionary_and_columns": _stream("    dictionary: words.csv\n    columns: {KUNNR: {}, customer: {}}\n")
    | _words("KUNNR;customer\n"),
    # files where none belong
    "folder_misspelt": {"model/silver/x.sql": "select 1 as a\n"},
    "project_file_misspelt": {"lagoa.yml": None, "lagoa.yaml": NAMED},
    "no_project": {"lagoa.yml": None},
    "layer_unknown": {"models/platinum/x.sql": "select 1 as a\n"},
    "layer_misspelt": {"models/glod/x.sql": "select 1 as a\n"},
    "model_without_layer": {"models/x.sql": "select 1 as a\n"},
    "model_in_bronze": {"models/bronze/x.sql": "select 1 as a\n"},
    "model_with_a_bad_name": {"models/gold/Top-10.sql": "select 1 as a\n"},
    "stray_file_in_models": {"models/gold/x.csv": "a\n"},
    "source_as_yaml": {"sources/crm.yaml": "type: files\n"},
    "stray_file_in_sources": {"sources/crm.json": "{}"},
    "stray_file_in_checks": {"checks/c.yml": ""},
    "dotenv_line": {".env": "A=1\nexport\n"},
}


@pytest.mark.parametrize("name", CASES)
def test_every_mistake_is_told_in_these_words(name: str, write: Write) -> None:
    root = write(CASES[name])
    if name == "yaml_not_utf8":
        (root / "lagoa.yml").write_bytes("name: loja\n# preço\n".encode("latin-1"))
    with pytest.raises(LagoaError) as caught:
        load(root, None, {"WORD": "hunter2"})
    shown = render(caught.value).replace(str(root), "<project>").replace(root.name, "<project>") + "\n"
    golden = GOLDEN / f"{name}.txt"
    if os.environ.get("GOLDEN") == "write":
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(shown, encoding="utf-8")
    assert shown == golden.read_text(encoding="utf-8")
    assert "hunter2" not in shown
    assert caught.value.exit == 2


def test_every_golden_file_has_its_mistake() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(CASES)
