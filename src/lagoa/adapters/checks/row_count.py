"""row_count: the table has as many rows as it should."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from lagoa.ports import Asked, Check
from lagoa.spec.declared import Declared


class Bounds(Declared):
    """How many rows there may be."""

    min: int | None = Field(None, ge=0)
    """At least so many."""
    max: int | None = Field(None, ge=0)
    """At most so many."""
    equals: int | None = Field(None, ge=0)
    """Exactly so many."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.min is None and self.max is None and self.equals is None:
            raise ValueError("needs min, max or equals")
        return self


class RowCount(Check):
    """The table has as many rows as it should."""

    reads: ClassVar[Literal["row", "table"]] = "table"
    place: ClassVar[Literal["column", "table", "both"]] = "table"
    value: Bounds | Annotated[int, Field(ge=0)]
    """`{row_count: {min: 1, max: 100}}`, or a number for exactly so many."""

    def violations(self, asked: Asked) -> str:
        """Return one row, the number of rows, when it is out of bounds."""
        bounds = self.value if isinstance(self.value, Bounds) else Bounds(equals=self.value)
        tests = [("<", bounds.min), (">", bounds.max), ("<>", bounds.equals)]
        broken = " or ".join(f"count(*) {sign} {number}" for sign, number in tests if number is not None)
        return f"select count(*) as rows from {asked.table} having {broken}"


Adapter = RowCount
