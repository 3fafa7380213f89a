"""The few functions of Python that dbt gives to templates as `modules`, without what leads out of them."""

from __future__ import annotations

import datetime
import itertools
import re
from types import SimpleNamespace
from typing import Any, Never

from lagoa.propose.dbt.relations import Unrenderable


def _no_clock(*_: Any, **__: Any) -> Never:
    raise Unrenderable("the time at which a template is rendered is no part of a model: ask `now()` in the query")


class _Moment(datetime.datetime):
    """A time that is said; there is no clock."""

    now = utcnow = today = staticmethod(_no_clock)


class _Day(datetime.date):
    """A day that is said; there is no clock."""

    today = staticmethod(_no_clock)


def _chosen(module: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(module, name) for name in names}


_DATETIME = {**_chosen(datetime, "time", "timedelta", "timezone"), "datetime": _Moment, "date": _Day}
_RE = _chosen(re, "match", "search", "fullmatch", "sub", "split", "findall", "compile", "escape", "IGNORECASE")
_ITERTOOLS = _chosen(itertools, "chain", "combinations", "permutations", "product", "zip_longest")
MODULES = {
    "datetime": SimpleNamespace(**_DATETIME),
    "re": SimpleNamespace(**_RE),
    "itertools": SimpleNamespace(**_ITERTOOLS),
}
"""A module itself would lead on to every other one that it imports."""
_TYPES = {"STRING": "TEXT", "TIMESTAMP": "TIMESTAMP", "FLOAT": "FLOAT", "INTEGER": "INT", "BOOLEAN": "BOOLEAN"}


def column_type(name: str) -> str:
    """Return what `api.Column.translate_type` calls a type."""
    return _TYPES.get(name.upper(), name)
