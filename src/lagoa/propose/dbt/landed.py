"""Keeps the columns that Lagoa adds to bronze rows out of what a star gave in dbt."""

from __future__ import annotations

import re

import pyarrow as pa

from lagoa.ports import LOADED_AT, OWN, RUN, SOURCE

LANDED = (
    pa.field(RUN, pa.string()),
    pa.field(LOADED_AT, pa.timestamp("us", tz="UTC")),
    pa.field(SOURCE, pa.string()),
)
"""What each bronze row has beside its source's columns."""
_STAR = re.compile(r"\*(?:\s+exclude\s*\(([^()]*)\))?(?=\s+from\s+bronze\.\w+)", re.IGNORECASE)
_BY_ROW = re.compile(r"\b(distinct|union(?!\s+all)|except|intersect|natural|group\s+by\s+all)\b", re.IGNORECASE)


def compares_rows(text: str) -> bool:
    """Say whether a query compares whole rows, so that a column more is another result."""
    return _BY_ROW.search(text) is not None


def without_landed(text: str) -> str:
    """Return a query in which a star over a bronze table leaves out what Lagoa added."""

    def shorter(star: re.Match[str]) -> str:
        names = [*([star[1].strip()] if star[1] else []), *OWN]
        return f"* exclude ({', '.join(names)})"

    return _STAR.sub(shorter, text)


def shows_landed(names: list[str]) -> bool:
    """Say whether any of these columns is one that Lagoa added."""
    return not set(OWN).isdisjoint(names)
