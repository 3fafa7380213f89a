"""Lengths of time as people write them: 15m, 2h, 1d."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_duration(value: Any) -> timedelta:
    """Read `90s`, `15m`, `2h`, `1d`, `1w`. Raises ValueError otherwise."""
    if isinstance(value, timedelta):
        return value
    found = re.fullmatch(r"\s*(\d+)\s*([smhdw])\s*", str(value))
    if not found:
        raise ValueError("must be a length of time such as 15m, 2h or 1d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


Duration = Annotated[
    timedelta, BeforeValidator(parse_duration), WithJsonSchema({"type": "string", "pattern": r"^\d+[smhdw]$"})
]
