"""A test of models as declared: the rows that tables hold, and the rows that models must make of them."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from lagoa.spec.declared import Declared


class Rows(Declared):
    """Rows of a table: written out, as lines of CSV, or in a CSV file beside the test."""

    rows: Any = None
    """The rows, each `{column: value}`, or lines of CSV below their header. A column that a row leaves out is null."""
    csv: str | None = None
    """A CSV file that holds them; its path starts at the test's folder. A field without text is null."""
    columns: dict[str, str] = Field(default_factory=dict)
    """Types of columns that nothing else tells: text, bigint, decimal(12, 2), …"""

    @model_validator(mode="after")
    def _stand_in_one_place(self) -> Self:
        if (self.rows is None) == (self.csv is None):
            raise ValueError("say either `rows:` or `csv:`")
        if self.rows is not None and not isinstance(self.rows, (list, str)):
            raise ValueError("rows are a list, each `{column: value}`, or lines of CSV")
        return self


def _read(value: object) -> object:
    return value if isinstance(value, (dict, Rows)) else {"rows": [] if value is None else value}


RowsEntry = Annotated[
    Rows,
    BeforeValidator(_read),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "array", "items": {"type": "object"}},
                {"type": "string"},
                {
                    "type": "object",
                    "properties": {
                        "rows": {"anyOf": [{"type": "array", "items": {"type": "object"}}, {"type": "string"}]},
                        "csv": {"type": "string"},
                        "columns": {"type": "object", "additionalProperties": {"type": "string"}},
                    },
                    "additionalProperties": False,
                },
            ]
        }
    ),
]
"""A list of rows, or lines of CSV, or a mapping with `rows:` or `csv:`."""


class Round(Declared):
    """What comes later in a test: inputs that changed, and what the models must hold then."""

    given: dict[str, RowsEntry] = Field(default_factory=dict)
    """The rows that a table holds from now on; tables that are not named stay as they were."""
    expect: dict[str, RowsEntry] = Field(default_factory=dict)
    """The rows that each model must hold after the run."""
    now: str | None = None
    """What time it is for `now()`, `current_date` and their like, from here on; in UTC when no offset is said."""


class Trial(Round):
    """One test: given these rows, the models hold those."""

    description: str | None = None
    """What it shows, in a sentence."""
    all_columns: bool = False
    """Compare every column of a model, not only those that the expected rows name."""
    in_order: bool = False
    """Compare the order of the rows, too."""
    then: tuple[Round, ...] = ()
    """What comes later: each is a run of its own, on the tables as the last one left them."""
