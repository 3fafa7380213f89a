"""The quarantine table shows exactly what the main table's commits set aside."""

from __future__ import annotations

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from lagoa.lake import log, quarantine
from lagoa.lake.publish import publish
from lagoa.lake.restore import restore
from lagoa.testing.shore import ORDERS, Shore, ids

ASIDE = ORDERS.quarantine


def test_rows_set_aside_become_visible_with_their_reason(shore: Shore) -> None:
    shore.publish(ids(0, 5), bad=3)
    shore.publish(ids(5, 9), bad=2)
    table = shore.lake.open(ASIDE)
    assert table.schema.names == ["_source", "_reason", "_raw", "_run", "_at"]
    assert shore.rows(table, "select count(*), min(_source), min(_reason) from {t}") == [(5, "f.csv:1", "too small")]


def test_what_a_killed_run_did_not_show_is_shown_by_the_next(shore: Shore) -> None:
    publish(shore.lake, shore.lake.open(ORDERS), shore.change(ids(0, 5), bad=3))
    publish(shore.lake, shore.lake.open(ORDERS), shore.change(ids(5, 9), bad=2))
    assert not shore.lake.open(ASIDE).exists
    quarantine.follow(shore.lake, ORDERS)
    assert shore.count(ASIDE) == 5


def test_following_twice_writes_once(shore: Shore) -> None:
    shore.publish(ids(0, 5), bad=3)
    before = shore.lake.open(ASIDE).version
    quarantine.follow(shore.lake, ORDERS)
    assert shore.lake.open(ASIDE).version == before
    shore.publish(ids(5, 9))
    assert shore.lake.open(ASIDE).version == before


def test_a_table_without_quarantined_rows_has_no_quarantine_table(shore: Shore) -> None:
    shore.publish(ids(0, 5))
    assert not shore.lake.open(ASIDE).exists


def test_a_replace_empties_it_even_when_all_of_its_rows_are_good(shore: Shore) -> None:
    shore.publish(ids(0, 5), bad=3)
    shore.publish(ids(0, 5), "replace")
    assert shore.count(ASIDE) == 0
    shore.publish(ids(0, 5), "replace", bad=2)
    shore.publish(ids(0, 5), "replace", bad=1)
    assert shore.count(ASIDE) == 1


def test_a_restore_brings_back_what_was_set_aside_then(shore: Shore) -> None:
    for i in range(3):
        shore.publish(ids(i, i + 1), bad=i + 1)
    shore.publish(ids(0, 5), "replace", bad=1)
    restore(shore.lake, ORDERS, 1)
    assert shore.count(ASIDE) == 3
    shore.publish(ids(9, 10), bad=4)
    assert shore.count(ASIDE) == 7
    restore(shore.lake, ORDERS, 2)
    assert shore.count(ASIDE) == 6


def test_compaction_of_it_changes_nothing(shore: Shore) -> None:
    for i in range(3):
        shore.publish(ids(i, i + 1), bad=1)
    DeltaTable(str(shore.lake.path(ASIDE))).optimize.compact()
    shore.publish(ids(3, 4), bad=1)
    assert shore.count(ASIDE) == 4
    shore.publish(ids(0, 1), "replace", bad=1)
    assert shore.count(ASIDE) == 1


def test_what_others_did_to_it_is_undone_as_it_is_derived(shore: Shore) -> None:
    shore.publish(ids(0, 5), bad=3)
    path = shore.lake.path(ASIDE)
    write_deltalake(str(path), pa.table({"_source": ["forged"]}), mode="append", schema_mode="merge")
    shore.publish(ids(5, 6), bad=1)
    assert shore.count(ASIDE) == 4
    log.commit_file(path, 0).write_bytes(b"")
    shore.publish(ids(6, 7), bad=1)
    assert shore.lake.open(ASIDE).version >= 0


def test_it_shows_no_statistics_of_the_values(shore: Shore) -> None:
    shore.publish(ids(0, 5), bad=3)
    text = log.commit_file(shore.lake.path(ASIDE), 0).read_text()
    assert "too small" not in text
    assert shore.lake.open(ASIDE).rows == 3
