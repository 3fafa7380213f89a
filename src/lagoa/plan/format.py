"""The documented form of a plan: what `plan --json` prints, what `--out` writes and what `run --plan` reads again."""

from __future__ import annotations

from typing import Literal

from lagoa.spec.declared import Declared

FORMAT = 1
"""Grows when what stands here changes its meaning or goes; new keys alone do not make a new format."""


class AmountForm(Declared):
    """Rows and bytes, by the statistics of the lake. Null: not known before it is done."""

    rows: int | None = None
    """Rows."""
    bytes: int | None = None
    """Bytes of Parquet files."""


class ColumnForm(Declared):
    """A column."""

    name: str
    """Its name."""
    type: str
    """Its type, in SQL."""


class RetypedForm(Declared):
    """A column whose type changes."""

    name: str
    """Its name."""
    was: str
    """The type that it has."""
    type: str
    """The type that it will have."""


class ColumnsForm(Declared):
    """How a table's columns change."""

    added: list[ColumnForm]
    """Columns that appear."""
    removed: list[ColumnForm]
    """Columns that vanish."""
    retyped: list[RetypedForm]
    """Columns whose type changes."""


class FeltForm(Declared):
    """Who reads a column that goes or changes its type."""

    by: str
    """The table, or `check` with its name and table."""
    column: str
    """The column that it reads: `layer.table.column`."""
    fails: bool
    """It cannot be built, or asked, any more."""
    sure: bool
    """False of a Python model: it reads the table, and which of its columns is not known."""


class StepForm(Declared):
    """What a run does with one table."""

    table: str
    """The table: `layer.name`."""
    action: Literal["read", "rebuild", "recompute", "append", "drop", "keep", "none"]
    """What is done: ask the source, write all rows, write the rows of touched keys, add rows, drop, or nothing."""
    status: str
    """What the table is found to be: `new`, `changed`, `new data`, `up to date`, `read`, `removed`, `blocked`."""
    reason: str
    """Why, for people."""
    kind: str
    """The kind of the model, or the mode of the stream."""
    conditional: bool
    """It is carried out only if a source delivers rows, or what it reads does change; the others always."""
    full: bool
    """It begins from nothing: a stream is read from the beginning, a table is built anew."""
    columns: ColumnsForm | None
    """How its columns change. Null: they stay, or are not known before it runs (a Python model)."""
    breaking: bool
    """Something downstream reads a column that goes or changes its type."""
    felt: list[FeltForm]
    """Who that is."""
    reads: AmountForm
    """What it reads."""
    writes: AmountForm
    """What it writes."""
    error: str | None
    """The code of the error by which it is blocked."""


class LookedForm(Declared):
    """What a table was found to be when the plan was made."""

    version: int
    """Its newest Delta version."""
    state: str | None
    """The state that this version selects; null when it is not ours."""


class AskedForm(Declared):
    """What the plan was asked for."""

    tables: list[str]
    """The tables that were selected."""
    full: bool
    """`--full`."""
    accept: bool
    """`--accept`."""
    reset_cursor: bool
    """`--reset-cursor`."""
    ingest: bool
    """`--ingest`."""
    drop: bool
    """`--drop`."""
    start: str | None = None
    """`--start`: partitions of time are rebuilt from the one that holds it."""
    end: str | None = None
    """`--end`: up to here."""
    removed: bool
    """Nothing was selected, so that tables which nothing makes any more were looked for, too."""


class PlanForm(Declared):
    """A plan."""

    format: int
    """1. A greater number means something else."""
    project: str
    """The project's name."""
    target: str
    """The target."""
    asked: AskedForm
    """What it was asked for."""
    lake: dict[str, LookedForm | None]
    """What every table that it looked at was found to be. Null: it was not there, or could not be opened."""
    definitions: dict[str, str]
    """A hash of what makes each selected table."""
    steps: list[StepForm]
    """What is written, or is blocked, upstream first; empty when there is nothing to do but to ask the sources."""
    reads: list[StepForm]
    """The streams whose sources are asked for news."""
    if_news: list[StepForm]
    """The tables that are up to date, and are written if the sources deliver rows."""
    removed: list[StepForm]
    """The tables that nothing makes any more and that are kept."""
    deferred: list[StepForm]
    """The tables that are read in the lake of the target to which this one defers."""
    up_to_date: list[str]
    """The tables that are up to date, whatever the sources deliver."""
