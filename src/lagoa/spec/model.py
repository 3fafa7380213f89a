"""A model's header as declared: how its query becomes a table."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from lagoa.spec.check import CheckEntry
from lagoa.spec.column import Column
from lagoa.spec.declared import Declared
from lagoa.spec.stream import Names

Kind = Literal["table", "view", "append", "incremental", "scd2"]
Grain = Literal["day", "month", "year"]
HISTORY = ("valid_from", "valid_to", "is_current")
"""The columns that `scd2` adds to those of the query."""


class ModelHeader(Declared):
    """The YAML at the top of a model; an empty header makes a `table`."""

    kind: Kind = "table"
    """`table` is rebuilt, `incremental` only where its inputs changed, `append` gains the rows of each run's new
    inputs, `scd2` keeps every version of a row, `view` is a query with a name."""
    key: Names = ()
    """The columns that tell one row from another; an `incremental` model recomputes the rows of whole keys."""
    time: str | None = None
    """The column that says when. An `incremental` model recomputes whole partitions of this time in place of keys; in
    an `scd2` model it is when a row began to hold, which otherwise is when a run first saw it."""
    grain: Grain | None = None
    """How long a partition of `time` is: day (when nothing is said), month or year."""
    description: str | None = None
    """What a row is, in a sentence."""
    columns: dict[str, Column] = Field(default_factory=dict)
    """What is known of its columns."""
    checks: tuple[CheckEntry, ...] = ()
    """Checks of the table as a whole."""
    partition_by: Names = ()
    """Columns that become folders of the table."""
    owner: str | None = None
    """Who answers for it."""
    tags: tuple[str, ...] = ()
    """Words to select and search by."""
    inputs: dict[str, str] = Field(default_factory=dict)
    """Python models only: parameter name → table name."""
    allow_empty: bool = True
    """False makes a query without rows an error instead of an empty table."""
