"""A query reads what is published and nothing else, and says what it cannot find."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from lagoa.errors import CommandError, LagoaError, LakeError, ProjectError, StepError
from lagoa.kit.redact import Redactor
from lagoa.observe.events import Events
from lagoa.observe.log import RunLog, runs_folder
from lagoa.serve.query import read, read_time
from lagoa.testing.cove import BRONZE, CUSTOMERS, Cove


def ask(cove: Cove, sql: str, at: str | int | None = None) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = read(cove.project, cove.lake, cove.engine, sql, at).read_all().to_pylist()
    return rows


def refused(cove: Cove, sql: str, kind: type[LagoaError], at: str | None = None) -> LagoaError:
    with pytest.raises(kind) as caught:
        ask(cove, sql, at)
    return caught.value


def test_tables_and_views_answer_together(cove: Cove) -> None:
    cove.fill()
    sql = "select count(*) as n from silver.southern join silver.customers using (id);"
    assert ask(cove, sql) == [{"n": 2}]


def test_a_query_may_begin_with_from(cove: Cove) -> None:
    cove.fill()
    assert len(ask(cove, "from silver.customers")) == 4


def test_rows_may_be_made_beside_tables(cove: Cove) -> None:
    cove.fill()
    assert ask(cove, "select i from range(2) r(i) order by i") == [{"i": 0}, {"i": 1}]
    sql = "select count(*) as n from generate_series(1, 3) r(i) join silver.customers on true"
    assert ask(cove, sql) == [{"n": 12}]


def test_only_the_tables_that_are_named_are_opened(cove: Cove) -> None:
    cove.fill()
    for log in (cove.lake.path(BRONZE) / "_delta_log").iterdir():
        log.write_bytes(b"")
    assert len(ask(cove, "from silver.customers")) == 4
    assert refused(cove, "from bronze.erp_customers", LakeError).code == "LG-302"


def test_a_version_pins_the_one_table(cove: Cove) -> None:
    cove.fill(4)
    cove.fill(9)
    assert ask(cove, "select count(*) as n from silver.customers", "0") == [{"n": 4}]
    assert ask(cove, "select count(*) as n from silver.customers", "v1") == [{"n": 9}]
    assert refused(cove, "from silver.customers", LakeError, "7").code == "LG-307"


def test_a_version_of_two_tables_means_nothing(cove: Cove) -> None:
    cove.fill()
    error = refused(cove, "select 1 from silver.customers, bronze.erp_customers", CommandError, "0")
    assert error.message == "--at with a version is for a query over one table; this one reads 2"


def test_a_time_pins_every_table(cove: Cove) -> None:
    cove.fill(4)
    between = datetime.now(UTC).isoformat()
    cove.fill(9)
    sql = "select count(*) as n from silver.customers join bronze.erp_customers using (id)"
    assert ask(cove, sql, between) == [{"n": 4}]
    assert refused(cove, sql, LakeError, "2001-01-01").code == "LG-307"


def test_a_time_is_in_the_projects_zone_and_a_date_means_its_end() -> None:
    zone = "America/Sao_Paulo"
    assert read_time("2026-11-20 06:14", zone).astimezone(UTC) == datetime(2026, 11, 20, 9, 14, tzinfo=UTC)
    assert read_time("2026-11-20T06:14Z", zone) == datetime(2026, 11, 20, 6, 14, tzinfo=UTC)
    assert f"{read_time('2026-11-20', zone):%d %H:%M:%S}" == "20 23:59:59"
    with pytest.raises(CommandError, match="neither a version nor a time"):
        read_time("yesterday", zone)


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("drop table silver.customers", "`drop` is not a query"),
        ("select 1; select 2", "there are several statements, where one query is expected"),
        ("", "there is no query"),
        ("from read_csv('/etc/passwd')", "`read_csv(…)` reads outside the project's tables"),
        ("from '/etc/passwd'", "'/etc/passwd' is read as a file"),
        ("copy silver.customers to 'x'", "`copy` is not a query"),
        ("select getenv('HOME')", "`getenv(…)` reaches outside the query"),
    ],
)
def test_only_one_select_over_tables_is_answered(cove: Cove, sql: str, why: str) -> None:
    error = refused(cove, sql, CommandError)
    assert (error.code, error.message) == ("LG-604", why)


def test_an_unknown_table_is_placed_and_the_closest_named(cove: Cove) -> None:
    error = refused(cove, "select *\nfrom silver.customer", ProjectError)
    assert (error.code, error.message) == ("LG-103", "there is no table `silver.customer`")
    assert str(error.place) == "query:2:6"
    assert error.hint == "did you mean `silver.customers`?"


def test_a_name_without_its_layer_is_understood_in_the_hint(cove: Cove) -> None:
    assert refused(cove, "from revenue", ProjectError).hint == "did you mean `gold.revenue`?"


def test_a_table_that_is_not_built_says_how_to_build_it(cove: Cove) -> None:
    error = refused(cove, "from gold.revenue", LakeError)
    assert (error.code, error.message) == ("LG-103", "`gold.revenue` has not been built yet")
    assert error.hint == "lagoa run -s +gold.revenue"


def test_a_view_over_what_is_not_built_says_what_is_missing(cove: Cove) -> None:
    assert refused(cove, "from silver.southern", LakeError).message == "`silver.customers` has not been built yet"


def test_the_quarantine_answers_full_empty_and_unbuilt(cove: Cove) -> None:
    assert ask(cove, "select count(*) as n, max(_at) as at from quarantine.silver_customers") == [{"n": 0, "at": None}]
    cove.fill()
    assert ask(cove, "from quarantine.silver_customers") == []
    cove.fill(bad=3)
    assert ask(cove, "select count(*) as n, any_value(_reason) as why from quarantine.silver_customers") == [
        {"n": 3, "why": "too small"}
    ]
    assert refused(cove, "from quarantine.silver_nothing", ProjectError).code == "LG-103"


def test_the_history_answers_beside_tables(cove: Cove) -> None:
    cove.fill()
    run = "20261120-061405-aaaa"
    with RunLog(runs_folder(cove.root), run) as log:
        events = Events(run, Redactor())
        events.listen(log)
        events.emit("run.started", target="local")
    assert ask(cove, "select run, status from history.runs") == [{"run": run, "status": "unfinished"}]
    assert ask(cove, "select count(*) as n from history.events, silver.customers") == [{"n": 4}]
    assert refused(cove, "from history.nothing", ProjectError).hint == "did you mean `history.events`?"


def test_an_error_in_the_query_is_placed_in_it(cove: Cove) -> None:
    cove.fill()
    error = refused(cove, "select id,\n  spend from silver.customers", StepError)
    assert (error.code, str(error.place)) == ("LG-501", "query:2:3")


def test_a_reader_that_is_left_half_read_holds_nobody_up(cove: Cove) -> None:
    cove.fill(300_000)
    reader = read(cove.project, cove.lake, cove.engine, "from silver.customers")
    assert reader.read_next_batch().num_rows > 0
    reader.close()
    assert ask(cove, "select count(*) as n from silver.customers") == [{"n": 300_000}]


def test_reading_never_blocks_writing(cove: Cove) -> None:
    cove.fill(200_000)
    reader = read(cove.project, cove.lake, cove.engine, "from silver.customers")
    cove.fill(5)
    assert reader.read_all().num_rows == 200_000
    assert cove.lake.open(CUSTOMERS).rows == 5
