"""A swap writes what differs: the other rows of a file stay, and rows for which nothing gives way are just added."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from lagoa.lake.merge import Merge, sides
from lagoa.lake.swap import swap
from lagoa.ports import FileSet, Session, StagedFile

SCHEMA = pa.schema([("day", pa.date32()), ("n", pa.int64())])
SECOND = "day = date '2024-01-02'"
NONE = "select null::date as day, 0::bigint as n where false"


def staged(session: Session, folder: Path, rows: str) -> list[StagedFile]:
    return session.stage(rows, folder, SCHEMA)


def swapped(session: Session, folder: Path, held: list[StagedFile], rows: str) -> tuple[Merge, list[StagedFile]]:
    came = staged(session, folder / "came", rows)
    files = FileSet(SCHEMA, [str(f.path) for f in held])
    return swap(session, files, came, SECOND, SCHEMA, folder / "swapped"), came


def read(session: Session, files: list[StagedFile]) -> list[tuple[str, int]]:
    session.bind("back", FileSet(SCHEMA, [str(f.path) for f in files]))
    return [(day, n) for day, n in session.rows("select day::varchar, n from back order by all")]


def test_only_the_rows_that_give_way_are_replaced(session: Session, tmp_path: Path) -> None:
    held = staged(session, tmp_path / "held", "select date '2024-01-01' + n::int as day, n from range(3) t(n)")
    done, _ = swapped(session, tmp_path, held, "select date '2024-01-02' as day, 7::bigint as n")
    assert done.removes == [str(held[0].path)]
    assert read(session, done.adds) == [("2024-01-01", 0), ("2024-01-02", 7), ("2024-01-03", 2)]
    assert sum(f.rows for f in done.changes) == 2


def test_the_same_rows_again_write_nothing(session: Session, tmp_path: Path) -> None:
    held = staged(session, tmp_path / "held", "select date '2024-01-02' as day, 1::bigint as n")
    done, _ = swapped(session, tmp_path, held, "select date '2024-01-02' as day, 1::bigint as n")
    assert done == Merge()


def test_where_no_file_can_hold_such_rows_the_staged_ones_are_added_as_they_are(
    session: Session, tmp_path: Path
) -> None:
    done, came = swapped(session, tmp_path, [], "select date '2024-01-02' as day, 1::bigint as n")
    assert done == Merge(adds=came)
    assert not (tmp_path / "swapped").exists()
    assert swapped(session, tmp_path / "again", [], NONE)[0] == Merge()


def test_sides_are_the_rows_that_differ_as_often_as_they_do_whatever_their_types(session: Session) -> None:
    names = ["i", "f", "t", "l", "s", "m"]
    session.bind(
        "was_and_became",
        "from (values"
        "(3, 1, 1, 2.5::double, 'x', [1, null], {'a': null::varchar}, map {'k': 1}),"
        "(1, 1, 2, 2.5, 'x', [1], {'a': 'é'}, map {'k': 1}),"
        "(2, 3, null, 'nan', null, null, null, null),"
        "(0, 2, 4, '-inf', '', [], {'a': ''}, map {})"
        f") t(was, became, {', '.join(names)})",
    )
    was, became = (f"from (from was_and_became, range({many})) select {', '.join(names)}" for many in ("was", "became"))
    found = session.rows(f"select _side, i, count(*) from ({sides(was, became, names)}) group by all order by all")
    assert found == [("new", 4, 2), ("new", None, 1), ("old", 1, 2)]
