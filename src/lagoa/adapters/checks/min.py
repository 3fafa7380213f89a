"""min: no value is less than this one."""

from __future__ import annotations

from lagoa.kit.constants import Constant, constant
from lagoa.ports import Asked, Check


class Min(Check):
    """No value is less than this one."""

    value: Constant
    """The least value that is allowed: a number, a date or a time."""

    def breaks(self, asked: Asked) -> str:
        """Return true for a smaller value; null passes."""
        return f"{asked.column} < {constant(self.value, asked.column_type)}"


Adapter = Min
