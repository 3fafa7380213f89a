"""What goes on, what is set aside with its reason, and what stops the publish."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from lagoa.check.audit import Audited, Batch, audit
from lagoa.check.gates import Gate, gates
from lagoa.errors import CheckFailed
from lagoa.lake.quarantine import SCHEMA as QUARANTINE
from lagoa.ports import FileSet, Session, StagedFile
from lagoa.spec.check import CheckSpec
from lagoa.spec.column import Column
from lagoa.spec.names import TableName

SCHEMA = pa.schema(
    [("id", pa.int64()), ("amount", pa.decimal128(10, 2)), ("cpf", pa.string()), ("_source", pa.string())]
)
AT = datetime(2026, 1, 2, tzinfo=UTC)


def gate(column: str | None, **declared: Any) -> list[Gate]:
    """Build the gate that a user declares beside a column, or for the table."""
    spec = CheckSpec.model_validate(declared)
    return gates({column: Column(checks=(spec,))}, [], []) if column else gates({}, [spec], [])


class Desk:
    """Stages rows and has them judged, beside what the table holds already."""

    def __init__(self, session: Session, folder: Path) -> None:
        self.session, self.folder, self.held = session, folder, "select * from nothing"
        session.bind("nothing", SCHEMA.empty_table())

    def stage(self, *rows: str, name: str = "staged") -> list[StagedFile]:
        """Stage each argument as a file of its own; a row is (id, amount, cpf, _source, _reason, _raw)."""
        found: list[StagedFile] = []
        for values in rows:
            names = ["id", "amount", "cpf", "_source", "_reason", "_raw"][: values.split(")")[0].count(",") + 1]
            found += self.session.stage(f"from (values {values}) t({', '.join(names)})", self.folder / name, SCHEMA)
        return found

    def become(self, files: Sequence[StagedFile]) -> str:
        self.session.bind("good", FileSet(SCHEMA, [str(f.path) for f in files]))
        self.session.bind("become", f"{self.held} union all by name select * from good")
        return "become"

    def judge(self, staged: Sequence[StagedFile], *found: Gate) -> Audited:
        batch = Batch(
            self.session, TableName("silver", "orders"), SCHEMA, found, self.become, self.folder / "audit", "run-1", AT,
            frozenset({"cpf"}),
        )  # fmt: skip
        return audit(batch, staged)

    def ids(self, files: Sequence[StagedFile]) -> list[int]:
        self.session.bind("back", FileSet(SCHEMA, [str(f.path) for f in files]))
        return [row[0] for row in self.session.rows("select id from back order by id")]

    def set_aside(self, done: Audited) -> list[tuple[Any, ...]]:
        self.session.bind("back", FileSet(QUARANTINE, [str(f.path) for f in done.bad]))
        return self.session.rows("select _source, _reason, _raw, _run, _at from back order by _source")


@pytest.fixture
def desk(session: Session, tmp_path: Path) -> Desk:
    return Desk(session, tmp_path)


def test_good_rows_pass_untouched(desk: Desk) -> None:
    staged = desk.stage("(1, 1, 'a', 'f:1'), (2, 2, 'b', 'f:2')")
    checks = gate("amount", kind="min", value=0, on_fail="quarantine") + gate("id", kind="unique")
    done = desk.judge(staged, *checks)
    assert done.good == staged
    assert done.bad == []
    assert [(r.name, r.violations) for r in done.results] == [("amount min", 0), ("id unique", 0)]


def test_bad_rows_are_set_aside_with_reason_source_and_text(desk: Desk) -> None:
    staged = desk.stage("(1, 1, 'a', 'f:1')", "(2, -1, 'b', 'f:2'), (3, 3, 'c', 'f:3')")
    done = desk.judge(
        staged,
        *gate("amount", kind="min", value=0, on_fail="quarantine"),
        *gate("cpf", kind="in", value=["a", "c"], on_fail="quarantine"),
    )
    assert desk.ids(done.good) == [1, 3]
    assert done.good[0] is staged[0], "a file without a bad row is not rewritten"
    ((source, reason, raw, run, at),) = desk.set_aside(done)
    assert (source, reason, run, at) == ("f:2", "amount min; cpf in", "run-1", AT)
    assert json.loads(raw) == {"id": 2, "amount": "-1.00", "cpf": "b"}
    assert [r.violations for r in done.results] == [1, 1]


def test_rows_that_the_source_refused_are_set_aside_as_they_came(desk: Desk) -> None:
    staged = desk.stage("(1, 1, 'a', 'f:1', null, null), (null, null, null, 'f:2', 'not a number', '1;x;b')")
    done = desk.judge(staged, *gate("id", kind="not_null"))
    assert desk.ids(done.good) == [1]
    assert [row[:3] for row in desk.set_aside(done)] == [("f:2", "not a number", "1;x;b")]
    columns = desk.session.rows(f"describe from '{done.good[0].path}'")
    assert [row[0] for row in columns] == SCHEMA.names, "the table has no _reason"


def test_a_table_without_a_source_column_quarantines_too(session: Session, tmp_path: Path) -> None:
    schema = pa.schema([("id", pa.int64())])
    staged = session.stage("select range as id from range(3)", tmp_path / "s", schema)
    checks = gate("id", kind="max", value=1, on_fail="quarantine")
    name = TableName("gold", "x")
    done = audit(Batch(session, name, schema, checks, lambda files: "t", tmp_path / "audit", "r", AT), staged)
    session.bind("back", FileSet(QUARANTINE, [str(f.path) for f in done.bad]))
    assert session.rows("select _source, _raw from back") == [(None, '{"id":2}')]


def test_a_blocking_check_says_which_how_many_and_shows_some(desk: Desk) -> None:
    staged = desk.stage("(1, -1, '111', 'f:1'), (2, -2, '222', 'f:2'), (3, 3, '333', 'f:3')")
    with pytest.raises(CheckFailed) as raised:
        desk.judge(staged, *gate("amount", kind="min", value=0))
    assert raised.value.code == "LG-401"
    for words in ("silver.orders", "amount min", "2 rows", "amount=-1.00", "cpf=***"):
        assert words in raised.value.message
    assert "111" not in raised.value.message


def test_blocking_checks_judge_what_quarantine_left(desk: Desk) -> None:
    staged = desk.stage("(1, -1, 'a', 'f:1'), (2, 2, 'b', 'f:2')")
    done = desk.judge(
        staged,
        *gate("amount", kind="min", value=0),
        *gate("amount", kind="min", value=0, on_fail="quarantine", name="negative"),
        *gate(None, kind="row_count", value=1),
    )
    assert desk.ids(done.good) == [2]


def test_a_warning_only_counts(desk: Desk) -> None:
    staged = desk.stage("(1, -1, 'a', 'f:1')")
    done = desk.judge(
        staged,
        *gate("amount", kind="min", value=0, on_fail="warn"),
        *gate(None, kind="row_count", value={"min": 9}, on_fail="warn"),
    )
    assert [(r.on_fail, r.violations) for r in done.results] == [("warn", 1), ("warn", 1)]
    assert done.good == staged


def test_where_restricts_a_check(desk: Desk) -> None:
    staged = desk.stage("(1, -1, 'a', 'f:1'), (2, -1, 'b', 'f:2')")
    done = desk.judge(staged, *gate("amount", kind="min", value=0, where="cpf = 'b'", on_fail="quarantine"))
    assert desk.ids(done.good) == [1]


def test_unique_looks_at_the_table_as_it_would_become(desk: Desk) -> None:
    desk.held = "select 1::bigint as id, null::decimal(10, 2) as amount, 'a' as cpf, 'old:1' as _source"
    staged = desk.stage("(1, 1, 'a', 'f:1'), (2, 2, 'b', 'f:2'), (3, 3, 'c', 'f:3'), (3, 4, 'd', 'f:4')")
    with pytest.raises(CheckFailed, match=r"`id unique` found 3 rows"):
        desk.judge(staged, *gate("id", kind="unique"))
    done = desk.judge(staged, *gate("id", kind="unique", on_fail="quarantine"))
    assert desk.ids(done.good) == [2], "each of the staged rows with a repeated key is set aside"


def test_row_count_and_freshness_look_at_the_table_as_it_would_become(desk: Desk) -> None:
    desk.held = "select range as id, null::decimal(10, 2) as amount, 'x' as cpf, 'old' as _source from range(5)"
    staged = desk.stage("(9, 1, 'a', 'f:1')")
    desk.judge(staged, *gate(None, kind="row_count", value=6))
    with pytest.raises(CheckFailed, match="row_count"):
        desk.judge(staged, *gate(None, kind="row_count", value=5))


def test_a_query_of_the_user_sees_the_table_as_it_would_become(desk: Desk) -> None:
    desk.held = "select 1::bigint as id, 5::decimal(10, 2) as amount, 'x' as cpf, 'old' as _source"
    staged = desk.stage("(2, 6, 'a', 'f:1')")
    query = "select sum(amount) as total from silver.orders having sum(amount) > 10 -- why"
    custom = Gate("totals", "block", sql=query, tables=("silver.orders",))
    with pytest.raises(CheckFailed, match=r"totals.*total=11"):
        desk.judge(staged, custom)


def test_a_query_of_the_user_shows_no_personal_value_under_another_name(desk: Desk) -> None:
    staged = desk.stage("(2, 6, '12345678901', 'f:1')")
    custom = Gate("who", "block", sql="select id, cpf as document from silver.orders", tables=("silver.orders",))
    with pytest.raises(CheckFailed) as raised:
        desk.judge(staged, custom)
    assert "12345678901" not in raised.value.message


def test_a_foreign_key_may_point_into_the_table_itself(desk: Desk) -> None:
    staged = desk.stage("(1, 1, 'a', 'f:1'), (2, 3, 'b', 'f:2')")
    checks = gate("amount", kind="foreign_key", value="silver.orders.id", on_fail="quarantine")
    assert desk.ids(desk.judge(staged, *checks).good) == [1]


@pytest.mark.parametrize(
    "checks",
    [gate("nope", kind="not_null"), gate("cpf", kind="min", value=0), gate("id", kind="min", value=0, where="foo > 1")],
)
def test_a_check_that_does_not_fit_says_so(desk: Desk, checks: list[Gate]) -> None:
    staged = desk.stage("(1, 1, 'a', 'f:1')")
    with pytest.raises(CheckFailed) as raised:
        desk.judge(staged, *checks)
    assert raised.value.code == "LG-402"
    assert checks[0].name in raised.value.message


def test_no_rows_pass_every_row_check(desk: Desk) -> None:
    done = desk.judge([], *gate("id", kind="unique", on_fail="quarantine"), *gate("id", kind="not_null"))
    assert (done.good, done.bad) == ([], [])
