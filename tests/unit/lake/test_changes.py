"""What a reader is told has changed since it last looked."""

from __future__ import annotations

from deltalake import DeltaTable

from lagoa.lake.changes import changed
from lagoa.lake.merge import merge
from lagoa.lake.publish import Change, publish
from lagoa.lake.restore import accept
from lagoa.lake.table import Table
from lagoa.testing.shore import ORDERS, Shore, ids


def data(table: Table) -> int:
    assert table.state
    return table.state.data


def merged(shore: Shore, sql: str) -> Table:
    table = shore.lake.open(ORDERS)
    done = merge(
        shore.session,
        table.fileset(),
        shore.stage(sql),
        ["id"],
        table.schema,
        shore.scratch(),
        bounds=table.bounds(["id"]),
        partition_by=table.partition_by,
    )
    removes = [p.removeprefix(f"{table.path}/") for p in done.removes]
    by = tuple(table.partition_by)
    return publish(shore.lake, table, Change("merge", table.schema, done.adds, removes, done.changes, partition_by=by))


def test_nothing_has_changed_since_now(shore: Shore) -> None:
    table = shore.publish(ids(0, 5))
    assert changed(shore.lake, table, data(table)).kind == "nothing"


def test_appended_rows_are_exactly_those_since(shore: Shore) -> None:
    shore.publish(ids(0, 5))
    since = data(shore.publish(ids(5, 9)))
    shore.publish(ids(9, 11))
    DeltaTable(str(shore.lake.path(ORDERS))).optimize.compact()
    table = shore.publish(ids(11, 12))
    news = changed(shore.lake, table, since)
    assert news.kind == "appended"
    assert news.added
    shore.session.bind("news", news.added)
    assert sorted(shore.session.rows("select id from news")) == [(9,), (10,), (11,)]


def test_appended_rows_keep_their_partition_values(shore: Shore) -> None:
    since = data(shore.publish("select 1 as id, 'a' as p", partition_by=("p",)))
    table = shore.publish("select 2 as id, null::varchar as p", partition_by=("p",))
    news = changed(shore.lake, table, since)
    assert news.added
    shore.session.bind("news", news.added)
    assert shore.session.rows("select * from news") == [(2, None)]


def test_a_merge_tells_old_and_new_rows(shore: Shore) -> None:
    since = data(shore.publish(ids(0, 5), "replace"))
    merged(shore, ids(3, 7, "y"))
    news = changed(shore.lake, shore.lake.open(ORDERS), since)
    assert news.kind == "changed"
    assert news.sides and news.added is None
    shore.session.bind("news", news.sides)
    found = shore.session.rows("select _side, id, s from news order by all")
    assert found == [
        ("new", 3, "y"),
        ("new", 4, "y"),
        ("new", 5, "y"),
        ("new", 6, "y"),
        ("old", 3, "x"),
        ("old", 4, "x"),
    ]
    shore.publish(ids(20, 21))
    news = changed(shore.lake, shore.lake.open(ORDERS), since)
    assert (news.kind, news.added is not None) == ("changed", True)


def test_a_merge_that_changes_nothing_is_no_news(shore: Shore) -> None:
    since = data(shore.publish(ids(0, 5), "replace"))
    table = merged(shore, ids(1, 3))
    assert table.version == 1
    assert changed(shore.lake, table, since).kind == "nothing"


def test_a_replace_an_acceptance_or_an_unknown_state_is_everything(shore: Shore) -> None:
    since = data(shore.publish(ids(0, 5)))
    table = shore.publish(ids(0, 6), "replace")
    assert changed(shore.lake, table, since).kind == "everything"
    since = data(table)
    DeltaTable(str(table.path)).delete("id = 1")
    table = accept(shore.lake, ORDERS)
    assert changed(shore.lake, table, since).kind == "everything"
    assert changed(shore.lake, table, 12345).kind == "everything"
    assert changed(shore.lake, table, None).kind == "everything"


def test_a_lost_file_or_state_in_between_is_everything(shore: Shore) -> None:
    since = data(shore.publish(ids(0, 5)))
    middle = shore.publish(ids(5, 6))
    table = shore.publish(ids(6, 7))
    assert changed(shore.lake, table, since).kind == "appended"
    assert middle.state
    path = table.path / "_lagoa" / "state" / f"{middle.state.id}.json"
    kept = path.read_bytes()
    path.unlink()
    assert changed(shore.lake, table, since).kind == "everything"
    path.write_bytes(kept)
    (table.path / middle.state.added[0].path).unlink()
    assert changed(shore.lake, table, since).kind == "everything"
