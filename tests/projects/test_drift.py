"""A source changes its columns: nothing shifts, nothing becomes null unsaid, and every row is loaded or set aside."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from lagoa.ports import Batch, Reading
from lagoa.testing.raft import Raft, batch

Rows = list[tuple[Any, ...]]


def reading_of(*tables: pa.Table) -> Any:
    def reads(reading: Reading) -> Iterator[Batch]:
        for number, table in enumerate(tables, 1):
            yield batch(table, cursor=number)

    return reads


def drifted(raft: Raft, policy: str, held: pa.Table, *came: pa.Table, mode: str = "append") -> None:
    """Load what is held, then let something else come."""
    raft.script(f"mode: {mode}, key: id, schema: {policy}", reading_of(held))
    raft.ok()
    raft.script(f"mode: {mode}, key: id, schema: {policy}", reading_of(*came))


def table(**columns: Any) -> pa.Table:
    return pa.table({n: v if isinstance(v, pa.Array) else pa.array(v) for n, v in columns.items()})


def ints(*values: int, kind: Any = None) -> pa.Array:
    return pa.array(values, kind or pa.int64())


def struct(**fields: list[Any]) -> pa.Array:
    return pa.StructArray.from_arrays([pa.array(v) for v in fields.values()], list(fields))


HELD = table(id=ints(1), v=["a"])
CHANGES = {
    "added": (HELD, table(id=ints(2), v=["b"], w=["new"])),
    "removed": (HELD, table(id=ints(2))),
    "renamed": (HELD, table(id=ints(2), vv=["b"])),
    "wider": (table(id=ints(1, kind=pa.int32())), table(id=ints(2**40))),
    "fractions": (HELD, table(id=pa.array([2, 3.5]), v=["b", "c"])),
    "text": (HELD, table(id=["2", "x", " 3", "4.0", "5.5"], v=["b", "c", "d", "e", "f"])),
    "decimal": (HELD, table(id=pa.array([Decimal("2.00"), Decimal("2.50")]), v=["b", "c"])),
    "timestamp": (table(d=pa.array([1], pa.date32())), table(d=pa.array([3_600_000_000], pa.timestamp("us")))),
    "field added": (table(s=struct(a=[1], b=["x"])), table(s=struct(a=[1, 2], b=["x", "y"], c=["z", None]))),
    "field retyped": (table(s=struct(a=[1], b=["x"])), table(s=struct(a=["2", "q"], b=["x", "y"]))),
    "list retyped": (table(v=pa.array([[1]])), table(v=pa.array([[1.5], [2.0]]))),
}
EVOLVED: dict[str, tuple[Rows, list[str]]] = {
    "added": ([(1, "a", None), (2, "b", "new")], []),
    "removed": ([(1, "a"), (2, None)], []),
    "renamed": ([(1, "a", None), (2, None, "b")], []),
    "wider": ([(1,), (2**40,)], []),
    "fractions": ([(1, "a"), (2, "b")], ["id is not bigint"]),
    "text": ([(1, "a"), (2, "b"), (3, "d"), (4, "e")], ["id is not bigint"] * 2),
    "decimal": ([(Decimal("1.00"), "a"), (Decimal("2.00"), "b"), (Decimal("2.50"), "c")], []),
    "timestamp": ([(datetime(1970, 1, 1, 1),), (datetime(1970, 1, 2),)], []),
    "field added": ([({"a": 1, "b": "x"},)], ['s is not struct("a" bigint, "b" varchar)'] * 2),
    "field retyped": (
        [({"a": 1, "b": "x"},), ({"a": 2, "b": "x"},)],
        ['s is not struct("a" bigint, "b" varchar)'],
    ),
    "list retyped": ([([1],), ([2],)], ["v is not bigint[]"]),
}
QUARANTINED: dict[str, tuple[Rows, list[str]]] = {
    **EVOLVED,
    "added": ([(1, "a")], ["unknown column w"]),
    "removed": ([(1, "a")], ["column v is missing"]),
    "renamed": ([(1, "a")], ["unknown column vv; column v is missing"]),
    "wider": ([(1,)], ["id is not integer"]),
    "decimal": ([(1, "a"), (2, "b")], ["id is not bigint"]),
    "timestamp": ([(date(1970, 1, 2),)], ["d is not date"]),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("mode", ["append", "merge"])
def test_evolve_lets_the_table_follow_and_sets_aside_what_does_not_fit(tmp_path: Path, change: str, mode: str) -> None:
    held, came = CHANGES[change]
    if mode == "merge" and "id" not in held.column_names:
        held, came = (t.add_column(0, "id", [range(n, n + t.num_rows)]) for n, t in ((100, held), (200, came)))
    raft = Raft(tmp_path)
    drifted(raft, "evolve", held, came, mode=mode)
    raft.ok()
    rows, refused = EVOLVED[change]
    shown = raft.rows("bronze.toy_s")
    assert sorted(repr(row[-len(rows[0]) :]) for row in shown) == sorted(map(repr, rows))
    assert raft.refused("bronze.toy_s") == refused
    assert held.num_rows + came.num_rows == len(shown) + len(refused)
    assert any(note.startswith("toy.s: ") for note in raft.notes()), "a change of columns is said"


@pytest.mark.parametrize("change", CHANGES)
def test_freeze_refuses_the_change_by_name_and_publishes_nothing(tmp_path: Path, change: str) -> None:
    held, came = CHANGES[change]
    raft = Raft(tmp_path)
    drifted(raft, "freeze", held, came)
    before = raft.rows("bronze.toy_s")
    error = raft.fails()["bronze.toy_s"]
    assert error.code == "LG-204"
    assert error.message.startswith("toy.s changed its columns: ")
    assert (raft.rows("bronze.toy_s"), raft.version("bronze.toy_s")) == (before, 0)


@pytest.mark.parametrize("change", CHANGES)
def test_quarantine_keeps_the_tables_columns_and_sets_rows_aside(tmp_path: Path, change: str) -> None:
    held, came = CHANGES[change]
    raft = Raft(tmp_path)
    drifted(raft, "quarantine", held, came)
    raft.ok()
    rows, refused = QUARANTINED[change]
    assert (raft.rows("bronze.toy_s"), raft.refused("bronze.toy_s")) == (rows, refused)
    assert held.num_rows + came.num_rows == len(rows) + len(refused)


@pytest.mark.parametrize("policy", ["evolve", "freeze", "quarantine"])
def test_order_case_and_narrower_types_are_no_change(tmp_path: Path, policy: str) -> None:
    raft = Raft(tmp_path)
    for_free = [table(v=["b"], id=ints(2)), table(ID=ints(3), V=["c"]), table(id=ints(4, kind=pa.int16()), v=["d"])]
    drifted(raft, policy, HELD, *for_free)
    raft.ok()
    assert raft.rows("bronze.toy_s") == [(1, "a"), (2, "b"), (3, "c"), (4, "d")]
    assert (raft.refused("bronze.toy_s"), raft.notes()) == ([], [])


def test_columns_that_differ_only_in_case_are_refused(tmp_path: Path) -> None:
    raft = Raft(tmp_path)
    drifted(raft, "evolve", HELD, table(id=ints(2), v=["b"], V=["c"]))
    assert raft.fails()["bronze.toy_s"].code == "LG-206"
    assert raft.rows("bronze.toy_s") == [(1, "a")]


@pytest.mark.parametrize("mode", ["append", "merge"])
def test_a_column_that_appears_in_the_second_batch_of_a_run_lands(tmp_path: Path, mode: str) -> None:
    raft = Raft(tmp_path)
    came = table(id=ints(2), v=["b"]), table(id=ints(3), v=["c"], w=[1.5]), table(id=ints(4), w=[2.5])
    drifted(raft, "evolve", HELD, *came, mode=mode)
    done = raft.ok()["bronze.toy_s"]
    assert (done.rows, done.total) == (3, 4)
    assert raft.rows("bronze.toy_s") == [(1, "a", None), (2, "b", None), (3, "c", 1.5), (4, None, 2.5)]
    assert raft.rows("select * from bronze.toy_s limit 0") == []
    with raft.open() as project:
        assert project.table("bronze.toy_s").schema.names[-3:] == ["_run", "_loaded_at", "_source"]


def test_what_reads_a_drifting_table_is_built_anew(tmp_path: Path) -> None:
    raft = Raft(tmp_path)
    raft.model("silver.all", "select * exclude (_run, _loaded_at, _source) from bronze.toy_s")
    drifted(raft, "evolve", HELD, table(id=ints(2), v=["b"], w=["new"]))
    assert raft.ok()["silver.all"].status == "published"
    assert raft.rows("silver.all") == raft.rows("bronze.toy_s") == [(1, "a", None), (2, "b", "new")]


def test_a_declared_type_is_no_change_of_the_source(tmp_path: Path) -> None:
    raft = Raft(tmp_path)
    stream = "mode: append, schema: freeze, columns: {v: {type: bigint}}"
    raft.script(stream, reading_of(table(id=ints(1), v=["1"])))
    raft.ok()
    raft.script(stream, reading_of(table(id=ints(2), v=["2"])))
    raft.ok()
    raft.script(stream.replace("bigint", "'decimal(20, 0)'"), reading_of(table(id=ints(3), v=["3"])))
    raft.ok()
    assert raft.rows("bronze.toy_s") == [(1, 1), (2, 2), (3, 3)]


@pytest.mark.parametrize("policy", ["evolve", "freeze", "quarantine"])
def test_a_column_that_the_user_drops_is_no_change_of_the_source(tmp_path: Path, policy: str) -> None:
    raft = Raft(tmp_path)
    stream = f"p: {{path: 'p*.csv', mode: append, schema: {policy}"
    raft.source("land", stream + "}")
    raft.write("land/p1.csv", "id,v\n1,a\n")
    raft.ok()
    raft.source("land", stream + ", columns: {v: {drop: true}}}")
    raft.write("land/p2.csv", "id,v\n2,b\n")
    raft.ok()
    assert raft.rows("bronze.land_p") == [("1", "a"), ("2", None)]
    assert raft.refused("bronze.land_p") == []


def test_a_replace_takes_the_sources_columns_as_they_are(tmp_path: Path) -> None:
    raft = Raft(tmp_path)
    drifted(raft, "evolve", HELD, table(id=ints(2), w=["b"]), mode="replace")
    raft.ok()
    assert raft.rows("bronze.toy_s") == [(2, "b")]
    assert raft.notes() == ["toy.s: new column w; column v no longer arrives"]
