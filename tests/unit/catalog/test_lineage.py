"""What is declared once flows with the data: through names, views and stars, and not where only a count goes."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from lagoa.catalog.describe import detail, masked, personal_columns
from lagoa.catalog.lineage import BY_TABLE, ProjectLineage, personal_here
from lagoa.catalog.trails import trails
from lagoa.spec.names import TableName
from lagoa.sql.lineage import Origin
from lagoa.testing.cove import BRONZE, CUSTOMERS, REVENUE, Cove

SOUTHERN = TableName("silver", "southern")
PEOPLE = TableName("gold", "people")


def _write(cove: Cove, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (cove.root / name).write_text(text, encoding="utf-8")


def _people(cove: Cove, sql: str, header: str = "") -> dict[str, str]:
    """Make gold.people of a query and name its personal columns."""
    _write(cove, {"models/gold/people.sql": f"/*\n{header or 'kind: table'}\n*/\n{sql}\n"})
    return personal_columns(cove.project, cove.lake, PEOPLE)


@pytest.mark.parametrize(
    ("sql", "personal"),
    [
        ("select cpf as document, id from silver.customers", {"document": "cpf"}),
        ("select right(cpf, 2) as digits from silver.southern", {"digits": "cpf"}),
        ("select count(distinct cpf) as people, state from silver.customers group by all", {}),
        ("select cpf is not null as known from silver.customers", {}),
        ("select state as cpf from silver.customers", {}),
        ("select s.* exclude (cpf), s.cpf || '' as Doc from silver.southern as s", {"doc": "cpf"}),
        ("select state from silver.customers where cpf <> ''", {}),
        ("select row_number() over (order by cpf) as nth from silver.customers", {}),
        ("from silver.customers pivot (max(cpf) for state in ('RS') group by id)", {"rs": "cpf"}),
        ("select n, v from silver.customers unpivot (v for n in (cpf, state))", {"v": "cpf"}),
    ],
)
def test_personal_flows_with_values_whatever_they_are_called(cove: Cove, sql: str, personal: dict[str, str]) -> None:
    cove.fill()
    assert _people(cove, sql) == personal


def test_columns_that_cannot_be_followed_are_personal_when_they_may_be(cove: Cove) -> None:
    cove.fill()
    cove.shore.publish("select 1 as id, 2.5 as spent, '111' as \"RS\"", name=PEOPLE)
    found = _people(cove, "from (pivot silver.customers on state using max(cpf))")
    assert set(found) >= {"rs", "cpf"}


def test_a_column_can_be_declared_not_personal_and_what_follows_is_not(cove: Cove) -> None:
    cove.fill()
    assert _people(cove, "select left(cpf, 3) as area from silver.customers", "columns: {area: {pii: null}}") == {}
    assert _people(cove, "select cpf as a from silver.customers", "columns: {a: {pii: document}}") == {"a": "document"}


def test_a_sample_of_a_renamed_personal_column_is_masked(cove: Cove) -> None:
    cove.fill()
    found = _people(cove, "select cpf as document, id from silver.customers")
    cove.shore.publish("select '111' as document, 1 as id", name=PEOPLE)
    sql = masked(PEOPLE, cove.lake.open(PEOPLE).schema, found)
    cove.shore.session.bind("gold.people", cove.lake.open(PEOPLE).fileset())
    assert cove.shore.session.rows(sql) == [("***", 1)]


def test_a_python_model_is_followed_by_table_and_masked_by_name(cove: Cove) -> None:
    cove.fill()
    text = '"""Made.\n---\ninputs: {c: silver.customers}\n"""\n\n\ndef model(c):\n    return c\n'
    _write(cove, {"models/gold/people.py": text})
    assert personal_columns(cove.project, cove.lake, PEOPLE) == {"cpf": "cpf"}
    found = ProjectLineage(cove.project, cove.lake.open).inputs(PEOPLE, "cpf")
    assert [(step.table, step.column, step.note) for step in found] == [(CUSTOMERS, None, BY_TABLE)]


def test_raw_text_of_a_quarantine_is_as_personal_as_its_table(cove: Cove) -> None:
    cove.fill(bad=1)
    sql = "select _raw as line, _reason as why from quarantine.silver_customers"
    assert _people(cove, sql) == {"line": "personal"}


def test_descriptions_and_owners_are_inherited_and_marked(cove: Cove) -> None:
    cove.fill()
    found = detail(cove.project, cove.lake, SOUTHERN, cove.lake.open(CUSTOMERS).schema)
    columns = {c.name: c for c in found.columns}
    assert columns["id"].description == "The number of the customer."
    assert columns["id"].description_from == (Origin("silver.customers", "id"),)
    assert (columns["cpf"].pii, columns["cpf"].pii_from) == ("cpf", (Origin("bronze.erp_customers", "cpf"),))
    assert columns["spent"].description is None
    assert (found.card.owner, found.card.owner_inherited) == ("erp@example.com", True)
    here = detail(cove.project, cove.lake, BRONZE, None)
    assert (here.card.owner, here.card.owner_inherited) == ("erp@example.com", False)


def test_a_sentence_about_a_column_is_not_one_about_what_was_made_of_it(cove: Cove) -> None:
    cove.fill()
    _write(cove, {"models/gold/people.sql": "select id + 1 as id from silver.customers\n"})
    lineage = ProjectLineage(cove.project, cove.lake.open)
    assert lineage.description(PEOPLE, "id") is None
    assert lineage.description(CUSTOMERS, "ID") is not None


def test_columns_are_known_before_a_table_is_built_and_unknown_before_a_stream_is_read(cove: Cove) -> None:
    lineage = ProjectLineage(cove.project, cove.lake.open)
    assert lineage.columns(CUSTOMERS) == ["id", "cpf", "state", "spent"]
    assert lineage.columns(SOUTHERN) == ["id", "cpf", "state", "spent"]
    assert lineage.columns(BRONZE) is None
    _write(cove, {"models/gold/people.sql": "select * from bronze.erp_customers\n"})
    found = trails(cove.project, ProjectLineage(cove.project, cove.lake.open), PEOPLE)
    assert found.unknown == "the columns of `bronze.erp_customers` are not known"


def test_both_ways_of_a_column_are_followed_to_their_ends(cove: Cove) -> None:
    cove.fill()
    lineage = ProjectLineage(cove.project, cove.lake.open)
    found = trails(cove.project, lineage, CUSTOMERS, "state")
    (trail,) = found.columns
    assert [(b.name, b.how, b.note) for b in trail.upstream] == [
        ("bronze.erp_customers.state", "copied", "stream customers of erp")
    ]
    assert [(b.name, b.how, b.note) for b in trail.downstream] == [
        ("gold.revenue.state", "copied", None),
        ("gold.revenue", None, "decides its rows"),
        ("silver.southern.state", "copied", None),
        ("silver.southern", None, "decides its rows"),
    ]
    revenue = trails(cove.project, lineage, REVENUE, directions=["upstream"])
    assert [t.column for t in revenue.columns] == ["state", "revenue"]
    assert revenue.rows == (Origin("silver.customers", "state"),)
    told = revenue.to_json()["columns"][1]
    assert "downstream" not in told
    assert told["upstream"][0]["how"] == "derived"
    assert told["upstream"][0]["branches"][0]["table"] == "bronze.erp_customers"


def test_a_column_without_alias_is_called_as_in_the_lake(cove: Cove) -> None:
    cove.fill()
    _write(cove, {"models/gold/people.sql": "select state, sum(spent), count(*) from silver.customers group by all\n"})
    cove.shore.publish('select \'RS\' as state, 1 as "sum(spent)", 2 as "count_star()"', name=PEOPLE)
    lineage = ProjectLineage(cove.project, cove.lake.open)
    assert lineage.columns(PEOPLE) == ["state", "sum(spent)", "count_star()"]
    assert [step.table for step in lineage.inputs(PEOPLE, "count_star()")] == [CUSTOMERS]


def test_what_a_run_treats_as_personal_is_what_the_inputs_states_say(cove: Cove) -> None:
    sql = "select 1 as id, 'x' as cpf, 'RS' as state, 2.5 as spent"
    cove.shore.publish(sql, "replace", CUSTOMERS, personal=["cpf"])
    _write(cove, {"models/gold/people.sql": "select cpf as document, state from silver.southern\n"})
    project = cove.project
    assert personal_here(project, cove.lake.open, PEOPLE, ["Document", "state"]) == {"Document"}
    cove.shore.publish(sql, "replace", CUSTOMERS)
    assert personal_here(project, cove.lake.open, PEOPLE, ["Document", "state"]) == frozenset()


def test_fields_of_an_unnested_personal_struct_are_personal(cove: Cove) -> None:
    cove.fill()
    sql = "select unnest({'a': cpf, 'b': cpf}) as who, state from silver.customers"
    assert _people(cove, sql) == {"who": "cpf"}
    project, columns = cove.project, ["a", "b", "state"]
    cove.shore.publish("select 'x' as cpf", "replace", CUSTOMERS, personal=["cpf"])
    assert personal_here(project, cove.lake.open, PEOPLE, columns) == {"a", "b"}
    cove.shore.publish("select 'x' as a, 'y' as b, 'z' as state", name=PEOPLE)
    assert set(personal_columns(project, cove.lake, PEOPLE)) == {"who", "a", "b"}
