"""foreign_key: every value stands in a column of another table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import field_validator

from lagoa.kit.text import quote
from lagoa.ports import Asked, Check
from lagoa.spec.names import TableName


class ForeignKey(Check):
    """Every value stands in a column of another table."""

    reads: ClassVar[Literal["row", "table"]] = "table"
    value: str
    """The table and its column: `{foreign_key: silver.customers.id}`."""

    @field_validator("value")
    @classmethod
    def _names_a_column(cls, value: str) -> str:
        table, _, column = value.rpartition(".")
        if not column:
            raise ValueError("must be layer.table.column, such as silver.customers.id")
        TableName.parse(table)
        return value

    def tables(self) -> Sequence[str]:
        """Name the table that holds the values."""
        return (self.value.rpartition(".")[0],)

    def breaks(self, asked: Asked) -> str:
        """Return true for a value that the other table lacks; null passes."""
        table, _, name = self.value.rpartition(".")
        column = quote(name)
        known = f"select {column} from {asked.tables[table]} where {column} is not null"
        return f"({asked.column} is not null and {asked.column} not in ({known}))"


Adapter = ForeignKey
