"""Names and places of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from lagoa.errors import LakeError
from lagoa.lake.files import (
    TARGET,
    hash_in,
    hash_of,
    hive,
    new_id,
    place,
    plain,
    rows_per_file,
    uuid7,
    write_new,
    writing,
)


def test_a_placed_file_is_named_by_time_and_bytes_and_gone_from_where_it_was(tmp_path: Path) -> None:
    staged = tmp_path / "staged.parquet"
    staged.write_bytes(b"bytes")
    name = place(staged, tmp_path / "table", {"a b": "x/y", "n": None})
    assert name.startswith("a b=x%2Fy/n=__HIVE_DEFAULT_PARTITION__/part-")
    assert not staged.exists()
    assert hash_in(name) == hash_of(tmp_path / "table" / name)


def test_only_our_own_names_carry_a_hash() -> None:
    assert hash_in("part-00000-91810284-6145-4ff3-b1ea-3ace7af2e5f9-c000.snappy.parquet") is None
    assert hash_in(f"part-{uuid7()}-{'a' * 32}.parquet") == "a" * 32
    assert hash_in(f"part-{uuid7()}-{'z' * 32}.parquet") is None


def test_uuids_sort_by_time_and_say_their_version() -> None:
    many = [uuid7() for _ in range(100)]
    assert len(set(many)) == 100
    assert all(u[14] == "7" and u[19] in "89ab" for u in many)


def test_a_state_name_is_used_once(tmp_path: Path) -> None:
    write_new(tmp_path / "deep" / "1.json", b"{}")
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "deep" / "1.json", b"{}")


def test_ids_grow_even_against_a_clock_that_went_back() -> None:
    ahead = new_id() + (1 << 50)
    assert new_id(ahead) > ahead
    assert new_id(None) < 1 << 63


def test_no_partition_is_no_folder() -> None:
    assert hive({}) == ""


def test_the_disk_speaks_in_our_words() -> None:
    with pytest.raises(LakeError) as raised, writing("silver.orders"):
        raise OSError(28, "No space left on device", "/x")
    assert raised.value.code == "LG-306"
    assert raised.value.hint and "space" in raised.value.hint


def test_a_stack_trace_of_rust_is_one_line_for_people() -> None:
    said = plain("External error: bad\n   0: <unknown>\n   1: cfunction\n             at /x/y.c:443")
    assert said == "External error: bad"
    assert plain("Generic\n \x1b[31m↳\x1b[0m Unable\n  \x1b[31m↳\x1b[0m No space") == "Generic: Unable: No space"


@pytest.mark.parametrize(
    ("rows", "width", "expected"),
    [
        (0, 0, None),
        (122_880, 10, None),
        (1_000_000, 10, 122_880),
        (64_000_000, 10, 1_000_000),
        (10**9, 1000, TARGET // 1000),
    ],
)
def test_a_table_is_cut_into_files_that_grow_with_it_up_to_a_size(rows: int, width: int, expected: int | None) -> None:
    assert rows_per_file(rows, rows * width) == expected
