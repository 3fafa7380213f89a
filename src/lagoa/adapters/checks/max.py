"""max: no value is greater than this one."""

from __future__ import annotations

from lagoa.kit.constants import Constant, constant
from lagoa.ports import Asked, Check


class Max(Check):
    """No value is greater than this one."""

    value: Constant
    """The greatest value that is allowed: a number, a date or a time."""

    def breaks(self, asked: Asked) -> str:
        """Return true for a greater value; null passes."""
        return f"{asked.column} > {constant(self.value, asked.column_type)}"


Adapter = Max
