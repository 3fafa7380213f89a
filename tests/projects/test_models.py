"""Models of every kind: when they are built anew, what they may return, and where their errors point."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from lagoa.errors import LagoaError
from lagoa.testing.raft import Raft


@pytest.fixture
def raft(tmp_path: Path) -> Raft:
    """A project with a stream that grows and one that is replaced."""
    raft = Raft(tmp_path)
    columns = "columns: {id: {type: bigint, checks: [{max: 99, on_fail: quarantine}]}}"
    raft.source("land", f"p: {{path: 'p*.csv', mode: append, {columns}}}\nq: {{path: q.csv}}")
    raft.write("land/p1.csv", "id,v\n1,a\n2,b\n")
    raft.write("land/q.csv", "id,w\n1,x\n2,y\n")
    return raft


def place(error: LagoaError) -> str:
    return str(error.place)


# ---------------------------------------------------------------- when a model is built
def test_comments_layout_and_descriptions_build_nothing(raft: Raft) -> None:
    raft.model("silver.s", "select id, v from bronze.land_p where id > 0", "description: one")
    raft.write("checks/c.sql", "/*\ntable: silver.s\n*/\nselect * from silver.s where id < 0")
    raft.ok()
    raft.model("silver.s", "SELECT id,\n  v -- why\nFROM bronze.land_p\nWHERE id > 0;", "description: two\nowner: me")
    raft.write("checks/c.sql", "/*\ntable: silver.s\n*/\nselect * -- all\nfrom silver.s\nwhere id < 0;")
    assert raft.plan()["silver.s"].status == "up to date"
    assert raft.ok()["silver.s"].status == "unchanged"


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("columns: {id: {type: integer}}", "its declared types"),
        ("columns: {id: {checks: [unique]}}", "its checks"),
        ("columns: {v: {pii: name}}", "which columns are personal"),
        ("partition_by: v", "its partitions"),
        ("key: id", "its key"),
        ("kind: append", "its kind"),
    ],
)
def test_a_header_that_decides_rows_builds_the_table_anew(raft: Raft, header: str, said: str) -> None:
    raft.model("silver.s", "select id, v from bronze.land_p")
    raft.ok()
    raft.model("silver.s", "select id, v from bronze.land_p", header)
    step = raft.plan()["silver.s"]
    assert (step.status, step.reason) == ("changed", f"{said} changed")
    assert raft.ok()["silver.s"].status == "published"
    assert raft.rows("silver.s") == [(1, "a"), (2, "b")]
    assert raft.ok()["silver.s"].status == "unchanged"


def test_a_changed_view_builds_its_readers_anew_through_other_views(raft: Raft) -> None:
    raft.model("silver.v", "select id from bronze.land_p; -- all", "kind: view")
    raft.model("silver.w", "select id from silver.v ;", "kind: view")
    raft.model("gold.n", "select count(*) as n from silver.w")
    raft.model("gold.other", "select count(*) as n from bronze.land_q")
    raft.ok()
    raft.model("silver.v", "select id from bronze.land_p where id > 1", "kind: view")
    plan = raft.plan()
    assert (plan["gold.n"].status, plan["gold.n"].reason) == ("changed", "the view silver.v changed")
    assert plan["gold.other"].status == "up to date"
    raft.ok()
    assert raft.rows("gold.n") == [(1,)]


def test_a_view_shows_the_quarantine_when_it_is_empty_and_when_it_is_not(raft: Raft) -> None:
    raft.model("silver.bad", "select _reason from quarantine.bronze_land_p", "kind: view")
    raft.model("gold.bad", "select count(*) as n from silver.bad")
    raft.ok()
    assert raft.rows("gold.bad") == [(0,)]
    raft.write("land/p2.csv", "id,v\n100,c\nx,d\n3,e\n")
    raft.ok()
    assert raft.rows("gold.bad") == [(2,)]
    raft.write("land/p3.csv", "id,v\n4,c\n")
    assert raft.ok()["gold.bad"].status == "unchanged", "nothing more was set aside"


def test_a_removed_model_keeps_its_table_and_breaks_nothing(raft: Raft) -> None:
    raft.model("silver.s", "select id from bronze.land_p")
    raft.ok()
    (raft.root / "models/silver/s.sql").unlink()
    assert "silver.s" not in raft.ok()
    with raft.open() as project:
        assert [str(n) for n in project.lake.names()] == ["bronze.land_p", "bronze.land_q", "silver.s"]


def test_a_model_without_inputs_is_built_once(raft: Raft) -> None:
    raft.model(
        "silver.days", "select d::date as d from range(date '2026-01-01', date '2026-01-04', interval 1 day) t(d)"
    )
    assert raft.ok()["silver.days"].total == 3
    assert raft.ok()["silver.days"].status == "unchanged"


@pytest.mark.parametrize(
    "query",
    [
        "select id from bronze.land_p; -- done\n",
        "select id from bronze.land_p -- done",
        "select id from bronze.land_p ; ; /* x */",
        "\n\nselect id,\nfrom bronze.land_p;\n\n",
    ],
)
def test_a_query_may_end_in_semicolons_and_comments(raft: Raft, query: str) -> None:
    raft.model("silver.s", query)
    raft.model("silver.v", query, "kind: view")
    raft.model("gold.v", "select id from silver.v")
    raft.write("checks/c.sql", f"/*\ntable: silver.s\n*/\n{query.replace('bronze.land_p', 'silver.s where id < 0')}")
    raft.ok()
    assert raft.rows("silver.s") == raft.rows("gold.v") == [(1,), (2,)]


@pytest.mark.parametrize("header", ["kind: table", "kind: incremental\nkey: a", "kind: append", "kind: scd2\nkey: a"])
def test_columns_and_fields_may_change_their_order(raft: Raft, header: str) -> None:
    raft.model("silver.s", "select 1 as a, 2 as b, {'x': 3, 'y': 4} as c", header)
    raft.ok()
    for query in ("select 2 as b, {'x': 3, 'y': 4} as c, 1 as a", "select 2 as b, {'y': 4, 'x': 3} as c, 1 as a"):
        if "scd2" in header and "'y': 4, 'x'" in query:
            continue  # a history keeps its columns, whose types may only widen
        raft.model("silver.s", query, header)
        raft.ok()
        assert raft.rows("select a, b, c.x, c.y from silver.s") == [(1, 2, 3, 4)]
        assert not any(step.writes for step in raft.plan().values() if str(step.table) == "silver.s")
    with raft.open() as project:
        assert project.restore("silver.s", 0).schema.names[:3] == ["a", "b", "c"]
    assert raft.rows("select a, b, c.x, c.y from silver.s") == [(1, 2, 3, 4)]


# ---------------------------------------------------------------- append
def test_an_append_model_gains_the_new_rows_of_its_first_input(raft: Raft) -> None:
    raft.model(
        "silver.s", "select p.id, q.w from bronze.land_p p left join bronze.land_q q on q.id = p.id", "kind: append"
    )
    raft.ok()
    raft.write("land/q.csv", "id,w\n1,changed\n")
    assert raft.ok()["silver.s"].rows == 0, "the second input is only looked up"
    raft.write("land/p2.csv", "id,v\n1,c\n2,d\n")
    done = raft.ok()["silver.s"]
    assert (done.rows, done.total) == (2, 4)
    assert raft.rows("silver.s") == [(1, "changed"), (1, "x"), (2, "y"), (2, None)]
    raft.ok("silver.s", full=True)
    assert raft.rows("silver.s") == [(1, "changed"), (1, "changed"), (2, None), (2, None)]


def test_an_append_model_over_a_view_doubles_nothing(raft: Raft) -> None:
    raft.model("silver.v", "select id from bronze.land_p where id <> 2", "kind: view")
    raft.model("silver.s", "select id from silver.v", "kind: append")
    raft.ok()
    raft.write("land/p2.csv", "id,v\n3,c\n2,c\n")
    raft.ok()
    assert raft.rows("silver.s") == [(1,), (3,)]


def test_an_append_model_over_a_quarantine_follows_it(raft: Raft) -> None:
    raft.model("silver.s", "select _raw from quarantine.bronze_land_p", "kind: append")
    raft.ok()
    for n in (2, 3):
        raft.write(f"land/p{n}.csv", f"id,v\nbad{n},c\n{n},d\n")
        raft.ok()
    assert [row[0][:4] for row in raft.rows("silver.s")] == ["bad2", "bad3"]
    raft.write("land/p4.csv", "id,v\n4,d\n")
    assert raft.ok()["silver.s"].status == "unchanged"


def test_an_append_model_whose_input_was_rewritten_says_so(raft: Raft) -> None:
    raft.model("silver.s", "select id from bronze.land_q", "kind: append")
    raft.ok()
    raft.write("land/q.csv", "id,w\n9,z\n")
    error = raft.fails()["silver.s"]
    assert "were changed or removed, not only added" in error.message
    assert error.hint is not None
    assert "`lagoa run --full -s silver.s` rebuilds it" in error.hint
    assert raft.rows("silver.s") == [("1",), ("2",)]
    raft.ok("silver.s", full=True)
    assert raft.rows("silver.s") == [("9",)]


def test_a_plan_says_that_an_append_model_cannot_follow_what_was_rewritten(raft: Raft) -> None:
    raft.model("silver.s", "select id from bronze.land_q", "kind: append")
    raft.model("gold.g", "select count(*) as n from silver.s")
    raft.ok()
    raft.write("land/q.csv", "id,w\n9,z\n")
    raft.ok("bronze.land_q")
    plan = raft.plan()
    assert (plan["silver.s"].status, plan["gold.g"].status) == ("blocked", "blocked")
    assert "were changed or removed, not only added" in plan["silver.s"].reason
    assert set(raft.fails()) == {"silver.s"}
    raft.ok("silver.s", full=True)
    raft.ok()
    assert raft.rows("gold.g") == [(1,)]


def test_verify_says_that_appended_rows_cannot_be_compared(raft: Raft) -> None:
    raft.model("silver.s", "select id from bronze.land_p", "kind: append")
    raft.ok()
    raft.write("land/p2.csv", "id,v\n7,c\n")
    raft.ok(verify=True)
    assert raft.notes() == ["silver.s: what it holds was appended when it came, so that no rebuild can verify it"]


def test_an_append_model_sets_rows_aside_and_counts_them(raft: Raft) -> None:
    raft.model(
        "silver.s",
        "select id from bronze.land_p",
        "kind: append\ncolumns: {id: {checks: [{max: 2, on_fail: quarantine}]}}",
    )
    raft.ok()
    raft.write("land/p2.csv", "id,v\n3,c\n0,c\n")
    done = raft.ok()["silver.s"]
    assert (done.rows, done.total, done.quarantined) == (1, 3, 1)
    assert raft.refused("silver.s") == ["id max"]


# ---------------------------------------------------------------- types, emptiness, names
def test_a_declared_type_rounds_nothing(raft: Raft) -> None:
    raft.model("silver.s", "select 1.5 as v", "columns: {v: {type: bigint}}")
    raft.model("silver.t", "select 2.0 as v, '7' as w", "columns: {V: {type: bigint}, w: {type: smallint}}")
    errors = raft.fails()
    assert set(errors) == {"silver.s"}
    assert (errors["silver.s"].code, place(errors["silver.s"])) == ("LG-308", "models/silver/s.sql:4")
    assert raft.rows("silver.t") == [(2, 7)]
    with raft.open() as project:
        assert project.table("silver.t").schema.field("w").type == pa.int16()


def test_a_query_without_rows_is_an_empty_table_unless_that_is_forbidden(raft: Raft) -> None:
    raft.model("silver.s", "select id, v from bronze.land_p where id < 0")
    raft.model("silver.t", "select id from bronze.land_p where id < 0", "allow_empty: false")
    assert set(raft.fails()) == {"silver.t"}
    assert raft.rows("silver.s") == []


def test_header_and_query_may_spell_a_column_in_another_case(raft: Raft) -> None:
    raft.model(
        "silver.s",
        "select id as ID, v from bronze.land_p",
        "columns: {id: {checks: [unique, not_null]}}\nkey: id\npartition_by: V",
    )
    raft.ok()
    assert raft.rows("silver.s") == [(1, "a"), (2, "b")]


@pytest.mark.parametrize(
    ("query", "header", "where", "said"),
    [
        ("select id,\n  nope\nfrom bronze.land_p", "", "models/silver/s.sql:2:3", "nope"),
        ("select id,\n  nope\nfrom bronze.land_p", "key: id", "models/silver/s.sql:5:3", "nope"),
        ("\n\n\nselect id,\n  nope\nfrom bronze.land_p", "key: id", "models/silver/s.sql:8:3", "nope"),
        ("select id as a,\n  id as A from bronze.land_p", "", "models/silver/s.sql:1", "two columns"),
        ("select v::bigint as v from bronze.land_p", "", "models/silver/s.sql:1", "Could not convert"),
        ("select * from bronze.land_p", "columns:\n  v: {type: txt}", "models/silver/s.sql:3", "`txt` is not a type"),
        ("select * from bronze.land_p", "columns: {zz: {type: text}}", "models/silver/s.sql:1", "speaks of zz"),
    ],
)
def test_an_error_points_into_the_users_file(raft: Raft, query: str, header: str, where: str, said: str) -> None:
    raft.model("silver.s", query, header)
    error = raft.fails()["silver.s"]
    assert place(error) == where
    assert said in error.message


def test_an_error_in_a_view_points_into_the_views_file(raft: Raft) -> None:
    raft.model("silver.v", "select id,\n  nope\nfrom bronze.land_p", "kind: view")
    raft.model("gold.s", "select id from silver.v")
    assert place(raft.fails()["gold.s"]) == "models/silver/v.sql:5:3"


# ---------------------------------------------------------------- Python
IDS = "p: bronze.land_p"


@pytest.mark.parametrize(
    "body",
    [
        "def model(p):\n    return p.select('id')\n",
        "def model(p):\n    return p.select('id').to_arrow_table()\n",
        "def model(p):\n    return p.select('id').to_arrow_reader()\n",
        "def model(p):\n    return [{'id': row[0]} for row in p.fetchall()]\n",
        "import pyarrow as pa\n\n\ndef model(p):\n    return pa.record_batch({'id': [1, 2]})\n",
        "import duckdb\n\n\ndef model(p):\n    return duckdb.sql('select unnest([1, 2]) as id')\n",
        "import pyarrow as pa\n\n\ndef model(p):\n    batches = (pa.record_batch({'id': [n]}) for n in (1, 2))\n"
        "    return pa.RecordBatchReader.from_batches(pa.schema([('id', pa.int64())]), batches)\n",
    ],
)
def test_a_python_model_returns_anything_like_a_table(raft: Raft, body: str) -> None:
    raft.python("gold.m", body, IDS)
    raft.ok()
    assert raft.rows("gold.m") == [(1,), (2,)]


GENERATOR = """import pyarrow as pa


def rows():
    yield pa.record_batch({"a": [1]})
    raise ValueError("no luck")


def model(p):
    return pa.RecordBatchReader.from_batches(pa.schema([("a", pa.int64())]), rows())
"""


@pytest.mark.parametrize(
    ("body", "where", "said"),
    [
        ("def model(p):\n    return 1 / 0\n", "models/gold/m.py:7", "ZeroDivisionError"),
        (GENERATOR, "models/gold/m.py:11", "raised ValueError: no luck"),
        ("def model(p):\n    return None\n", "models/gold/m.py", "returned NoneType"),
        ("def model(p):\n    return []\n", "models/gold/m.py", "empty list"),
        ("def model(p):\n    return [{'a': 1}, {'a': 'x'}]\n", "models/gold/m.py", "ArrowInvalid"),
        ("import sys\n\n\ndef model(p):\n    sys.exit(3)\n", "models/gold/m.py:10", "SystemExit"),
        ("import nope_nope\n\n\ndef model(p):\n    return p\n", "models/gold/m.py:6", "No module named"),
        ("def model(p):\n    return p.filter('nope > 1')\n", "models/gold/m.py:7", "nope"),
    ],
)
def test_what_a_python_model_does_wrong_is_shown_at_its_line(raft: Raft, body: str, where: str, said: str) -> None:
    raft.python("gold.m", body, IDS)
    raft.model("gold.other", "select id from bronze.land_p")
    errors = raft.fails()
    assert set(errors) == {"gold.m"}, "the others go on"
    assert (errors["gold.m"].code, place(errors["gold.m"])) == ("LG-502", where)
    assert said in errors["gold.m"].message
    assert "Traceback" not in errors["gold.m"].message


def test_an_empty_list_takes_the_declared_columns(raft: Raft) -> None:
    raft.python("gold.m", "def model(p):\n    return []\n", IDS, "columns: {a: {type: bigint}, b: {type: date}}")
    raft.ok()
    assert raft.rows("gold.m") == []


def test_a_python_model_follows_the_projects_own_modules(raft: Raft) -> None:
    raft.write("lib/__init__.py", "")
    raft.write("lib/rate.py", "from lib.deep import BASE\n\n\ndef rate():\n    return BASE + 1\n")
    raft.write("lib/deep.py", "BASE = 1\n")
    raft.python("gold.m", "from lib import rate\n\n\ndef model(p):\n    return [{'a': rate.rate()}]\n", IDS)
    raft.ok()
    assert raft.rows("gold.m") == [(2,)]
    raft.write("lib/deep.py", "BASE = 1  # one\n")
    assert raft.plan()["gold.m"].status == "up to date"
    raft.write("lib/deep.py", "BASE = 5\n")
    step = raft.plan()["gold.m"]
    assert (step.status, step.reason) == ("changed", "lib/deep.py changed; its columns are known when it runs")
    raft.ok()
    assert raft.rows("gold.m") == [(6,)], "a module that was imported before is not stale"


def test_two_projects_in_one_process_have_modules_of_their_own(tmp_path: Path) -> None:
    for number, name in enumerate(("one", "two", "one")):
        raft = Raft(tmp_path / f"{name}-{number}")
        raft.write("figures.py", f"N = {number}\n")
        raft.python("gold.m", "import figures\n\n\ndef model():\n    return [{'n': figures.N}]\n")
        raft.ok()
        assert raft.rows("gold.m") == [(number,)]


def test_planning_runs_no_code_of_the_user(raft: Raft) -> None:
    body = "import pathlib\n\npathlib.Path(__file__).with_name('ran').touch()\n\n\ndef model(p):\n    return p\n"
    raft.python("gold.m", body, IDS)
    raft.plan()
    assert not list(raft.root.rglob("ran"))


def test_an_append_model_gains_columns_and_widens_types_with_its_input(raft: Raft) -> None:
    raft.source("wide", 's: {path: "s*.parquet", mode: append}')
    raft.parquet("wide/s1.parquet", id=pa.array([1], pa.int64()), v=pa.array([1], pa.int32()))
    raft.model("silver.s", "select * exclude (_run, _loaded_at, _source) from bronze.wide_s", "kind: append")
    raft.model("gold.s", "select id, v from silver.s", "kind: incremental\nkey: id")
    raft.ok()
    raft.parquet("wide/s2.parquet", id=[2], v=pa.array([1 << 40], pa.int64()), w=["x"])
    raft.ok()
    assert raft.rows("select id, v, w from silver.s order by id") == [(1, 1, None), (2, 1 << 40, "x")]
    assert raft.rows("gold.s") == [(1, 1), (2, 1 << 40)]
    raft.model("silver.s", "select id, v from bronze.wide_s", "kind: append")
    raft.ok()
    assert raft.plan()["silver.s"].status == "up to date"


def test_an_append_model_says_which_type_no_longer_fits(raft: Raft) -> None:
    raft.model("silver.t", "select 1 as v")
    raft.model("silver.s", "select p.id, t.v from bronze.land_p p cross join silver.t t", "kind: append")
    raft.ok()
    raft.model("silver.t", "select 'x' as v")
    raft.write("land/p2.csv", "id,v\n3,c\n")
    error = raft.fails()["silver.s"]
    assert (error.code, error.message) == (
        "LG-501",
        "`silver.s`: `v` is VARCHAR now, and INTEGER in the rows that it has",
    )
    assert "`lagoa run --full -s silver.s` rebuilds it" in str(error.hint)
    assert raft.rows("silver.s") == [(1, 1), (2, 1)]
