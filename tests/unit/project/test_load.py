"""Loading: what a sound project gives, and that all that is wrong is said at once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lagoa.errors import CommandError, ProjectErrors
from lagoa.project.load import load
from lagoa.project.model import Project
from lagoa.spec.names import TableName

Write = Callable[..., Path]
ORDERS = TableName("silver", "orders")


def _errors(root: Path, target: str | None = None) -> list[str]:
    with pytest.raises(ProjectErrors) as caught:
        load(root, target, {})
    return [f"{error.code} {error.place}" for error in caught.value.errors]


def test_a_sound_project_is_a_graph_of_its_tables(write: Write) -> None:
    project = load(write(), None, {})
    assert [str(name) for name in project.graph.order] == [
        "bronze.erp_customers",
        "bronze.erp_orders",
        "silver.orders",
        "gold.revenue",
    ]
    assert project.models[ORDERS].inputs == (TableName("bronze", "erp_orders"), TableName("bronze", "erp_customers"))
    assert project.models[ORDERS].header.description == "Paid orders."
    assert project.models[ORDERS].body_line == 4
    assert str(project.graph.streams[TableName("bronze", "erp_orders")].place) == "sources/erp.yml:3:3"
    assert str(project.place(ORDERS)) == "models/silver/orders.sql"
    assert project.lake == write() / "lake"


def test_folders_below_a_layer_only_sort(write: Write) -> None:
    project = load(write({"models/gold/2026/sales/top.sql": "select 1 as a"}), None, {})
    assert TableName("gold", "top") in project.models


def test_all_that_is_wrong_is_said_at_once_in_the_order_of_the_files(write: Write) -> None:
    root = write(
        {
            "lagoa.yml": "name: loja\nnmae: x\n",
            "sources/erp.yml": "type: files\nstreams:\n  orders: {path: x.csv, mode: apend}\n",
            "models/silver/orders.sql": "/*\nkind: veiw\n*/\nselect id,\nfrom (bronze.erp_orders\n",
            "models/gold/revenue.sql": "select 1 from silver.odrers",
            "models/gold/b.sql": "select 1 as a from gold.b",
            "Models/x.sql": "select 1",
        }
    )
    assert _errors(root) == [
        "LG-109 Models",
        "LG-101 lagoa.yml:2:1",
        "LG-108 models/gold/b.sql:1:20",
        "LG-103 models/gold/revenue.sql:1:15",
        "LG-102 models/silver/orders.sql:2:7",
        "LG-105 models/silver/orders.sql:5:14",
        "LG-102 sources/erp.yml:3:31",
    ]


def test_a_broken_source_does_not_make_its_readers_wrong(write: Write) -> None:
    assert _errors(write({"sources/erp.yml": "type: files\nstreams: [\n"})) == ["LG-104 sources/erp.yml:2:10"]


def test_a_broken_model_does_not_make_its_readers_wrong(write: Write) -> None:
    assert _errors(write({"models/silver/orders.sql": "select ("})) == ["LG-105 models/silver/orders.sql:1:8"]


def test_ctes_aliases_and_subqueries_are_understood(write: Write) -> None:
    query = """
    with erp_orders as (select * from bronze.erp_orders), again as (select * from erp_orders)
    select a.id from again as a
    where exists (select 1 from Bronze.ERP_customers as c where c.id = a.id)
    union all
    select id from (from silver.orders)
    """
    model = load(write({"models/gold/all_of_it.sql": query}), None, {}).models[TableName("gold", "all_of_it")]
    assert [str(name) for name in model.inputs] == ["bronze.erp_orders", "bronze.erp_customers", "silver.orders"]


def test_a_quarantine_table_may_be_read_and_counts_as_its_main_table(write: Write) -> None:
    project = load(write({"models/gold/bad.sql": "select 1 as n from quarantine.bronze_erp_orders"}), None, {})
    name = TableName("gold", "bad")
    assert [str(i) for i in project.models[name].inputs] == ["quarantine.bronze_erp_orders"]
    assert [str(i) for i in project.graph.inputs(name)] == ["bronze.erp_orders"]


def test_a_view_has_no_quarantine_and_nobody_suggests_it(write: Write) -> None:
    view = {"models/silver/seen.sql": "/* kind: view */\nselect 1 as a"}
    with pytest.raises(ProjectErrors) as caught:
        load(write(view | {"models/gold/x.sql": "select * from quarantine.silver_seen"}), None, {})
    (error,) = caught.value.errors
    assert error.message == (
        "`gold.x` reads `quarantine.silver_seen`, but a view sets no rows aside: the tables that it reads do"
    )
    assert error.hint is None


def test_a_model_is_not_advised_to_read_itself(write: Write) -> None:
    with pytest.raises(ProjectErrors) as caught:
        load(write({"models/silver/order.sql": "select 1 as a from silver.ordes"}), None, {})
    (error,) = caught.value.errors
    assert error.hint == "did you mean `silver.orders`?"


def test_python_models_are_read_and_never_run(write: Write, tmp_path: Path) -> None:
    trap = tmp_path / "imported"
    code = f'''"""Who leaves.

---
inputs: {{orders: silver.orders}}
"""
open({str(trap)!r}, "w")
raise SystemExit("a model's code ran")


def model(orders):
    return orders
'''
    project = load(write({"models/gold/churn.py": code}), None, {})
    model = project.models[TableName("gold", "churn")]
    assert (model.language, model.inputs, model.query) == ("python", (ORDERS,), None)
    assert not trap.exists()


def test_a_target_is_chosen_by_name(write: Write) -> None:
    root = write({"lagoa.yml": "name: loja\ntargets: {aws: {lake: elsewhere, threads: 3}}\n"})
    project = load(root, "aws", {})
    assert (project.target_name, project.target.threads, project.lake) == ("aws", 3, root / "elsewhere")
    with pytest.raises(CommandError, match="no target `aws2`") as caught:
        load(root, "aws2", {})
    assert caught.value.hint == "did you mean `aws`?"


def test_files_that_are_not_ours_are_left_alone(write: Write) -> None:
    root = write(
        {
            "README.md": "",
            "Makefile": "",
            "pyproject.toml": "",
            "data/orders.csv": "",
            "src/lib.py": "",
            "notebooks/a.ipynb": "",
            "models/README.md": "",
            "models/silver/.sqlfluff": "",
            "models/gold/__pycache__/x.pyc": "",
            "sources/README.md": "",
            ".github/x.yml": "",
            "tests/.gitkeep": "",
        }
    )
    (root / "dashboards").mkdir()
    assert len(load(root, None, {}).models) == 2


def test_a_windows_file_with_a_byte_order_mark_is_read(write: Write) -> None:
    root = write()
    (root / "models/gold/w.sql").write_bytes("\ufeff/*\r\nkind: view\r\n*/\r\nselect\r\n  1 as a\r\n".encode())
    model = load(root, None, {}).models[TableName("gold", "w")]
    assert (model.header.kind, model.body) == ("view", "select\n  1 as a\n")


def test_a_check_s_table_may_be_left_out_when_it_reads_one(write: Write) -> None:
    project = load(write({"checks/positive.sql": "select * from silver.orders where amount < 0"}), None, {})
    [check] = project.checks
    assert (check.name, check.table, check.tables, check.body_line) == ("positive", ORDERS, (ORDERS,), 1)


def test_what_a_check_reads_is_made_before_the_table_that_it_guards(write: Write) -> None:
    check = "/* table: bronze.erp_customers */ select 1 from bronze.erp_customers, bronze.erp_orders"
    project = load(write({"checks/c.sql": check}), None, {})
    customers, orders = TableName("bronze", "erp_customers"), TableName("bronze", "erp_orders")
    assert project.graph.order[:2] == (orders, customers)
    assert project.graph.waits_for(customers) == (orders,)
    assert project.graph.inputs(customers) == ()


def test_a_check_that_reads_downstream_makes_no_cycle(write: Write) -> None:
    check = "/* table: bronze.erp_orders */ select 1 from bronze.erp_orders, gold.revenue"
    project = load(write({"checks/c.sql": check}), None, {})
    assert project.graph.waits_for(TableName("bronze", "erp_orders")) == ()


def _described(project: Project) -> list[object]:
    return [(m.name, m.inputs, m.body, m.query.columns if m.query else None) for m in project.models.values()]


def test_the_cache_changes_nothing_and_may_be_deleted_or_broken(write: Write) -> None:
    root = write()
    cache = root / ".lagoa" / "cache" / "queries.json"
    first = _described(load(root, None, {}))
    assert cache.is_file()
    assert _described(load(root, None, {})) == first
    for broken in ("", "{", "[]", '{"by": 1}', cache.read_text().replace("references", "x")):
        cache.write_text(broken)
        assert _described(load(root, None, {})) == first
        assert "references" in json.loads(cache.read_text())["queries"].popitem()[1]  # mended
    cache.unlink()
    assert _described(load(root, None, {})) == first


def test_a_cache_of_another_parser_is_not_believed(write: Write) -> None:
    root = write()
    load(root, None, {})
    cache = root / ".lagoa" / "cache" / "queries.json"
    content = json.loads(cache.read_text())
    for query in content["queries"].values():
        query["references"] = []
    cache.write_text(json.dumps(content))
    assert load(root, None, {}).models[ORDERS].inputs == ()  # the same parser's cache is believed
    cache.write_text(json.dumps({**content, "by": "sqlglot of yesterday"}))
    assert len(load(root, None, {}).models[ORDERS].inputs) == 2


def test_a_folder_that_cannot_be_written_loads(write: Write) -> None:
    root = write()
    (root / ".lagoa").write_text("a file where the cache's folder would be")
    assert len(load(root, None, {}).models) == 2


def test_loading_again_needs_no_parser(write: Write) -> None:
    root = write()
    load(root, None, {})
    code = (
        "import sys; from pathlib import Path; from lagoa.project.load import load; load(Path(sys.argv[1]), None, {});"
        "print([m for m in ('sqlglot', 'duckdb', 'deltalake') if m in sys.modules])"
    )
    environ = {"PYTHONPATH": str(Path(__file__).resolve().parents[3] / "src")}
    command = [sys.executable, "-c", code, str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
    assert done.stdout.strip() == "[]"
