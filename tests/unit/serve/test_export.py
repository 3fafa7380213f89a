"""What leaves as CSV, JSON or Parquet is what the query gave, to the last digit."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from lagoa.errors import LakeError, StepError
from lagoa.ports import Session
from lagoa.serve.export import schema_of, whole_file, write_csv, write_json, write_parquet


def as_json(session: Session, sql: str) -> Any:
    out = io.BytesIO()
    rows = write_json(session, sql, out)
    found = json.loads(out.getvalue(), parse_float=Decimal)
    assert rows == len(found)
    return found


def as_csv(session: Session, sql: str) -> str:
    out = io.BytesIO()
    write_csv(session, sql, out)
    return out.getvalue().decode()


def test_decimals_keep_every_digit_at_any_depth(session: Session) -> None:
    exact = "12345678901234567890.1234567890"
    sql = f"select {exact}::decimal(38,10) as a, {{'x': [{exact}::decimal(38,10), null]}} as b"
    assert as_json(session, sql) == [{"a": Decimal(exact), "b": {"x": [Decimal(exact), None]}}]
    assert as_csv(session, sql).splitlines()[1].startswith(exact + ",")


def test_json_writes_times_as_iso_and_what_is_no_number_as_null(session: Session) -> None:
    sql = """
        select timestamp '2026-01-02 03:04:05.5' as t, timestamptz '2026-01-02 03:04:05-03' as z,
            date '2026-01-02' as d, time '01:02:03' as c, 'nan'::double as n, 'inf'::float as i, 0.1::double as f,
            null as x, true as b, '\\xAA'::blob as bytes, map {'k"': 1.50::decimal(4, 2)} as m, uuid() is not null as u,
            interval 1 day as v,
            'é"\n\u2028' as s, []::int[] as e, 170141183460469231731687303715884105727::hugeint as h
        """
    assert as_json(session, sql) == [
        {
            "t": "2026-01-02T03:04:05.5",
            "z": "2026-01-02T06:04:05+00:00",
            "d": "2026-01-02",
            "c": "01:02:03",
            "n": None,
            "i": None,
            "f": Decimal("0.1"),
            "x": None,
            "b": True,
            "bytes": "qg==",
            "m": {'k"': Decimal("1.50")},
            "u": True,
            "v": "1 day",
            "s": 'é"\n\u2028',
            "e": [],
            "h": 170141183460469231731687303715884105727,
        }
    ]


def test_json_of_nothing_is_an_empty_array(session: Session) -> None:
    assert as_json(session, "select 1 as a where false") == []


def test_json_of_many_batches_is_one_array(session: Session) -> None:
    found = as_json(session, "select range as a from range(200000) order by a desc")
    assert [row["a"] for row in found] == list(range(199_999, -1, -1))


def test_a_csv_reader_gets_back_what_was_written(session: Session) -> None:
    sql = """
        select *
        from (values ('a,b', 1.50::decimal(9, 2)), ('say "x"', null), (e'two\\nlines', 2), ('', 3), (null, 4))
            as _(s, "n,1")
        """
    text = as_csv(session, sql)
    assert text == 's,"n,1"\n"a,b",1.50\n"say ""x""",\n"two\nlines",2.00\n"",3.00\n,4.00\n'
    assert list(csv.reader(io.StringIO(text)))[1] == ["a,b", "1.50"]


def test_csv_writes_nested_values_as_json_and_times_as_iso(session: Session) -> None:
    text = as_csv(session, "select [1, 2] as l, timestamptz '2026-01-02 03:04:05+00' as z, {'a': 'x'} as s")
    row = next(csv.reader(io.StringIO(text.splitlines()[1])))
    assert row == ["[1,2]", "2026-01-02T03:04:05+00:00", '{"a":"x"}']


def test_the_order_of_the_query_is_kept(session: Session) -> None:
    text = as_csv(session, "select range as a from range(300000) order by hash(range)")
    expected = [str(row[0]) for row in session.rows("select range from range(300000) order by hash(range)")]
    assert text.split()[1:] == expected


def test_the_second_of_two_columns_of_one_name_gets_another(session: Session) -> None:
    assert as_csv(session, "select 1 as a, 2 as a") == "a,a_1\n1,2\n"
    assert write_parquet(session, "select 1 as a, 2 as a", io.BytesIO()) == 1


def test_parquet_keeps_types(session: Session) -> None:
    out = io.BytesIO()
    assert write_parquet(session, "select 1.50::decimal(9, 2) as a, date '2026-01-02' as d", out) == 1
    out.seek(0)
    assert pq.read_table(out).schema.types == schema_of(session, "select 1.50::decimal(9, 2), current_date").types


def test_a_query_that_fails_midway_says_so_in_our_words(session: Session) -> None:
    sql = "select case when range > 150000 then 'x'::int else range end as a from range(200000)"
    with pytest.raises(StepError, match="Could not convert") as caught:
        write_csv(session, sql, io.BytesIO())
    assert caught.value.code == "LG-501"


def test_an_error_points_into_what_the_user_wrote(session: Session) -> None:
    with pytest.raises(StepError) as caught:
        schema_of(session, "select 1 as a,\n  nothing\nfrom range(3)")
    place = caught.value.place
    assert place is not None
    assert (place.line, place.column, place.text) == (2, 3, "  nothing")


def test_a_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "x.csv"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), whole_file(target) as out:
        out.write(b"half")
        raise ZeroDivisionError
    assert target.read_text() == "old"
    with whole_file(target) as out:
        out.write(b"new")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("x.csv", "new")]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="cannot write"), whole_file(tmp_path / "no" / "x.csv"):
        pass
