"""Texts that mean null in one column alone leave the others as they are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

Load = Callable[..., Any]
Put = Callable[[str, bytes | str], Any]
COLUMNS = {
    "day": {"type": "date", "format": "%Y%m%d", "null_values": ["00000000", "0"]},
    "word": {"type": "text", "null_values": ["-"]},
}


def test_zeros_are_no_date_and_still_a_code(load: Load, put: Put) -> None:
    put("x.csv", "code,day,word\n00000000,00000000,-\n0,20261120,0\n-,0,x\n1,000,x\n")
    loaded = load({"path": "x.csv", "columns": COLUMNS})
    assert loaded.column("code") == ["00000000", "0", "-"]
    assert loaded.column("day") == [None, date(2026, 11, 20), None]
    assert loaded.column("word") == [None, "0", "x"]
    assert loaded.reasons() == ['x.csv:5 day: "000" is not a date']


def test_json_has_them_too(load: Load, put: Put) -> None:
    put("x.ndjson", '{"code": "0", "day": "0", "word": "-"}\n{"code": "1", "day": "20261120", "word": "w"}\n')
    loaded = load({"path": "x.ndjson", "columns": COLUMNS})
    assert loaded.column("code") == ["0", "1"]
    assert loaded.column("day") == [None, date(2026, 11, 20)]
    assert loaded.column("word") == [None, "w"]
