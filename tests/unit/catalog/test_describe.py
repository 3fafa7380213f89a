"""The catalog says what is declared and what is there, and never what is personal."""

from __future__ import annotations

import pyarrow as pa
import pytest

from lagoa.catalog.describe import detail, find, masked, personal_columns, tables
from lagoa.errors import ProjectError
from lagoa.kit.redact import Redactor
from lagoa.observe.events import Events
from lagoa.observe.log import RunLog, runs_folder
from lagoa.spec.names import TableName
from lagoa.testing.cove import BRONZE, CUSTOMERS, REVENUE, ROWS, Cove


def test_every_table_is_listed_layer_by_layer_built_or_not(cove: Cove) -> None:
    cove.fill(bad=2)
    cards = {str(c.name): c for c in tables(cove.project, cove.lake)}
    assert list(cards) == ["bronze.erp_customers", "silver.customers", "silver.southern", "gold.revenue"]
    silver = cards["silver.customers"]
    assert (silver.kind, silver.rows, silver.files, silver.version, silver.quarantined) == ("table", 4, 1, 0, 2)
    assert silver.published_at is not None
    assert (cards["bronze.erp_customers"].kind, cards["bronze.erp_customers"].owner) == ("stream", "erp@example.com")
    assert not cards["gold.revenue"].built
    assert not cards["silver.southern"].built


def test_what_the_project_no_longer_makes_is_left_over(cove: Cove) -> None:
    cove.fill()
    cove.shore.publish("select 1 as a", name=TableName("gold", "old"))
    assert {str(c.name): c.kind for c in tables(cove.project, cove.lake)}["gold.old"] == "left over"


def test_a_damaged_table_is_a_problem_of_its_own(cove: Cove) -> None:
    cove.fill()
    for log in (cove.lake.path(CUSTOMERS) / "_delta_log").iterdir():
        log.write_bytes(b"")
    cards = {str(c.name): c for c in tables(cove.project, cove.lake)}
    problem = cards["silver.customers"].problem
    assert problem is not None
    assert problem.code == "LG-302"
    assert cards["bronze.erp_customers"].problem is None


def test_a_table_tells_its_columns_edges_and_versions(cove: Cove) -> None:
    cove.fill()
    cove.fill(6)
    found = detail(cove.project, cove.lake, CUSTOMERS, None)
    assert [(c.name, c.type, c.pii) for c in found.columns] == [
        ("id", "bigint", None),
        ("cpf", "text", "cpf"),
        ("state", "text", None),
        ("spent", "decimal(9,2)", None),
    ]
    assert found.columns[0].description == "The number of the customer."
    assert found.inputs == (BRONZE,)
    assert found.readers == [REVENUE, TableName("silver", "southern")]
    assert [(v.version, v.rows) for v in found.versions] == [(1, 6), (0, 4)]
    assert found.to_json()["columns"][1]["pii"] == "cpf"


def test_personal_is_what_is_personal_upstream_too(cove: Cove) -> None:
    cove.fill()
    assert personal_columns(cove.project, cove.lake, CUSTOMERS) == {"cpf": "cpf"}
    assert personal_columns(cove.project, cove.lake, TableName("silver", "southern")) == {"cpf": "cpf"}


def test_masking_hides_values_and_keeps_nulls(cove: Cove) -> None:
    sql = masked(CUSTOMERS, pa.schema([("id", pa.int64()), ("cpf", pa.string())]), {"cpf": "cpf"})
    cove.shore.session.bind("silver.customers", "select 1 as id, 'x' as cpf union all select 2, null")
    assert cove.shore.session.rows(f"{sql} order by id") == [(1, "***"), (2, None)]


def test_the_raw_text_of_quarantined_rows_is_hidden_with_them(cove: Cove) -> None:
    schema = pa.schema([("_reason", pa.string()), ("_raw", pa.string())])
    assert "'***'" in masked(CUSTOMERS.quarantine, schema, {"cpf": "cpf"})
    assert "'***'" not in masked(CUSTOMERS.quarantine, schema, {})


def test_a_table_is_found_by_its_name_alone_when_only_one_is_called_so(cove: Cove) -> None:
    assert find(cove.project, cove.lake, "revenue") == REVENUE
    assert find(cove.project, cove.lake, "Silver.Customers") == CUSTOMERS
    with pytest.raises(ProjectError) as caught:
        find(cove.project, cove.lake, "gold.revenues")
    assert caught.value.hint == "did you mean `gold.revenue`?"


def test_it_tells_when_rows_changed_and_when_a_run_last_looked(cove: Cove) -> None:
    cove.fill()
    first = detail(cove.project, cove.lake, CUSTOMERS, None)
    assert first.changed_at == first.card.published_at is not None
    assert first.looked_at is None
    cove.shore.publish(ROWS.format(n=0, state="null::varchar"), "append", CUSTOMERS)  # read, and nothing came
    later = detail(cove.project, cove.lake, CUSTOMERS, None)
    assert later.card.version == 1
    assert later.changed_at == first.changed_at

    events = Events("20261120-061405-abcd", Redactor(()))
    with RunLog(runs_folder(cove.root), events.run) as log:
        events.listen(log)
        events.emit("run.started", target="local")
        events.emit("step.unchanged", str(CUSTOMERS), because="nothing new")
        events.emit("step.failed", str(BRONZE), code="LG-201", message="gone")
    assert detail(cove.project, cove.lake, CUSTOMERS, None).looked_at is not None
    assert detail(cove.project, cove.lake, BRONZE, None).looked_at is None
    assert detail(cove.project, cove.lake, CUSTOMERS, None).to_json()["looked_at"][:4] >= "2026"
