"""in: every value is one of a list."""

from __future__ import annotations

from pydantic import Field

from lagoa.kit.constants import Constant, constant
from lagoa.ports import Asked, Check


class In(Check):
    """Every value is one of a list."""

    value: tuple[Constant, ...] = Field(min_length=1)
    """The values that are allowed: `{in: [paid, shipped]}`."""

    def breaks(self, asked: Asked) -> str:
        """Return true for a value that is not in the list; null passes."""
        listed = ", ".join(constant(v, asked.column_type) for v in self.value)
        return f"({asked.column} is not null and {asked.column} not in ({listed}))"


Adapter = In
