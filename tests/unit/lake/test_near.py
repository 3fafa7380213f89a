"""Files are left out only where their bounds prove that they hold none of the keys."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from lagoa.lake.near import Bounds, near
from lagoa.ports import Session

SCHEMA = pa.schema([("id", pa.int64()), ("day", pa.string()), ("at", pa.timestamp("us", "UTC"))])
FILES: Bounds = {
    "low": {"id": (0, 9), "day": ("a", "c")},
    "high": {"id": (10, 19), "day": ("a", "c")},
    "far": {"id": (90, 99), "day": ("x", "z")},
    "unknown": {},
}


def left(session: Session, keys: str, pairs: dict[str, str], files: Bounds = FILES) -> list[str]:
    session.run(f"create or replace temp table keys as {keys}")
    return near(session, "keys", pairs, SCHEMA, list(files), files)


def test_files_whose_bounds_hold_no_key_are_left_out(session: Session) -> None:
    assert left(session, "from (values (5), (9), (50)) t(k0)", {"id": "k0"}) == ["low", "unknown"]
    assert left(session, "from (values (10), (99)) t(k0)", {"id": "k0"}) == ["high", "far", "unknown"]
    assert left(session, "select 0 as k0 where false", {"id": "k0"}) == ["unknown"]


def test_every_column_of_the_key_leaves_files_out(session: Session) -> None:
    assert left(session, "select 5 as k0, 'b' as k1", {"id": "k0", "day": "k1"}) == ["low", "unknown"]
    assert left(session, "select 95 as k0, 'b' as k1", {"id": "k0", "day": "k1"}) == ["unknown"]
    assert left(session, "select 5 as k0, 'b' as k1", {}) == list(FILES)


def test_a_null_may_lie_in_any_file(session: Session) -> None:
    assert left(session, "from (values (5), (null)) t(k0)", {"id": "k0"}) == list(FILES)


@pytest.mark.parametrize(("microsecond", "kept"), [(123456, ["cut"]), (124999, [])])
def test_a_time_that_somebody_cut_to_milliseconds_still_holds_its_file(
    session: Session, microsecond: int, kept: list[str]
) -> None:
    least, greatest = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, 0, 0, 0, 123000, tzinfo=UTC)
    keys = f"select timestamptz '2024-01-01 00:00:00.{microsecond}+00' as k0"
    assert left(session, keys, {"at": "k0"}, {"cut": {"at": (least, greatest)}}) == kept


@pytest.mark.parametrize("keys", ["from (values (5), (9), (50), (131)) t(k0)", "select 0 as k0 where false"])
def test_many_files_are_left_out_as_few_are(session: Session, keys: str) -> None:
    many: Bounds = {str(n): {"id": (n * 2, n * 2 + 1)} for n in range(200)}
    parts = [dict(list(many.items())[n : n + 50]) for n in range(0, 200, 50)]
    alone = [path for part in parts for path in left(session, keys, {"id": "k0"}, part)]
    assert left(session, keys, {"id": "k0"}, many) == alone
