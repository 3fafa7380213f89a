"""A column as declared: its type, words, checks, and whether it is personal."""

from __future__ import annotations

from lagoa.spec.check import CheckEntry
from lagoa.spec.declared import Declared


class Column(Declared):
    """What a user says of one column; everything is optional."""

    type: str | None = None
    """Its type: text, bigint, decimal(12, 2), date, timestamp, timestamptz, boolean, double, …"""
    description: str | None = None
    """What it holds, in a sentence."""
    checks: tuple[CheckEntry, ...] = ()
    """What its values must fulfil."""
    pii: str | None = None
    """The kind of personal data that it holds (cpf, email, name, …); such a column keeps no statistics."""
    tags: tuple[str, ...] = ()
    """Words to select and search by."""


class StreamColumn(Column):
    """A column of a stream; beyond a model's column it can be read differently, or dropped."""

    drop: bool = False
    """Never lands: the values do not touch the lake, its quarantine or its statistics."""
    format: str | None = None
    """How dates and times are written, in strptime's words: '%d/%m/%Y'."""
    decimal: str | None = None
    """The decimal separator of this column, if it is not the stream's; `implied`: the last digits are the decimals."""
    thousands: str | None = None
    """The thousands separator of this column, when it is not the stream's."""
    null_values: tuple[str, ...] = ()
    """Texts that mean null in this column of a declared type, beside the stream's: ["00000000"]."""
