"""What a table must recompute: found from states and changes alone, or refused with the reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest

from lagoa.app import Project
from lagoa.lake.table import Table
from lagoa.ports import Session
from lagoa.spec.names import TableName
from lagoa.sql.incremental.analysis import Refused
from lagoa.testing.raft import Raft
from lagoa.transform import compared, sql_model
from lagoa.transform import follower as following_keys
from lagoa.transform.bind import bind_tables, tables_behind
from lagoa.transform.follower import Follower
from lagoa.transform.incremental import fits, follow, own_history
from lagoa.transform.prospect import Prospect

T, SALES = TableName("silver", "t"), TableName("bronze", "land_sales")
QUERY = "select shop, count(*) as n from bronze.land_sales group by shop"


@pytest.fixture
def raft(tmp_path: Path) -> Raft:
    made = Raft(tmp_path)
    made.source("land", 'sales: {path: "*.parquet", mode: merge, key: id}')
    made.parquet("land/1.parquet", id=[1, 2, 3], shop=["a", "a", "b"])
    made.model("silver.t", QUERY, "kind: incremental\nkey: shop")
    made.ok()
    return made


def arrives(raft: Raft, number: int, ids: Sequence[int], shops: Sequence[str | None]) -> None:
    raft.parquet(f"land/{number}.parquet", id=ids, shop=pa.array(shops, pa.string()))
    raft.ok("bronze.land_sales")


@contextmanager
def following(raft: Raft) -> Iterator[tuple[Follower, Project, Session]]:
    with raft.open() as project, project.engine.session() as session, project.engine.session() as apart:
        pins: dict[TableName, Table] = {}

        def pin(name: TableName) -> Table:
            return pins.setdefault(name, project.lake.open(name))

        model = project.project.models[T]
        shapes = {n: pin(n).schema for n in tables_behind(project.project, model.inputs)}
        followed = follow(apart, project.project, model, shapes)
        bind_tables(session, project.project, model.inputs, pin)
        yield Follower(session, project.lake, pin(T), followed, pin), project, session


def schema(project: Project, session: Session) -> pa.Schema:
    return sql_model.columns_of(session, project.project.models[T])


def test_a_changed_row_touches_its_old_key_and_its_new_one(raft: Raft) -> None:
    arrives(raft, 2, [3, 4], ["c", None])
    with following(raft) as (follower, project, session):
        assert follower.touched(schema(project, session)).keys == 3
        assert sorted(session.rows(follower.keys()), key=str) == [("b",), ("c",), (None,)]
        rows = session.rows(f"{follower.rows(schema(project, session))} order by all")
        assert rows == [("c", 1), (None, 1)]


def test_nothing_that_changed_touches_nothing(raft: Raft) -> None:
    with following(raft) as (follower, project, session):
        assert follower.touched(schema(project, session)).keys == 0


def test_other_columns_than_the_table_has_are_refused(raft: Raft) -> None:
    with following(raft) as (follower, _, __), pytest.raises(Refused, match="its columns changed"):
        follower.touched(pa.schema([("shop", pa.string()), ("n", pa.int32())]))


def test_more_keys_than_are_worth_it_are_refused(raft: Raft, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following_keys, "_MANY", 1)
    arrives(raft, 2, [3, 4], ["c", None])
    with (
        following(raft) as (follower, project, session),
        pytest.raises(Refused, match="3 keys, in 1 of 1 files are touched"),
    ):
        follower.touched(schema(project, session))


def test_a_table_that_was_restored_is_refused(raft: Raft) -> None:
    arrives(raft, 2, [3], ["c"])
    raft.ok()
    with raft.open() as project:
        own_history(project.lake.open(T))
        project.restore("silver.t", 0)
        with pytest.raises(Refused, match="restored"):
            own_history(project.lake.open(T))


def test_a_table_whose_states_are_gone_is_refused(raft: Raft) -> None:
    arrives(raft, 2, [3], ["c"])
    raft.ok()
    with raft.open() as project:
        table = project.lake.open(T)
        assert table.state is not None
        (table.path / "_lagoa/state" / f"{table.state.parent}.json").unlink()
        with pytest.raises(Refused, match="no longer knows"):
            own_history(project.lake.open(T))


@pytest.mark.parametrize(
    ("header", "query", "why"),
    [
        ("columns: {n: {checks: [{unique: true, on_fail: quarantine}]}}", QUERY, "sets rows aside by other rows"),
        (
            "columns: {shop: {checks: [{foreign_key: bronze.land_sales.shop, on_fail: quarantine}]}}",
            QUERY,
            "sets rows aside by other rows",
        ),
        ("", "select _reason as shop, count(*) as n from quarantine.bronze_land_sales group by _reason", "quarantine"),
    ],
)
def test_what_must_see_all_rows_is_refused(raft: Raft, header: str, query: str, why: str) -> None:
    raft.model("silver.t", query, f"kind: incremental\nkey: shop\n{header}")
    with pytest.raises(Refused, match=why), following(raft):
        pass


def test_a_key_that_the_table_holds_in_another_way_is_refused(raft: Raft) -> None:
    raft.model("silver.t", QUERY, "kind: incremental\nkey: shop\npartition_by: shop")
    found = pa.schema([("shop", pa.string()), ("n", pa.int64())])
    with raft.open() as project:
        model = project.project.models[T]
        with pytest.raises(Refused, match="declared as BIGINT"):
            fits(found, pa.schema([("shop", pa.int64()), ("n", pa.int64())]), model)
        fits(found, found, model)


def test_the_plan_foresees_both_ways(raft: Raft, monkeypatch: pytest.MonkeyPatch) -> None:
    def why(query: str) -> str | None:
        raft.model("silver.t", query, "kind: incremental\nkey: shop")
        with raft.open() as project:
            prospect = Prospect(project.project, project.lake, project.engine.session)
            return prospect.foresee(project.project.models[T], project.lake.open(T), project.lake.open, [SALES]).in_full

    assert why(QUERY) is None
    assert why(f"{QUERY} limit 1") == "LIMIT picks rows by their order"
    raft.ok("bronze.land_sales", full=True)
    assert why(QUERY) is None
    monkeypatch.setattr(compared, "_FEW", 0)
    assert why(QUERY) == "bronze.land_sales was rebuilt, and to compare its versions would cost more"
