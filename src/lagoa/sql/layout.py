"""Lays out a query that was written by a program, so that a person can read it."""

from __future__ import annotations

import sqlglot
from sqlglot.errors import SqlglotError

from lagoa.sql.tree import DIALECT


def laid_out(text: str) -> str:
    """Break one query into indented lines; one that cannot be read stays as it is."""
    try:
        return str(sqlglot.parse_one(text, dialect=DIALECT).sql(dialect=DIALECT, pretty=True))
    except (SqlglotError, RecursionError):
        return text
