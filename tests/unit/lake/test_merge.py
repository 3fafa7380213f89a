"""A merge rewrites what changes and nothing else, whatever the keys look like."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lagoa.kit.text import literal
from lagoa.lake.merge import Merge, merge, newest
from lagoa.ports import Engine, FileSet, Session, StagedFile

Row = tuple[int | None, str | None, str | None]
SCHEMA = pa.schema([("id", pa.int64()), ("part", pa.string()), ("note", pa.string())])


class Held:
    """A table as its files, that merges go into and that is read back."""

    def __init__(self, session: Session, folder: Path, key: Sequence[str] = ("id",), **options: Any) -> None:
        self.session, self.folder, self.key, self.options = session, folder, key, options
        self.files: dict[str, StagedFile] = {}
        self.steps = 0

    def stage(self, rows: Iterable[Row], schema: pa.Schema = SCHEMA) -> list[StagedFile]:
        self.steps += 1
        values = ", ".join(f"({', '.join(_text(v) for v in row)})" for row in rows)
        query = f"from (values {values}) t({', '.join(schema.names)})" if values else "from nothing"
        self.session.bind("nothing", schema.empty_table())
        by = self.options.get("partition_by", ())
        return self.session.stage(query, self.folder / f"staged{self.steps}", schema, by)

    def add(self, *rows: Row) -> str:
        """Put rows into the table as a file of their own."""
        (file,) = self.stage(rows)
        self.files[str(file.path)] = file
        return str(file.path)

    def merge(self, *rows: Row, **options: Any) -> Merge:
        staged = self.stage(rows, options.get("staged_schema", SCHEMA))
        into = self.folder / f"merged{self.steps}"
        done = merge(self.session, self.fileset(), staged, self.key, SCHEMA, into, **{**self.options, **options})
        for path in done.removes:
            del self.files[path]
        self.files |= {str(f.path): f for f in done.adds}
        return done

    def fileset(self) -> FileSet:
        return FileSet(SCHEMA, list(self.files), {p: f.partition for p, f in self.files.items() if f.partition})

    def rows(self) -> list[Row]:
        self.session.bind("back", self.fileset())
        return [(a, b, c) for a, b, c in self.session.rows("from back order by all")]

    def changes(self, done: Merge) -> list[tuple[Any, ...]]:
        if not done.removes:
            assert not done.changes  # the added files say it
            self.session.bind("added", FileSet(SCHEMA, [str(f.path) for f in done.adds]))
            return self.session.rows("select 'new', * from added order by all")
        sides = pa.schema([("_side", pa.string()), *SCHEMA])
        self.session.bind("changed", FileSet(sides, [str(f.path) for f in done.changes]))
        return self.session.rows("from changed order by all")


def _text(value: Any) -> str:
    return literal(value) if value is None or isinstance(value, str) else str(value).lower()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with engine.session() as session:
        yield session


@pytest.fixture
def held(session: Session, tmp_path: Path) -> Held:
    return Held(session, tmp_path)


def test_only_files_with_a_changed_row_are_rewritten(held: Held) -> None:
    first, second = held.add((1, None, "a"), (2, None, "b")), held.add((3, None, "c"))
    third = held.add((4, None, "d"), (5, None, "e"))
    done = held.merge((2, None, "B"), (3, None, "c"), (9, None, "new"))
    assert done.removes == [first]
    assert second in held.files
    assert third in held.files
    assert held.rows() == [
        (1, None, "a"), (2, None, "B"), (3, None, "c"), (4, None, "d"), (5, None, "e"), (9, None, "new"),
    ]  # fmt: skip
    assert held.changes(done) == [("new", 2, None, "B"), ("new", 9, None, "new"), ("old", 2, None, "b")]


def test_the_same_rows_again_change_nothing(held: Held) -> None:
    held.add((1, None, "a"), (None, "p", None))
    held.merge((1, None, "x"), (None, "p", "y"), (3, None, None))
    assert held.merge((3, None, None), (None, "p", "y"), (1, None, "x")) == Merge()


def test_null_keys_are_equal(held: Held) -> None:
    held.add((None, None, "a"), (1, None, "b"))
    held.merge((None, None, "A"))
    assert held.rows() == [(1, None, "b"), (None, None, "A")]


def test_a_key_of_two_columns_needs_both(session: Session, tmp_path: Path) -> None:
    held = Held(session, tmp_path, key=("id", "part"))
    held.add((1, "x", "a"), (1, None, "b"), (2, "x", "c"))
    held.merge((1, "x", "A"), (1, None, "B"), (2, "y", "new"))
    assert held.rows() == [(1, "x", "A"), (1, None, "B"), (2, "x", "c"), (2, "y", "new")]


def test_a_deleted_key_is_gone_and_an_unknown_one_is_no_matter(held: Held) -> None:
    first, second = held.add((1, None, "a"), (2, None, "b")), held.add((3, None, "c"))
    marked = pa.schema([*SCHEMA, ("gone", pa.bool_())])
    rows: list[Any] = [(1, None, None, True), (7, None, None, True), (2, None, "B", None)]
    done = held.merge(*rows, deleted="gone", staged_schema=marked)
    assert done.removes == [first]
    assert second in held.files
    assert held.rows() == [(2, None, "B"), (3, None, "c")]
    assert held.changes(done) == [("new", 2, None, "B"), ("old", 1, None, "a"), ("old", 2, None, "b")]


def test_a_file_of_deleted_rows_alone_vanishes(held: Held) -> None:
    held.add((1, None, "a"))
    done = held.merge((1, None, None), deleted="true")
    assert (done.adds, held.rows()) == ([], [])


def test_a_key_held_twice_is_held_once_afterwards(held: Held) -> None:
    held.add((1, None, "a"))
    held.add((1, None, "b"), (2, None, "c"))
    held.add((3, None, "d"), (3, None, "d"))
    held.merge((1, None, "b"), (3, None, "d"))
    assert held.rows() == [(1, None, "b"), (2, None, "c"), (3, None, "d")]


def test_columns_to_ignore_change_no_row_by_themselves(held: Held) -> None:
    held.add((1, "run 1", "a"), (2, "run 1", "b"))
    assert held.merge((1, "run 2", "a"), ignore=["part"]) == Merge()
    held.merge((1, "run 3", "A"), ignore=["part"])
    assert held.rows() == [(1, "run 3", "A"), (2, "run 1", "b")]


def test_bounds_spare_files_from_being_opened(held: Held) -> None:
    first = held.add(*((n, None, "a") for n in range(10)))
    far = held.add(*((n, None, "a") for n in range(100, 110)))
    bounds = {first: {"id": (0, 9)}, far: {"id": (100, 109)}}
    Path(far).write_bytes(b"not opened")
    done = held.merge((9, None, "A"), (50, None, "between"), bounds=bounds)
    assert done.removes == [first]


@pytest.mark.parametrize("key", [5, None])
def test_files_without_bounds_and_null_keys_are_looked_into(held: Held, key: int | None) -> None:
    known, unknown = held.add((1, None, "a")), held.add((key, None, "b"))
    held.merge((key, None, "B"), bounds={known: {"id": (1, 1)}, unknown: {"id": (7, 8)} if key is None else {}})
    assert (key, None, "B") in held.rows()
    assert len(held.rows()) == 2


def test_a_row_moves_to_its_new_partition(session: Session, tmp_path: Path) -> None:
    held = Held(session, tmp_path, partition_by=["part"])
    held.add((1, "norte", "a"), (2, "norte", "b"))
    held.add((3, "sul", "c"))
    held.merge((1, "sul", "a"))
    assert held.rows() == [(1, "sul", "a"), (2, "norte", "b"), (3, "sul", "c")]
    assert {f.partition["part"]: f.rows for f in held.files.values() if f.partition["part"] == "norte"} == {"norte": 1}


def test_new_keys_do_not_widen_the_bounds_of_old_files(held: Held) -> None:
    held.add((1, None, "a"), (2, None, "b"))
    done = held.merge((1, None, "A"), (900, None, "new"))
    assert sorted((f.stats["id"].low, f.stats["id"].high) for f in done.adds) == [("1", "2"), ("900", "900")]


def test_a_file_older_than_a_column_is_merged_with_null(held: Held, tmp_path: Path) -> None:
    old = held.session.stage("select 1 as id, 'p' as part union all select 2, 'q'", tmp_path / "old")
    held.files |= {str(f.path): f for f in old}
    assert held.merge((2, "q", None)) == Merge()
    held.merge((1, "p", "now"))
    assert held.rows() == [(1, "p", "now"), (2, "q", None)]


def test_of_several_versions_the_newest_is_kept_in_whatever_order(session: Session) -> None:
    versions = ["(1, 10, 'b')", "(1, 10, 'a')", "(1, 9, 'z')", "(2, null, 'q')", "(null, 1, 'n')", "(null, 2, 'm')"]
    for order in (versions, versions[::-1]):
        rows = f"from (values {', '.join(order)}) t(id, seen, note)"
        found = session.rows(newest(session, rows, ["id"], ["seen"]) + " order by id")
        assert found == [(1, 10, "b"), (2, None, "q"), (None, 2, "m")]


keys = st.one_of(st.none(), st.integers(0, 12))
notes = st.one_of(st.none(), st.sampled_from(["a", "b"]))
batches = st.lists(st.dictionaries(keys, notes, max_size=8), min_size=1, max_size=4)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=st.dictionaries(keys, notes, max_size=8), then=batches)
def test_merges_give_what_a_dictionary_would(
    engine: Engine, first: Mapping[int | None, str | None], then: list[dict[int | None, str | None]]
) -> None:
    with TemporaryDirectory() as folder, engine.session() as session:
        held, expected = Held(session, Path(folder)), dict(first)
        for row in first.items():
            held.add((row[0], None, row[1]))
        for batch in then:
            before = set(expected.items())
            done = held.merge(*((k, None, v) for k, v in batch.items()))
            expected |= batch
            after = set(expected.items())
            assert {(r[0], r[2]) for r in held.rows()} == after
            assert len(held.rows()) == len(expected)
            told = {(side, key, note) for side, key, _, note in held.changes(done)}
            assert told == {("old", *r) for r in before - after} | {("new", *r) for r in after - before}


def test_what_is_rewritten_can_be_sorted_and_cut(held: Held) -> None:
    rows = "select ((range * 7919) % 300000)::bigint as id, null::text as part, 'A' as note from range(300000)"
    (file,) = held.session.stage(rows, held.folder / "large", SCHEMA)
    held.files[str(file.path)] = file
    done = held.merge((5, None, "B"), (299_999, None, "B"), order_by=("id",), rows_per_file=100_000)
    bounds = sorted((int(f.stats["id"].low or 0), int(f.stats["id"].high or 0)) for f in done.adds)
    assert bounds == [(0, 122_879), (122_880, 245_759), (245_760, 299_999)]
    assert sum(f.rows for f in done.adds) == 300_000
