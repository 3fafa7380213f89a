"""How a model is followed is remembered beside the project, and asked anew when anything about it differs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from lagoa.spec.names import TableName
from lagoa.sql.incremental.analysis import Analysis, Question, Refused, analyse
from lagoa.transform.partitions import by_partition
from lagoa.transform.recall import recalled

NAME = TableName.parse("gold.days")
COLUMNS = {"_i0": {"id": "BIGINT", "sold": "TIMESTAMP"}}
QUERY = "select cast(sold as date) as day, count(*) as n from s.a group by all"
ASKED = Question(by_partition(QUERY, "day", "day"), ["__partition"], {"s.a": "_i0"}, COLUMNS, {}, "day")


def _describe(sql: str) -> Mapping[str, str]:
    with duckdb.connect() as con:
        con.execute("create table _i0 (id bigint, sold timestamp); create schema s; create view s.a as from _i0")
        return {name.lower(): kind for name, kind, *_ in con.execute(f"describe {sql}").fetchall()}


def _never() -> Analysis:
    raise AssertionError("it was analysed again")


def test_what_was_found_is_recalled_word_by_word(tmp_path: Path) -> None:
    first = recalled(tmp_path, NAME, ASKED, lambda: analyse(ASKED, _describe))
    again = recalled(tmp_path, NAME, ASKED, _never)
    assert again == first
    assert again.ranged is not None
    assert again.ranged.reaches


def test_a_reason_is_recalled_as_a_reason(tmp_path: Path) -> None:
    limited = replace(ASKED, query=f"{QUERY} limit 3")
    for how in (lambda: analyse(limited, _describe), _never):
        with pytest.raises(Refused, match="LIMIT"):
            recalled(tmp_path, NAME, limited, how)


def test_another_question_is_asked_anew(tmp_path: Path) -> None:
    recalled(tmp_path, NAME, ASKED, lambda: analyse(ASKED, _describe))
    wider = replace(ASKED, columns={"_i0": {**COLUMNS["_i0"], "more": "VARCHAR"}})
    with pytest.raises(AssertionError):
        recalled(tmp_path, NAME, wider, _never)


def test_what_went_wrong_is_not_remembered(tmp_path: Path) -> None:
    def broken(sql: str) -> Mapping[str, str]:
        raise OSError(sql)

    with pytest.raises(Refused, match="OSError"):
        recalled(tmp_path, NAME, ASKED, lambda: analyse(ASKED, broken))
    assert recalled(tmp_path, NAME, ASKED, lambda: analyse(ASKED, _describe)).rows


@pytest.mark.parametrize("content", ["", "{", "[]", '{"asked": 1}'])
def test_a_broken_file_is_ignored(tmp_path: Path, content: str) -> None:
    found = recalled(tmp_path, NAME, ASKED, lambda: analyse(ASKED, _describe))
    (file,) = (tmp_path / ".lagoa/cache/followed").iterdir()
    file.write_text(content)
    assert recalled(tmp_path, NAME, ASKED, lambda: analyse(ASKED, _describe)) == found


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / ".lagoa").write_text("a file in its place")
    assert recalled(tmp_path, NAME, ASKED, lambda: analyse(ASKED, _describe)).rows
