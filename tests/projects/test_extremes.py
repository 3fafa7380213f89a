"""Files at the edges end well as whole projects: in the table, read back as they were, every record accounted for."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from lagoa.testing.raft import Raft


@pytest.fixture
def raft(tmp_path: Path) -> Raft:
    return Raft(tmp_path)


@pytest.mark.parametrize("wide", [2_000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_thousands_of_columns_become_a_table_that_is_read(raft: Raft, wide: int) -> None:
    raft.write("lagoa.yml", "name: raft\ntargets: {local: {threads: 2, memory: 2GB}}\n")
    names = ",".join(f"c{n}" for n in range(wide))
    raft.write("land/x.csv", f"{names}\n" + "".join(",".join(f"{r}{n}" for n in range(wide)) + "\n" for r in range(3)))
    raft.write("land/short.csv", f"{names}\n1,2\n")
    raft.source("land", "s: {path: '*.csv'}")
    result = raft.ok()["bronze.land_s"]
    assert (result.rows, result.quarantined) == (3, 1)
    assert raft.rows(f"select c0, c{wide - 1} from bronze.land_s order by c0")[2] == ("20", f"2{wide - 1}")
    reason = f"it has 2 fields where {wide} are expected"
    assert raft.rows("select _reason from quarantine.bronze_land_s") == [(reason,)]


@pytest.mark.parametrize("megabytes", [20, pytest.param(100, marks=pytest.mark.slow)])
@pytest.mark.parametrize("format", ["csv", "ndjson"])
def test_a_field_as_large_as_a_film_lands_and_is_read_back(raft: Raft, format: str, megabytes: int) -> None:
    size = megabytes * 1_000_000
    text = "ação " * (size // 7)
    files = {
        "csv": f'id,t\n1,"{text}"\n2,b\n',
        "ndjson": f'{{"id": "1", "t": "{text}"}}\n{{"id": "2", "t": "b"}}\n',
    }
    raft.write(f"land/x.{format}", files[format])
    raft.source("land", f"s: {{path: x.{format}}}")
    raft.ok()
    asked = f"select id, strlen(t) as n, t = repeat('ação ', {size // 7}) as same from bronze.land_s order by id"
    assert raft.rows(asked) == [("1", len(text.encode()), True), ("2", 1, False)]


def test_thousands_of_small_files_are_loaded_once_each(raft: Raft) -> None:
    for n in range(1200):
        raft.write(f"land/{n % 50}/{n}.csv", f"id,v\n{n},{n * 7 % 1000}\n")
    raft.source("land", "s: {path: '{folder}/*.csv', mode: append, columns: {id: {type: bigint}}}")
    assert raft.ok()["bronze.land_s"].rows == 1200
    assert raft.rows("select count(*) as n, count(distinct _source) as f, sum(id) as s from bronze.land_s") == [
        (1200, 1200, sum(range(1200)))
    ]
    raft.write("land/50/new.csv", "id,v\n1200,1\n")
    assert raft.ok()["bronze.land_s"].rows == 1


UTC = dt.UTC
MOMENTS = """\
d,t,z
0001-01-01,0001-01-01 00:00:00,0001-01-01 00:00:00Z
9999-12-31,9999-12-31 23:59:59.999999,9999-12-31 23:59:59.999999Z
00000000,2024-01-31 24:00:00,2024-01-31 24:00Z
0000-12-31,0000-12-31 23:59:59,9999-12-31 23:59:59-01:00
10000-01-01,10000-01-01 00:00:00,0001-01-01 00:00:00+01:00
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_the_first_and_the_last_moment_land_and_what_lies_beyond_is_set_aside(raft: Raft, encoding: str) -> None:
    raft.write("land/x.csv", MOMENTS.encode(encoding))
    raft.source("land", "s: {path: x.csv, columns: {d: {type: date}, t: {type: timestamp}, z: {type: timestamptz}}}")
    result = raft.ok()["bronze.land_s"]
    assert (result.rows, result.quarantined) == (2, 3)
    first, last = dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31, 23, 59, 59, 999999)
    assert raft.rows("select d, t from bronze.land_s order by d") == [(first.date(), first), (last.date(), last)]
    shown = raft.rows("select z::varchar as z from bronze.land_s order by d")
    assert shown == [("0001-01-01 00:00:00+00",), ("9999-12-31 23:59:59.999999+00",)]
    reasons = raft.rows("select _source, _reason from quarantine.bronze_land_s order by _source")
    assert [source for source, _ in reasons] == ["x.csv:4", "x.csv:5", "x.csv:6"]
    for _, reason in reasons:
        assert all(f'{column}: "' in reason for column in "dtz"), reason


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("x.csv", "a,b\nação,1\n"),
        ("x.tsv", "a\tb\nação\t1\n"),
        ("x.json", '[{"a": "ação", "b": "1"}]'),
        ("x.ndjson", '{"a": "ação", "b": "1"}\n'),
        ("x.xml", '<?xml version="1.0" encoding="UTF-16"?><r><c><a>ação</a><b>1</b></c></r>'),
    ],
)
@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
def test_utf_16_lands_in_every_format_of_text(raft: Raft, file: str, text: str, order: str) -> None:
    raft.write(f"land/{file}", ("\ufeff" + text).encode(order))
    raft.source("land", f"s: {{path: {file}}}")
    raft.ok()
    assert raft.rows("select a, b from bronze.land_s") == [("ação", "1")]
