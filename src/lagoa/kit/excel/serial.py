"""Excel's numbers that are shown as days and times: which formats say so, and what they stand for."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from math import isfinite
from typing import Any, Literal

from lagoa.kit.excel.rows import Fault

Kind = Literal["number", "moment", "duration"]
_MOMENTS = frozenset((*range(14, 23), *range(27, 37), 45, 47, *range(50, 59)))
_DURATION = 46
_QUOTED = re.compile(r'"[^"]*"|\\.|_.|\*.')
_ELAPSED, _BRACKETS = re.compile(r"\[(h+|m+|s+)\]"), re.compile(r"\[[^\]]*\]")
BEFORE = "the day {}, before the calendar begins"
_LETTERS = re.compile(r"[dmyhs]")


def kind_of(number: int, formats: Mapping[int, str]) -> Kind:
    """Say what a number format makes of a number, by its number and the workbook's own formats."""
    if number not in formats:
        return "duration" if number == _DURATION else "moment" if number in _MOMENTS else "number"
    plain = _QUOTED.sub("", formats[number]).lower().partition(";")[0]
    if _ELAPSED.search(plain):
        return "duration"
    return "moment" if _LETTERS.search(_BRACKETS.sub("", plain)) else "number"


def value_of(serial: float, kind: Kind, from_1904: bool) -> Any:
    """Return what a number stands for, a Fault for a day that no calendar has."""
    if not isfinite(serial):
        return Fault("what is no number")
    if kind == "number":
        return serial
    if serial < 0:
        return Fault(BEFORE.format(f"{serial:.15g}"))
    try:
        # Excel counts to the millisecond; its doubles hold noise beyond
        span = dt.timedelta(milliseconds=round(serial * 86_400_000))
        if kind == "duration":
            return span
        if span < dt.timedelta(days=1):
            return (dt.datetime.min + span).time()
        moment = _first(span.days, from_1904) + span
    except OverflowError:
        return Fault(f"the day {serial:.15g}, beyond the year 9999")
    return moment.date() if moment.time() == dt.time() else moment


def _first(days: int, from_1904: bool) -> dt.datetime:
    if from_1904:
        return dt.datetime(1904, 1, 1)
    # Excel counts a 29 February 1900, which is taken for the 28th
    return dt.datetime(1899, 12, 31) if days < 60 else dt.datetime(1899, 12, 30)
