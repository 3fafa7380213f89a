"""Somebody else writes, restores, deletes or damages: it is noticed, named, and can be mended."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pytest
from deltalake import DeltaTable, Field, write_deltalake
from deltalake.exceptions import DeltaError
from deltalake.schema import PrimitiveType

from lagoa.errors import Conflict, LagoaError, LakeError
from lagoa.lake import log, maintain, rust, settle
from lagoa.lake.publish import Change, publish
from lagoa.lake.restore import accept, restore
from lagoa.ports import Engine
from lagoa.registry import adapter
from lagoa.testing.shore import ORDERS, Shore, ids


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    made: Engine = adapter("engines", "duckdb")(2, "1GB", tmp_path_factory.mktemp("engine"))
    yield made
    made.close()


@pytest.fixture
def shore(tmp_path: Path, engine: Engine) -> Iterator[Shore]:
    with engine.session() as session:
        yield Shore(tmp_path, session)


def filled(shore: Shore, batches: int = 3) -> Path:
    """Publish rows 0 to 10 * batches; the cursor is the batch."""
    for i in range(batches):
        shore.publish(ids(i * 10, i * 10 + 10), cursor=i)
    return shore.lake.path(ORDERS)


def refusal(shore: Shore) -> LakeError:
    """Open, and touch the rows as a reader would; return the error."""
    with pytest.raises(LakeError) as raised:
        shore.rows(shore.lake.open(ORDERS))
    return raised.value


def empty(path: Path, version: int) -> None:
    log.commit_file(path, version).write_bytes(b"")


def recreate(path: Path) -> None:
    shutil.rmtree(path)
    write_deltalake(str(path), pa.table({"id": [1], "s": ["f"]}))


def widen(path: Path) -> None:
    DeltaTable(str(path)).alter.add_columns(Field("n", PrimitiveType("long")))


def write(path: Path, mode: Literal["append", "overwrite"]) -> None:
    write_deltalake(str(path), pa.table({"id": [9], "s": ["f"]}), mode=mode)


def forget(path: Path) -> None:
    DeltaTable(str(path)).alter.set_table_properties({log.FORGETFUL: "interval 1 days"})


def lose_state(path: Path) -> None:
    newest = max((path / "_lagoa" / "state").iterdir(), key=lambda p: int(p.stem))
    newest.unlink()


def flip_state(path: Path) -> None:
    newest = max((path / "_lagoa" / "state").iterdir(), key=lambda p: int(p.stem))
    newest.write_text(newest.read_text().replace('"cursor": 2', '"cursor": 1'))


def tear(path: Path) -> None:
    commit = log.commit_file(path, 2)
    commit.write_bytes(commit.read_bytes()[:-40])


def lose_rows(path: Path) -> None:
    """A commit that keeps its size but not its rows."""
    commit = log.commit_file(path, 1)
    lines = [line for line in commit.read_text().splitlines() if '"add":' not in line]
    commit.write_text("\n".join(lines) + "\n")


STOPS: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "append": (lambda p: write(p, "append"), "LG-301", "WRITE"),
    "overwrite": (lambda p: write(p, "overwrite"), "LG-301", "WRITE"),
    "delete": (lambda p: DeltaTable(str(p)).delete("id = 3"), "LG-301", "DELETE"),
    "update": (lambda p: DeltaTable(str(p)).update({"s": "'z'"}, predicate="id = 3"), "LG-301", "UPDATE"),
    "restore": (lambda p: DeltaTable(str(p)).restore(1), "LG-301", "RESTORE"),
    "new column": (widen, "LG-301", "ADD COLUMN"),
    "recreated": (recreate, "LG-303", "nothing in it"),
    "retention property": (forget, "LG-304", log.FORGETFUL),
    "state lost": (lose_state, "LG-302", "is missing"),
    "state flipped": (flip_state, "LG-302", "not those that were written"),
    "oldest commit empty": (lambda p: empty(p, 0), "LG-302", "00000000000000000000.json is empty"),
    "older commit empty": (lambda p: empty(p, 1), "LG-302", "00000000000000000001.json is empty"),
    "own commit empty": (lambda p: empty(p, 2), "LG-302", "00000000000000000002.json is empty"),
    "newer commit empty": (lambda p: empty(p, 3), "LG-302", "00000000000000000003.json is empty"),
    "commit torn": (tear, "LG-302", "00000000000000000002.json is torn"),
    "commit lost": (lambda p: log.commit_file(p, 1).unlink(), "LG-302", "00000000000000000001.json is missing"),
    "rows lost": (lose_rows, "LG-302", "20 rows where its state says 30"),
}


@pytest.mark.parametrize("what", STOPS)
def test_what_somebody_else_did_stops_the_table_by_name(shore: Shore, what: str) -> None:
    do, code, words = STOPS[what]
    do(filled(shore))
    error = refusal(shore)
    assert error.code == code
    assert words in error.message
    assert "silver.orders" in error.message
    assert error.hint
    with pytest.raises(LakeError):
        shore.publish(ids(90, 95))


@pytest.mark.parametrize("what", STOPS)
def test_a_full_rebuild_heals_whatever_somebody_else_did(shore: Shore, what: str) -> None:
    STOPS[what][0](filled(shore))
    shore.publish(ids(0, 7), "replace", trust=True, cursor=9)
    table = shore.lake.open(ORDERS)
    assert [r[0] for r in shore.rows(table)] == list(range(7))
    assert table.state and table.state.cursor == 9
    shore.publish(ids(7, 9))
    assert shore.count() == 9


CHANGES = ["append", "overwrite", "delete", "update", "restore", "new column"]


@pytest.mark.parametrize("what", [*CHANGES, "recreated", "rows lost"])
def test_a_foreign_change_can_be_accepted_and_the_cursor_stays(shore: Shore, what: str) -> None:
    STOPS[what][0](filled(shore))
    before = DeltaTable(str(shore.lake.path(ORDERS))).count()
    last = shore.lake.open(ORDERS, trust=True).state
    table = accept(shore.lake, ORDERS, "r9")
    assert table.state
    assert table.state.mode == "accept"
    assert table.rows == shore.count() == before
    assert table.state.cursor == (last.cursor if last else None)
    assert table.state.data == table.state.id
    assert accept(shore.lake, ORDERS).version == table.version, "there is nothing more to accept"


def test_a_state_that_is_lost_can_be_accepted_without_its_cursor(shore: Shore) -> None:
    lose_state(filled(shore))
    table = accept(shore.lake, ORDERS)
    assert table.state and table.state.cursor is None
    assert shore.count() == 30


@pytest.mark.parametrize("what", CHANGES)
def test_a_restore_undoes_a_foreign_change_rows_and_state_together(shore: Shore, what: str) -> None:
    STOPS[what][0](filled(shore))
    table = restore(shore.lake, ORDERS, 2)
    assert table.state and table.state.cursor == 2
    assert table.schema.names == ["id", "s"]
    assert [r[0] for r in shore.rows(table)] == list(range(30))
    shore.publish(ids(30, 40))
    assert shore.count() == 40


def test_compaction_by_somebody_else_is_no_news_and_stops_nothing(shore: Shore) -> None:
    path = filled(shore)
    data = shore.lake.open(ORDERS).state
    DeltaTable(str(path)).optimize.compact()
    table = shore.lake.open(ORDERS)
    assert table.state and data
    assert (table.version, table.state.data, len(table.files)) == (3, data.data, 1)
    assert shore.count() == 30


def test_an_append_staged_before_a_compaction_is_committed_again(shore: Shore) -> None:
    path = filled(shore)
    stale = shore.lake.open(ORDERS)
    DeltaTable(str(path)).optimize.compact()
    table = publish(shore.lake, stale, shore.change(ids(30, 40), cursor=3))
    assert table.version == 4
    assert shore.count() == 40


def test_a_merge_whose_files_were_compacted_is_redone(shore: Shore) -> None:
    path = filled(shore)
    stale = shore.lake.open(ORDERS)
    change = shore.change(ids(0, 10, "y"), "merge")
    change.removes = [min(stale.files)]
    DeltaTable(str(path)).optimize.compact()
    with pytest.raises(Conflict):
        publish(shore.lake, stale, change)
    assert shore.count() == 30


def test_a_foreign_append_between_stage_and_publish_stops_the_step(shore: Shore) -> None:
    path = filled(shore)
    stale = shore.lake.open(ORDERS)
    write_deltalake(str(path), pa.table({"id": [99], "s": ["f"]}), mode="append")
    with pytest.raises(LakeError) as raised:
        publish(shore.lake, stale, shore.change(ids(30, 40)))
    assert raised.value.code == "LG-301"
    assert DeltaTable(str(path)).count() == 31


@pytest.mark.parametrize("rival", [False, True])
def test_a_commit_that_landed_but_was_reported_as_failed_is_recognised(
    shore: Shore, monkeypatch: pytest.MonkeyPatch, rival: bool
) -> None:
    filled(shore)
    stale, change = shore.lake.open(ORDERS), shore.change(ids(30, 40), cursor=3)
    truthful = rust.attempted

    def lying(commit: Callable[[], object]) -> BaseException | None:
        monkeypatch.setattr(settle, "attempted", truthful)
        assert truthful(commit) is None
        if rival:
            shore.publish(ids(40, 50), cursor=4)
        return DeltaError("timed out")

    monkeypatch.setattr(settle, "attempted", lying)
    table = publish(shore.lake, stale, change)
    assert [r[0] for r in shore.rows(table)] == list(range(50 if rival else 40))


def test_a_commit_that_is_said_to_have_worked_but_did_not_is_an_error(
    shore: Shore, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(shore)
    monkeypatch.setattr(settle, "attempted", lambda commit: None)
    with pytest.raises(LakeError, match="vanished"):
        shore.publish(ids(30, 40))
    monkeypatch.undo()
    assert shore.count() == 30


def test_a_rust_panic_is_an_error_with_a_name(shore: Shore, monkeypatch: pytest.MonkeyPatch) -> None:
    class PanicException(BaseException):
        """What pyo3 raises: not an Exception."""

    def panic(*args: object, **more: object) -> None:
        raise PanicException("called `Option::unwrap()` on a `None` value")

    filled(shore)
    monkeypatch.setattr(DeltaTable, "create_write_transaction", panic)
    with pytest.raises(LagoaError, match="could not be committed"):
        shore.publish(ids(30, 40))
    monkeypatch.undo()
    assert shore.count() == 30


def test_a_log_cleaned_behind_a_checkpoint_is_still_ours(shore: Shore) -> None:
    path = filled(shore)
    assert maintain.checkpoint(shore.lake, ORDERS)
    for version in (0, 1):
        log.commit_file(path, version).unlink()
    shore.publish(ids(30, 40))
    assert shore.count() == 40
    log.commit_file(path, 2).unlink()
    assert maintain.checkpoint(shore.lake, ORDERS)
    log.commit_file(path, 3).unlink()
    table = shore.lake.open(ORDERS)
    assert table.state and table.state.cursor == 2
    assert shore.count() == 40


def test_a_whole_log_cleaned_after_a_compaction_is_not_trusted(shore: Shore) -> None:
    path = filled(shore)
    DeltaTable(str(path)).optimize.compact()
    DeltaTable(str(path)).create_checkpoint()
    for version in range(4):
        log.commit_file(path, version).unlink()
    assert refusal(shore).code == "LG-302"


def test_a_state_of_a_newer_lagoa_is_refused_even_when_trusted(shore: Shore, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(shore)
    monkeypatch.setattr("lagoa.lake.state.FORMAT", 0)
    for trust in (False, True):
        with pytest.raises(LakeError) as raised:
            shore.lake.open(ORDERS, trust=trust)
        assert raised.value.code == "LG-309"


def test_an_empty_table_of_somebody_else_may_be_filled(shore: Shore) -> None:
    path = shore.lake.path(ORDERS)
    write_deltalake(str(path), pa.table({"id": pa.array([], pa.int64()), "s": pa.array([], pa.string())}))
    shore.publish(ids(0, 5))
    assert shore.count() == 5


def test_a_merge_change_that_adds_nothing_still_selects_its_state(shore: Shore) -> None:
    filled(shore)
    table = shore.lake.open(ORDERS)
    done = publish(shore.lake, table, Change("merge", table.schema, changes=[], cursor=5))
    assert done.state and table.state
    assert (done.state.cursor, done.state.data) == (5, table.state.data)
